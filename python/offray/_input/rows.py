# SPDX-License-Identifier: Apache-2.0
"""Rows as the user knows them: by the line of a file, by the label of an index."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

RowName: TypeAlias = Callable[[int], str]

_PLACE = re.compile(r"(?P<column>[\w ]+)\[(?P<row>\d+)\] = ")


class Table(dict[str, npt.NDArray[Any]]):
    """Columns by role, and how the source names their rows."""

    def __init__(self, columns: dict[str, npt.NDArray[Any]], row_name: RowName | None = None) -> None:
        super().__init__(columns)
        self.row_name = row_name


def row_name_of(table: Any) -> RowName | None:
    """How a table names its rows; None where it counts them from 0."""
    if type(table) is np.ndarray:
        return None
    if isinstance(table, Table):
        return table.row_name
    index = getattr(table, "index", None)
    if not hasattr(table, "columns") or index is None or callable(index):  # not pandas
        return None
    if len(index) == 0 or np.array_equal(np.asarray(index), np.arange(len(index))):
        return None
    return partial(_label, index)


def _label(index: Any, row: int) -> str:
    return f"index {index[row]!r}"


def line_of(lines: list[int], row: int) -> str:
    """The line of a row of a file whose first line is a heading."""
    return f"line {lines[row + 1]}"


class RowsNamed:
    """A context that adds to an error about one row how the user knows it: ``loss[3] (line 5) = -1: ...``."""

    __slots__ = ("_row_name",)

    def __init__(self, row_name: RowName | None) -> None:
        self._row_name = row_name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is not ValueError or self._row_name is None:
            return
        place = _PLACE.match(str(error))
        if place is not None:
            column, row = place["column"], int(place["row"])
            rest = str(error)[place.end() :]
            raise ValueError(f"{column}[{row}] ({self._row_name(row)}) = {rest}") from None
