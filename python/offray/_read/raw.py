# SPDX-License-Identifier: Apache-2.0
"""A table as its source has it: named columns of cells that are not yet numbers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from offray._input.rows import RowName
from offray._read.names import key, leaf

Cells = npt.NDArray[Any]
_SHOWN = 12
_FEW = 6


@dataclass(frozen=True, eq=False)
class Raw:
    """Columns of cells.

    Attributes
    ----------
    names : sequence
        As the source spells them, in its order; not always unique, not always text.
    get : callable
        The cells of a column, by its place in `names`.
    length : int or None
        Rows; None where no column has said it yet.
    row_name : callable or None
        How the source names a row; None where rows are counted from 0.
    source : str
        The file, or "" for what is in memory.
    notes : tuple of str
        What was decided in reading that a user may want to know.
    """

    names: Sequence[Any]
    get: Callable[[int], Any]
    length: int | None
    row_name: RowName | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    _cells: dict[int, Cells] = field(default_factory=dict)

    def find(self, role: str, name: str) -> int:
        """The place of the column that a user named: as it is spelt, or else the one that is spelt like it.

        Raises
        ------
        ValueError
            Where there is none, or more than one; near names are shown.
        """
        same = [at for at, known in enumerate(self.names) if known == name]
        if len(same) > 1:
            raise ValueError(f"{role}: {len(same)} columns are called {name!r}")
        alike = same or [at for at, known in enumerate(self.names) if key(known) == key(name)]
        alike = alike or [at for at, known in enumerate(self.names) if leaf(known) == key(name)]
        if len(alike) == 1:
            return alike[0]
        near = alike or self.near(name)
        more = f"; near it: {', '.join(repr(self.names[at]) for at in near)}" if near else ""
        raise ValueError(f"{role}: no column {name!r}; {self.listed()}{more}")

    def near(self, name: str) -> list[int]:
        """The places of columns with names like this one."""
        spelt = {key(known): at for at, known in enumerate(self.names)}
        return [spelt[match] for match in difflib.get_close_matches(key(name), spelt, n=3, cutoff=0.7)]

    def listed(self) -> str:
        """The names, for a message."""
        shown = ", ".join(map(str, self.names[:_SHOWN]))
        return f"the columns are {shown}" + (f", ... ({len(self.names)} in all)" if len(self.names) > _SHOWN else "")

    def column(self, at: int) -> Cells:
        """The cells of a column, one per row."""
        if at not in self._cells:
            cells = _cells(self.get(at))
            if cells.ndim != 1:
                raise ValueError(f"{self.names[at]} must be one-dimensional, one value per run; got shape {cells.shape}")
            length = next((len(known) for known in self._cells.values()), self.length)
            if length is not None and len(cells) != length:
                other = self.names[next(iter(self._cells), 0)]
                raise ValueError(f"{self.names[at]} has {len(cells)} values, but {other} has {length}")
            self._cells[at] = cells
        return self._cells[at]

    def keep(self, rows: npt.NDArray[np.intp], note: str) -> Raw:
        """Some of the rows, known by the names that they have in the whole."""
        return Raw(
            self.names,
            lambda at: self.column(at)[rows],
            len(rows),
            partial(_kept_name, self.row_name, rows),
            self.source,
            (*self.notes, note),
        )

    def noted(self, *notes: str) -> Raw:
        """The same with further notes."""
        return Raw(self.names, self.column, self.length, self.row_name, self.source, (*self.notes, *notes))

    def __len__(self) -> int:
        """Rows, which the first column says where the source does not."""
        return len(self.column(0)) if self.length is None else self.length

    def place(self, row: int) -> str | None:
        """Where a row stands, in words; None for what is in memory and has no labels."""
        return place(self.source, self.row_name, row)


def line_of(lines: Sequence[int], row: int) -> str:
    """The line of a row, in words."""
    return f"line {lines[row]}"


def lines_of(names: Sequence[str]) -> str:
    """Names of rows, in words: lines 2, 4 for line 2 and line 4; the first few of many."""
    shown = ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")
    return re.sub(r"(?<=, )line ", "", shown).replace("line ", "lines ", 1) if len(names) > 1 else shown


def place(source: str, row_name: RowName | None, row: int) -> str | None:
    """Where a row stands, in words; None for what is in memory and has no labels."""
    if row_name is None:
        return None
    return f"{source}, {row_name(row)}" if source else row_name(row)


def _kept_name(row_name: RowName | None, rows: npt.NDArray[np.intp], row: int) -> str:
    at = int(rows[row])
    return f"row {at}" if row_name is None else row_name(at)


def _cells(values: Any) -> Cells:
    """Values as an array: numbers as they are, a mask as gaps, anything else as objects."""
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(values.astype(float), np.nan))
    array = np.asarray(values)
    if array.dtype.kind in "US":  # what a list of text and numbers would be turned into
        return np.asarray(values, object)
    return array
