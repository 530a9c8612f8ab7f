# SPDX-License-Identifier: Apache-2.0
"""Refits of resampled runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._input import check
from offray._input.arrays import Array, frozen
from offray._input.groups import dense
from offray._interrupted import Interrupted
from offray._law import Law
from offray._optimum import Optimum
from offray._travel.record import Record

Names: TypeAlias = npt.NDArray[np.str_]
Progress: TypeAlias = Callable[[int, int], object]

_STATUSES = np.array(_core.STATUSES)


@dataclass(frozen=True, repr=False, eq=False)
class Bootstrap(Record):
    """Refits of resampled runs.

    A replicate without an optimum (fewer distinct runs than free parameters, a resampled loss that is not positive) holds NaN
    and the status ``evaluation_failed``; `usable` counts the others, which is what `se`, `cov` and `conf_int` are taken over.

    Attributes
    ----------
    law : Law
    theta : (n, p) ndarray
        Estimates, one row per replicate, natural units, in the order of ``law.parameters``.
    objective_value : (n,) ndarray
        The minimised sum of w rho(r) of each replicate.
    status : (n,) ndarray of str
        As `Fit.status`.
    kind : str
    seed : int
    """

    law: Law
    theta: Array
    objective_value: Array
    status: Names
    kind: str
    seed: int

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which replicates converged, (n,)."""
        return np.asarray(self.status == "converged")

    @cached_property
    def usable(self) -> int:
        """How many replicates have an optimum, converged or not."""
        return len(self.usable_theta)

    @property
    def failed(self) -> int:
        """How many replicates have none."""
        return len(self.theta) - self.usable

    @cached_property
    def se(self) -> Array:
        """Standard deviations of theta over the usable replicates, (p,); NaN for fewer than two."""
        return frozen(np.sqrt(np.diagonal(self.cov)))  # type: ignore[no-any-return]

    @cached_property
    def cov(self) -> Array:
        """Covariance of theta over the usable replicates, (p, p); NaN for fewer than two."""
        p = self.theta.shape[1]
        if self.usable < 2:
            return frozen(np.full((p, p), np.nan, self.theta.dtype))  # type: ignore[no-any-return]
        with np.errstate(over="ignore", invalid="ignore"):  # a parameter may run away
            away = self.usable_theta - self.usable_theta[0]  # a fixed parameter does not move at all
            away = away - away.mean(axis=0)
            return frozen(away.T @ away / (self.usable - 1))  # type: ignore[no-any-return]

    def conf_int(self, level: float = 0.95) -> Array:
        """Percentile intervals, (p, 2): the central `level` of the usable replicates; NaN where there are none."""
        check.level(level)
        if self.usable == 0:
            return np.full((self.theta.shape[1], 2), np.nan, self.theta.dtype)
        return percentiles(self.usable_theta, level)

    @cached_property
    def usable_theta(self) -> Array:
        """Estimates of the usable replicates, one row each."""
        return np.asarray(self.theta[self.status != "evaluation_failed"])

    def __len__(self) -> int:
        return len(self.theta)

    def _brief(self) -> str:
        return f"{self.law.name}, {len(self)} replicates ({self.kind}), {self.failed} failed"


def bootstrap(
    fit: Optimum,
    n: int,
    *,
    kind: str = "pairs",
    seed: int = 0,
    threads: int | None = None,
    group: Iterable[Any] | None = None,
    progress: Progress | None = None,
) -> Bootstrap:
    """What `Fit.bootstrap` does."""
    n = check.integer("n", n)
    if kind not in _core.RESAMPLINGS:
        raise ValueError(f"unknown kind {kind!r}; known kinds: {', '.join(_core.RESAMPLINGS)}")
    seed = check.integer("seed", seed, 0)
    if seed >= 2**64:
        raise ValueError(f"seed must be below 2**64; got {seed}")
    if fit.reduced is not None:
        inner = bootstrap(fit.reduced, n, kind=kind, seed=seed, threads=threads, group=group, progress=progress)
        theta = np.ascontiguousarray(fit.in_full(inner.theta.T, np.nan).T)
        return Bootstrap(fit.law, frozen(theta), inner.objective_value, inner.status, kind, seed)
    labels = [] if group is None else dense(group, len(fit.residuals))
    theta, objective, status, interrupted = _core.bootstrap(fit.core, n, kind, seed, check.threads(threads), labels, progress)
    out = Bootstrap(fit.law, frozen(theta), frozen(objective), frozen(_STATUSES[status]), kind, seed)
    if interrupted:
        raise Interrupted(f"{len(out)} of {n} replicates were done", out)
    return out


def percentiles(drawn: Array, level: float) -> Array:
    """The central `level` of the first axis; lower and upper ends last."""
    tail = (1 - level) / 2
    return np.moveaxis(np.quantile(drawn, [tail, 1 - tail], axis=0), 0, -1)
