# SPDX-License-Identifier: Apache-2.0
"""scipy's arguments as the core takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from offray._input.arrays import Array, DType, choose_dtype, numbers, optional_vector, vector
from offray._law import Law
from offray._problem import MAX_EVALUATIONS, Limits, Options, Problem

FAILED = ("stalled", "evaluation_limit", "evaluation_failed")
_METHODS = (None, "lm", "trf", "dogbox")


def minimise(
    law: Law,
    x: Any,
    y: Array,
    weight: Array | None,
    start: Array | None,
    bounds: tuple[Array, Array],
    objective: str,
    delta: float,
    max_evaluations: int,
) -> Any:
    """The core's fit of scipy's arguments."""
    dtype = y.dtype
    columns = _columns(law, x, dtype)
    ends = {
        name: numbers("bounds", [low, high], dtype)
        for name, low, high, least in zip(law.parameters, *bounds, least_of(law), strict=True)
        if low > least or np.isfinite(high)
    }
    return Problem(
        law,
        columns,
        y,
        optional_vector("sigma", weight, dtype),
        Options(
            objective=objective,
            delta=numbers("f_scale", [delta], dtype),
            quantile=0.5,
            log_loss=False,
            start=optional_vector("p0", start, dtype),
            max_evaluations=max_evaluations,
        ),
        Limits({}, (), ends) if ends else None,
    ).minimise()


def _columns(law: Law, x: Any, dtype: DType) -> dict[str, Array]:
    if not law.built_in:
        given = (x,) if len(law.inputs) == 1 and np.ndim(x) == 1 else x
        if len(given) != len(law.inputs):
            raise ValueError(f"xdata must be ({', '.join(law.inputs)}); got {len(given)} items")
        return {name: vector(name, values, dtype) for name, values in zip(law.inputs, given, strict=True)}
    if len(x) not in (2, 3):
        raise ValueError(f"xdata must be (N, D) or (N, D, U); got {len(x)} items")
    columns = {"params": vector("N", x[0], dtype), "tokens": vector("D", x[1], dtype)}
    if len(x) == 3:
        columns["unique_tokens"] = optional_vector("U", x[2], dtype)
    return columns


def least_of(law: Law) -> Array:
    """What every parameter is above: 0, or nothing where it may have either sign."""
    return np.array([-np.inf if parameter.role == "real" else 0.0 for parameter in law.roles])


def is_bounded(law: Law, lower: Array, upper: Array) -> bool:
    """Whether there is a bound at all."""
    return bool((lower > least_of(law)).any() or np.isfinite(upper).any())


def runs_away(core: Any, lower: Array, upper: Array) -> bool:
    """Whether a parameter ran into a bound that the caller did not set."""
    sides = zip(core.at_bound, lower, upper, strict=True)
    return any((side < 0 and (low == 0 or np.isinf(low))) or (side > 0 and np.isinf(high)) for side, low, high in sides)


def bounds_of(law: Law, bounds: Any) -> tuple[Array, Array]:
    """Lower and upper bounds, (p,) each, from a pair or scipy's Bounds."""
    low, high = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    shape = (len(law.parameters),)
    try:
        dtype = choose_dtype(None, np.asarray(low), np.asarray(high))
        lower = np.maximum(np.broadcast_to(np.asarray(low, dtype), shape), least_of(law))
        upper = np.broadcast_to(np.asarray(high, dtype), shape)
    except ValueError:
        raise ValueError(f"Inconsistent shapes between bounds and the {shape[0]} parameters of {law.name}") from None
    if not ((lower <= upper) & (upper > least_of(law))).all():
        raise ValueError("Each lower bound must be at most its upper bound (and parameters are positive).")
    return lower, upper


def start_of(name: str, law: Law, start: Any, lower: Array, upper: Array) -> Array | None:
    """A start inside the bounds; None for none."""
    if start is None:
        return None
    values = numbers(name, start, choose_dtype(None, np.asarray(start)))
    if values.shape != (len(law.parameters),):
        raise ValueError(f"{name} must have shape ({len(law.parameters)},): {', '.join(law.parameters)}; got {values.shape}")
    if not ((values > least_of(law)) & (values >= lower) & (values <= upper)).all():
        raise ValueError(f"`{name}` is infeasible.")
    return values


def max_evaluations(method: str | None, kwargs: dict[str, Any], *, bounded: bool) -> int:
    """The limit on evaluations; refuses methods and keywords that scipy would."""
    if method not in _METHODS:
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm'; got {method!r}")
    if method == "lm" and bounded:
        raise ValueError("Method 'lm' only supports unconstrained problems. Use 'trf' instead.")
    unknown = set(kwargs) - {"maxfev", "max_nfev", "ftol", "xtol", "gtol"}
    if unknown:
        raise TypeError(f"unexpected keyword arguments: {', '.join(sorted(unknown))}")
    limit = kwargs.get("maxfev", kwargs.get("max_nfev"))
    if limit is None:
        return MAX_EVALUATIONS
    if not 0 < limit < 2**31:
        raise ValueError(f"`max_nfev` must be None or a positive integer; got {limit}")
    return int(limit)
