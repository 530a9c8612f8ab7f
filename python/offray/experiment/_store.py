# SPDX-License-Identifier: Apache-2.0
"""Finished rows in a Parquet file, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_KEY = "block"


class Store:
    """Rows by block; the file is replaced as a whole, so that a kill leaves the last complete one.

    Parameters
    ----------
    path
        Parquet file, made where there is none. Needs pyarrow. None: nothing is kept.
    seconds
        The least time between two writes.
    """

    def __init__(self, path: str | Path | None, seconds: float = 1.0) -> None:
        self._path = None if path is None else Path(path)
        self._seconds = seconds
        self._written = time.monotonic()
        self._rows: dict[str, list[Row]] = {}
        if self._path is not None:
            self._rows = _read(self._path)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> list[Row]:
        return self._rows[key]

    def add(self, key: str, rows: list[Row]) -> None:
        """Keep the rows of a block; on disk within `seconds` of work, or at `flush`."""
        self._rows[key] = rows
        if time.monotonic() - self._written > self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        if self._path is not None and self._rows:
            _write(self._path, self._rows)
        self._written = time.monotonic()


def _parquet(path: Path) -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        message = f"{path}: keeping rows needs pyarrow; install it with: pip install 'offray[cli]'"
        raise ModuleNotFoundError(message, name=error.name) from error
    return pyarrow, pyarrow.parquet


def _read(path: Path) -> dict[str, list[Row]]:
    pa, parquet = _parquet(path)
    if path.parent != Path() and not path.parent.is_dir():
        raise ValueError(f"{path}: there is no directory {path.parent}")
    if not path.exists():
        return {}
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{path}: {str(error).splitlines()[0]}") from None
    if rows and _KEY not in rows[0]:
        raise ValueError(f"{path}: no column {_KEY!r}; it holds no finished rows of an experiment")
    out: dict[str, list[Row]] = {}
    for row in rows:
        # Blocks of different kinds have different columns; None fills the gaps.
        out.setdefault(row.pop(_KEY), []).append({name: value for name, value in row.items() if value is not None})
    return out


def _write(path: Path, blocks: dict[str, list[Row]]) -> None:
    pa, parquet = _parquet(path)
    rows = [{_KEY: key, **row} for key, block in blocks.items() for row in block]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            parquet.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
