# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals of the parameters, by several methods, and side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from offray import _core
from offray._infer.bootstrap import bootstrap, percentiles
from offray._infer.request import METHODS, Draws, Request
from offray._input.arrays import Array, frozen
from offray._optimum import Optimum
from offray._text import Sheet
from offray._travel.record import Record
from offray._warnings import IdentifiabilityWarning

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


def bootstrap_theta(fit: Optimum, asked: Request) -> Array:
    """theta of the usable bootstrap replicates, (n, p)."""
    refits = bootstrap(fit, asked.draws.n, kind=asked.draws.kind, seed=asked.draws.seed, group=asked.group)
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


def conf_int(fit: Optimum, asked: Request) -> Array:
    """What `Fit.conf_int` does."""
    if fit.reduced is not None:
        return fit.in_full(conf_int(fit.reduced, asked), (-np.inf, np.inf))
    if asked.method == "auto":
        asked = replace(asked, method="profile" if _profiles(fit) else "delta")
    if asked.method == "bootstrap":
        ends = bootstrap_interval(fit, bootstrap_theta(fit, asked), asked.level)
    elif asked.method == "profile":
        ends = np.stack([_profile(fit, j, asked.level) for j in range(len(fit.theta))])
    else:
        ends = _delta(fit, asked)
    ends[[name in fit.entangled for name in fit.law.parameters]] = (-np.inf, np.inf)
    # Where other optima are as good, each has its interval.
    return spanned([ends, *(conf_int(rival, asked) for rival in fit.rivals)])


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


def _delta(fit: Optimum, asked: Request) -> Array:
    """theta -/+ t se on each parameter's own scale: of a positive one its logarithm."""
    t, se = asked.half_width(fit), fit.se
    if asked.method == "sandwich":
        se = np.sqrt(np.diagonal(fit.covariance("sandwich", group=asked.group)))
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


def intervals(fit: Optimum, level: float, methods: Iterable[str], draws: Draws, group: Iterable[Any] | None) -> Intervals:
    """What `Fit.intervals` does."""
    methods = (methods,) if isinstance(methods, str) else tuple(methods)
    if not methods:
        raise ValueError(f"methods is empty; known methods: {', '.join(METHODS)}")
    group = None if group is None else list(group)
    grouped = ("sandwich", "bootstrap")
    columns = [
        conf_int(fit, Request(level, method, draws, group if method in grouped else None, METHODS)) for method in methods
    ]
    estimate = np.array(list(fit.params.values()), fit.theta.dtype)
    return Intervals(fit.law.parameters, frozen(estimate), methods, frozen(np.stack(columns, axis=1)), level)
