# SPDX-License-Identifier: Apache-2.0
"""JSON and JSON lines, and what they hold: records, columns, or the results of one evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from offray._input.rows import RowName
from offray._read.raw import Raw, line_of


def parsed(text: str, source: str) -> Raw:
    """The table in a text that begins as JSON does."""
    try:
        return _table(json.loads(text), source)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise ValueError(f"{source}, line {error.lineno}: no JSON ({error.msg}, column {error.colno})") from None
    records, lines = [], []
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            records.append(json.loads(content))
        except json.JSONDecodeError as error:
            raise ValueError(f"{source}, line {line}: no JSON ({error.msg}, column {error.colno})") from None
        lines.append(line)
    return of_records(records, source, partial(line_of, lines))


def _table(data: Any, source: str) -> Raw:
    """A table of the shapes that JSON of tables has."""
    if isinstance(data, list):
        return of_records(data, source, _record)
    if isinstance(data, dict) and isinstance(data.get("columns"), list) and isinstance(data.get("data"), list):
        return of_records([dict(zip(data["columns"], row, strict=False)) for row in data["data"]], source, _record)
    if not isinstance(data, dict) or not data:
        raise ValueError(f"{source}: no runs in it; expected a list of records or a mapping of columns")
    schema = str(data.get("schema", ""))
    if schema.startswith("offray.") and not isinstance(data.get("runs"), list):
        raise ValueError(f"{source} is a saved result ({schema}), not runs: offray.load reads it")
    tables = [value for value in data.values() if isinstance(value, list) and value and all(isinstance(v, dict) for v in value)]
    if len(tables) == 1:
        return of_records(tables[0], source, _record)
    if all(isinstance(value, list) for value in data.values()):
        return of_columns(data, source, _record)
    if len(data) > 1 and all(isinstance(value, dict) for value in data.values()):
        first, *others = (list(value) for value in data.values())
        if first and all(other == first for other in others):
            return _nested(data, first, source)
    return of_records([data], source, _record)  # one run, such as the results of an evaluation


def _nested(data: dict[str, dict[str, Any]], inner: list[str], source: str) -> Raw:
    """Columns of rows by label, or rows of columns by label: as pandas writes them, or a run under its name."""
    if all(label.isdigit() for label in inner):
        return of_columns({name: list(column.values()) for name, column in data.items()}, source, partial(_labelled, inner))
    return of_records(list(data.values()), source, partial(_labelled, list(data)))


def _record(row: int) -> str:
    return f"record {row + 1}"


def _labelled(labels: list[str], row: int) -> str:
    return f"record {labels[row]!r}"


def of_columns(columns: Mapping[Any, Any], source: str = "", row_name: RowName | None = None) -> Raw:
    """A mapping from names to columns."""
    names = list(columns)
    if source:
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{source}: columns of different lengths: {', '.join(f'{k} {v}' for k, v in lengths.items())}")
    return Raw(names, lambda at: columns[names[at]], None, row_name, source)


def of_records(records: Sequence[Any], source: str = "", row_name: RowName | None = None) -> Raw:
    """Records of the same kind, one run each; what lies deeper is named by its way there, "config.n_params"."""
    where = f"{source}: " if source else ""
    if not records:
        raise ValueError(f"{where}no runs in it")
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            name = f"row {row}" if row_name is None else row_name(row)
            raise ValueError(f"{where}{name} is no record with names, but {type(record).__name__}")  # noqa: TRY004 (of a file)
    flat = [dict(_flat(record)) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    return Raw(names, lambda at: _column(flat, names[at]), len(flat), row_name, source)


def _column(flat: list[dict[str, Any]], name: str) -> Any:
    out = np.empty(len(flat), object)
    out[:] = [record.get(name) for record in flat]
    return out


def _flat(record: Mapping[Any, Any], path: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        elif not isinstance(value, list):  # samples, logs: no cell of a run
            yield f"{path}{name}", value
