# SPDX-License-Identifier: Apache-2.0
"""Which column of X is which input."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

import offray


def law_of(law: str | offray.Law) -> offray.Law:
    """A law, by its name, or out of a formula."""
    if isinstance(law, offray.Law):
        return law
    if isinstance(law, str):
        return offray.law(law)
    raise ValueError(f"law must be a name, a formula or a law; got {law!r}")


def names_of(X: Any) -> list[str] | None:
    """The names of a frame's columns; None where X is an array, or its columns have numbers."""
    names = getattr(X, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return list(names)


def places(
    inputs: Sequence[str], width: int, names: Iterable[str] | None, columns: Sequence[str | int] | None
) -> tuple[int, ...]:
    """Where each input stands among the columns of X.

    Parameters
    ----------
    inputs
        What the law reads.
    width
        Number of columns.
    names
        Of the columns, where they have some.
    columns
        Their names or places in the order of `inputs`, where the user says so.

    Raises
    ------
    ValueError
        For a column that is not there, or where nothing decides.
    """
    known = [] if names is None else list(names)
    if columns is not None:
        if len(columns) != len(inputs):
            raise ValueError(f"columns: {len(inputs)} are needed, for {', '.join(inputs)}; got {len(columns)}")
        return tuple(_place(column, width, known) for column in columns)
    found = _by_name(inputs, known)
    if len(found) == len(inputs):
        return tuple(found[name] for name in inputs)
    if found:
        open_ones = ", ".join(name for name in inputs if name not in found)
        raise ValueError(f"X: no column is {open_ones} by its name, among {', '.join(known)}; columns= says which are")
    if width != len(inputs):
        needed = f"{len(inputs)} are needed, in this order: {', '.join(inputs)}"
        raise ValueError(f"X has n_features = {width}; {needed}. columns= chooses among more")
    return tuple(range(width))


def _place(column: str | int, width: int, names: list[str]) -> int:
    if isinstance(column, str):
        if column not in names:
            raise ValueError(f"columns: no column {column!r}; X has {', '.join(names) or 'no names'}")
        return names.index(column)
    try:
        place = operator.index(column)
    except TypeError:
        raise ValueError(f"columns: a column is a name or a whole number; got {column!r}") from None
    if not 0 <= place < width:
        raise ValueError(f"columns: no column {place}; X has n_features = {width}, counted from 0")
    return place


def _by_name(inputs: Sequence[str], names: list[str]) -> dict[str, int]:
    """The inputs whose columns have usual names or the inputs' own."""
    found = {name: names.index(name) for name in inputs if name in names}
    # Numbers that differ, so that no two columns count as one.
    row = {name: [float(k + 1)] for k, name in enumerate(names)}
    for _, role in _ARGUMENTS:
        if names and role in inputs and role not in found:
            with suppress(ValueError):
                found[role] = names.index(offray.read(row, required=(role,)).spelt[role])
    return found


def inputs_of(X: npt.NDArray[Any], inputs: Sequence[str]) -> dict[str, Any]:
    """The columns of X, one for each input, as arguments of `offray.fit` and `Fit.predict`."""
    columns = {name: np.ascontiguousarray(column) for name, column in zip(inputs, X.T, strict=True)}
    given: dict[str, Any] = {word: columns.pop(name) for word, name in _ARGUMENTS if name in columns}
    return {**given, "inputs": columns} if columns else given


def check_rows(law: offray.Law, X: npt.NDArray[Any], y: npt.NDArray[Any], weight: npt.NDArray[Any]) -> None:
    """``ValueError`` for the first value that `offray.fit` would refuse, runs of weight 0 included."""
    words = {name: word for word, name in _ARGUMENTS}
    read = [(words.get(name, name), x) for name, x in zip(law.inputs, X.T, strict=True) if name in law.positive_inputs]
    for word, values in (*read, ("loss", y)):
        for row in np.flatnonzero(~(values > 0)):
            raise ValueError(f"{word}[{row}] = {values[row]:g}: every value must be positive and finite")
    for row in np.flatnonzero(~(weight >= 0)):
        raise ValueError(f"weight[{row}] = {weight[row]:g}: a weight must not be negative")


_ARGUMENTS = (("N", "params"), ("D", "tokens"), ("unique_tokens", "unique_tokens"))
