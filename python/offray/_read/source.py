# SPDX-License-Identifier: Apache-2.0
"""From what a user points at to a table of cells: files are known by their contents, not by their endings."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from offray._read.delimited import delimited
from offray._read.raw import Raw
from offray._read.records import parsed

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def opened(source: Any) -> Raw:
    """The table of a file, of standard input ("-"), of an open binary file, or in memory."""
    if hasattr(source, "read"):
        name = str(getattr(source, "name", "file"))
    elif not isinstance(source, str | Path):
        from offray._read.frames import in_memory

        return in_memory(source)
    else:
        name = "standard input" if str(source) == "-" else str(source)
    content = _content(source, name)
    if content.startswith(_PARQUET):
        return _parquet(content, name)
    if content.startswith(_SPREADSHEETS):
        return _spreadsheet(content, name)
    text = _text(content, name)
    if not text.strip():
        raise ValueError(f"{name} is empty")
    return parsed(text, name) if text.lstrip()[0] in "[{" else delimited(text, name)


def _content(source: Any, name: str) -> bytes:
    try:
        opened_file = sys.stdin.buffer if str(source) == "-" else source
        content: bytes = opened_file.read() if hasattr(opened_file, "read") else Path(source).expanduser().read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{name}: no such file{_beside(Path(source))}") from None
    except IsADirectoryError:
        raise ValueError(f"{name} is a directory, not a file") from None
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}") from None
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError(f"{name}: the compressed file is cut short or damaged") from None


def _beside(path: Path) -> str:
    """Files of nearly this name, for a message."""
    import difflib

    there = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, there, n=3)
    return f"; near it: {', '.join(near)}" if near else ""


def _text(content: bytes, name: str) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: no UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8") from None
    if "\0" in text:
        raise ValueError(f"{name} is neither text nor Parquet nor a spreadsheet")
    return text


def _parquet(content: bytes, name: str) -> Raw:
    from offray._read.frames import in_memory

    try:
        try:
            from pyarrow.parquet import read_table as read
        except ModuleNotFoundError:
            from polars import read_parquet as read
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"{name}: Parquet needs pyarrow or polars; pip install 'offray[parquet]'") from None
    try:
        frame = read(io.BytesIO(content))
    except Exception as error:  # each library has its own
        raise ValueError(f"{name}: no Parquet that can be read ({_first_line(error)})") from None
    raw = in_memory(frame)
    if not raw.length:
        raise ValueError(f"{name}: a header but no rows")
    return Raw(raw.names, raw.get, raw.length, _from_one, name)


def _from_one(row: int) -> str:
    return f"row {row + 1}"


def _spreadsheet(content: bytes, name: str) -> Raw:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"{name}: spreadsheets need python-calamine; pip install 'offray[excel]'") from None
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet, *others = book.sheet_names
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError) as error:
        raise ValueError(f"{name}: no spreadsheet that can be read ({_first_line(error)})") from None
    filled = [at for at, row in enumerate(rows) if any(cell not in ("", None) for cell in row)]
    if len(filled) < 2:
        raise ValueError(f"{name}: {'a header but no rows' if filled else 'nothing'} in the sheet {sheet!r}")
    head, *below = filled
    columns = [at for at, cell in enumerate(rows[head]) if cell != ""]
    cells: list[Any] = [np.array([rows[row][at] for row in below], object) for at in columns]
    notes = (f"{name}: read is the sheet {sheet!r}, the first of {len(others) + 1}",) if others else ()
    names = [str(rows[head][at]).strip() for at in columns]
    return Raw(names, cells.__getitem__, len(below), partial(_of_sheet, sheet, below), name, notes)


def _of_sheet(sheet: str, rows: list[int], row: int) -> str:
    return f"{sheet} row {rows[row] + 1}"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
