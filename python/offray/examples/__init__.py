# SPDX-License-Identifier: Apache-2.0
"""Example runs that come with the package."""

from __future__ import annotations

import csv
from pathlib import Path


def path(name: str = "pile.csv") -> Path:
    """The file of an example."""
    return Path(__file__).with_name(name)


def byte_lm(corpus: str = "documentation", *, targets: bool = False) -> dict[str, list[float]]:
    """Losses of small byte-level language models that ``examples/trainer`` trained: columns params, tokens, loss.

    Gated multilayer perceptrons of 4 364 to 960 368 parameters on 0.3 to 30 million bytes of one of two corpora, each once;
    loss in nats per byte on held-out text. Nothing in it is anybody else's: the runs are the project's own.

    Parameters
    ----------
    corpus : {"documentation", "python"}
    targets : bool
        The two larger runs that are kept apart, at 11 and 21 times the compute of the others' largest, in their place: 95 runs,
        a grid, a ray, a fan and further seeds.

    Raises
    ------
    ValueError
        For another corpus.
    """
    with path("byte_lm.csv").open(newline="", encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["corpus"] == corpus and (row["role"] == "target") == targets]
    if not table:
        raise ValueError(f"corpus must be 'documentation' or 'python'; got {corpus!r}")
    return {name: [float(row[name]) for row in table] for name in ("params", "tokens", "loss")}


def pile() -> dict[str, list[float]]:
    """Pile test losses of Cerebras-GPT and Pythia: columns params, tokens, loss.

    7 Cerebras-GPT sizes at 20 tokens per parameter and 8 Pythia sizes on 300B tokens: same tokenizer, test set, evaluation.
    Dey et al. 2023, arXiv:2304.03208, Tables 3 and 8; loss in nats per token.
    """
    with path().open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in table] for name in ("params", "tokens", "loss")}
