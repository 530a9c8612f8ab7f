# SPDX-License-Identifier: Apache-2.0
"""The runs of a fit and what it says of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from offray import _core
from offray._infer.misfit import weighted_residuals
from offray._infer.reach import LABELS
from offray._input.arrays import Array
from offray._optimum import Optimum


def frame(fit: Optimum) -> dict[str, Any]:
    """What `Fit.frame` does."""
    problem, at = fit.problem, fit.followed
    r, h = at.residuals, _core.leverage(at.core)
    fitted = problem.loss * np.exp(r) if fit.log_loss else problem.loss + r
    rows = range(len(problem.loss))
    return {
        "row": np.array(rows) if problem.row_name is None else np.array([problem.row(i) for i in rows]),
        **{LABELS.get(name, name): column.copy() for name, column in problem.columns.items() if column.size},
        "loss": problem.loss.copy(),
        **({"weight": problem.weight.copy()} if problem.weight.size else {}),
        "fitted": fitted,
        "residual": r.copy(),
        "standardised_residual": _standardised(at, h),
        "leverage": h,
    }


def _standardised(fit: Optimum, h: Array) -> Array:
    """By the standard deviation of a residual, s sqrt(1 - h): a run that decides its own fitted value has none."""
    own = 1 - h <= np.sqrt(np.finfo(h.dtype).eps)
    with np.errstate(all="ignore"):
        return np.asarray(np.where(own, np.nan, weighted_residuals(fit) / (fit.noise_sd * np.sqrt(1 - h))))
