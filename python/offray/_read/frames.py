# SPDX-License-Identifier: Apache-2.0
"""Tables in memory: mappings, records, structured arrays, data frames of every library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offray._input.rows import Table, row_name_of
from offray._read.raw import Raw
from offray._read.records import of_columns, of_records


def in_memory(table: Any) -> Raw:
    """A table that is not in a file.

    Raises
    ------
    TypeError
        For what is no table.
    ModuleNotFoundError
        For a lazy or uncommon data frame without narwhals.
    """
    if isinstance(table, Table):
        return Raw(list(table), lambda at: table[list(table)[at]], None, table.row_name, table.source, table.notes)
    if isinstance(table, Mapping):
        return of_columns(table)
    if isinstance(table, list | tuple) and table and isinstance(table[0], Mapping):
        return of_records(table)
    structured = getattr(getattr(table, "dtype", None), "names", None)
    if structured is not None:
        return of_columns({name: table[name] for name in structured})
    if hasattr(table, "collect") or not (hasattr(table, "columns") and hasattr(table, "__getitem__")):
        table = _collected(table)
    # pyarrow's `columns` are the data
    names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    get = table.iloc.__getitem__ if hasattr(table, "iloc") else None
    return Raw(names, lambda at: table[names[at]] if get is None else get((slice(None), at)), len(table), row_name_of(table))


def _collected(table: Any) -> Any:
    """A lazy data frame, or one of a library not known here, as an eager one."""
    kind = f"{type(table).__module__.partition('.')[0]}.{type(table).__qualname__}"
    try:
        import narwhals
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"a {kind} needs narwhals; pip install 'offray[frames]'", name=error.name) from None
    try:
        frame = narwhals.from_native(table)
    except TypeError:
        raise TypeError(f"runs are a file, '-', a data frame, a list of records or a mapping of columns; got {kind}") from None
    return frame.collect().to_native() if isinstance(frame, narwhals.LazyFrame) else frame.to_arrow()
