# SPDX-License-Identifier: Apache-2.0
"""Which runs of a sweep to hold out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offray.experiment._arguments import positive
from offray.experiment._design import Design

Rows = npt.NDArray[np.bool_]


def beyond(designs: Mapping[str, Design]) -> dict[str, Design]:
    """Runs a little outside what is trained, as in the paper: rays above the first design, tokens above all.

    "H_col": the sizes of the first design on five rays at 1.2 to 1.4 times its largest tokens per parameter; "H_nc": the same
    sizes on three token counts at 1.1 to 1.34 times the largest of any design.
    """
    first = next(iter(designs.values()))
    sizes, k = np.unique(first.N), float((first.D / first.N).max())
    most = max(float(design.D.max()) for design in designs.values())
    return {
        "H_col": Design.fan(k * np.array([1.2, 1.24, 1.3, 1.34, 1.4]), sizes),
        "H_nc": Design.grid(sizes, most * np.geomspace(1.1, 1.34, 3)),
    }


def largest_compute(N: Any, D: Any, share: float = 0.2) -> Rows:
    """The `share` of the runs with the largest N D, ties included, as a mask."""
    if not 0 < share < 1:
        raise ValueError(f"share must be in (0, 1); got {share}")
    compute = positive("N", N) * positive("D", D)
    least = np.sort(compute)[-max(1, round(share * len(compute)))]
    return np.asarray(compute >= least * (1 - 1e-12))


def off_ray(N: Any, D: Any, k: float = 20.0, factor: float = 1.35) -> Rows:
    """The runs whose tokens per parameter are not within `factor` of k, as a mask."""
    if not (k > 0 and factor > 1):
        raise ValueError(f"k must be positive and factor above 1; got {k} and {factor}")
    return np.asarray(np.abs(np.log(positive("D", D) / positive("N", N) / k)) >= np.log(factor))
