# SPDX-License-Identifier: Apache-2.0
"""Text in columns: commas, semicolons, tabs or pipes between the cells, the names of the columns first."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from offray._read.quantity import number
from offray._read.raw import Raw, line_of, lines_of

_DELIMITERS = "\t;|,"
_LOOKED_AT = 20
_RULE = re.compile(r":?-+:?")


def delimited(text: str, source: str) -> Raw:
    """The table in a text.

    Raises
    ------
    ValueError
        For a text without rows or without names, and for a row that is longer or shorter than the names.
    """
    delimiter = _delimiter(text)
    commented: list[int] = []
    rows = _rows(text, delimiter, source, commented)
    line, names = next(rows, (0, []))
    if not names:
        raise ValueError(f"{source} holds comments alone")
    cells, lines = [], []
    for line, row in rows:
        if len(row) > len(names) and not any(row[len(names) :]):
            row = row[: len(names)]  # delimiters at the end of the line
        if len(row) != len(names):
            raise ValueError(
                f"{source}, line {line}: {len(row)} cells in a table of {len(names)} columns{_why(row, names, delimiter)}"
            )
        cells.append(row)
        lines.append(line)
    if not cells:
        raise ValueError(f"{source}: a header but no rows")
    columns: list[Any] = [np.array(column, object) for column in zip(*cells, strict=True)]
    left_out = lines_of([line_of([line], 0) for line in commented])
    notes = (f"left out as comments, though they have a cell for every column: {left_out}",) if commented else ()
    return Raw(names, columns.__getitem__, len(cells), partial(line_of, lines), source, notes)


def _why(row: list[str], names: list[str], delimiter: str) -> str:
    """What a row with too many cells may come from."""
    if len(names) == 1:
        return "; the names of all columns belong on the first line"
    return "; a decimal comma needs another delimiter or quotes" if delimiter == "," and len(row) > len(names) else ""


def _delimiter(text: str) -> str:
    """The sign that cuts most of the first lines into as many cells as the first one; more cells where that says nothing.

    Spaces only where they cut all lines alike, and nothing else cuts any.
    """
    first = "".join(islice((line for line in _lines(text) if line.strip() and line[0] != "#"), _LOOKED_AT))
    best, delimiter = (0.0, 1), ","
    for sign in _DELIMITERS:
        widths = [len(row) for row in csv.reader(_lines(first), delimiter=sign)]
        if widths and widths[0] > 1:
            score = (Counter(widths)[widths[0]] / len(widths), widths[0])
            best, delimiter = max((best, delimiter), (score, sign), key=lambda pair: pair[0])
    by_spaces = {len(line.split()) for line in _lines(first)}
    return " " if best == (0.0, 1) and len(by_spaces) == 1 and by_spaces != {1} else delimiter


def _rows(text: str, delimiter: str, source: str, commented: list[int]) -> Iterator[tuple[int, list[str]]]:
    """The names, then the rows, with the line that each begins on.

    Blank lines, comments and the rule of a Markdown table are left out, but for a comment that holds the names; `commented`
    gets the lines of those that may have been meant as rows.
    """
    reader = csv.reader(_lines(text), delimiter=delimiter, skipinitialspace=True)
    line, comment, heading, width = 1, (0, [""]), True, 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"{source}, line {reader.line_num}: {error}") from None
        if row is None:
            return
        begun, line = line, reader.line_num + 1
        row = [cell.strip() for cell in row]
        if delimiter == "|" and len(row) > 2 and not row[0] and not row[-1]:
            row = row[1:-1]
        if row and row[0].startswith("#"):
            comment = begun, [row[0].lstrip("# "), *row[1:]]
            commented += [begun] if len(row) == width > 1 else []
            continue
        if not any(row) or (delimiter == "|" and all(map(_RULE.fullmatch, row))):
            continue
        if heading and all(number(name, None) is not None for name in row):
            if len(comment[1]) != len(row):
                names = "numbers in place of the columns' names; put a line such as params,tokens,loss before it"
                raise ValueError(f"{source}, line {begun}: {names}")
            yield comment
        heading, width = False, len(row) if heading else width
        yield begun, row


def _lines(text: str) -> io.StringIO:
    """Lines with any ending; splitlines would also end them at signs within cells."""
    return io.StringIO(text, newline=None)
