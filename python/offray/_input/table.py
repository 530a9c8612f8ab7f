# SPDX-License-Identifier: Apache-2.0
"""Reading a table of runs from CSV or Parquet. Needs pyarrow, which the extra ``cli`` brings."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from offray._input.columns import REQUIRED, find_columns
from offray._input.rows import RowName, Table, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def read(
    path: str | Path,
    columns: Mapping[str, str | None] | None = None,
    *,
    required: tuple[str, ...] = REQUIRED,
    also: tuple[str, ...] = (),
) -> Table:
    """Read training runs from a file, ready for `offray.fit`.

    Parameters
    ----------
    path
        A CSV file (comma-separated, UTF-8, a header line) or, by its ending, a Parquet file.
    columns
        Role (params, tokens, loss, unique_tokens, weight) to column name, where names are not the usual ones.
    required
        The roles that must be there.
    also
        Further columns, read where they exist.

    Returns
    -------
    Table
        A mapping from role to array; errors of fits name its rows by their line in the file.

    Raises
    ------
    ValueError
        For a file that cannot be read as a table of runs, in words that name it.
    """
    path = Path(path)
    given = columns or {}
    try:
        reader = _read_parquet if path.suffix.lower() in (".parquet", ".pq") else _read_csv
        table = reader(path, lambda names: _wanted(names, given, required, also))
    except (OSError, pa.ArrowException, UnicodeDecodeError, KeyError) as error:
        raise ValueError(f"{path}: {_reason(path, error)}") from None
    if table.num_rows == 0:
        raise ValueError(f"{path}: the table has a header but no rows")
    wanted = _wanted(table.column_names, given, required, also)
    # Text and gaps arrive as objects and NaN; the fit names the row.
    out = {role: table.column(name).to_numpy() for role, name in wanted.items()}
    return Table(out, _line_of(path, table.num_rows))


def _line_of(path: Path, rows: int) -> RowName | None:
    """The line of each row of a CSV file, where each row is one line."""
    if not path.is_file() or path.suffix.lower() in (".parquet", ".pq"):
        return None
    with path.open("rb") as file:
        lines = [number for number, line in enumerate(file, 1) if line.strip()]
    return partial(line_of, lines) if len(lines) == rows + 1 else None


def _wanted(
    names: list[str], given: Mapping[str, str | None], required: tuple[str, ...], also: tuple[str, ...]
) -> dict[str, str]:
    """Role to column name."""
    for name in also:
        if names.count(name) > 1:
            raise ValueError(f"{name}: {names.count(name)} columns are called {name!r}")
    return find_columns(names, given, required) | {name: name for name in also if name in names}


def _read_csv(path: Path, wanted: Callable[[list[str]], dict[str, str]]) -> pa.Table:
    source: Path | io.BytesIO = path
    if not path.is_file() and path.exists() and not path.is_dir():
        source = io.BytesIO(path.read_bytes())  # a pipe can be read only once
    with pa_csv.open_csv(source) as reader:
        columns = list(wanted(reader.schema.names).values())
    if isinstance(source, io.BytesIO):
        source.seek(0)
    return pa_csv.read_csv(source, convert_options=pa_csv.ConvertOptions(include_columns=columns))


def _read_parquet(path: Path, wanted: Callable[[list[str]], dict[str, str]]) -> pa.Table:
    return pa_parquet.read_table(path, columns=list(wanted(pa_parquet.read_schema(path).names).values()))


def _reason(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "is a directory, not a file"
    if not path.exists():
        return "no such file"
    if path.is_file() and path.stat().st_size == 0:
        return "is empty"
    return str(error).strip().splitlines()[0]
