# SPDX-License-Identifier: Apache-2.0
"""curve_fit with scipy's signature."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np

from offray._input.arrays import Array, choose_dtype, numbers, vector
from offray._law import Law
from offray._scipy.arguments import FAILED, bounds_of, is_bounded, max_evaluations, minimise, runs_away, start_of
from offray._warnings import warning_category


@overload
def curve_fit(
    f: Law | Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = ...,
    sigma: Any = ...,
    absolute_sigma: bool = ...,
    check_finite: bool | None = ...,
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
    f: Law | Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = ...,
    sigma: Any = ...,
    absolute_sigma: bool = ...,
    check_finite: bool | None = ...,
    bounds: Any = ...,
    method: str | None = ...,
    jac: Any = ...,
    *,
    full_output: Literal[True],
    nan_policy: str | None = ...,
    **kwargs: Any,
) -> tuple[Array, Array, dict[str, Any], str, int]: ...
def curve_fit(
    f: Law | Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    jac: Any = None,
    *,
    full_output: bool = False,
    nan_policy: str | None = None,
    **kwargs: Any,
) -> tuple[Array, Array] | tuple[Array, Array, dict[str, Any], str, int]:
    """``scipy.optimize.curve_fit`` with exact derivatives and, without `p0`, the global optimum.

    A function is recorded as a formula (see `offray.law`) and fitted by the core. Where that cannot be done, because it looks
    at values or calls what a formula does not have, or where something is asked that only scipy does (a `jac` of your own,
    ``full_output``, ``check_finite=False``, ``dogbox``), the call goes to scipy as it is.

    Parameters
    ----------
    f : Law or callable
        A law, or any function ``f(x, *params)``; its parameters may have either sign.
    xdata : array_like
        Of a law ``(N, D)`` or ``(N, D, U)``; of a function as in scipy.
    ydata : (n,) array_like
        Of a law: losses, positive.
    p0 : (p,) array_like, optional
        Start, of a law positive. Default: none, and the global optimum (scipy would start from ones).
    sigma : scalar, (n,) or (n, n) array_like, optional
        Standard deviations of `ydata`. Or, of a function, its covariance matrix: then scipy fits, with exact derivatives.
        For a law that is refused: `ValueError`.
    absolute_sigma : bool
        Whether `sigma` is used as it is, or only its ratios.
    check_finite : bool, optional
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
        For an `f` that cannot be called, more parameters than runs, or an unknown keyword.
    RuntimeError
        Where the fit does not converge.
    """
    if not isinstance(f, Law):
        return _any_function(
            f, xdata, ydata, p0, sigma, absolute_sigma, check_finite, bounds, method, jac, full_output, nan_policy, kwargs
        )
    law = f
    if np.size(ydata) == 0:
        raise ValueError("`ydata` must not be empty!")
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"nan_policy must be None, 'raise' or 'omit'; got {nan_policy!r}")
    if nan_policy == "omit":
        xdata, ydata, sigma = _omit_nan(xdata, ydata, sigma)
    dtype = choose_dtype(None, xdata, *xdata, ydata)
    loss = vector("ydata", ydata, dtype)
    bounds = lower, upper = bounds_of(law, bounds)
    weight = _weight(sigma, loss)
    start = start_of("p0", law, p0, lower, upper)
    if len(law.parameters) > len(loss):
        raise TypeError(
            f"The number of func parameters={len(law.parameters)} must not exceed the number of data points={len(loss)}"
        )
    limit = max_evaluations(method, kwargs, bounded=is_bounded(law, lower, upper))
    core = minimise(law, xdata, loss, weight, start, bounds, "squares", 1.0, limit)
    if core.status in FAILED:
        raise RuntimeError(f"Optimal parameters not found: {core.message}")
    pcov = core.unit_covariance() if absolute_sigma else core.covariance()
    if not np.isfinite(pcov).all():
        message = "Covariance of the parameters could not be estimated: the runs do not determine all of them"
        warnings.warn(message, warning_category(), stacklevel=2)
    elif runs_away(core, lower, upper) or core.status == "rank_deficient":
        warnings.warn(f"{core.status}: {core.message}", warning_category(), stacklevel=2)
    if not full_output:
        return core.theta, pcov
    residual = core.residual if weight is None else core.residual * np.sqrt(weight)
    return core.theta, pcov, {"nfev": core.evaluations, "fvec": residual}, core.message, 1


def _any_function(
    f: Any,
    xdata: Any,
    ydata: Any,
    p0: Any,
    sigma: Any,
    absolute_sigma: bool,
    check_finite: bool | None,
    bounds: Any,
    method: str | None,
    jac: Any,
    full_output: bool,
    nan_policy: str | None,
    kwargs: dict[str, Any],
) -> tuple[Array, Array] | tuple[Array, Array, dict[str, Any], str, int]:
    """A function that is no law: by the core where it can be recorded and nothing unusual is asked, else by scipy."""
    if not callable(f):
        raise TypeError(f"f must be a law of offray.laws or a function; got {f!r}")
    from offray._scipy.callables import ends_of, recorded_fit, scipy_function  # for functions alone

    bounded = bool(np.isfinite(np.concatenate([np.ravel(end) for end in ends_of(bounds)])).any())
    odd = full_output or callable(jac) or check_finite is False or (method == "lm" and bounded)
    if not odd and method in (None, "lm", "trf"):
        x, y, s = _omit_nan(xdata, ydata, sigma) if nan_policy == "omit" else (xdata, ydata, sigma)
        found = recorded_fit(f, x, y, p0, s, bounds, absolute_sigma=absolute_sigma, kwargs=kwargs)
        if found is not None:
            if not found.determined:
                message = "Covariance of the parameters could not be estimated: the data do not determine all of them"
                warnings.warn(message, warning_category(), stacklevel=3)
            return found.popt, found.pcov
    options = {"bounds": bounds, "method": method, "jac": jac, "full_output": full_output, **kwargs}
    if nan_policy is not None:
        options["nan_policy"] = nan_policy
    if check_finite is not None:
        options["check_finite"] = check_finite
    out: tuple[Array, Array] = scipy_function("curve_fit")(f, xdata, ydata, p0, sigma, absolute_sigma, **options)
    return out


def _omit_nan(xdata: Any, ydata: Any, sigma: Any) -> tuple[Any, Any, Any]:
    x = np.asarray(xdata)
    y = np.asarray(ydata)
    keep = ~(np.isnan(np.atleast_2d(x)).any(axis=0) | np.isnan(y))
    if np.shape(sigma) == (*y.shape, *y.shape):
        sigma = np.asarray(sigma)[np.ix_(keep, keep)]
    elif np.ndim(sigma) != 0 and np.shape(sigma) == y.shape:  # of a wrong shape: reported where it is used
        sigma = np.asarray(sigma)[keep]
    return x[..., keep], y[keep], sigma


def _weight(sigma: Any, loss: Array) -> Array | None:
    if sigma is None:
        return None
    values = numbers("sigma", sigma, loss.dtype)
    if values.shape not in ((), (1,), loss.shape):
        raise ValueError(f"`sigma` has incorrect shape: {values.shape}; a scalar or {loss.shape} is needed")
    if not ((values > 0) & np.isfinite(values)).all():
        raise ValueError("`sigma` must be positive and finite")
    return np.broadcast_to(1 / values**2, loss.shape)
