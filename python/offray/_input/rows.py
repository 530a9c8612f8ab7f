# SPDX-License-Identifier: Apache-2.0
"""Rows as the user knows them: by the line of a file, by the label of an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np

RowName: TypeAlias = Callable[[int], str]

_PLACE = re.compile(r"(?P<column>[\w ]+)\[(?P<row>\d+)\] = ")


class Table(dict[str, Any]):
    """Columns by role, and how the source names its rows and columns.

    Attributes
    ----------
    row_name : callable or None
        From a row of this table to its name, such as "line 5" of the file; None where rows are counted from 0.
    source : str
        The file; "" for what was in memory.
    spelt : mapping of str to str
        Role to the name that the column has in the source.
    notes : tuple of str
        What was decided in reading: which of several columns was taken, which rows were left out.
    corpora : mapping of str to int
        Columns that by their names tell what the models were trained on, and how many corpora these are.
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        row_name: RowName | None = None,
        source: str = "",
        spelt: Mapping[str, str] | None = None,
        notes: tuple[str, ...] = (),
        corpora: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(columns)
        self.row_name = row_name
        self.source = source
        self.spelt = dict(spelt or {})
        self.notes = notes
        self.corpora = dict(corpora or {})

    def cell(self, role: str, row: int) -> str:
        """A cell as the user knows it: "runs.csv, line 5: eval/loss"."""
        name = self.spelt.get(role, role)
        if self.row_name is None:
            return f"{name}[{row}]"
        return f"{self.source}{', ' if self.source else ''}{self.row_name(row)}: {name}"


def row_name_of(table: Any) -> RowName | None:
    """How a data frame names its rows; None where it counts them from 0."""
    index = getattr(table, "index", None)
    if not hasattr(table, "columns") or index is None or callable(index):  # not pandas
        return None
    if len(index) == 0 or np.array_equal(np.asarray(index), np.arange(len(index))):
        return None
    return partial(_label, index)


def _label(index: Any, row: int) -> str:
    return f"index {index[row]!r}"


class RowsNamed:
    """A context that names the cell of an error as the user knows it: ``runs.csv, line 5: eval/loss = -1: ...``."""

    __slots__ = ("_table",)

    def __init__(self, table: Table | None) -> None:
        self._table = table

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is not ValueError or self._table is None:
            return
        place = _PLACE.match(str(error))
        if place is not None:
            rest = str(error)[place.end() :]
            raise ValueError(f"{self._table.cell(place['column'], int(place['row']))} = {rest}") from None
