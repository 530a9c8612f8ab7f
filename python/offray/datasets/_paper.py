# SPDX-License-Identifier: Apache-2.0
"""The tables of arXiv:2605.08541, and a compilation of isoFLOP runs.

Both are known from their manifests: addresses, sizes and checksums. Their layout is read from what is written about it, and has
not been tried on the files themselves: where it is another one, loading fails with the columns that were found.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial

import numpy as np

from offray._read.delimited import delimited
from offray._read.names import is_usual, reminds_of
from offray._read.quantity import number, numbers
from offray._read.raw import Cells, Raw
from offray._read.read import read
from offray.datasets._dataset import About, Source
from offray.datasets._parse import Run

_COUNTS = re.compile(r"m(?P<params>\d+)_token(?P<tokens>\d+)")
_EPOCH = re.compile(r"epoch\W*_?(\d+)|(?<![a-z])e(?:p)?(\d+)(?![a-z0-9])", re.IGNORECASE)
_ON_RAYS = re.compile(r"(?<!non)(?<!non[_-])coll?inear", re.IGNORECASE)
_TABLES = {
    "c4": ("C4", 61543, "6c546d0ac273d6a714b234224c5a5b240274a07d79598a586ca295ed18a9c011"),
    "cosmopedia": ("Cosmopedia", 62093, "e9befe3c11de19e56a07200be5998feada776b245ab1e02c056c8e89c7bb08f2"),
    "pes2o": ("peS2o", 62063, "8f9e33fdac8d96002be002b1f0cbffd5a6bba7e3b4e05c4c16c32a77bcb21856"),
    "redpajama": ("RedPajama", 62086, "46709c4965b527feac270e219d5fb6092d9f05cba8783a619d80bab49342868a"),
    "wikipedia": ("Wikipedia", 62111, "2c55c543b7143ded96f2ac8b56b712d0a78326ad7b10465f6458bb618f8c662f"),
    "wikipedia_bf16": (
        "Wikipedia, in bfloat16",
        57618,
        "d5e905b1b9f4bbf0abc205a753a5882b2e48b3ee358dbc464ffde7a5aef6d40f",
    ),
    "wikipedia_bigtpp": ("Wikipedia, high ratios", 24999, "5a61df7a1dcaf2626c848ef6c6d5ab9f290a16eed896dd14bdfcc1555feb56fa"),
}


def table(file: str, text: str) -> list[Run]:
    """One row per run and epoch: N and D out of its name, the design it belongs to, its mean loss over that epoch.

    Raises
    ------
    ValueError
        For another layout.
    """
    raw = delimited(text, file)
    names, counts = _named_runs(raw)
    label, losses = raw.column(names), _losses(raw, names)
    if not losses:
        raise ValueError(_unknown(raw, "no column of losses"))
    runs = []
    for epoch, values in losses:
        for row in range(len(raw)):
            seen = epoch[row]
            if np.isnan(values[row]) or np.isnan(seen):
                raise ValueError(f"{raw.place(row)}: no loss of {label[row]}")
            params, tokens = counts[row]
            runs.append(Run(params, seen * tokens, values[row], None, str(label[row]), _family(str(label[row])), tokens))
    return sorted(runs, key=lambda run: (run.family, run.run, run.tokens))


def _named_runs(raw: Raw) -> tuple[int, list[tuple[float, float]]]:
    """The column in which every run is named with its counts, and these."""
    for at in range(len(raw.names)):
        found = [_COUNTS.search(str(cell)) for cell in raw.column(at).tolist()]
        if all(found):
            return at, [(float(match["params"]), float(match["tokens"])) for match in found if match]
    raise ValueError(_unknown(raw, "no column of names such as ..._m5038848_token10000000..."))


def _losses(raw: Raw, names: int) -> list[tuple[Cells, Cells]]:
    """Epoch and loss of every row: of columns, one per epoch, or of rows with a column for the epoch."""
    columns = [at for at in range(len(raw.names)) if at != names]
    numbered = {at: _EPOCH.search(raw.names[at]) for at in columns}
    wide = [(int(match[1] or match[2]), at) for at, match in numbered.items() if match and _is_numeric(raw, at)]
    if wide:
        first = min(epoch for epoch, _ in wide)
        return [(np.full(len(raw), epoch - first + 1.0), numbers(raw.column(at))[0]) for epoch, at in sorted(wide)]
    loss = [at for at in columns if is_usual("loss", raw.names[at]) or reminds_of("loss", raw.names[at])]
    if len(loss) != 1:
        return []
    told = [at for at in columns if raw.names[at].lower() in ("epoch", "epochs")]
    epoch = numbers(raw.column(told[0]))[0] if told else np.ones(len(raw))
    return [(epoch - epoch.min() + 1, numbers(raw.column(loss[0]))[0])]


def _is_numeric(raw: Raw, at: int) -> bool:
    return all(number(str(cell)) is not None for cell in raw.column(at).tolist())


def _family(name: str) -> str:
    """The design that a run belongs to; those held out belong to none."""
    if "holdout" in name.lower().replace("_", "").replace("-", ""):
        return "held out"
    return "collinear" if _ON_RAYS.search(name) else "spread"


def _unknown(raw: Raw, what: str) -> str:
    named = 'params="...", tokens="..." and loss="..."'
    return f"{raw.source}: {what}; {raw.listed()}; the layout is not the one expected: read the file as your own, with {named}"


def isoflop(file: str, text: str) -> list[Run]:
    """Runs of several studies in one table, each a family of its own."""
    content = io.BytesIO(text.encode())
    content.name = file
    names = delimited(text, file).names
    compute = next((name for name in names if reminds_of("flops", name)), None)
    study = next((name for name in names if name.lower() in ("experiment", "source", "study", "dataset", "family")), None)
    runs = read(content, flops=compute, by=study)
    size = len(runs["loss"])
    flops, family = (runs[key] if key else [None] * size for key in ("flops" if compute else None, study))
    return [
        Run(N, D, L, None if C is None else float(C), None, None if label is None else str(label))
        for N, D, L, C, label in zip(
            *(runs[name].tolist() for name in ("params", "tokens", "loss")), flops, family, strict=True
        )
    ]


def _about(corpus: str, file: str, size: int, sha256: str) -> tuple[About, Callable[[str], list[Run]]]:
    source = Source(
        repository="TPPIsCriticalFor/colinear_scaling_models",
        commit="main",
        path=f"extracted_losses/{file}",
        bytes=size,
        sha256=sha256,
        of_hub=True,
    )
    about = About(
        corpus=corpus,
        params_definition="as the names of the runs count them",
        loss_unit="nats per token, mean of the training loss over each epoch",
        licence="GPL-2.0",
        citation="Kricheli et al. 2026, arXiv:2605.08541",
        note="One row per run and epoch; family is the design, or held out. Not yet tried on the real file.",
        source=source,
    )
    return about, partial(table, source.file)


SETS: dict[str, tuple[About, Callable[[str], list[Run]]]] = {
    **{f"paper_{name}": _about(corpus, f"{name}.csv", size, sha256) for name, (corpus, size, sha256) in _TABLES.items()},
    "isoflop_experiments": (
        About(
            corpus="MassiveText, Llama 3's and Marin's",
            params_definition="as each study counts them",
            loss_unit="nats per token, as each study measures it",
            licence="Apache-2.0",
            citation="Open-Athena, isoflop-experiments",
            note="Chinchilla, Llama 3 and Marin; family is the study, losses of one compare. Not yet tried on the real file.",
            source=Source(
                repository="open-athena/isoflop-experiments",
                commit="main",
                path="isoflop_experiments.csv",
                bytes=97943,
                sha256="cc2887c16d4e3ac6af9bdb4bd11c373aedb3a946def58ebb0ee9b722e1b14e7e",
                of_hub=True,
            ),
        ),
        partial(isoflop, "open-athena__isoflop_experiments.csv"),
    ),
}
