# SPDX-License-Identifier: Apache-2.0
"""From the text of a source to its runs, one function each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

_OUTLIERS = 5


class Run(NamedTuple):
    """One row; runs sort by N, then D."""

    params: float
    tokens: float
    loss: float
    flops: float | None = None
    run: str | None = None
    family: str | None = None
    unique_tokens: float | None = None


def pile(text: str) -> list[Run]:
    """The packaged example: a plain table."""
    return [
        Run(float(r["params"]), float(r["tokens"]), float(r["loss"]), run=r["run"], family=r["family"]) for r in _table(text)
    ]


def chinchilla(text: str) -> list[Run]:
    """The points of the figure but for the outliers."""
    return sorted(_points(text)[_OUTLIERS:])


def chinchilla_outliers(text: str) -> list[Run]:
    """The points with the highest losses."""
    return sorted(_points(text)[:_OUTLIERS])


def _points(text: str) -> list[Run]:
    """All points of the figure, the highest loss first. It shows N, compute C and loss; D is C / (6 N)."""
    runs = []
    for row in _table(text):
        N, C = float(row["Model Size"]), float(row["Training FLOP"])
        runs.append(Run(N, C / (6 * N), float(row["loss"]), flops=C))
    return sorted(runs, key=lambda run: -run.loss)


def gemstones(text: str) -> list[Run]:
    """Shapes (width x depth), each after a cooldown from every token count."""
    return sorted(
        Run(
            row["params_active_precise"],
            row["tokens"],
            row["final_loss"],
            run=row["run_name"].removeprefix("PyGemma-").removesuffix("_pretrain"),
        )
        for row in map(json.loads, text.splitlines())
    )


def marin(text: str) -> list[Run]:
    """IsoFLOP curves, then the runs that check the compute-optimal sizes derived from them."""
    runs = []
    for row in _table(text):
        flops = float(f"{float(row['throughput/total_gflops']) * 1e9:.1e}")  # the nominal budget, which the count meets to 1e-4
        family = "isoflop" if row["Name"].startswith("isoflop-") else "validation-optimal"
        N, D, loss = (float(row[key]) for key in ("parameter_count", "throughput/total_tokens", "eval/paloma/macro_loss"))
        runs.append(Run(N, D, loss, flops, row["Name"], family))
    return sorted(runs, key=lambda run: (run.family, run))


def steplaw(text: str) -> list[Run]:
    """The learning rate and batch size with the lowest smoothed loss for each N and D."""
    rows = [Run(float(r["N"]), float(r["D"]), float(r["smooth loss"]), run=f"lr{r['lr']}_bs{r['bs']}") for r in _table(text)]
    return sorted(_lowest(((row.params, row.tokens), row) for row in rows))


def gadre_sweep(text: str) -> list[Run]:
    """The warm-up with the lowest loss for each architecture; all runs have 20 tokens per parameter."""
    cells = []
    for key, loss in json.loads(text).items():
        shape, batch, _, _, _, tokens, warmup, _ = key.split("-", 7)
        D, family = float(tokens), f"bs{batch}"
        cells.append((shape, Run(D / 20, D, loss, run=f"{shape}_{family}_warm{warmup}", family=family)))
    return sorted(_lowest(cells), key=lambda run: (run.family, run.params, run.run))


def _lowest(cells: Iterable[tuple[Hashable, Run]]) -> Iterable[Run]:
    """The run with the lowest loss of each cell."""
    best: dict[Hashable, Run] = {}
    for cell, run in cells:
        if cell not in best or run.loss < best[cell].loss:
            best[cell] = run
    return best.values()


def _table(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))
