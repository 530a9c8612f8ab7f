# SPDX-License-Identifier: Apache-2.0
"""least_squares with scipy's signature."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from offray._input.arrays import Array, choose_dtype, vector
from offray._law import Law
from offray._scipy.arguments import FAILED, bounds_of, is_bounded, max_evaluations, minimise, runs_away, start_of

_LOSSES = {"linear": "squares", "huber": "huber", "soft_l1": "soft_l1", "cauchy": "cauchy"}


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

    def __reduce__(self) -> tuple[Any, ...]:
        return _result, (dict(self),)


def _result(items: dict[str, Any]) -> OptimizeResult:
    """A result, which where scipy.optimize is in use is an instance of its own class too."""
    optimize = sys.modules.get("scipy.optimize")
    if optimize is None:
        return OptimizeResult(items)
    both: type[OptimizeResult] = type("OptimizeResult", (OptimizeResult, optimize.OptimizeResult), {"__module__": "offray"})
    return both(items)


def least_squares(
    fun: Law | Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
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
    """``scipy.optimize.least_squares``: for a law minimise 0.5 sum rho(L_hat - L); anything else is left to scipy as it is.

    Parameters
    ----------
    fun : Law or callable
        A law of `offray.laws` or `offray.law`. Another function of the parameters alone says nothing about runs that the core
        could use: the call goes to scipy.
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
        For a `fun` that cannot be called, or `args` of a law that are not (x, y).
    """
    if not isinstance(fun, Law):
        if not callable(fun):
            raise TypeError(f"fun must be a law of offray.laws or a function; got {fun!r}")
        found: OptimizeResult = _scipys(
            fun,
            x0,
            jac="2-point" if jac is None else jac,
            bounds=bounds,
            method=method,
            ftol=ftol,
            xtol=xtol,
            gtol=gtol,
            x_scale=x_scale,
            loss=loss,
            f_scale=f_scale,
            diff_step=diff_step,
            tr_solver=tr_solver,
            tr_options=tr_options,
            jac_sparsity=jac_sparsity,
            max_nfev=max_nfev,
            verbose=verbose,
            args=args,
            kwargs=kwargs,
            callback=callback,
            workers=workers,
        )
        return found
    return _of_law(fun, x0, bounds, method, loss, f_scale, max_nfev, args)


def _of_law(
    law: Law,
    x0: Any,
    bounds: Any,
    method: str | None,
    loss: str,
    f_scale: float,
    max_nfev: int | None,
    args: tuple[Any, ...],
) -> OptimizeResult:
    if len(args) != 2:
        raise TypeError("args must be ((N, D), losses): the data that the law is fitted to")
    if loss not in _LOSSES:
        raise ValueError(f"`loss` must be one of {', '.join(_LOSSES)}; got {loss!r}")
    x, y = args
    dtype = choose_dtype(None, x, *x, y, np.asarray(x0))
    y = vector("y", y, dtype)
    bounds = lower, upper = bounds_of(law, bounds)
    start = start_of("x0", law, x0, lower, upper)
    limit = max_evaluations(method, {} if max_nfev is None else {"max_nfev": max_nfev}, bounded=is_bounded(law, lower, upper))
    if not f_scale > 0:
        raise ValueError(f"`f_scale` must be positive; got {f_scale}")
    core = minimise(law, x, y, None, start, bounds, _LOSSES[loss], f_scale, limit)

    theta = core.theta
    residual = core.residual
    J = law.jacobian(x, *theta)
    # As scipy: J and f scaled so that J'f is the gradient and J'J the Gauss-Newton Hessian of the robust cost.
    weight, curvature = _influence(loss, (residual / f_scale) ** 2)
    grad = J.T @ (weight * residual)
    active = np.array(core.at_bound)
    runaway = runs_away(core, lower, upper)
    message = core.message
    return _result(
        {
            "x": theta,
            "cost": core.objective_value[()],
            "fun": residual,
            "jac": J * np.sqrt(np.maximum(curvature, np.finfo(float).eps))[:, None],
            "grad": grad,
            "optimality": np.max(np.abs(grad[active == 0]), initial=0.0),
            "active_mask": active,
            "nfev": core.evaluations,
            "njev": core.evaluations,
            "status": 0 if core.status in FAILED or runaway else 1,
            "message": message,
            "success": not (core.status in FAILED or runaway),
        }
    )


def _scipys(fun: Callable[..., Any], x0: Any, **options: Any) -> Any:
    from offray._scipy.callables import scipy_function  # for functions alone

    asked = {name: value for name, value in options.items() if value is not None}
    asked |= {name: options[name] for name in ("ftol", "xtol", "gtol")}  # where None switches a test off
    return scipy_function("least_squares")(fun, x0, **asked)


def _influence(loss: str, z: Array) -> tuple[Any, Any]:
    """psi(r) / r and rho''(r) at z = (r / delta)^2."""
    if loss == "huber":
        return 1 / np.sqrt(np.maximum(z, 1)), np.where(z <= 1, 1.0, 0.0)
    if loss == "soft_l1":
        return (1 + z) ** -0.5, (1 + z) ** -1.5
    if loss == "cauchy":
        return 1 / (1 + z), (1 - z) / (1 + z) ** 2
    return np.ones_like(z), np.ones_like(z)
