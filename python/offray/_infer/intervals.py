# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals of the parameters, by several methods, and side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from offray import _core
from offray._choices import IntervalMethod, Method
from offray._infer.bootstrap import bootstrap, percentiles
from offray._input import check
from offray._input.arrays import Array, frozen
from offray._optimum import Optimum
from offray._text import Sheet
from offray._travel.record import Record
from offray._warnings import IdentifiabilityWarning

METHODS: tuple[str, ...] = get_args(IntervalMethod)
DERIVED_METHODS: tuple[str, ...] = get_args(Method)
_LOST = 0.05
_QUICK = 2000


@dataclass(frozen=True, repr=False, eq=False)
class Intervals(Record):
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

    def _brief(self) -> str:
        return f"{', '.join(self.methods)} at {100 * self.level:g} % of {', '.join(self.parameters)}"

    def _sheet(self) -> Sheet:
        head = ("parameter", "estimate", *(f"{method} {100 * self.level:g} %" for method in self.methods))
        rows = [
            (name, f"{value:.6g}", *(f"{low:.5g} .. {high:.5g}" for low, high in ends))
            for name, value, ends in zip(self.parameters, self.estimate, self.bounds, strict=True)
        ]
        return Sheet([], [head, *rows])

    def __str__(self) -> str:
        return self._sheet().text()


def half_width(fit: Optimum, level: float, method: str = "delta", group: Iterable[Any] | None = None) -> float:
    """Student's t of a two-sided interval, on n - rank degrees of freedom; of a sandwich over G groups on at most G - 1."""
    check.level(level)
    dof = fit.degrees_of_freedom
    if method == "sandwich" and group is not None:
        dof = min(dof, len(set(group)) - 1)
    return _core.student_t_half_width(level, dof)


def check_method(method: str, group: Any, known: tuple[str, ...] = DERIVED_METHODS) -> None:
    """``ValueError`` for an unknown method, or a `group` that it does not read."""
    if method not in known:
        raise ValueError(f"unknown method {method!r}; known methods: {', '.join(known)}")
    if group is not None and method not in ("sandwich", "bootstrap"):
        raise ValueError(f"group belongs to the methods sandwich and bootstrap; method is {method!r}")


def bootstrap_theta(fit: Optimum, n: int, kind: str, seed: int, group: Iterable[Any] | None) -> Array:
    """theta of the usable bootstrap replicates, (n, p)."""
    refits = bootstrap(fit, n, kind=kind, seed=seed, group=group)
    if refits.failed > _LOST * len(refits):
        warnings.warn(
            f"{refits.failed} of {len(refits)} replicates have no optimum, so that their percentiles say little; "
            "kind='residual' or 'wild' keeps the design.",
            IdentifiabilityWarning,
            stacklevel=5,
        )
    return refits.usable_theta


def bootstrap_interval(fit: Optimum, drawn: Array, level: float) -> Array:
    """Percentiles over the first axis; infinite where n = p, where the only usable replicates are the runs themselves."""
    if fit.degrees_of_freedom <= 0 or len(drawn) < 2:
        return np.stack([np.full(drawn.shape[1:], -np.inf), np.full(drawn.shape[1:], np.inf)], axis=-1)
    return percentiles(drawn, level)


def conf_int(fit: Optimum, level: float, method: str, n: int, kind: str, seed: int, group: Iterable[Any] | None) -> Array:
    """What `Fit.conf_int` does."""
    check_method(method, group, METHODS)
    check.level(level)
    if group is not None:
        group = list(group)  # it may be read more than once
    if fit.reduced is not None:
        inner = conf_int(fit.reduced, level, method, n, kind, seed, group)
        return fit.in_full(inner, (-np.inf, np.inf))
    if method == "auto":
        method = "profile" if _profiles(fit) else "delta"
    if method == "bootstrap":
        ends = bootstrap_interval(fit, bootstrap_theta(fit, n, kind, seed, group), level)
    elif method == "profile":
        ends = np.stack([_profile(fit, j, level) for j in range(len(fit.theta))])
    else:
        ends = _delta(fit, level, method, group)
    ends[[name in fit.entangled for name in fit.law.parameters]] = (-np.inf, np.inf)
    # Where other optima are as good, each has its interval.
    return spanned([ends, *(conf_int(rival, level, method, n, kind, seed, group) for rival in fit.rivals)])


def spanned(ends: list[Array]) -> Array:
    """The union of intervals, (..., 2) each, as one interval."""
    if len(ends) == 1:
        return ends[0]
    return np.stack([np.min([e[..., 0] for e in ends], axis=0), np.max([e[..., 1] for e in ends], axis=0)], axis=-1)


def _profiles(fit: Optimum) -> bool:
    """Whether profiles exist and take milliseconds."""
    smooth = fit.objective not in ("absolute", "quantile")
    positive = all(p.role != "real" for p in fit.law.roles)
    settled = fit.status in ("converged", "at_bound") and fit.degrees_of_freedom > 0 and np.isfinite(fit.noise_sd)
    return bool(smooth and positive and settled and fit.noise_sd > 0 and fit.law.traced and len(fit.residuals) <= _QUICK)


def _delta(fit: Optimum, level: float, method: str, group: list[Any] | None) -> Array:
    """theta -/+ t se on each parameter's own scale: of a positive one its logarithm."""
    t, se = half_width(fit, level, method, group), fit.se
    if method == "sandwich":
        se = np.sqrt(np.diagonal(fit.covariance("sandwich", group=group)))
    # A fixed parameter has no interval, whatever the noise: not 0 times infinity.
    half = np.where(se == 0, 0, t) * se
    positive = np.array([p.role != "real" for p in fit.law.roles])
    with np.errstate(all="ignore"):
        ratio = np.exp(half / np.where(positive, fit.theta, 1))
        low, high = (
            np.where(positive, a, b) for a, b in ((fit.theta / ratio, fit.theta - half), (fit.theta * ratio, fit.theta + half))
        )
    return np.stack([low, high], axis=1)


def _profile(fit: Optimum, j: int, level: float) -> Array:
    if not fit.core.free[j]:
        return np.array([fit.theta[j], fit.theta[j]])
    low, high = _core.profile(fit.core, "parameter", np.array([j], fit.theta.dtype), level)
    with np.errstate(over="ignore"):  # open at the top
        return np.array([np.exp(low[()]), np.exp(high[()])])


def intervals(fit: Optimum, level: float, methods: Iterable[str], **options: Any) -> Intervals:
    """What `Fit.intervals` does."""
    methods = (methods,) if isinstance(methods, str) else tuple(methods)
    if not methods:
        raise ValueError(f"methods is empty; known methods: {', '.join(METHODS)}")
    group = options.pop("group")
    columns = [
        conf_int(fit, level, method, group=group if method in ("sandwich", "bootstrap") else None, **options)
        for method in methods
    ]
    estimate = np.array(list(fit.params.values()), fit.theta.dtype)
    return Intervals(fit.law.parameters, frozen(estimate), methods, frozen(np.stack(columns, axis=1)), level)
