# SPDX-License-Identifier: Apache-2.0
"""Which options belong to which objective."""

from __future__ import annotations

from offray import _core


def check_objective(objective: str, delta: float | str | None, quantile: float | None) -> None:
    """``ValueError`` for an unknown objective or for a constant that is not its own."""
    if objective not in _core.OBJECTIVES:
        raise ValueError(f"unknown objective {objective!r}; known objectives: {', '.join(_core.OBJECTIVES)}")
    if delta is not None and objective not in _core.SCALED_OBJECTIVES:
        raise ValueError(f"delta belongs to {', '.join(_core.SCALED_OBJECTIVES)}; objective is {objective!r}")
    if isinstance(delta, str) and delta != "mad":
        raise ValueError(f"delta must be a number or 'mad'; got {delta!r}")
    if quantile is not None and objective != "quantile":
        raise ValueError(f"quantile belongs to the objective 'quantile'; objective is {objective!r}")
