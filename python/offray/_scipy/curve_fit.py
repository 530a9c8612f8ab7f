# SPDX-License-Identifier: Apache-2.0
"""curve_fit with scipy's signature, for the law objects."""

from __future__ import annotations

import warnings
from typing import Any, Literal, overload

import numpy as np

from offray._input.arrays import Array, choose_dtype, numbers, vector
from offray._law import Law
from offray._scipy.arguments import FAILED, bounds_of, is_bounded, law_of, max_evaluations, minimise, runs_away, start_of
from offray._warnings import IdentifiabilityWarning


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
    law = law_of("f", f)
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
    limit = max_evaluations(method, kwargs, bounded=is_bounded(lower, upper))
    core = minimise(law, xdata, loss, weight, start, bounds, "squares", 1.0, limit)
    if core.status in FAILED:
        raise RuntimeError(f"Optimal parameters not found: {core.message}")
    pcov = core.unit_covariance() if absolute_sigma else core.covariance()
    if not np.isfinite(pcov).all():
        message = "Covariance of the parameters could not be estimated: the runs do not determine all of them"
        warnings.warn(message, IdentifiabilityWarning, stacklevel=2)
    elif runs_away(core, lower, upper) or core.status == "rank_deficient":
        warnings.warn(f"{core.status}: {core.message}", IdentifiabilityWarning, stacklevel=2)
    if not full_output:
        return core.theta, pcov
    residual = core.residual if weight is None else core.residual * np.sqrt(weight)
    return core.theta, pcov, {"nfev": core.evaluations, "fvec": residual}, core.message, 1


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
