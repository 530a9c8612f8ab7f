# SPDX-License-Identifier: Apache-2.0
"""Finished rows in a Parquet file, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_KEY = "block"
_SECONDS = 1.0


class Store:
    """Rows by block; the file is replaced as a whole, so that a kill leaves the last complete one. One process at a time.

    Pages carry checksums, which are verified when the file is read.

    Parameters
    ----------
    path
        Parquet file, made where there is none. Needs pyarrow. None: nothing is kept.
    """

    def __init__(self, path: str | Path | None) -> None:
        self._path = None if path is None else Path(path)
        self._blocks = {} if self._path is None else _read(self._path)
        self._written, self._pause, self._fresh = time.monotonic(), _SECONDS, False

    def rows(self, key: str) -> list[Row]:
        """Those of a block; none where it is not done."""
        return self._blocks.get(key, [])

    def add(self, key: str, rows: list[Row]) -> None:
        """Keep the rows of a block; on disk about a second later, in a large file after ten times what writing takes."""
        self._blocks[key] = rows
        self._fresh = True
        if time.monotonic() - self._written > self._pause:
            self.flush()

    def flush(self) -> None:
        """Write what is new."""
        if self._path is not None and self._fresh:
            start = time.monotonic()
            _write(self._path, self._blocks)
            self._written = time.monotonic()
            self._pause = max(_SECONDS, 10 * (self._written - start))
        self._fresh = False


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
    if not path.parent.is_dir():
        raise ValueError(f"store: {path}: there is no directory {path.parent}")
    try:  # before the work, not after it
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise ValueError(f"store: {path}: nothing can be written in {path.parent} ({error.strerror})") from None
    if not path.exists():
        return {}
    try:
        rows = parquet.read_table(path, page_checksum_verification=True).to_pylist()
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(f"store: {path}: damaged or no Parquet file; move it away to begin anew ({reason})") from None
    if rows and _KEY not in rows[0]:
        raise ValueError(f"store: {path}: no column {_KEY!r}; it holds no finished rows of an experiment")
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
            parquet.write_table(table, file, write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:  # the disk is full, or has become read-only
        reason = error.strerror or str(error)
        raise OSError(
            error.errno, f"store: {path}: the finished rows could not be written; the last complete file is kept ({reason})"
        ) from None
    finally:
        beside.unlink(missing_ok=True)
