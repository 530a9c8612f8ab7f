# SPDX-License-Identifier: Apache-2.0
"""Rows as the user knows them: by the line of a file, by the label of an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    if isinstance(table, Table):
        return table.row_name
    index = getattr(table, "index", None)
    if not hasattr(table, "columns") or index is None or callable(index):  # not pandas
        return None
    if len(index) == 0 or np.array_equal(np.asarray(index), np.arange(len(index))):
        return None
    return lambda row: f"index {index[row]!r}"


@contextmanager
def rows_named(row_name: RowName | None) -> Iterator[None]:
    """Adds to an error about one row how the user knows it: ``loss[3] (line 5) = -1: ...``."""
    try:
        yield
    except ValueError as error:
        place = _PLACE.match(str(error))
        if row_name is None or place is None or type(error) is not ValueError:
            raise
        column, row = place["column"], int(place["row"])
        raise ValueError(f"{column}[{row}] ({row_name(row)}) = {str(error)[place.end() :]}") from None
