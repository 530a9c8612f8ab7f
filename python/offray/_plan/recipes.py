# SPDX-License-Identifier: Apache-2.0
"""Plain designs to hold a suggestion against, within the same limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from offray._input.arrays import Array
from offray._plan.places import Places
from offray._plan.planning import FLOPS_PER_TOKEN
from offray.designs import factorial, fan

_RATIOS = (10.0, 15.0, 20.0, 25.0, 30.0)
_LEVELS = 3


Costs = Callable[..., Array]
"""The costs of runs: (N, D), or an array for each input."""


class Limits(NamedTuple):
    """Ranges of N, D and tokens per parameter."""

    N: tuple[float, float]
    D: tuple[float, float]
    TPP: tuple[float, float] = (0.0, np.inf)

    def hold(self, N: Array, D: Array) -> Array:
        """Which runs are inside, rounding allowed for."""
        ends = zip((N, D, D / N), self, strict=True)
        inside: Array = np.all([(a >= low * (1 - 1e-9)) & (a <= high * (1 + 1e-9)) for a, (low, high) in ends], axis=0)
        return inside

    def sizes_at(self, flops: float) -> tuple[float, float]:
        """The range of N at a budget 6 N D; empty where the first is above the second."""
        tokens = flops / FLOPS_PER_TOKEN
        low = max(self.N[0], tokens / self.D[1], np.sqrt(tokens / self.TPP[1]))
        high = min(self.N[1], tokens / self.D[0], np.sqrt(tokens / self.TPP[0]) if self.TPP[0] > 0 else np.inf)
        return low, high


def recipes(limits: Limits, budget: float, max_runs: int, cost: Costs) -> dict[str, Places]:
    """Plain designs of at most `max_runs` runs, their largest runs shrunk until they are affordable."""

    def inside(N: Array, D: Array) -> tuple[Array, Array]:
        kept = limits.hold(N, D)
        return N[kept], D[kept]

    def of_fan(shrink: float) -> tuple[Array, Array]:
        rays = min(len(_RATIOS), max(max_runs // _LEVELS, 1))
        ratios = np.array(_RATIOS)[np.linspace(0, len(_RATIOS) - 1, rays).round().astype(int)]
        low = limits.N[0]
        return inside(*fan(ratios, np.geomspace(low, max(limits.N[1] * shrink, low), max(max_runs // rays, 1))))

    def of_isoflop(shrink: float) -> tuple[Array, Array]:
        budgets = max(min(5, max_runs // 4), 2)
        each = max(max_runs // budgets, 1)
        smallest, largest = (FLOPS_PER_TOKEN * limits.N[k] * limits.D[k] for k in (0, 1))
        curves = [
            np.stack([sizes, C / FLOPS_PER_TOKEN / sizes])
            for C in np.geomspace(smallest * 3, max(largest * shrink, smallest * 3), budgets)
            for low, high in [limits.sizes_at(float(C))]
            if low < high
            for sizes in [np.geomspace(low, high, each)]
        ]
        return inside(*np.concatenate(curves, axis=1)) if curves else (np.empty(0), np.empty(0))

    def of_factorial(shrink: float) -> tuple[Array, Array]:
        (n0, n1), (d0, d1) = limits.N, limits.D
        # Fewer tokens first, then smaller models: sizes are what a small budget can still vary.
        fewer = max(shrink, d0 / d1)
        N, D = inside(*factorial((n0, max(n1 * shrink / fewer, n0)), (d0, d1 * fewer), _LEVELS))
        copies = max(max_runs // max(len(N), 1), 1)
        return np.tile(N, copies)[:max_runs], np.tile(D, copies)[:max_runs]

    named = (("fan", of_fan), ("isoFLOP", of_isoflop), ("3 x 3 factorial", of_factorial))
    found = {name: _affordable(recipe, budget, cost) for name, recipe in named}
    return {name: runs for name, runs in found.items() if runs is not None}


def even_grid(axes: list[tuple[float, float, bool]], budget: float, max_runs: int, cost: Costs) -> Places | None:
    """As many levels of every input as there are runs for, three at least, evenly spread, the ranges shrunk until they are
    affordable; None where there are too few runs for that.

    Parameters
    ----------
    axes : list of (least, most, bool)
        Of each input, and whether to spread its logarithm.
    """
    levels = [_LEVELS] * len(axes)
    while np.prod(levels) * (min(levels) + 1) <= max_runs * min(levels):
        levels[levels.index(min(levels))] += 1
    if np.prod(levels) > max_runs:
        return None

    def of_grid(shrink: float) -> Places:
        spread = []
        for (low, high, log), count in zip(axes, levels, strict=True):
            share = shrink * np.linspace(0.0, 1.0, count)
            spread.append(low * (high / low) ** share if log else low + (high - low) * share)
        return tuple(a.ravel() for a in np.meshgrid(*spread, indexing="ij"))

    return _affordable(of_grid, budget, cost)


def _affordable(recipe: Callable[[float], Places], budget: float, cost: Costs) -> Places | None:
    """The recipe with its largest runs as large as the budget allows; None where no run is within it."""

    def total(shrink: float) -> float:
        return float(cost(*recipe(shrink)).sum())

    low, high = 1e-6, 1.0
    if total(high) > budget:
        for _ in range(40):
            middle = float(np.sqrt(low * high))
            low, high = (middle, high) if total(middle) <= budget else (low, middle)
    else:
        low = high
    places = recipe(low)
    return places if len(places[0]) and cost(*places).sum() <= budget else None
