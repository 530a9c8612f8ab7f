# SPDX-License-Identifier: Apache-2.0
"""From a table to N, D, loss: which column is which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

ALIASES: dict[str, tuple[str, ...]] = {
    "params": ("params", "parameters", "N", "n_params", "num_params", "model_size"),
    "tokens": ("tokens", "D", "n_tokens", "num_tokens", "training_tokens"),
    "loss": ("loss", "L", "val_loss", "test_loss", "final_loss"),
    "unique_tokens": ("unique_tokens", "U", "n_unique_tokens"),
    "weight": ("weight", "weights"),
}
REQUIRED = ("params", "tokens", "loss")


class Reader(Protocol):
    """What a law says of the columns that it reads."""

    @property
    def built_in(self) -> bool: ...
    @property
    def further(self) -> tuple[str, ...]: ...
    def reads(self, column: str) -> bool: ...


def is_table(x: Any) -> bool:
    """Whether `x` has named columns: a mapping, a data frame or a structured array."""
    if type(x) is np.ndarray:
        return x.dtype.names is not None
    return isinstance(x, Mapping) or hasattr(x, "columns") or getattr(getattr(x, "dtype", None), "names", None) is not None


def column_names(table: Any) -> list[str]:
    """The names of the columns of a mapping, data frame or structured array."""
    if isinstance(table, Mapping):
        return list(table)
    if hasattr(table, "column_names"):  # pyarrow, whose `columns` are the data
        return list(table.column_names)
    return list(table.columns if hasattr(table, "columns") else table.dtype.names)


def find_columns(names: Iterable[str], given: Mapping[str, str | None], required: tuple[str, ...] = REQUIRED) -> dict[str, str]:
    """Which column plays which role.

    Parameters
    ----------
    names
        All column names.
    given
        Role to column name, where the caller says so; other roles are recognised by name, whatever the case.
    required
        The roles that must be there.

    Raises
    ------
    ValueError
        For a name that is not there, a required column that is not recognised, or two candidates for one role.
    """
    names = list(names)
    found: dict[str, str] = {}
    for role, aliases in ALIASES.items():
        name = given.get(role)
        if name is not None:
            if names.count(name) > 1:
                raise ValueError(f"{role}: {names.count(name)} columns are called {name!r}")
            if name not in names:
                raise ValueError(f"{role}: no column {name!r}; the columns are {', '.join(map(str, names))}")
            if name in found.values():
                raise ValueError(f"{role}: column {name!r} already has another role")
            found[role] = name
            continue
        known = {alias.lower() for alias in aliases}
        matches = [n for n in names if isinstance(n, str) and n.strip().lower() in known and n not in given.values()]
        exact = [n for n in matches if n == role]
        if len(exact or matches) > 1:
            raise ValueError(f"{role}: columns {', '.join(matches)} could all be it; say which")
        if matches:
            found[role] = (exact or matches)[0]
        elif role in required:
            raise ValueError(
                f"{role}: no such column (looked for {', '.join(aliases)}); the columns are {', '.join(map(str, names))}"
            )
    return found


def run_columns(
    law: Reader,
    N: Any,
    D: Any,
    loss: Any,
    unique_tokens: Any,
    weight: Any,
    params: str | None,
    tokens: str | None,
    inputs: Mapping[str, Any],
) -> dict[str, Any]:
    """N, D, loss, unique_tokens, weight and a law's further inputs as given, or out of a table."""
    if unknown := [name for name in inputs if name not in law.further]:
        known = f"it reads {', '.join(law.further)}" if law.further else "it reads N and D"
        raise ValueError(f"inputs: the law does not read {', '.join(unknown)}; {known}")
    counts = ("params", "tokens") if law.built_in else tuple(name for name in ("params", "tokens") if law.reads(name))
    if not is_table(N):
        given = {"N": N, "D": D, "loss": loss}
        needed = [_ARRAYS[name] for name in counts] + ["loss"]
        if any(given[name] is None for name in needed):
            raise TypeError(
                f"fit needs {', '.join(needed[:-1])} and loss, or one table with columns {', '.join((*counts, 'loss'))}"
            )
        if params is not None or tokens is not None:
            raise TypeError("params and tokens name the columns of a table; N is an array")
        if missing := [name for name in law.further if name not in inputs]:
            raise TypeError(f"fit needs inputs={{{', '.join(f'{name!r}: ...' for name in missing)}}} for this law")
        kept = {name: given[name] for name in needed}
        return {**kept, "unique_tokens": unique_tokens, "weight": weight, **inputs}
    if D is not None:
        raise TypeError("with a table give column names by keyword (params=, tokens=, loss=), not arrays")
    named = {"params": params, "tokens": tokens, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    for role, name in {**named, **inputs}.items():
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{role} must be the name of a column where N is a table")
    every = column_names(N)
    found = find_columns(every, named, (*counts, "loss"))
    roles = {**{_ARRAYS[name]: name for name in counts}, "loss": "loss", "unique_tokens": "unique_tokens", "weight": "weight"}
    out = {key: N[found[role]] if role in found else None for key, role in roles.items()}
    for name in law.further:
        column = inputs.get(name, name)
        if column not in every:
            raise ValueError(f"{name}: no column {column!r}; the columns are {', '.join(map(str, every))}")
        out[name] = N[column]
    return out


_ARRAYS = {"params": "N", "tokens": "D"}
