# SPDX-License-Identifier: Apache-2.0
"""The data sets: where they are, what they are, who made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from offray.datasets import _paper, _parse
from offray.datasets._dataset import About, Source

CHINCHILLA = About(
    corpus="MassiveText",
    params_definition="all parameters",
    loss_unit="nats per token, final training loss",
    licence="none stated",
    citation="Hoffmann et al. 2022, arXiv:2203.15556; digitised by Besiroglu et al. 2024, arXiv:2404.10102",
    note="Read off a figure, so D is not logged but FLOP / (6 N). Its 5 highest losses are chinchilla_massivetext_outliers.",
    source=Source(
        repository="epoch-research/analyzing-chinchilla",
        commit="92258837425e1b5f2851d624287f0120583a3d0e",
        path="data/svg_extracted_data.csv",
        bytes=23224,
        sha256="193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
    ),
    budgets=(6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21),
)

SETS: dict[str, tuple[About, Callable[[str], list[_parse.Run]]]] = {
    "pile": (
        About(
            corpus="The Pile",
            params_definition="all parameters",
            loss_unit="nats per token, Pile test set, one evaluation for both families",
            licence="Apache-2.0",
            citation="Dey et al. 2023, arXiv:2304.03208, Tables 3 and 8; Pythia models: Biderman et al. 2023, arXiv:2304.01373",
            note="Cerebras-GPT at 20 tokens per parameter, Pythia at 300B tokens for every size; together they leave E open.",
            source=None,
        ),
        _parse.pile,
    ),
    "chinchilla_massivetext": (CHINCHILLA, _parse.chinchilla),
    "chinchilla_massivetext_outliers": (
        replace(
            CHINCHILLA,
            budgets=None,
            note="The 5 highest losses of the figure. Adding them moves a fit of log loss to E 1.99, beta 0.61.",
        ),
        _parse.chinchilla_outliers,
    ),
    "gemstones_dolma": (
        About(
            corpus="Dolma 1.7",
            params_definition="all parameters, both embedding matrices included (50,304 x width each)",
            loss_unit="nats per token, Dolma validation, after a cooldown",
            licence="MIT",
            citation="McLeish et al. 2025, arXiv:2502.06857",
            note="20 shapes at 10 token counts, one cell missing; width / depth varies on purpose, and losses scatter by 1.5%.",
            source=Source(
                repository="mcleish7/gemstone-scaling-laws",
                commit="5f420478f6057b0cbb4d13405fb10ca64675bccb",
                path="wandb_dfs/wandb_df_for_fitting_cool_end.jsonl",
                bytes=40376,
                sha256="bdf01b6b21bafc414218124a6f9e195cee07f3d69ceacbfae2fcf069d34f4e61",
            ),
        ),
        _parse.gemstones,
    ),
    "marin_nemotron": (
        About(
            corpus="Nemotron mix",
            params_definition="all parameters, both embedding matrices included (128,256 x width each)",
            loss_unit="nats per token, Paloma macro average",
            licence="none stated",
            citation="Marin community 2026, scaling ladders; Open-Athena, scaling-law-analysis",
            note="To fit: 8 isoFLOP curves. Kept apart: compute-optimal runs to 1e21. FLOP is nominal, 6 N D up to 35% off.",
            source=Source(
                repository="Open-Athena/scaling-law-analysis",
                commit="3e0656ee3dce1a2c89aa67691920f5eb9d30f0fc",
                path="data/isoflops/extract/marin_202603/raw/isoflop-nemotron.csv",
                bytes=14398,
                sha256="5e615183ba71083721a5bc169adf7c9c997c4820fd69f383f108e0a4ca3ea375",
            ),
            fit_family="isoflop",
        ),
        _parse.marin,
    ),
    "steplaw_dense": (
        About(
            corpus="Step mixture",
            params_definition="all but the embeddings",
            loss_unit="nats per token, smoothed training loss",
            licence="none stated",
            citation="Li et al. 2025, arXiv:2503.04715",
            note="Each row is the best of 47 to 120 runs in learning rate and batch size. N spans a factor 5, so E is loose.",
            source=Source(
                repository="step-law/steplaw",
                commit="32a8f4cc50247695fb56cc6c9117abdf67c97763",
                path="data/dense_lr_bs_loss.csv",
                bytes=344476,
                sha256="9e46181076c04d450294d75dfe6f72adc416e231e154a07b337e378f9410002c",
            ),
        ),
        _parse.steplaw,
    ),
    "gadre_sweep_tpp20": (
        About(
            corpus="not stated",
            params_definition="all parameters, as tokens / 20",
            loss_unit="nats per token, evaluation set not stated",
            licence="MIT",
            citation="Gadre et al. 2024, arXiv:2403.08540",
            note="All on one ray, 20 tokens per parameter. The best warm-up of each architecture; family is the batch size.",
            source=Source(
                repository="mlfoundations/scaling",
                commit="a003c4913793ac2ae7ef87b28ecb562955d026d5",
                path="exp_data/grid.json",
                bytes=34986,
                sha256="ca332946e0f359950c47a115662e8fdea40e33807fc6bb8ebb0adc4a17521050",
            ),
        ),
        _parse.gadre_sweep,
    ),
    **_paper.SETS,
}
