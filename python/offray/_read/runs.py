# SPDX-License-Identifier: Apache-2.0
"""What functions that take runs are given: arrays, or a table in memory or in a file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from offray._input.rows import Table

_ARRAYS = {"params": "N", "tokens": "D"}


class Reader(Protocol):
    """What a law says of the columns that it reads."""

    @property
    def place(self) -> tuple[str, ...]: ...
    @property
    def further(self) -> tuple[str, ...]: ...


def is_table(x: Any) -> bool:
    """Whether `x` has named columns, in memory or in a file."""
    if type(x) is np.ndarray or x is None:
        return x is not None and x.dtype.names is not None
    if isinstance(x, list | tuple):
        return len(x) > 0 and isinstance(x[0], Mapping)
    return (
        isinstance(x, Mapping | str | Path)
        or any(hasattr(type(x), name) for name in ("columns", "collect_schema", "read"))  # a lazy frame's own ones cost a query
        or getattr(getattr(x, "dtype", None), "names", None) is not None
    )


def run_columns(
    law: Reader,
    N: Any,
    D: Any,
    loss: Any,
    unique_tokens: Any,
    weight: Any,
    params: str | None,
    tokens: str | None,
    inputs: Mapping[str, Any],
    by: str | None = None,
    flops: str | None = None,
) -> dict[str, Any]:
    """N, D, loss, unique_tokens, weight, a law's further inputs: as given, or as a `Table` out of one, with `by` and flops."""
    if unknown := [name for name in inputs if name not in law.further]:
        known = f"it reads {', '.join(law.further)}" if law.further else "it reads N and D"
        raise ValueError(f"inputs: the law does not read {', '.join(unknown)}; {known}")
    counts = tuple(name for name in law.place if name in _ARRAYS)
    if not is_table(N):
        given = {"N": N, "D": D, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
        return _of_arrays(law, counts, given, params, tokens, inputs, by)
    if D is not None:
        raise TypeError("with a table give column names by keyword (params=, tokens=, loss=), not arrays")
    named = {"params": params, "tokens": tokens, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    for role, name in {**named, **inputs}.items():
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{role} must be the name of a column where N is a table")
    if isinstance(N, Table) and not any((*named.values(), *inputs, flops)):
        table = N
    else:
        from offray._read.read import read  # for tables alone

        further = {name: inputs.get(name, name) for name in law.further}
        table = read(N, **named, required=(*counts, "loss"), inputs=further, by=by, flops=flops)
        for note in table.notes:
            warnings.warn(note, stacklevel=3)
    roles = {**{_ARRAYS[name]: name for name in counts}, "loss": "loss", "unique_tokens": "unique_tokens", "weight": "weight"}
    further_columns = (*law.further, *([by] if by else []))
    for name in (*counts, "loss", *further_columns):
        if name not in table:
            raise ValueError(f"{'by' if name == by else name}: no column {name!r}; the columns are {', '.join(table)}")
    roles |= {name: name for name in (*further_columns, *(["flops"] if flops else []))}
    spelt = {key: table.spelt.get(role, role) for key, role in roles.items()}
    return Table({key: table.get(role) for key, role in roles.items()}, table.row_name, table.source, spelt, table.notes)


def places_in(table: Any, law: Reader, named: Mapping[str, str] | None = None) -> tuple[Any, ...]:
    """Where the runs of a table are: the inputs of a law, in its order; their losses do not matter. `named`: columns of
    further inputs, where they are not called so."""
    names = law.place
    if named or not (isinstance(table, Table) and set(names) <= table.keys()):
        from offray._read.read import read  # for tables alone

        counts = tuple(name for name in names if name not in law.further)
        table = read(table, required=counts, inputs={name: name for name in law.further} | dict(named or {}))
    return tuple(table[name] for name in names)


def _of_arrays(
    law: Reader,
    counts: tuple[str, ...],
    given: Mapping[str, Any],
    params: str | None,
    tokens: str | None,
    inputs: Mapping[str, Any],
    by: str | None,
) -> dict[str, Any]:
    """The arrays that the law needs, by name."""
    needed = [_ARRAYS[name] for name in counts] + ["loss"]
    if any(given[name] is None for name in needed):
        columns = ", ".join((*counts, "loss"))
        raise TypeError(f"fit needs {', '.join(needed[:-1])} and loss, or one table with columns {columns}")
    if params is not None or tokens is not None:
        raise TypeError("params and tokens name the columns of a table; N is an array")
    if missing := [name for name in law.further if name not in inputs]:
        raise TypeError(f"fit needs inputs={{{', '.join(f'{name!r}: ...' for name in missing)}}} for this law")
    if by is not None:
        raise ValueError(f"by: no column {by!r}; no table is given")
    return {**{name: given[name] for name in needed}, **{name: given[name] for name in ("unique_tokens", "weight")}, **inputs}
