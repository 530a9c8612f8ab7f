# SPDX-License-Identifier: Apache-2.0
"""curve_fit and least_squares with scipy's signatures, for the law objects."""

from __future__ import annotations

import warnings
from typing import Any, Literal, overload

import numpy as np

from offray import _core
from offray._arrays import EMPTY, Array, choose_dtype, numbers, optional_vector, vector
from offray._fit import MAX_EVALUATIONS
from offray._laws import Law
from offray._warnings import IdentifiabilityWarning

_LOSSES = {"linear": "squares", "huber": "huber", "soft_l1": "soft_l1", "cauchy": "cauchy"}
_METHODS = (None, "lm", "trf", "dogbox")
_FAILED = ("stalled", "evaluation_limit", "evaluation_failed")


class OptimizeResult(dict[str, Any]):
    """Result of `least_squares`: a dict whose items are attributes too, as scipy's."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self) -> list[str]:
        return list(self)


@overload
def curve_fit(
    f: Law,
    xdata: Any,
    ydata: Any,
    p0: Any = ...,
    sigma: Any = ...,
    absolute_sigma: bool = ...,
    check_finite: bool = ...,
    bounds: Any = ...,
    method: str | None = ...,
    jac: Any = ...,
    *,
    full_output: Literal[False] = ...,
    nan_policy: str | None = ...,
    **kwargs: Any,
) -> tuple[Array, Array]: ...
@overload
def curve_fit(
    f: Law,
    xdata: Any,
    ydata: Any,
    p0: Any = ...,
    sigma: Any = ...,
    absolute_sigma: bool = ...,
    check_finite: bool = ...,
    bounds: Any = ...,
    method: str | None = ...,
    jac: Any = ...,
    *,
    full_output: Literal[True],
    nan_policy: str | None = ...,
    **kwargs: Any,
) -> tuple[Array, Array, dict[str, Any], str, int]: ...
def curve_fit(
    f: Law,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool = True,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Any = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    **kwargs: Any,
) -> tuple[Array, Array] | tuple[Array, Array, dict[str, Any], str, int]:
    """``scipy.optimize.curve_fit`` for a law, with the analytic Jacobian and a start from the data.

    Parameters
    ----------
    f : Law
        A law of `offray.laws`.
    xdata : (2, n) or (3, n) array_like
        ``(N, D)`` or ``(N, D, U)``.
    ydata : (n,) array_like
        Losses, positive.
    p0 : (p,) array_like, optional
        Start, positive. Default: from the data (scipy's would be ones).
    sigma : scalar or (n,) array_like, optional
        Standard deviations of `ydata`. A covariance matrix, which scipy takes too, is refused: `ValueError`.
    absolute_sigma : bool
        Whether `sigma` is used as it is, or only its ratios.
    check_finite : bool
        Kept for compatibility: the data are always checked.
    bounds : 2-tuple of array_like, or Bounds
        Lower and upper bounds. Parameters are positive, so a lower bound below 0 reads as 0.
    method, jac
        Kept for compatibility: damped Gauss-Newton and the analytic Jacobian are always used.
    full_output : bool
        Also return ``infodict`` (nfev, fvec), ``mesg`` and ``ier``.
    nan_policy : {None, "raise", "omit"}
        "omit" drops runs with a NaN; otherwise a NaN raises.
    **kwargs
        ``maxfev`` or ``max_nfev``. ``ftol``, ``xtol`` and ``gtol`` are accepted and left aside: the test is on the scaled
        gradient, at rounding level.

    Returns
    -------
    popt : (p,) ndarray
    pcov : (p, p) ndarray
        As scipy's; infinite, with a warning, where the runs do not determine the parameters.

    Raises
    ------
    ValueError
        For bad data, bounds, `sigma`, `p0`, `method` or `nan_policy`.
    TypeError
        For an `f` that is no law, more parameters than runs, or an unknown keyword.
    RuntimeError
        Where the fit does not converge.
    """
    law = _law("f", f)
    if np.size(ydata) == 0:
        raise ValueError("`ydata` must not be empty!")
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy must be None, 'raise' or 'omit'; got {nan_policy!r}")
    if nan_policy == "omit":
        xdata, ydata, sigma = _omit_nan(xdata, ydata, sigma)
    dtype = choose_dtype(None, xdata, *xdata, ydata)
    loss = vector("ydata", ydata, dtype)
    lower, upper = _bounds(law, bounds)
    weight = _weight(sigma, loss)
    start = _start("p0", law, p0, lower, upper)
    if len(law.parameters) > len(loss):
        raise TypeError(
            f"The number of func parameters={len(law.parameters)} must not exceed the number of data points={len(loss)}"
        )
    core = _run(
        law,
        xdata,
        loss,
        weight,
        start,
        lower,
        upper,
        0,
        1.0,
        _max_evaluations(method, kwargs, bounded=_is_bounded(lower, upper)),
    )
    if core.status in _FAILED:
        raise RuntimeError(f"Optimal parameters not found: {core.message}")
    pcov = core.unit_covariance() if absolute_sigma else core.covariance()
    if not np.isfinite(pcov).all():
        message = "Covariance of the parameters could not be estimated: the runs do not determine all of them"
        warnings.warn(message, IdentifiabilityWarning, stacklevel=2)
    elif _runaway(core, lower, upper) or core.status == "rank_deficient":
        warnings.warn(f"{core.status}: {core.message}", IdentifiabilityWarning, stacklevel=2)
    if not full_output:
        return core.theta, pcov
    residual = core.residual if weight is None else core.residual * np.sqrt(weight)
    return core.theta, pcov, {"nfev": core.evaluations, "fvec": residual}, core.message, 1


def least_squares(
    fun: Law,
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    ftol: float | None = None,
    xtol: float | None = None,
    gtol: float | None = None,
    x_scale: Any = None,
    loss: str = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: Any = None,
    tr_options: Any = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: tuple[Any, ...] = (),
    kwargs: Any = None,
    callback: Any = None,
    workers: Any = None,
) -> OptimizeResult:
    """``scipy.optimize.least_squares`` for a law: minimise 0.5 sum rho(L_hat - L).

    Parameters
    ----------
    fun : Law
        A law of `offray.laws`.
    x0 : (p,) array_like
        Start, positive.
    bounds : 2-tuple of array_like, or Bounds
        Lower and upper bounds; a lower bound below 0 reads as 0.
    loss : {"linear", "huber", "soft_l1", "cauchy"}
        As in scipy; `f_scale` is delta.
    f_scale : float
        Margin between inlier and outlier residuals.
    max_nfev : int, optional
        Limit on evaluations.
    args : (x, y)
        The data: ``((N, D), losses)`` or ``((N, D, U), losses)``.
    jac, method, ftol, xtol, gtol, x_scale, diff_step, tr_solver, tr_options, jac_sparsity, verbose, kwargs, callback, workers
        Kept for compatibility and left aside: the Jacobian is analytic and the test is on the scaled gradient.

    Returns
    -------
    OptimizeResult
        ``x, cost, fun, jac, grad, optimality, active_mask, nfev, njev, status, message, success`` as in scipy; ``status`` is 1
        (gradient) or 0 (no convergence).

    Raises
    ------
    ValueError
        For bad data, bounds, start, `loss` or `method`.
    TypeError
        For a `fun` that is no law, or `args` that are not (x, y).
    """
    law = _law("fun", fun)
    if len(args) != 2:
        raise TypeError("args must be ((N, D), losses): the data that the law is fitted to")
    if loss not in _LOSSES:
        raise ValueError(f"`loss` must be one of {', '.join(_LOSSES)}; got {loss!r}")
    x, y = args
    dtype = choose_dtype(None, x, *x, y, np.asarray(x0))
    y = vector("y", y, dtype)
    lower, upper = _bounds(law, bounds)
    start = _start("x0", law, x0, lower, upper)
    limit = _max_evaluations(method, {} if max_nfev is None else {"max_nfev": max_nfev}, bounded=_is_bounded(lower, upper))
    if not f_scale > 0:
        raise ValueError(f"`f_scale` must be positive; got {f_scale}")
    core = _run(law, x, y, None, start, lower, upper, _core.OBJECTIVES.index(_LOSSES[loss]), f_scale, limit)

    theta = core.theta
    residual = core.residual
    J = law.jacobian(x, *theta)
    # As scipy: J and f scaled so that J'f is the gradient and J'J the Gauss-Newton Hessian of the robust cost.
    weight, curvature = _influence(loss, (residual / f_scale) ** 2)
    grad = J.T @ (weight * residual)
    active = np.array(core.at_bound)
    runaway = _runaway(core, lower, upper)
    message = core.message
    return OptimizeResult(
        x=theta,
        cost=core.objective_value[()],
        fun=residual,
        jac=J * np.sqrt(np.maximum(curvature, np.finfo(float).eps))[:, None],
        grad=grad,
        optimality=np.max(np.abs(grad[active == 0]), initial=0.0),
        active_mask=active,
        nfev=core.evaluations,
        njev=core.evaluations,
        status=0 if core.status in _FAILED or runaway else 1,
        message=message,
        success=not (core.status in _FAILED or runaway),
    )


def _is_bounded(lower: Array, upper: Array) -> bool:
    return bool((lower > 0).any() or np.isfinite(upper).any())


def _runaway(core: Any, lower: Array, upper: Array) -> bool:
    """Whether a parameter ran into a bound that the caller did not set."""
    sides = zip(core.at_bound, lower, upper, strict=True)
    return any((side < 0 and low == 0) or (side > 0 and np.isinf(high)) for side, low, high in sides)


def _law(name: str, f: Any) -> Law:
    if not isinstance(f, Law):
        raise TypeError(f"{name} must be a law of offray.laws, such as offray.laws.chinchilla; got {f!r}")
    return f


def _run(
    law: Law,
    x: Any,
    y: Array,
    weight: Array | None,
    start: Array | None,
    lower: Array,
    upper: Array,
    objective: int,
    delta: float,
    max_evaluations: int,
) -> Any:
    dtype = y.dtype
    if len(x) not in (2, 3):
        raise ValueError(f"xdata must be (N, D) or (N, D, U); got {len(x)} items")
    bounded = [j for j in range(len(lower)) if lower[j] > 0 or np.isfinite(upper[j])]
    names = [law.parameters[j] for j in bounded]
    limits = (numbers("bounds", lower[bounded], dtype), numbers("bounds", upper[bounded], dtype))
    return _core.fit(
        law._index,
        vector("N", x[0], dtype),
        vector("D", x[1], dtype),
        y,
        optional_vector("sigma", weight, dtype),
        optional_vector("U", x[2] if len(x) == 3 else None, dtype),
        objective,
        numbers("f_scale", [delta], dtype),
        0.5,
        False,
        max_evaluations,
        optional_vector("p0", start, dtype),
        ([], EMPTY[dtype], [], names, *limits) if bounded else None,
    )


def _influence(loss: str, z: Array) -> tuple[Any, Any]:
    """psi(r) / r and rho''(r) at z = (r / delta)^2."""
    if loss == "huber":
        return 1 / np.sqrt(np.maximum(z, 1)), np.where(z <= 1, 1.0, 0.0)
    if loss == "soft_l1":
        return (1 + z) ** -0.5, (1 + z) ** -1.5
    if loss == "cauchy":
        return 1 / (1 + z), (1 - z) / (1 + z) ** 2
    return np.ones_like(z), np.ones_like(z)


def _omit_nan(xdata: Any, ydata: Any, sigma: Any) -> tuple[Any, Any, Any]:
    x = np.asarray(xdata)
    y = np.asarray(ydata)
    keep = ~(np.isnan(x).any(axis=0) | np.isnan(y))
    whole = np.ndim(sigma) == 0 or np.shape(sigma) != y.shape  # of a wrong shape: reported where it is used
    return x[:, keep], y[keep], sigma if whole else np.asarray(sigma)[keep]


def _weight(sigma: Any, loss: Array) -> Array | None:
    if sigma is None:
        return None
    values = numbers("sigma", sigma, loss.dtype)
    if values.shape not in ((), (1,), loss.shape):
        raise ValueError(f"`sigma` has incorrect shape: {values.shape}; a scalar or {loss.shape} is needed")
    if not ((values > 0) & np.isfinite(values)).all():
        raise ValueError("`sigma` must be positive and finite")
    return np.broadcast_to(1 / values**2, loss.shape)


def _bounds(law: Law, bounds: Any) -> tuple[Array, Array]:
    low, high = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    shape = (len(law.parameters),)
    try:
        dtype = choose_dtype(None, np.asarray(low), np.asarray(high))
        lower = np.maximum(np.broadcast_to(np.asarray(low, dtype), shape), 0)
        upper = np.broadcast_to(np.asarray(high, dtype), shape)
    except ValueError:
        raise ValueError(f"Inconsistent shapes between bounds and the {shape[0]} parameters of {law.name}") from None
    if not (lower < upper).all():
        raise ValueError("Each lower bound must be strictly less than each upper bound (and parameters are positive).")
    return lower, upper


def _start(name: str, law: Law, start: Any, lower: Array, upper: Array) -> Array | None:
    if start is None:
        return None
    values = numbers(name, start, choose_dtype(None, np.asarray(start)))
    if values.shape != (len(law.parameters),):
        raise ValueError(f"{name} must have shape ({len(law.parameters)},): {', '.join(law.parameters)}; got {values.shape}")
    if not ((values > 0) & (values >= lower) & (values <= upper)).all():
        raise ValueError(f"`{name}` is infeasible.")
    return values


def _max_evaluations(method: str | None, kwargs: dict[str, Any], *, bounded: bool) -> int:
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
