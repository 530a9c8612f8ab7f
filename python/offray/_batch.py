# SPDX-License-Identifier: Apache-2.0
"""Many fits at once: bootstrap replicates of one fit, and one law fitted to many data sets."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._arrays import Array, choose_dtype, frozen
from offray._fit import MAX_EVALUATIONS, _delta, _start
from offray._interrupted import Interrupted
from offray._laws import Law, find_law
from offray._objective import check_objective
from offray._stack import Stack, is_ragged

if TYPE_CHECKING:
    from offray._result import Fit

Names: TypeAlias = npt.NDArray[np.str_]
Progress: TypeAlias = Callable[[int, int], object]

_STATUSES = np.array(_core.STATUSES)
_LIMITS = np.array(_core.LIMITS)


@dataclass(frozen=True, repr=False, eq=False)
class Bootstrap:
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
        from offray._intervals import check_level, percentiles

        check_level(level)
        if self.usable == 0:
            return np.full((self.theta.shape[1], 2), np.nan, self.theta.dtype)
        return percentiles(self.usable_theta, level)

    @cached_property
    def usable_theta(self) -> Array:
        """Estimates of the usable replicates, one row each."""
        return np.asarray(self.theta[self.status != "evaluation_failed"])

    def __len__(self) -> int:
        return len(self.theta)

    def __repr__(self) -> str:
        return f"<Bootstrap {self.law.name}: {len(self)} replicates ({self.kind}), {self.failed} failed>"


@dataclass(frozen=True, repr=False, eq=False)
class FitMany:
    """One law fitted to many data sets.

    Attributes
    ----------
    law : Law
    theta : (k, p) ndarray
        Estimates, one row per data set, natural units, in the order of ``law.parameters``.
    objective_value : (k,) ndarray
        The minimised sum of w rho(r).
    status, limit : (k,) ndarray of str
        As `Fit.status` and `Certificate.limit`.
    """

    law: Law
    theta: Array
    objective_value: Array
    status: Names
    limit: Names

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which fits converged, (k,)."""
        return np.asarray(self.status == "converged")

    def __len__(self) -> int:
        return len(self.theta)

    def __repr__(self) -> str:
        return f"<FitMany {self.law.name}: {len(self)} data sets, {int(self.converged.sum())} converged>"


def bootstrap(
    fit: Fit,
    n: int,
    *,
    kind: str = "pairs",
    seed: int = 0,
    threads: int | None = None,
    group: Iterable[Any] | None = None,
    progress: Progress | None = None,
) -> Bootstrap:
    """What `Fit.bootstrap` does."""
    n = _integer("n", n)
    if kind not in _core.RESAMPLINGS:
        raise ValueError(f"unknown kind {kind!r}; known kinds: {', '.join(_core.RESAMPLINGS)}")
    seed = _integer("seed", seed, 0)
    if seed >= 2**64:
        raise ValueError(f"seed must be below 2**64; got {seed}")
    if fit.reduced is not None:
        inner = bootstrap(fit.reduced, n, kind=kind, seed=seed, threads=threads, group=group, progress=progress)
        theta = np.ascontiguousarray(fit._in_full(inner.theta.T, np.nan).T)
        return Bootstrap(fit.law, frozen(theta), inner.objective_value, inner.status, kind, seed)
    labels = [] if group is None else dense(group, len(fit.residuals))
    theta, objective, status, interrupted = _core.bootstrap(
        fit._core, n, _core.RESAMPLINGS.index(kind), seed, _threads(threads), labels, progress
    )
    out = Bootstrap(fit.law, frozen(theta), frozen(objective), frozen(_STATUSES[status]), kind, seed)
    if interrupted:
        raise Interrupted(f"{len(out)} of {n} replicates were done", out)
    return out


def fit_many(
    N: Any,
    D: Any,
    loss: Any,
    *,
    unique_tokens: Any = None,
    weight: Any = None,
    law: str | Law = "chinchilla",
    objective: str = "squares",
    delta: float | str | None = None,
    quantile: float | None = None,
    log_loss: bool = False,
    start: Mapping[str, float] | npt.ArrayLike | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    dtype: npt.DTypeLike | None = None,
) -> FitMany:
    """Fit a scaling law to many data sets, each as `fit` does, bit for bit, on several threads.

    Parameters
    ----------
    N, D : (n,) or (k, n) array_like
        Model parameters and training tokens of each run: shared by all data sets, or one row per set.
    loss : (k, n) array_like
        Final losses, one row per data set. Sets of different sizes: a list of k arrays, and so for N, D and the others.
    unique_tokens, weight : (n,) or (k, n) array_like, optional
        As for `fit`.
    law, objective, delta, quantile, log_loss, start, dtype
        As for `fit`.
    threads : int, optional
        Default: one per processor. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)`` every now and then, and at the end. What it raises stops the fits.

    Returns
    -------
    FitMany
        Without the warnings of `fit`: look at `FitMany.converged` and `FitMany.limit`.

    Raises
    ------
    ValueError
        For input that no fit can use: the message names the argument, the data set and the run (from 0), and the value.
    Interrupted
        On Ctrl-C, with the data sets that were done.

    Examples
    --------
    >>> import numpy as np, offray
    >>> N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    >>> loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    >>> noise = np.random.default_rng(0).normal(scale=0.001, size=(100, 25))
    >>> offray.fit_many(N, D, loss + noise)
    <FitMany chinchilla: 100 data sets, 100 converged>
    """
    the_law = find_law(law)
    check_objective(objective, delta, quantile)
    columns = (N, D, loss, weight, unique_tokens)
    scalar = choose_dtype(dtype, *(row for values in columns for row in (values if is_ragged(values) else [values])))
    stack = Stack(loss, scalar)
    theta, value, status, limit, interrupted = _core.fit_many(
        the_law._index,
        stack.column("N", N),
        stack.column("D", D),
        stack.column("loss", loss),
        stack.column("weight", weight),
        stack.column("unique_tokens", unique_tokens),
        stack.offsets.tolist(),
        _core.OBJECTIVES.index(objective),
        _delta(delta, scalar),
        0.5 if quantile is None else float(quantile),
        bool(log_loss),
        MAX_EVALUATIONS,
        _start(the_law, start, {}, scalar),
        _threads(threads),
        progress,
    )
    out = FitMany(the_law, frozen(theta), frozen(value), frozen(_STATUSES[status]), frozen(_LIMITS[limit]))
    if interrupted:
        raise Interrupted(f"{len(out)} of {len(stack.offsets) - 1} data sets were done", out)
    return out


def _integer(name: str, value: Any, least: int = 1) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer; got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}; got {number}")
    return number


def _threads(threads: int | None) -> int:
    """For the core 0 stands for one per processor."""
    return 0 if threads is None else min(_integer("threads", threads), 2**15)


def dense(group: Iterable[Any], runs: int) -> list[int]:
    """Labels as 0, 1, ... in the order of their first run."""
    labels = group.tolist() if isinstance(group, np.ndarray) else list(group)
    if len(labels) != runs:
        raise ValueError(f"group has {len(labels)} labels, but there are {runs} runs: one per run is needed")
    seen: dict[Any, int] = {}
    out = []
    for row, label in enumerate(labels):
        try:
            known = seen.setdefault(label, len(seen))
        except TypeError:
            raise ValueError(f"group[{row}] = {label!r}: every label must be hashable") from None
        if label is None or label != label:  # NaN, which is no group
            raise ValueError(f"group[{row}] = {label!r}: every run needs a label")
        out.append(known)
    if len(seen) < 2:
        raise ValueError(f"group: all runs are labelled {labels[0]!r}; at least two groups are needed")
    return out
