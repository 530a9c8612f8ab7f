# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals of the parameters, by several methods, and side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from offray import _core
from offray._arrays import Array, frozen

if TYPE_CHECKING:
    from offray._result import Fit

METHODS = ("delta", "sandwich", "profile", "bootstrap")


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals by several methods; ``print`` shows them side by side.

    Attributes
    ----------
    parameters : tuple of str
    estimate : (p,) ndarray
    methods : tuple of str
    bounds : (p, len(methods), 2) ndarray
        Lower and upper ends, natural units.
    level : float
    """

    parameters: tuple[str, ...]
    estimate: Array
    methods: tuple[str, ...]
    bounds: Array
    level: float

    def __str__(self) -> str:
        head = ("parameter", "estimate", *(f"{method} {100 * self.level:g} %" for method in self.methods))
        rows = [
            (name, f"{value:.6g}", *(f"{low:.5g} .. {high:.5g}" for low, high in ends))
            for name, value, ends in zip(self.parameters, self.estimate, self.bounds, strict=True)
        ]
        widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
        )


def half_width(fit: Fit, level: float) -> float:
    """Student's t of a two-sided interval."""
    check_level(level)
    return _core.student_t_half_width(level, fit.degrees_of_freedom)


def check_level(level: float) -> None:
    """``ValueError`` unless the level is in (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1); got {level}")


def replicates(fit: Fit, n: int, kind: str, seed: int, group: Iterable[Any] | None) -> Array:
    """theta of the usable bootstrap replicates, (n, p)."""
    refits = fit.bootstrap(n, kind=kind, seed=seed, group=group)
    return np.asarray(refits.theta[refits.status != "evaluation_failed"])


def percentiles(drawn: Array, level: float) -> Array:
    """The central `level` of the first axis; lower and upper ends last."""
    tail = (1 - level) / 2
    return np.moveaxis(np.quantile(drawn, [tail, 1 - tail], axis=0), 0, -1)


def conf_int(fit: Fit, level: float, method: str, n: int, kind: str, seed: int, group: Iterable[Any] | None) -> Array:
    """What `Fit.conf_int` does."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known methods: {', '.join(METHODS)}")
    if group is not None and method not in ("sandwich", "bootstrap"):
        raise ValueError(f"group belongs to the methods sandwich and bootstrap; method is {method!r}")
    t = half_width(fit, level)
    if fit.reduced is not None:
        inner = conf_int(fit.reduced, level, method, n, kind, seed, group)
        return fit._in_full(inner, (-np.inf, np.inf))
    if method == "profile":
        return np.stack([_profile(fit, j, level) for j in range(len(fit.theta))])
    if method == "bootstrap":
        return fit.bootstrap(n, kind=kind, seed=seed, group=group).conf_int(level)
    se = fit.se if method == "delta" else np.sqrt(np.diagonal(fit.covariance("sandwich", group=group)))
    # A fixed parameter has no interval, whatever the noise: not 0 times infinity.
    half = np.where(se == 0, 0, t) * se
    return np.stack([fit.theta - half, fit.theta + half], axis=1)


def _profile(fit: Fit, j: int, level: float) -> Array:
    if not fit._core.free[j]:
        return np.array([fit.theta[j], fit.theta[j]])
    low, high = _core.profile(fit._core, _core.PARAMETER, np.array([j], fit.theta.dtype), level)
    with np.errstate(over="ignore"):  # open at the top
        return np.array([np.exp(low[()]), np.exp(high[()])])


def intervals(fit: Fit, level: float, methods: Iterable[str], **options: Any) -> Intervals:
    """What `Fit.intervals` does."""
    methods = tuple(methods)
    group = options.pop("group")
    columns = [
        fit.conf_int(level, method, group=group if method in ("sandwich", "bootstrap") else None, **options)
        for method in methods
    ]
    estimate = np.array(list(fit.params.values()), fit.theta.dtype)
    return Intervals(fit.law.parameters, frozen(estimate), methods, frozen(np.stack(columns, axis=1)), level)
