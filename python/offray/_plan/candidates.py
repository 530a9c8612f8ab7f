# SPDX-License-Identifier: Apache-2.0
"""Runs to choose from, and runs that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from offray._input.arrays import DOUBLE, Array, positive, vector
from offray._read.runs import counts_of, is_table

_GRID = 20


def candidate_runs(region: Any, sizes: Any, tokens: Any, given: Any) -> tuple[Array, Array, dict[str, tuple[float, float]]]:
    """The runs to choose from, and the ranges of N and D."""
    if given is not None:
        N, D = (positive(f"candidates: {name}", a) for name, a in zip("ND", given, strict=True))
        return N, D, {"N": (float(N.min()), float(N.max())), "D": (float(D.min()), float(D.max()))}
    if not isinstance(region, Mapping):
        region = dict(zip("ND", region, strict=False))
    bounds = {}
    for name in ("N", "D"):
        ends = region.get(name)
        numbers = np.shape(ends) == (2,) and all(isinstance(end, int | float | np.number) for end in ends)
        if not numbers or not 0 < ends[0] < ends[1] < np.inf:
            raise ValueError(f"region must give {name} as (least, most), two positive numbers, the smaller first; got {ends}")
        bounds[name] = (float(ends[0]), float(ends[1]))
    axes = []
    for name, label, values in (("N", "sizes", sizes), ("D", "tokens", tokens)):
        low, high = bounds[name]
        axis = np.geomspace(low, high, _GRID) if values is None else vector(label, values, DOUBLE)
        inside = axis[(axis >= low * (1 - 1e-12)) & (axis <= high * (1 + 1e-12))]
        if inside.size == 0:
            raise ValueError(f"{label}: none lies in the region's {name}, {low:g} to {high:g}")
        axes.append(inside)
    N, D = (a.ravel() for a in np.meshgrid(*axes, indexing="ij"))
    return N, D, bounds


def existing_runs(existing: Any) -> tuple[Array, Array]:
    """Runs that there are, (N, D) or a table; none for None."""
    if existing is None:
        return np.empty(0), np.empty(0)
    if hasattr(existing, "problem"):
        raise ValueError("existing: runs are asked for; a fit, with its runs, goes to fit=")
    if is_table(existing):
        existing = counts_of(existing)
    N, D = (positive(name, a) for name, a in zip("ND", existing, strict=True))
    return N, D
