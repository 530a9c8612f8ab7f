# SPDX-License-Identifier: Apache-2.0
"""Near-ray and spread designs of equal compute, cut from one sweep of real runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

RAY = 20.0
NEAR = 1.35
WITHIN = 0.1
_FEWEST = 3


def by_budget(N: Array, D: Array, budgets: Any = None, flops: Array | None = None) -> list[Array]:
    """Rows by compute budget, the smallest first.

    Within 10 % of the given `budgets`; or by the nominal `flops`, where each value stands for three runs or more on average; or
    else the fullest windows of 10 % either way of 6 N D, one after the other, while they hold three rows.
    """
    log_C = np.log(6 * N * D)
    if budgets is not None:
        found = [np.flatnonzero(np.abs(log_C - np.log(budget)) < WITHIN) for budget in np.sort(budgets)]
        for budget, rows in zip(np.sort(budgets), found, strict=True):
            if not len(rows):
                raise ValueError(f"budgets: no run has a compute 6 N D within 10 % of {budget:g}")
        return found
    if flops is not None:
        nominal = np.unique(flops)
        if len(flops) >= _FEWEST * len(nominal):
            return [np.flatnonzero(flops == budget) for budget in nominal]
    return _windows(log_C)


def _windows(log_C: Array) -> list[Array]:
    order = np.argsort(log_C, kind="stable")
    found = []
    while len(order):
        last = np.searchsorted(log_C[order], log_C[order] + 2 * WITHIN, side="right")
        first = int(np.argmax(last - np.arange(len(order))))
        rows = order[first : last[first]]
        if len(rows) < _FEWEST:
            break
        found.append(rows)
        order = np.delete(order, np.arange(first, last[first]))
    return sorted(found, key=lambda rows: float(log_C[rows].mean()))


@dataclass(frozen=True)
class Cell:
    """The runs of one budget: all, those near the ray, and the low and the high half by tokens per parameter."""

    rows: Array
    near: Array
    low: Array
    high: Array


def cells(N: Array, D: Array, budgets: list[Array], ray: float = RAY) -> list[Cell]:
    """Per budget the (up to) two runs nearest the ray, within 35 %, and the halves; budgets without are left out.

    A middle run of an odd number belongs to neither half.
    """
    away = np.log(D / N / ray)
    out = []
    for rows in budgets:
        ranked = rows[np.argsort(away[rows], kind="stable")]
        nearest = rows[np.argsort(np.abs(away[rows]), kind="stable")][:2]
        near = nearest[np.abs(away[nearest]) < np.log(NEAR)]
        half = len(ranked) // 2
        if len(near) and half:
            out.append(Cell(rows, near, ranked[:half], ranked[-half:]))
    return out


def draw(cut: list[Cell], rng: np.random.Generator) -> Array:
    """As many runs per budget as are near the ray: one of each half, or for a single one, of the halves by turns at random."""
    single = sum(len(cell.near) == 1 for cell in cut)
    turns = iter(rng.permutation((np.arange(single) + rng.integers(2)) % 2))
    rows: list[int] = []
    for cell in cut:
        sides = (cell.low, cell.high) if len(cell.near) == 2 else ((cell.low, cell.high)[next(turns)],)
        rows += [int(rng.choice(side)) for side in sides]
    return np.array(rows)
