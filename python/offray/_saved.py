# SPDX-License-Identifier: Apache-2.0
"""A problem and its optimum as plain data, and back with all of their bits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from offray._expression.written import law_as_plain, law_from
from offray._input.arrays import DOUBLE, LONG_DOUBLE, Array, DType
from offray._problem import Limits, Options, Problem
from offray._reduction import Reduction
from offray._travel.document import digest, member
from offray._travel.plain import number_from, plain

DTYPES: dict[str, DType] = {"float64": DOUBLE, "longdouble": LONG_DOUBLE}
_WORDS = ("status", "limit")
_COUNTS = ("iterations", "evaluations", "limit_parameter", "lost")
_ARRAYS = ("theta", "phi")
_NUMBERS = ("objective_value", "scaled_gradient", "smoothing", "inverse_condition", "gap", "delta", "log_N0", "log_D0")


def parts(problem: Problem, state: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a document that give a fit back; ``ValueError`` for a law that cannot be written down."""
    out = {"problem": _plain_problem(problem), "optimum": _plain_state(state)}
    return out | {"sha256": digest(*out.values())}


def from_parts(data: Mapping[str, Any]) -> tuple[Problem, dict[str, Any]]:
    """What `parts` was given; ``ValueError`` for anything else."""
    asked, found = member(data, "problem"), member(data, "optimum")
    try:
        if member(data, "sha256", str) != digest(asked, found):
            raise ValueError("its problem or optimum was changed after it was written: their SHA-256 is another one")
        problem = _problem(asked)
        state = _state(found, problem.dtype)
        _compare(data.get("params"), problem.law.parameters, state)
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"its problem or optimum is none: {error}") from None
    return problem, state


def _compare(shown: Any, parameters: tuple[str, ...], state: Mapping[str, Any]) -> None:
    """``ValueError`` where the estimates that people read are others than the optimum's; on a ray they are of what is left."""
    if shown is None or "reduced" in state:
        return
    for name, value in zip(parameters, state["core"]["theta"], strict=False):  # a state that is none is refused later
        if np.isfinite(value) and shown[name] not in (None, float(value)):
            raise ValueError(f"params.{name} was changed after it was written: the optimum has {float(value):.6g}")


def _plain_problem(problem: Problem) -> dict[str, Any]:
    to = problem.reduction
    return {
        "law": law_as_plain(problem.law),
        "dtype": name_of(problem.dtype),
        "inputs": plain(problem.columns),
        "loss": plain(problem.loss),
        "weight": plain(problem.weight) if problem.weight.size else None,
        "rows": None if problem.row_name is None else [problem.row(i) for i in range(len(problem.loss))],
        "options": plain_options(problem.options),
        "limits": plain_limits(problem.limits),
        "identify": problem.identify,
        "reduction": None
        if to is None
        else {name: plain(getattr(to, name)) for name in ("where", "shared", "merged", "equal", "at")},
    }


def name_of(dtype: DType) -> str:
    """As documents call it."""
    return next(name for name, known in DTYPES.items() if known == dtype)


def plain_options(options: Options) -> dict[str, Any]:
    """Options of a fit."""
    return {
        "objective": options.objective,
        "delta": plain(options.delta[0]) if options.delta.size else "mad",
        "quantile": options.quantile,
        "log_loss": options.log_loss,
        "start": plain(options.start) if options.start.size else None,
        "max_evaluations": options.max_evaluations,
    }


def options_from(data: Mapping[str, Any], dtype: DType) -> Options:
    """What `plain_options` was given."""
    delta = data["delta"]
    return Options(
        member(data, "objective", str),
        _array(None if delta == "mad" else [delta], dtype),
        float(data["quantile"]),
        member(data, "log_loss", bool),
        _array(data["start"], dtype),
        member(data, "max_evaluations", int),
    )


def plain_limits(limits: Limits | None) -> dict[str, Any] | None:
    """Parameters that are held, tied or bounded."""
    if limits is None:
        return None
    return {"fixed": plain(limits.fixed), "tied": plain(limits.tied), "bounds": plain(limits.bounds)}


def limits_from(data: Mapping[str, Any] | None, dtype: DType) -> Limits | None:
    """What `plain_limits` was given."""
    if data is None:
        return None
    return Limits(
        {name: _array(value, dtype) for name, value in member(data, "fixed").items()},
        tuple((first, second) for first, second in member(data, "tied", list)),
        {name: _array(ends, dtype) for name, ends in member(data, "bounds").items()},
    )


def _problem(data: Mapping[str, Any]) -> Problem:
    dtype = DTYPES[member(data, "dtype", str)]
    law = law_from(data["law"])
    to, rows = data["reduction"], data["rows"]
    loss = _array(data["loss"], dtype)
    columns = {name: _array(column, dtype) for name, column in member(data, "inputs").items()}
    for name, column in (*columns.items(), ("rows", rows)):
        if column is not None and len(column) not in (len(loss), 0):
            raise ValueError(f"{name!r} has {len(column)} values, the loss {len(loss)}")
    for name in law.place:
        member(columns, name, object)
    return Problem(
        law,
        columns,
        loss,
        _array(data["weight"], dtype),
        options_from(member(data, "options"), dtype),
        limits_from(data["limits"], dtype),
        member(data, "identify", str),
        None if rows is None else partial(_nth, tuple(map(str, rows))),
        None
        if to is None
        else Reduction(
            law,
            member(to, "where", str),
            member(to, "shared"),
            member(to, "merged"),
            {name: tuple(names) for name, names in member(to, "equal").items()},
            float(to["at"]),
        ),
    )


def _nth(names: tuple[str, ...], row: int) -> str:
    return names[row]


def _array(data: Any, dtype: DType) -> Array:
    """One dimension; empty for None."""
    return np.array([number_from(at) for at in data or ()], dtype)


def _plain_state(state: Mapping[str, Any]) -> dict[str, Any]:
    core = state["core"]
    out = {name: plain(core[name][()] if name in _NUMBERS else core[name]) for name in core if name != "basins"}
    out["basins"] = [
        {"theta": plain(theta), "objective_value": plain(value[()]), "status": status}
        for theta, value, status in core["basins"]
    ]
    if "reduced" in state:
        out["reduced"] = _plain_state(state["reduced"])
    if "rivals" in state:
        out["rivals"] = [_plain_state(rival) for rival in state["rivals"]]
    return out


def _count(value: int) -> int:
    if abs(value) >= 2**31:
        raise ValueError(f"{value} counts nothing")
    return value


def _state(data: Mapping[str, Any], dtype: DType) -> dict[str, Any]:
    core: dict[str, Any] = {name: member(data, name, str) for name in _WORDS}
    core |= {name: _count(member(data, name, int)) for name in _COUNTS}
    core |= {name: _array(member(data, name, list), dtype) for name in _ARRAYS}
    core |= {name: np.array(number_from(data[name]), dtype) for name in _NUMBERS}
    core["basins"] = [
        (_array(at["theta"], dtype), np.array(number_from(at["objective_value"]), dtype), at["status"])
        for at in member(data, "basins", list)
    ]
    out: dict[str, Any] = {"core": core}
    if "reduced" in data:
        out["reduced"] = _state(data["reduced"], dtype)
    if "rivals" in data:
        out["rivals"] = [_state(rival, dtype) for rival in data["rivals"]]
    return out
