# SPDX-License-Identifier: Apache-2.0
"""A fit that is to be made: the law, the runs, the options, each checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._choices import Identify
from offray._input.arrays import (
    DOUBLE,
    EMPTY,
    LONG_DOUBLE,
    Array,
    DType,
    choose_dtype,
    frozen,
    numbers,
    optional_vector,
    vector,
)
from offray._input.objective import check_objective
from offray._input.rows import RowName
from offray._law import Law
from offray._reduction import Reduction

DEFAULT_DELTA = 1e-3
MAX_EVALUATIONS = 2000
_DEFAULT_DELTAS: dict[DType, Array] = {dtype: frozen(np.array([DEFAULT_DELTA], dtype)) for dtype in EMPTY}
_RUNS: dict[DType, Any] = {DOUBLE: _core.RunsDouble, LONG_DOUBLE: _core.RunsLongDouble}
_OPTIONS: dict[DType, Any] = {DOUBLE: _core.FitOptionsDouble, LONG_DOUBLE: _core.FitOptionsLongDouble}
_CONSTRAINTS: dict[DType, Any] = {DOUBLE: _core.ConstraintsDouble, LONG_DOUBLE: _core.ConstraintsLongDouble}


@dataclass(frozen=True, eq=False)
class Options:
    """What is minimised, and from where.

    Attributes
    ----------
    objective : str
    delta : ndarray
        One value; none where it is to be taken from the data.
    quantile : float
    log_loss : bool
    start : (p,) ndarray
        Empty for the global optimum.
    max_evaluations : int
    """

    objective: str
    delta: Array
    quantile: float
    log_loss: bool
    start: Array
    max_evaluations: int = MAX_EVALUATIONS

    @property
    def core(self) -> Any:
        """As the core takes them."""
        return _OPTIONS[self.delta.dtype](
            objective=self.objective,
            delta=self.delta,
            quantile=self.quantile,
            log_loss=self.log_loss,
            max_evaluations=self.max_evaluations,
            start=self.start,
        )


@dataclass(frozen=True, eq=False)
class Limits:
    """Parameters that are not free: held at a value, sharing one, or kept in a range."""

    fixed: dict[str, Array]
    tied: tuple[tuple[str, str], ...]
    bounds: dict[str, Array]

    def of(self, law: Law, dtype: DType) -> Any:
        """As the core takes them."""
        out = _CONSTRAINTS[dtype](law.core)
        for name, value in self.fixed.items():
            out.fix(name, value)
        for first, second in self.tied:
            out.tie(first, second)
        for name, ends in self.bounds.items():
            out.bound(name, ends)
        return out


@dataclass(frozen=True, eq=False)
class Problem:
    """Runs and a law to fit to them.

    Attributes
    ----------
    law : Law
    columns : dict of str to (n,) ndarray
        The inputs by name: params, tokens and perhaps unique_tokens.
    loss : (n,) ndarray
    weight : (n,) ndarray
        Empty for equal ones.
    options : Options
    limits : Limits or None
    identify : str
        "auto", or "force": the full law's figures even where the runs do not determine them.
    row_name : callable or None
        How the user knows a row: the line of a file, the label of an index; None where rows are counted from 0.
    reduction : Reduction or None
        Of what is left of a law: how it stands to that.
    """

    law: Law
    columns: dict[str, Array]
    loss: Array
    weight: Array
    options: Options
    limits: Limits | None = None
    identify: str = "auto"
    row_name: RowName | None = None
    reduction: Reduction | None = None

    @property
    def N(self) -> Array:
        """Model parameters."""
        return self.columns["params"]

    @property
    def D(self) -> Array:
        """Training tokens."""
        return self.columns["tokens"]

    def row(self, i: int) -> str:
        """A run as the user knows it."""
        return f"row {i}" if self.row_name is None else self.row_name(i)

    @property
    def dtype(self) -> DType:
        """Of all arrays."""
        return self.loss.dtype

    def reduced(self, to: Reduction) -> Problem | None:
        """The same runs for what is left of the law; None where its constraints are about what is lost."""
        limits = self.limits
        if limits is not None:
            limits = _carried(limits, to, self.law)
            if limits is None:
                return None
        options = replace(self.options, start=EMPTY[self.dtype]) if self.options.start.size else self.options
        free = None if limits is not None and not (limits.fixed or limits.bounds) else limits
        columns = to.columns(self.columns)
        return replace(self, law=to.law, columns=columns, options=options, limits=free, reduction=to)

    def minimise(self) -> Any:
        """The core's fit."""
        try:
            return _core.fit(*self._core)
        except ValueError:
            self.law.check()  # a function that raised says more
            raise

    def restore(self, state: Mapping[str, Any]) -> Any:
        """The core's fit out of its `state`, without a search; ``ValueError`` for one of another problem."""
        return _core.restore(*self._core, dict(state))

    @property
    def _core(self) -> tuple[Any, Any, Any, Any]:
        runs = _RUNS[self.dtype](self.law.core_columns(self.columns), self.loss, self.weight, False)
        return self.law.core, runs, self.options.core, None if self.limits is None else self.limits.of(self.law, self.dtype)


def _carried(limits: Limits, to: Reduction, law: Law) -> Limits | None:
    """Constraints on parameters that a reduced law shares; None for any other, but for equal exponents, which it has."""
    names = {full: own for own, full in to.shared.items()}
    exponents = set(law.named("exponent"))
    told = all(set(pair) <= exponents for pair in limits.tied) and (to.where == "one_ray" or not limits.tied)
    if not told or not set(limits.fixed) <= set(names) or not set(limits.bounds) <= set(names):
        return None
    fixed = {names[name]: value for name, value in limits.fixed.items()}
    return Limits(fixed, (), {names[name]: ends for name, ends in limits.bounds.items()})


def problem(
    law: Law,
    columns: Mapping[str, Any],
    *,
    objective: str = "squares",
    delta: float | str | None = None,
    quantile: float | None = None,
    log_loss: bool = False,
    fixed: Mapping[str, Any] | None = None,
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[Any, Any]] | None = None,
    start: Mapping[str, Any] | npt.ArrayLike | None = None,
    identify: str = "auto",
    dtype: npt.DTypeLike | None = None,
    row_name: RowName | None = None,
) -> Problem:
    """A problem from what `offray.fit` is given; `columns` holds N, D, loss and perhaps unique_tokens and weight."""
    check_objective(objective, delta, quantile)
    check_identify(identify)
    kind = choose_dtype(dtype, *columns.values())
    held = mapping("fixed", fixed, law)
    loss = vector("loss", columns["loss"], kind)
    inputs = {key: vector(name, columns[name], kind) for key, name in (("params", "N"), ("tokens", "D")) if name in columns}
    unique = columns.get("unique_tokens")
    if (unique is not None and law.reads("unique_tokens")) or not law.further:
        inputs |= {} if unique is None else {"unique_tokens": optional_vector("unique_tokens", unique, kind)}
    for name in law.further:
        inputs[name] = vector(name, columns[name], kind)
        if len(inputs[name]) != len(loss):
            raise ValueError(f"{name} has {len(inputs[name])} values, but loss has {len(loss)}: one value per run is needed")
    return Problem(
        law,
        inputs,
        loss,
        optional_vector("weight", columns.get("weight"), kind),
        options_of(objective, delta, quantile, log_loss, start_of(law, start, held, kind), kind),
        limits_of(law, held, tied, bounds, kind),
        identify,
        row_name,
    )


def check_identify(identify: str) -> None:
    """``ValueError`` for an unknown value."""
    if identify not in get_args(Identify):
        raise ValueError(f"identify must be 'auto' or 'force'; got {identify!r}")


def options_of(
    objective: str, delta: float | str | None, quantile: float | None, log_loss: bool, start: Array, dtype: DType
) -> Options:
    """Options with the defaults filled in."""
    scale = EMPTY[dtype] if delta == "mad" else _DEFAULT_DELTAS[dtype] if delta is None else numbers("delta", [delta], dtype)
    return Options(objective, scale, 0.5 if quantile is None else float(quantile), bool(log_loss), start)


def start_of(law: Law, start: Mapping[str, Any] | npt.ArrayLike | None, fixed: Mapping[str, Any], dtype: DType) -> Array:
    """A start in the law's order; empty for None."""
    if start is None:
        return EMPTY[dtype]
    if isinstance(start, Mapping):
        given = {**fixed, **start}
        if given.keys() != set(law.parameters):
            raise ValueError(f"start must give {', '.join(law.parameters)}; got {', '.join(map(str, start))}")
        start = [given[name] for name in law.parameters]
    return vector("start", start, dtype)


def mapping(argument: str, given: Mapping[str, Any] | None, law: Law) -> Mapping[str, Any]:
    """`given`, or an empty mapping for None; ``TypeError`` for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{argument} must be a mapping from parameters ({', '.join(law.parameters)}) to values; got {given!r}")
    return given


def limits_of(
    law: Law,
    fixed: Mapping[str, Any],
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None,
    bounds: Mapping[str, tuple[Any, Any]] | None,
    dtype: DType,
) -> Limits | None:
    """Constraints as `offray.fit` takes them, and the law's own bounds of what they are not about; None for none."""
    pairs = list(tied.items() if isinstance(tied, Mapping) else tied or ())
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            example = ", ".join(repr(name) for name in law.exponents[-2:])
            raise ValueError(f"tied must hold pairs of parameters, such as [({example})]; got {pair!r}")
    about = {*fixed, *(name for pair in pairs for name in pair)}
    own = {name: ends for name, ends in law.bounds.items() if name not in about}
    ranges = {**own, **mapping("bounds", bounds, law)}
    if any(np.shape(pair) != (2,) for pair in ranges.values()):
        raise ValueError("bounds: every parameter needs a pair (lower, upper)")
    if not fixed and not pairs and not ranges:
        return None
    return Limits(
        {name: numbers("fixed", [value], dtype) for name, value in fixed.items()},
        tuple((first, second) for first, second in pairs),
        {name: numbers("bounds", list(ends), dtype) for name, ends in ranges.items()},
    )
