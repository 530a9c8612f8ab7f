# SPDX-License-Identifier: Apache-2.0
"""offray.fit."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._choices import Identify, Objective
from offray._input.arrays import EMPTY
from offray._input.rows import RowsNamed, Table
from offray._law import LAWS, Law
from offray._problem import Problem, problem
from offray._read.runs import run_columns
from offray._result import Fit
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning, ignored

if TYPE_CHECKING:
    from offray._grouped import GroupedFit


@overload
def fit(
    N: Any = ...,
    D: Any = ...,
    loss: Any = ...,
    *,
    inputs: Mapping[str, Any] | None = ...,
    by: None = ...,
    shared: None = ...,
    unique_tokens: Any = ...,
    weight: Any = ...,
    params: str | None = ...,
    tokens: str | None = ...,
    law: str | Law = ...,
    objective: Objective = ...,
    delta: float | Literal["mad"] | None = ...,
    quantile: float | None = ...,
    log_loss: bool = ...,
    fixed: Mapping[str, float] | None = ...,
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = ...,
    bounds: Mapping[str, tuple[float, float]] | None = ...,
    start: Mapping[str, float] | npt.ArrayLike | None = ...,
    identify: Identify = ...,
    dtype: npt.DTypeLike | None = ...,
) -> Fit: ...
@overload
def fit(
    N: Any = ...,
    D: Any = ...,
    loss: Any = ...,
    *,
    by: Any,
    shared: Iterable[str] | str,
    inputs: Mapping[str, Any] | None = ...,
    unique_tokens: Any = ...,
    weight: Any = ...,
    params: str | None = ...,
    tokens: str | None = ...,
    law: str | Law = ...,
    objective: Objective = ...,
    delta: float | Literal["mad"] | None = ...,
    log_loss: bool = ...,
    fixed: Mapping[str, float] | None = ...,
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = ...,
    bounds: Mapping[str, tuple[float, float]] | None = ...,
    start: Mapping[str, float] | npt.ArrayLike | None = ...,
) -> GroupedFit: ...
def fit(
    N: Any = None,
    D: Any = None,
    loss: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    by: Any = None,
    shared: Iterable[str] | str | None = None,
    unique_tokens: Any = None,
    weight: Any = None,
    params: str | None = None,
    tokens: str | None = None,
    law: str | Law = "chinchilla",
    objective: Objective = "squares",
    delta: float | Literal["mad"] | None = None,
    quantile: float | None = None,
    log_loss: bool = False,
    fixed: Mapping[str, float] | None = None,
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | npt.ArrayLike | None = None,
    identify: Identify = "auto",
    dtype: npt.DTypeLike | None = None,
) -> Fit | GroupedFit:
    """Fit a scaling law to training runs.

    Minimises ``sum_i w_i rho(r_i)``, with r = L_hat - L or, with `log_loss`, r = ln L_hat - ln L. Without a `start`, the global
    optimum: a grid over the exponents with the coefficients solved exactly at every node, and a descent from each of its local
    minima (``fit.certificate``). Deterministic.

    Parameters
    ----------
    N : (n,) array_like, or a table
        Model parameters of each run. Or whatever `read` takes, a file, data frame, list of records or mapping, with columns
        ``params``, ``tokens``, ``loss`` and perhaps ``unique_tokens`` and ``weight`` (or usual other names such as ``N``).
    D : (n,) array_like
        Training tokens of each run, counted with repetitions.
    loss : (n,) array_like, or str
        Final loss of each run, nats per token. With a table: the name of its column.
    inputs : mapping of str to (n,) array_like, or to str
        What else a law of your own reads (`offray.law`), by the law's names; with a table the names of its columns, where they
        are not the law's. N and D are needed only where the law reads them.
    by : (n,) array_like of labels, or str, optional
        Groups of runs that are fitted as one law with `shared` parameters and own other ones, such as several corpora; with a
        table the name of its column. The result is a `GroupedFit`; any smooth objective, in float64.
    shared : str or iterable of str, optional
        The parameters that all groups have in common.
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
        Parameters that share one value, such as the two exponents: ``[law.exponents]``.
    bounds : mapping of str to (lower, upper), optional
        Bounds, natural units, ``0 <= lower <= upper``; equal ones fix it. Without them parameters keep to a range that only a
        runaway one leaves: a floor above 1e-15, exponents above 1e-4 and below about 25 to 40 (so that A and B are numbers in
        double), decay constants in [1e-4, 1e8].
    start : mapping or (p,) array_like, optional
        Starting theta, for the local optimum of its basin; with `by` that of every group. Default: the global optimum.
    identify : {"auto", "force"}
        On a single ray, D = k N, no fit can tell the law's two terms apart. "auto": report and predict what the runs determine
        (`Fit.reduced`), refuse the rest. "force": the full law's figures all the same.
    dtype : dtype, optional
        ``float64`` or ``longdouble``; default by the inputs.

    Returns
    -------
    Fit, or GroupedFit for `by`

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
    the_law = law_of(law)
    columns = run_columns(
        the_law, N, D, loss, unique_tokens, weight, params, tokens, inputs or {}, by if isinstance(by, str) else None
    )
    table = columns if isinstance(columns, Table) else None
    if table is not None and not the_law.reads("unique_tokens") and unique_tokens is None:
        columns["unique_tokens"] = None  # the law does not read it, so gaps in it are no error
    with RowsNamed(table):
        asked = problem(
            the_law,
            columns,
            objective=objective,
            delta=delta,
            quantile=quantile,
            log_loss=log_loss,
            fixed=fixed,
            tied=tied,
            bounds=bounds,
            start=start,
            identify=identify,
            dtype=dtype,
            row_name=None if table is None else table.row_name,
        )
        if the_law.on_one_ray:
            _check_ray(asked)
        if by is not None or shared is not None:
            return _grouped(asked, columns[by] if isinstance(by, str) else by, shared)
        result = Fit(_what_can_be_fitted(asked))
    _warn(result)
    return result


def _what_can_be_fitted(asked: Problem) -> Problem:
    """On one ray with fewer runs than parameters: what is left of the law, if they are enough for that."""
    law, runs = asked.law, len(asked.loss)
    left = law.on_ray
    if left is None or asked.limits is not None or not len(left.parameters) <= runs < len(law.parameters):
        return asked
    with np.errstate(all="ignore"):  # the core names bad values
        k = asked.D / asked.N
        if not (len(asked.N) == runs and k.max() / k.min() < _core.ONE_RAY):
            return asked
    warnings.warn(
        f"{runs} runs on one ray, D = {np.sqrt(k.min() * k.max()):.4g} N, for the {len(law.parameters)} parameters of "
        f"{law.name}: fitted is what is left of it along the ray, {left.formula} with {left.coefficients[0]} = {left.psi}. Add "
        "runs at other tokens per parameter.",
        IdentifiabilityWarning,
        stacklevel=3,
    )
    return replace(asked, law=left, options=replace(asked.options, start=EMPTY[asked.dtype]))


def _grouped(asked: Problem, by: Any, shared: Any) -> GroupedFit:
    from offray._grouped import fit_grouped  # for groups alone

    if by is None or shared is None:
        raise TypeError("by= and shared= go together: the groups, and the parameters that they have in common")
    return fit_grouped(asked, np.asarray(by) if hasattr(by, "__array__") else by, shared)


def law_of(law: str | Law) -> Law:
    """The law of a name or a formula. The laws of the core need no more than a look at a table."""
    if isinstance(law, Law):
        return law
    if isinstance(law, str) and law in LAWS:
        return LAWS[law]
    from offray._expression.known import any_law  # for formulas alone

    return any_law(law)


def _check_ray(asked: Problem) -> None:
    if len(asked.N) == len(asked.D) > 0:
        with np.errstate(all="ignore"):  # the core names bad values
            k = asked.D / asked.N
            spread = k.max() / k.min()
        if spread >= _core.ONE_RAY:
            raise ValueError(f"law: {asked.law.name} needs runs on one ray; tokens per parameter vary by a factor {spread:.4g}")


def _warn(result: Fit) -> None:
    if result.converged and not result.findings:
        return
    if result.status in ("stalled", "evaluation_limit", "evaluation_failed"):
        warnings.warn(f"{result.status}: {result.message}", ConvergenceWarning, stacklevel=3)
    # The sentences cost more than the fit: none where nobody reads them.
    if not ignored(IdentifiabilityWarning) and result.has_warnings:
        from offray._identify.report import warnings_of_runs

        said = warnings_of_runs(result)
        said = result.identifiability.warnings if said is None else said
        warnings.warn("\n".join(said), IdentifiabilityWarning, stacklevel=3)
