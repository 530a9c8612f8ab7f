# SPDX-License-Identifier: Apache-2.0
"""offray.fit."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._arrays import EMPTY, Array, DType, choose_dtype, frozen, numbers, optional_vector, vector
from offray._laws import Law, find_law
from offray._objective import check_objective
from offray._result import Fit, _refit
from offray._runs import column_names, find_columns, is_table
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning

DEFAULT_DELTA = 1e-3
_DEFAULT_DELTAS: dict[DType, Array] = {dtype: frozen(np.array([DEFAULT_DELTA], dtype)) for dtype in EMPTY}
MAX_EVALUATIONS = 2000


def fit(
    N: Any,
    D: Any = None,
    loss: Any = None,
    *,
    unique_tokens: Any = None,
    weight: Any = None,
    params: str | None = None,
    tokens: str | None = None,
    law: str | Law = "chinchilla",
    objective: str = "squares",
    delta: float | str | None = None,
    quantile: float | None = None,
    log_loss: bool = False,
    fixed: Mapping[str, float] | None = None,
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | npt.ArrayLike | None = None,
    identify: str = "auto",
    dtype: npt.DTypeLike | None = None,
) -> Fit:
    """Fit a scaling law to training runs.

    Minimises ``sum_i w_i rho(r_i)``, with r = L_hat - L or, with `log_loss`, r = ln L_hat - ln L. Without a `start`, the global
    optimum: a grid over the exponents with the coefficients solved exactly at every node, and a descent from each of its local
    minima (``fit.certificate``). Deterministic.

    Parameters
    ----------
    N : (n,) array_like, or a table
        Model parameters of each run. Or a mapping, data frame or structured array with columns ``params``, ``tokens``,
        ``loss`` and perhaps ``unique_tokens`` and ``weight`` (or usual other names such as ``N`` and ``D``).
    D : (n,) array_like
        Training tokens of each run, counted with repetitions.
    loss : (n,) array_like, or str
        Final loss of each run, nats per token. With a table: the name of its column.
    unique_tokens : (n,) array_like, or str, optional
        Distinct training tokens U of each run, for the repeated-data law; U > D means one epoch. Default: every token fresh.
    weight : (n,) array_like, or str, optional
        Positive weights w. For known noise sigma pass ``1 / sigma**2``.
    params, tokens : str, optional
        Names of a table's columns for N and D.
    law : str or Law
        A name or an object of `offray.laws`.
    objective : {"squares", "huber", "soft_l1", "cauchy", "absolute", "quantile"}
        rho = r^2 / 2; Huber's: r^2 / 2 for abs(r) <= delta, delta (abs(r) - delta / 2) beyond; soft_l1:
        delta^2 (sqrt(1 + (r / delta)^2) - 1); cauchy: delta^2 / 2 ln(1 + (r / delta)^2), which is not convex, so that other
        basins may be lower than those found; abs(r); or, of the level tau = `quantile`, tau max(-r, 0) + (1 - tau) max(r, 0).
    delta : float or "mad", optional
        Scale of huber, soft_l1 and cauchy in the units of r; default 1e-3, the field's standard for log loss. "mad": 1.345
        times 1.4826 times the median of abs(r) about the fit of least absolute deviation. ``fit.delta`` tells it.
    quantile : float, optional
        Level of the objective "quantile", in (0, 1); default 0.5, the median.
    log_loss : bool
        Fit ln L instead of L.
    fixed : mapping of str to float, optional
        Parameters held at a value.
    tied : iterable of pairs, or mapping, of str, optional
        Parameters that share one value, e.g. ``[("alpha", "beta")]``.
    bounds : mapping of str to (lower, upper), optional
        Bounds, natural units, ``0 <= lower < upper``. Without them parameters keep to a range that only a runaway one leaves: a
        floor above 1e-15, exponents above 1e-4 and below about 25 to 40 (so that A and B are numbers in double), decay
        constants in [1e-4, 1e8].
    start : mapping or (p,) array_like, optional
        Starting theta, for the local optimum of its basin. Default: the global optimum.
    identify : {"auto", "force"}
        On a single ray, D = k N, no fit can tell the law's two terms apart. "auto": report and predict what the runs determine
        (`Fit.reduced`), refuse the rest. "force": the full law's figures all the same.
    dtype : dtype, optional
        ``float64`` or ``longdouble``; default by the inputs.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        For input that no fit can use: the message names the argument, the first bad row (from 0) and its value.

    Warns
    -----
    IdentifiabilityWarning
        Where the runs do not determine the parameters.
    ConvergenceWarning
        Where the iteration did not converge.

    Examples
    --------
    >>> import numpy as np, offray
    >>> N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    >>> loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    >>> fit = offray.fit(N, D, loss)
    >>> bool(abs(fit.params["alpha"] - 0.34) < 1e-9)
    True
    """
    the_law = find_law(law)
    columns = run_columns(N, D, loss, unique_tokens, weight, params, tokens)
    if "R_D" not in the_law.parameters and not isinstance(unique_tokens, str) and is_table(N):
        columns["unique_tokens"] = None  # the law does not read it, so gaps in it are no error
    check_objective(objective, delta, quantile)
    if identify not in ("auto", "force"):
        raise ValueError(f"identify must be 'auto' or 'force'; got {identify!r}")
    kind = choose_dtype(dtype, *columns.values())
    fixed = mapping("fixed", fixed, the_law)
    arguments = (
        vector("N", columns["N"], kind),
        vector("D", columns["D"], kind),
        vector("loss", columns["loss"], kind),
        optional_vector("weight", columns["weight"], kind),
        optional_vector("unique_tokens", columns["unique_tokens"], kind),
        _core.OBJECTIVES.index(objective),
        _delta(delta, kind),
        0.5 if quantile is None else float(quantile),
        bool(log_loss),
        MAX_EVALUATIONS,
        _start(the_law, start, fixed, kind),
        _constraints(the_law, fixed, tied, bounds, kind),
    )
    if the_law.name.endswith("_on_ray"):
        _check_ray(the_law, arguments[0], arguments[1])
    result = _refit(the_law, objective, bool(log_loss), identify, arguments)
    _warn(result)
    return result


def _check_ray(law: Law, N: Array, D: Array) -> None:
    if len(N) == len(D) > 0:
        with np.errstate(all="ignore"):  # the core names bad values
            k = D / N
            spread = k.max() / k.min()
        if spread >= _core.ONE_RAY:
            raise ValueError(f"law: {law.name} needs runs on one ray; tokens per parameter vary by a factor {spread:.4g}")


def _delta(delta: float | str | None, dtype: DType) -> Array:
    """For the core: one value, or none where it is to be taken from the data."""
    if delta is None:
        return _DEFAULT_DELTAS[dtype]
    return EMPTY[dtype] if delta == "mad" else numbers("delta", [delta], dtype)


def _constraints(
    law: Law,
    fixed: Mapping[str, Any],
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None,
    bounds: Mapping[str, tuple[float, float]] | None,
    dtype: DType,
) -> tuple[Any, ...] | None:
    """Names and values of fixed parameters, tied pairs, names and values of bounds; or None for the lot."""
    pairs = _pairs(tied)
    if not fixed and not pairs and not bounds:
        return None
    limits = mapping("bounds", bounds, law)
    if any(np.shape(pair) != (2,) for pair in limits.values()):
        raise ValueError("bounds: every parameter needs a pair (lower, upper)")
    return (
        list(fixed),
        numbers("fixed", list(fixed.values()), dtype),
        pairs,
        list(limits),
        numbers("bounds", [low for low, _ in limits.values()], dtype),
        numbers("bounds", [high for _, high in limits.values()], dtype),
    )


def mapping(argument: str, given: Mapping[str, Any] | None, law: Law) -> Mapping[str, Any]:
    """`given`, or an empty mapping for None; ``TypeError`` for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{argument} must be a mapping from parameters ({law_names(law)}) to values; got {given!r}")
    return given


def law_names(law: Law) -> str:
    """The parameters of a law, for messages."""
    return ", ".join(law.parameters)


def _pairs(tied: Iterable[tuple[str, str]] | Mapping[str, str] | None) -> list[tuple[str, str]]:
    pairs = list(tied.items() if isinstance(tied, Mapping) else tied or ())
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f'tied must hold pairs of parameters, such as [("alpha", "beta")]; got {pair!r}')
    return [(first, second) for first, second in pairs]


def run_columns(
    N: Any, D: Any, loss: Any, unique_tokens: Any, weight: Any, params: str | None, tokens: str | None
) -> dict[str, Any]:
    """N, D, loss, unique_tokens and weight as given, or out of a table."""
    if not is_table(N):
        if D is None or loss is None:
            raise TypeError("fit needs N, D and loss, or one table with columns params, tokens and loss")
        if params is not None or tokens is not None:
            raise TypeError("params and tokens name the columns of a table; N is an array")
        return {"N": N, "D": D, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    if D is not None:
        raise TypeError("with a table give column names by keyword (params=, tokens=, loss=), not arrays")
    given = {"params": params, "tokens": tokens, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    for role, name in given.items():
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{role} must be the name of a column where N is a table")
    found = find_columns(column_names(N), given)
    roles = {"N": "params", "D": "tokens", "loss": "loss", "unique_tokens": "unique_tokens", "weight": "weight"}
    return {key: N[found[role]] if role in found else None for key, role in roles.items()}


def _start(law: Law, start: Mapping[str, float] | npt.ArrayLike | None, fixed: Mapping[str, Any], dtype: DType) -> Array:
    if start is None:
        return EMPTY[dtype]
    if isinstance(start, Mapping):
        given = {**fixed, **start}
        if given.keys() != set(law.parameters):
            raise ValueError(f"start must give {law_names(law)}; got {', '.join(map(str, start))}")
        start = [given[name] for name in law.parameters]
    return vector("start", start, dtype)


def _warn(result: Fit) -> None:
    if result._core.status == "converged" and result._core.findings == 0:
        return
    if result.status in ("stalled", "evaluation_limit", "evaluation_failed"):
        warnings.warn(f"{result.status}: {result.message}", ConvergenceWarning, stacklevel=3)
    if result.identifiability.warnings:
        warnings.warn("\n".join(result.identifiability.warnings), IdentifiabilityWarning, stacklevel=3)
