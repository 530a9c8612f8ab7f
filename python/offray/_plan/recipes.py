# SPDX-License-Identifier: Apache-2.0
"""Plain designs to hold a suggestion against."""

from __future__ import annotations

import numpy as np

from offray._input.arrays import Array
from offray._plan.planning import FLOPS_PER_TOKEN
from offray.designs import factorial, fan, isoflop


def recipes(region: dict[str, tuple[float, float]], budget: float, max_runs: int) -> dict[str, tuple[Array, Array]]:
    """Plain designs of `max_runs` runs, their largest runs shrunk until they are affordable."""
    (n0, n1), (d0, d1) = region["N"], region["D"]

    def of_fan(shrink: float) -> tuple[Array, Array]:
        sizes = np.geomspace(n0, max(n1 * shrink, n0), max(max_runs // 5, 1))
        return fan([10.0, 15.0, 20.0, 25.0, 30.0], sizes)

    def of_isoflop(shrink: float) -> tuple[Array, Array]:
        low, high = FLOPS_PER_TOKEN * n0 * d0, FLOPS_PER_TOKEN * n1 * d1 * shrink
        return isoflop(np.geomspace(low * 3, max(high, low * 3), 5), np.geomspace(n0, n1, max(max_runs // 5, 1)))

    def of_factorial(shrink: float) -> tuple[Array, Array]:
        root = np.sqrt(shrink)
        N, D = factorial((n0, max(n1 * root, n0)), (d0, max(d1 * root, d0)))
        copies = max(max_runs // 9, 1)
        return np.tile(N, copies), np.tile(D, copies)

    out = {}
    for name, recipe in (("fan", of_fan), ("isoFLOP", of_isoflop), ("3 x 3 factorial", of_factorial)):
        low, high = 1e-6, 1.0
        for _ in range(40):
            middle = np.sqrt(low * high)
            N, D = recipe(middle)
            low, high = (middle, high) if budget >= FLOPS_PER_TOKEN * N @ D else (low, middle)
        N, D = recipe(low)
        if budget >= FLOPS_PER_TOKEN * N @ D:
            out[name] = N, D
    return out
