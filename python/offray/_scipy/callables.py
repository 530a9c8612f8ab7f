# SPDX-License-Identifier: Apache-2.0
"""Any function of scipy's form: recorded as a formula and fitted by the core where that is possible, else left to scipy."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from offray import _core
from offray._expression.law import traced
from offray._input.arrays import DOUBLE, EMPTY, Array
from offray._law import Law
from offray._problem import Limits, options_of

_SETTLED = ("converged", "at_bound", "rank_deficient")
_PLAIN = frozenset({"maxfev", "max_nfev", "ftol", "xtol", "gtol"})
"""Keywords that change how an optimum is found, and not which."""


class Found(NamedTuple):
    """What a fit of a recorded function gave."""

    popt: Array
    pcov: Array
    determined: bool


def scipy_function(name: str) -> Callable[..., Any]:
    """``scipy.optimize.<name>``; ``ImportError`` says why it is needed."""
    try:
        from scipy import optimize  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(f"{name} of a function that is no formula is scipy's, and scipy is not installed") from error
    return getattr(optimize, name)  # type: ignore[no-any-return]


def recorded_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any,
    sigma: Any,
    bounds: Any,
    *,
    absolute_sigma: bool,
    kwargs: dict[str, Any],
) -> Found | None:
    """The least-squares fit of a function that can be recorded; None where it is scipy's to say what is wrong or to fit.

    From `p0` where it is given; else the global search, and never above what the start of all ones leads to.
    """
    if not _PLAIN.issuperset(kwargs):
        return None
    x, y = np.asarray(xdata), np.asarray(ydata)
    if any(a.dtype.kind not in "fiu" or a.dtype.itemsize > 8 or not np.isfinite(a).all() for a in (x, y)):
        return None
    if y.ndim != 1 or x.ndim not in (1, 2) or x.shape[-1] != len(y) or y.size == 0:
        return None
    matrix = np.shape(sigma) == (len(y), len(y)) and len(y) > 1
    weight = _weight(None if matrix else sigma, len(y))
    names = _parameters(f, p0)
    if weight is None or names is None or not 1 <= len(names) <= min(_core.MOST_PARAMETERS, len(y)):
        return None
    columns = {f"x{k}": np.ascontiguousarray(row, DOUBLE) for k, row in enumerate(x if x.ndim == 2 else x[None])}
    limits = _limits(names, bounds)
    start = None if p0 is None else np.atleast_1d(np.asarray(p0, DOUBLE))
    if limits is None or (start is not None and start.shape != (len(names),)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            law = traced(f, names, tuple(columns), "all", "f", as_rows=x.ndim == 2, positive=_positive(columns))
    except ValueError:
        return None
    found = _fitted(law, f, x, columns, np.ascontiguousarray(y, DOUBLE), weight, start, limits, absolute_sigma=absolute_sigma)
    if found is None or not matrix:
        return found
    exact = {"jac": lambda _, *theta: law.jacobian(tuple(columns.values()), *theta), "bounds": bounds}
    tight = dict.fromkeys(("ftol", "xtol", "gtol"), 1e-15) | kwargs
    begin = found.popt if start is None else start
    popt, pcov = scipy_function("curve_fit")(f, xdata, y, begin, sigma, absolute_sigma, **exact, **tight)
    return Found(popt, pcov, bool(np.isfinite(pcov).all()))


def _fitted(
    law: Law,
    f: Callable[..., Any],
    x: Array,
    columns: Mapping[str, Array],
    y: Array,
    weight: Array,
    start: Array | None,
    limits: Limits,
    *,
    absolute_sigma: bool,
) -> Found | None:
    runs = _core.RunsDouble(dict(law.core_columns(columns)), y, weight, True)
    constraints = limits.of(law, DOUBLE)
    best = None
    ones = _inside(np.ones(len(law.parameters)), limits, law)
    for begin in (EMPTY[DOUBLE], ones) if start is None else (start,):
        if start is not None and not np.array_equal(begin, _inside(begin, limits, law)):
            return None
        options = options_of("squares", None, None, False, begin, DOUBLE)
        core = _core.fit(law.core, runs, options.core, constraints)
        good = core.status in _SETTLED and np.isfinite(core.theta).all()
        if good and (best is None or core.objective_value < best.objective_value * (1 - 1e-12)):
            best = core
    if best is None:
        return None
    theta = best.theta
    with np.errstate(all="ignore"):
        said = np.asarray(f(x, *theta))
    residual = best.residual
    # What was recorded must be what the function does.
    if said.shape != y.shape or not np.allclose(said - y, residual, rtol=1e-6, atol=1e-8 * (np.abs(y).max() + 1e-300)):
        return None
    pcov = best.unit_covariance() if absolute_sigma else best.covariance()
    determined = bool(np.isfinite(pcov).all()) and len(y) > len(theta)
    return Found(theta, pcov if determined or absolute_sigma else np.full_like(pcov, np.inf), determined)


def _positive(columns: Mapping[str, Array]) -> tuple[str, ...]:
    return tuple(name for name, values in columns.items() if (values > 0).all())


def _parameters(f: Callable[..., Any], p0: Any) -> tuple[str, ...] | None:
    """Names of the parameters, as many as `p0` has or else the signature says."""
    if p0 is not None:
        count = np.size(p0)
    else:
        try:
            found = list(inspect.signature(f).parameters.values())
        except (TypeError, ValueError):
            return None
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in found):
            return None
        count = len([p for p in found if p.kind != p.KEYWORD_ONLY]) - 1
    return tuple(f"p{k}" for k in range(count)) if count > 0 else None


def _weight(sigma: Any, n: int) -> Array | None:
    """Weights; empty for none given, None for what is scipy's to judge."""
    if sigma is None:
        return EMPTY[DOUBLE]
    values = np.asarray(sigma)
    if values.dtype.kind not in "fiu" or values.shape not in ((), (1,), (n,)):
        return None
    if not ((values > 0) & np.isfinite(values)).all():
        return None
    return np.ascontiguousarray(np.broadcast_to(1 / values.astype(DOUBLE) ** 2, n))


def _limits(names: tuple[str, ...], bounds: Any) -> Limits | None:
    """Bounds as the core takes them; None for what is scipy's to refuse."""
    try:
        low, high = ends_of(bounds)
        lower, upper = (np.broadcast_to(np.asarray(end, DOUBLE), len(names)) for end in (low, high))
    except (TypeError, ValueError):
        return None
    if not (lower <= upper).all():
        return None
    ends = {name: np.array([a, b]) for name, a, b in zip(names, lower, upper, strict=True) if np.isfinite(a) or np.isfinite(b)}
    if len(ends) == len(names) and all(a == b for a, b in ends.values()):
        return None
    return Limits({}, (), ends)


def ends_of(bounds: Any) -> tuple[Any, Any]:
    """Lower and upper bounds of a pair or of scipy's Bounds."""
    low, high = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    return low, high


def _inside(theta: Array, limits: Limits, law: Law) -> Array:
    ends = [limits.bounds.get(name, (-np.inf, np.inf)) for name in law.parameters]
    return np.array([min(max(t, low), high) for t, (low, high) in zip(theta, ends, strict=True)])
