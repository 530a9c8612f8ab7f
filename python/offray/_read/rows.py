# SPDX-License-Identifier: Apache-2.0
"""Which rows to keep: conditions, the last of each run, the best of each cell."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from offray._read.names import is_usual
from offray._read.quantity import is_gap, number, numbers
from offray._read.raw import Cells, Raw, lines_of

Rows = npt.NDArray[np.intp]

_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_SIGN = re.compile(r"!=|<=|>=|==|=|<|>")
_SHOWN = 6


def where(raw: Raw, condition: str, sign: str | None) -> Raw:
    """The rows that meet a condition such as "State=finished" or "step > 0".

    Raises
    ------
    ValueError
        For a condition of another form, a column that is not there, an order among texts, or where no row is left.
    """
    at, compared, value = _condition(raw, condition)
    cells = raw.column(at)
    wanted = number(value, sign)
    values, _ = numbers(cells, sign)
    if wanted is not None:
        with np.errstate(invalid="ignore"):
            kept = np.asarray(_COMPARED[compared](values, wanted))
    elif compared in ("=", "==", "!="):
        same = np.array(["" if is_gap(cell) else str(cell).strip() for cell in cells.tolist()], object) == value
        kept = same if compared != "!=" else ~same
    else:
        raise ValueError(f'where="{condition}": {value!r} is no number')
    if not kept.any():
        held = list(dict.fromkeys("nothing" if is_gap(cell) else str(cell) for cell in cells.tolist()))
        shown = ", ".join(held[:_SHOWN]) + (", ..." if len(held) > _SHOWN else "")
        raise ValueError(f'where="{condition}": true of none of the {len(cells)} rows; {raw.names[at]} holds {shown}')
    if kept.all():
        return raw
    return raw.keep(np.flatnonzero(kept), f"{condition}: {count(int((~kept).sum()))} of {len(cells)} left out")


def _condition(raw: Raw, condition: str) -> tuple[int, str, str]:
    """Column, comparison and value; a column's name may itself have such signs in it."""
    for name in sorted((n for n in raw.names if isinstance(n, str) and n), key=len, reverse=True):
        rest = condition[len(name) :].lstrip() if condition.startswith(name) else ""
        sign = _SIGN.match(rest)
        if sign is not None:
            return raw.find("where", name), sign[0], _unquoted(rest[sign.end() :])
    sign = _SIGN.search(condition)
    if sign is None or not condition[: sign.start()].strip():
        raise ValueError(f'where="{condition}" must be a column, one of =, !=, <, <=, >, >= and a value')
    return raw.find("where", condition[: sign.start()].strip()), sign[0], _unquoted(condition[sign.end() :])


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def without(raw: Raw, missing: npt.NDArray[np.bool_], names: Sequence[str]) -> Raw:
    """The rows that are complete, and which others there were."""
    if missing.all():
        raise ValueError(f"no row has a number in each of {', '.join(names)}")
    rows = np.flatnonzero(missing)
    shown = lines_of([f"row {row}" if raw.row_name is None else raw.row_name(int(row)) for row in rows])
    note = f"{count(len(rows))} of {len(missing)} left out, without a number in {', '.join(names)}: {shown}"
    return raw.keep(np.flatnonzero(~missing), note)


def last(raw: Raw, run: str, steps: int | None, tokens: Cells | None, sign: str | None) -> Raw:
    """The last row of each run: the one with the highest step, else with the most tokens, else the lowest in the table."""
    cells = raw.column(raw.find("last", run))
    usual = [at for at, name in enumerate(raw.names) if is_usual("steps", name)]
    at = steps if steps is not None else usual[0] if len(usual) == 1 else None
    if at is not None:
        order, by = numbers(raw.column(at), sign)[0], str(raw.names[at])
    elif tokens is not None:
        order, by = tokens, "tokens"
    else:
        order, by = np.arange(len(cells)), "order"
    order = np.nan_to_num(order, nan=-np.inf)
    best: dict[Any, int] = {}
    for row, label in enumerate(cells.tolist()):
        if is_gap(label):
            raise ValueError(f"{raw.place(row) or f'row {row}'}: {run} is empty, so which run it is of is not known")
        if label not in best or order[row] >= order[best[label]]:
            best[label] = row
    note = f"the last row by {by} of each of {len(best)} runs in {run}, {count(len(cells) - len(best))} left out"
    return raw.keep(np.array(sorted(best.values())), note)


def lowest(loss: Cells, cells: Sequence[Cells]) -> Rows:
    """The row with the lowest loss of each cell: where all the columns have one value."""
    best: dict[tuple[Any, ...], int] = {}
    for row, values in enumerate(zip(*(column.tolist() for column in cells), strict=True)):
        cell = tuple(None if value != value else value for value in values)  # NaN is one value too
        if cell not in best or loss[row] < loss[best[cell]]:
            best[cell] = row
    return np.array(sorted(best.values()), np.intp)


def count(rows: int) -> str:
    """A number of rows, in words."""
    return f"{rows} row" if rows == 1 else f"{rows} rows"
