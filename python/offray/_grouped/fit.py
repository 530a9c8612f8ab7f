# SPDX-License-Identifier: Apache-2.0
"""One law on several curves that share some of its parameters: variable projection over the shared ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from offray._grouped.result import GroupedFit
from offray._grouped.robust import SMOOTH, Rho, noise
from offray._input.arrays import DOUBLE, EMPTY, Array, frozen
from offray._input.groups import dense
from offray._law import Law
from offray._optimum import Optimum
from offray._problem import DEFAULT_DELTA, Limits, Problem
from offray._warnings import IdentifiabilityWarning

_MOST_STEPS = 100
_TOLERANCE = 1e-10
"""Of the scaled gradient by the shared parameters: ||Q'r|| <= 1e-10 sqrt(2 F), far below a standard error."""
_STARTS = 3
_MET = 1 + 1e-9
"""How near to a bound counts as met."""
_MAD = 1.345 * 1.4826
"""Of the median of |r|: Huber's scale of 95 % efficiency, and what makes the median a standard deviation of normal noise."""
_ALONE = 5


class _Curves:
    """The groups at one value of the shared parameters, each fitted in its own ones."""

    def __init__(self, parts: list[Problem], shared: tuple[str, ...]) -> None:
        self.parts = parts
        self.law = parts[0].law
        self.shared = [self.law.parameters.index(name) for name in shared]
        self.real = np.array([role.role == "real" for role in self.law.roles])
        self.limits = parts[0].limits or Limits({}, (), {})
        options = parts[0].options
        self.rho = Rho(options.objective, float(options.delta[0]) if options.delta.size else np.nan)

    def at(self, values: Array, near: list[Array] | None = None) -> list[Optimum]:
        """One fit per group, from `near` or by the global search."""
        names = [self.law.parameters[j] for j in self.shared]
        fixed = {name: np.array([value]) for name, value in zip(names, values, strict=True)}
        limits = replace(self.limits, fixed={**self.limits.fixed, **fixed})
        out = []
        for k, part in enumerate(self.parts):
            start = EMPTY[part.dtype]
            if near is not None:
                start = near[k].copy()
                start[self.shared] = values
            out.append(Optimum(replace(part, limits=limits, options=replace(part.options, start=start))))
        return out

    def blocks(self, fit: Optimum) -> tuple[Array, Array, list[int]]:
        """Derivatives of the weighted residual by own and by shared coordinates, ln theta or theta; the own parameters."""
        theta, part = fit.theta, fit.problem
        J = self.law.core.evaluate(theta, self.law.core_columns(part.columns), True)
        J = J * np.where(self.real, 1.0, theta)
        if fit.log_loss:
            J = J / np.exp(fit.residuals + np.log(part.loss))[:, None]
        if part.weight.size:
            J = J * np.sqrt(part.weight)[:, None]
        sides = fit.core.at_bound  # where one sits at a bound, nothing else moves it
        own = [j for j, free in enumerate(fit.core.free) if free and sides[j] == 0]
        return J[:, own], J[:, self.shared], own

    def reduced(self, fit: Optimum) -> Array:
        """[J | r] of the least-squares problem in the shared coordinates that has the gradient and about the curvature of the
        objective here, without what the group's own coordinates take up."""
        own, both, _ = self.blocks(fit)
        r = np.asarray(fit.residuals)
        curvature = self.rho.curvature(r)
        force = self.rho.slope(r) / curvature
        if fit.problem.weight.size:
            force = force * np.sqrt(fit.problem.weight)
        rows = np.column_stack([own, both, force]) * np.sqrt(curvature)[:, None]
        Q, _ = np.linalg.qr(rows[:, : own.shape[1]])
        rest = rows[:, own.shape[1] :]
        return np.asarray(rest - Q @ (Q.T @ rest))


def fit_grouped(asked: Problem, by: Iterable[Any], shared: Iterable[str] | str) -> GroupedFit:
    """What ``offray.fit(..., by=..., shared=...)`` does: variable projection over the shared parameters.

    For each trial value of them every group is fitted in its own parameters, which takes one small fit each; the step is Gauss
    and Newton's on what the groups' own parameters leave of residual and Jacobian, weighted by the curvature of a robust
    objective, so that the cost is linear in the number of groups.
    """
    law = asked.law
    names = (shared,) if isinstance(shared, str) else tuple(shared)
    given = by.tolist() if isinstance(by, np.ndarray) else list(by)
    codes = np.array(dense(given, len(asked.loss)))
    rows = [np.flatnonzero(codes == k) for k in range(codes.max() + 1)]
    labels = tuple(given[at[0]] for at in rows)
    parts = [_part(asked, at) for at in rows]
    _check(asked, names, labels, parts)
    if not asked.options.delta.size:
        parts = _with_delta(parts, names)
    curves = _Curves(parts, names)
    start = asked.options.start
    if start.size:
        ended = _descend(curves, curves.at(start[curves.shared], [start] * len(parts)))
    else:
        ended = _minimise(curves, _starts(curves))
    return _result(curves, law, labels, names, *ended, np.concatenate(rows))


def _with_delta(parts: list[Problem], shared: tuple[str, ...]) -> list[Problem]:
    """The scale that `delta` = "mad" stands for, from the groups' residuals together: those of Huber's objective with a scale
    of a thousandth of what is left by squares, which is next to that of least absolute deviations."""

    def residuals(objective: str, delta: float) -> Array:
        options = [replace(part.options, objective=objective, delta=np.array([delta])) for part in parts]
        curves = _Curves([replace(part, options=option) for part, option in zip(parts, options, strict=True)], shared)
        fits, _ = _minimise(curves, _starts(curves))
        return np.asarray(np.abs(np.concatenate([fit.residuals for fit in fits])))

    size = max(float(np.abs(part.loss).max()) for part in parts)
    least = 64 * float(np.finfo(float).eps) * max(size, 1.0)
    of_squares = max(float(np.median(residuals("squares", DEFAULT_DELTA))), least)
    scale = max(_MAD * float(np.median(residuals("huber", max(1e-3 * of_squares, least)))), least)
    return [replace(part, options=replace(part.options, delta=np.array([scale]))) for part in parts]


def _part(asked: Problem, rows: Any) -> Problem:
    return replace(
        asked,
        columns={name: np.ascontiguousarray(column[rows]) for name, column in asked.columns.items()},
        loss=np.ascontiguousarray(asked.loss[rows]),
        weight=np.ascontiguousarray(asked.weight[rows]) if asked.weight.size else asked.weight,
    )


def _check(asked: Problem, shared: tuple[str, ...], labels: tuple[Any, ...], parts: list[Problem]) -> None:
    law, limits = asked.law, asked.limits
    for name in shared:
        if name not in law.parameters:
            raise ValueError(f"shared: unknown parameter {name!r}; {law.name} has {', '.join(law.parameters)}")
        if limits is not None and (name in limits.fixed or any(name in pair for pair in limits.tied)):
            raise ValueError(f"shared: {name} is fixed or tied already")
    fixed = 0 if limits is None else len(limits.fixed)
    own = len(law.parameters) - fixed - len(set(shared)) - (0 if limits is None else len(limits.tied))
    if not shared or own < 1:
        raise ValueError("shared: name at least one parameter, and leave at least one to each group")
    if len(asked.options.start) not in (0, len(law.parameters)):
        raise ValueError(f"start must give {', '.join(law.parameters)}; got {len(asked.options.start)} values")
    if asked.dtype != DOUBLE:
        raise ValueError(f"dtype: groups are fitted in float64; the runs are {asked.dtype}")
    if asked.options.objective not in SMOOTH:
        raise ValueError(f"objective: groups are fitted by one of {', '.join(SMOOTH)}; got {asked.options.objective!r}")
    for label, part in zip(labels, parts, strict=True):
        if len(part.loss) < own:
            raise ValueError(f"group {label!r} has {len(part.loss)} runs for {own} parameters of its own")
    if len(asked.loss) < own * len(parts) + len(set(shared)):
        raise ValueError(f"{len(asked.loss)} runs are too few for {own * len(parts) + len(set(shared))} parameters in all")


def _starts(curves: _Curves) -> list[Array]:
    """Shared values of a few groups fitted alone, and their medians."""
    able = [part for part in curves.parts if len(part.loss) >= len(curves.law.parameters)]
    few = able[:: max(1, len(able) // _ALONE)][:_ALONE]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = [Optimum(part).theta[curves.shared] for part in few]
    if not alone:
        whole = replace(
            curves.parts[0],
            columns={name: np.concatenate([part.columns[name] for part in curves.parts]) for name in curves.parts[0].columns},
            loss=np.concatenate([part.loss for part in curves.parts]),
            weight=np.concatenate([part.weight for part in curves.parts]),
        )
        alone = [Optimum(whole).theta[curves.shared]]
    return [np.median(alone, axis=0), *alone]


def _total(fits: list[Optimum]) -> float:
    return float(sum(float(fit.objective_value) for fit in fits))


def _minimise(curves: _Curves, starts: list[Array]) -> tuple[list[Optimum], bool]:
    """The groups' fits at the best shared values found, and whether the gradient vanishes there."""
    begun = sorted(
        ((_total(fits), k, fits) for k, values in enumerate(starts) for fits in [curves.at(values)]), key=lambda s: s[:2]
    )
    ended = [_descend(curves, fits) for _, _, fits in begun[:_STARTS]]
    return min(ended, key=lambda end: _total(end[0]))


def _descend(curves: _Curves, fits: list[Optimum]) -> tuple[list[Optimum], bool]:
    shared = np.array(curves.shared)
    real = curves.real[shared]
    least = np.where(real, -np.inf, 0.0)
    bounds = [curves.limits.bounds.get(curves.law.parameters[j], (low, np.inf)) for j, low in zip(shared, least, strict=True)]
    lower, upper = (np.array([float(ends[k]) for ends in bounds]) for k in (0, 1))
    best = _total(fits)
    runs = sum(len(part.loss) for part in curves.parts)
    size = max(float(part.loss.max()) for part in curves.parts) if not fits[0].log_loss else 1.0
    rounding = 64 * np.finfo(float).eps * size * np.sqrt(runs)  # of residuals, differences of numbers of this size
    for _ in range(_MOST_STEPS):
        stacked = np.vstack([curves.reduced(fit) for fit in fits])
        J, r = stacked[:, :-1], stacked[:, -1]
        values = fits[0].theta[shared]
        step = _inside(J, r, (values <= lower * _MET) & (lower > least), (values * _MET >= upper) & (upper < np.inf))
        if np.linalg.norm(J @ step) <= _TOLERANCE * np.sqrt(2 * best) + rounding:
            return fits, True
        for share in 0.5 ** np.arange(30):
            with np.errstate(over="ignore"):
                trial = np.where(real, values + share * step, values * np.exp(np.clip(share * step, -30, 30)))
                trial = np.clip(trial, lower, upper)
            if not np.isfinite(trial).all():
                continue
            try:
                moved = curves.at(trial, [fit.theta for fit in fits])
            except ValueError:  # a coefficient would be beyond the range of floating point
                continue
            if _total(moved) < best:
                fits, best = moved, _total(moved)
                break
        else:
            # No lower point along the step: what rounding leaves of the gradient.
            return fits, bool(np.linalg.norm(J @ step) <= 1e-6 * np.sqrt(2 * best))
    return fits, False


def _inside(J: Array, r: Array, at_lower: Any, at_upper: Any) -> Array:
    """The step of least squares that moves no parameter further out of its range."""
    held = np.zeros(J.shape[1], bool)
    while True:
        step = np.zeros(J.shape[1])
        step[~held] = np.linalg.lstsq(J[:, ~held], -r, rcond=None)[0]
        out = (at_lower & (step < 0)) | (at_upper & (step > 0))
        if not out.any():
            return step
        held |= out


def _result(
    curves: _Curves,
    law: Law,
    labels: tuple[Any, ...],
    shared: tuple[str, ...],
    fits: list[Optimum],
    settled: bool,
    order: Any,
) -> GroupedFit:
    blocks = [curves.blocks(fit) for fit in fits]
    r = np.concatenate([fit.residuals for fit in fits])
    weight = np.concatenate([fit.problem.weight for fit in fits])
    rss = float(r @ r if not weight.size else weight @ r**2)
    free = len(shared) + sum(sum(fit.core.free) for fit in fits)
    degrees = len(order) - free
    seen = noise(curves.rho, r, weight, degrees)
    variance = seen.variance
    left = np.vstack([both - Q @ (Q.T @ both) for own, both, _ in blocks for Q in [np.linalg.qr(own)[0]]])
    scale = np.linalg.norm(left, axis=0)
    full = np.linalg.matrix_rank(left / np.where(scale > 0, scale, 1)) == len(shared)
    inverse = np.linalg.pinv(left)
    between = inverse @ inverse.T * variance if full else np.full((len(shared), len(shared)), np.inf)
    params, se, cov = {}, {}, {}
    for label, fit, (own, both, places) in zip(labels, fits, blocks, strict=True):
        own_inverse = np.linalg.pinv(own)
        carried = own_inverse @ both  # d own / d shared, with the other sign
        whole = np.zeros((len(law.parameters),) * 2)
        if full:
            whole[np.ix_(places, places)] = own_inverse @ own_inverse.T * variance + carried @ between @ carried.T
            whole[np.ix_(curves.shared, curves.shared)] = between
            whole[np.ix_(places, curves.shared)] = -carried @ between
            whole[np.ix_(curves.shared, places)] = -(carried @ between).T
        else:
            whole[np.ix_([*places, *curves.shared], [*places, *curves.shared])] = np.inf
        slope = np.where(curves.real, 1.0, fit.theta)
        with np.errstate(invalid="ignore"):
            cov[label] = whole * np.outer(slope, slope)
        params[label] = MappingProxyType(dict(zip(law.parameters, fit.theta, strict=True)))
        se[label] = MappingProxyType(dict(zip(law.parameters, np.sqrt(np.diagonal(cov[label])), strict=True)))
    residuals = np.empty(len(order))
    residuals[order] = r
    status = "stalled" if not settled else "converged" if full else "rank_deficient"
    if not full:
        text = f"the runs do not determine {', '.join(shared)}: no group tells them from its own parameters"
        warnings.warn(text, IdentifiabilityWarning, stacklevel=5)
    return GroupedFit(
        law,
        labels,
        shared,
        MappingProxyType(params),
        MappingProxyType(se),
        _total(fits),
        rss,
        degrees,
        status,
        frozen(residuals),
        fits[0].log_loss,
        curves.rho.objective,
        curves.rho.delta if curves.rho.objective != "squares" else np.nan,
        seen.sd,
        MappingProxyType(cov),
    )
