# SPDX-License-Identifier: Apache-2.0
"""Which column plays which role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from offray._read.names import is_nearly_usual, is_usual, of_training, reminds_of, unit_of
from offray._read.quantity import numbers
from offray._read.raw import Raw

_LOOKED_FOR = {
    "params": "params, N, n_params, model_size",
    "tokens": "tokens, D, n_tokens, train_tokens",
    "loss": "loss, val_loss, eval/loss, final_loss",
    "unique_tokens": "unique_tokens, U",
    "weight": "weight",
}


def find_roles(
    raw: Raw, given: Mapping[str, str], sought: Iterable[str], needed: Iterable[str]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The place of the column of each role, and what was decided on the way.

    Parameters
    ----------
    raw
    given
        Role to name, where the user says so.
    sought
        The roles to recognise by name.
    needed
        Those of them that must be there.

    Raises
    ------
    ValueError
        For a name that is not there, two roles for one column, a role without a column, or with several.
    """
    found: dict[str, int] = {}
    notes: list[str] = []
    for role, name in given.items():
        at = raw.find(role, name)
        if at in found.values():
            raise ValueError(f"{role}: column {name!r} already has another role")
        found[role] = at
    for role in sought:
        taken = set(found.values())
        candidates = [at for at, name in enumerate(raw.names) if at not in taken and is_usual(role, name)]
        if role in found or not candidates:
            continue
        one, note = _chosen(raw, role, candidates)
        if one is None and (role != "loss" or role in needed):
            raise ValueError(note)
        if one is not None:
            found[role] = one
        notes += [note] if note else []
    if missing := [role for role in needed if role not in found]:
        raise ValueError(_missing(raw, missing, found))
    return found, tuple(notes)


def _chosen(raw: Raw, role: str, candidates: list[int]) -> tuple[int | None, str]:
    """One of the columns that could play a role, None where nothing decides, and what to say of it.

    The name of the role itself comes first; losses of training come after others. Columns that hold the same are one.
    """
    names = [raw.names[at] for at in candidates]
    twice = max(names, key=names.count)
    if names.count(twice) > 1:
        return None, f"{role}: {names.count(twice)} columns are called {twice!r}"
    distinct = [at for k, at in enumerate(candidates) if not any(_equal(raw, at, other) for other in candidates[:k])]
    exact = [at for at in distinct if raw.names[at] == role]
    measured = [at for at in distinct if role != "loss" or not of_training(raw.names[at])]
    first, *rivals = exact or measured or distinct
    others = [raw.names[at] for at in distinct if at != first]
    if rivals:
        both = ", ".join(repr(raw.names[at]) for at in distinct)
        return None, f'{role}: columns {both} could all be it; {role}="{raw.names[first]}" takes the first of them'
    if not others:
        return first, ""
    return first, f"{role} is read from {raw.names[first]!r}, not from {' or '.join(map(repr, others))}; {role}= decides"


def _equal(raw: Raw, one: int, other: int) -> bool:
    """Whether two columns hold the same numbers."""
    first, second = (numbers(raw.column(at))[0] for at in (one, other))
    return bool(np.isfinite(first).any()) and np.array_equal(first, second, equal_nan=True)


def _missing(raw: Raw, roles: list[str], found: Mapping[str, int]) -> str:
    """That roles have no column, and which options would help."""
    free = [name for at, name in enumerate(raw.names) if isinstance(name, str) and at not in found.values()]
    start = f"{', '.join(roles)}: no such column"
    if any(name.endswith("__MIN") for name in free) or sum(" - " in name for name in free) > 1:
        return (
            f"{start} in what looks like the export of a chart, with a run in each column; "
            "export the table of runs, one run per row"
        )
    compute = [name for name in free if reminds_of("flops", name)]
    if compute and {"params", "tokens"} <= {*roles} and not any(_hint(role, free, []) for role in ("params", "tokens")):
        hints = ['a law of compute alone needs neither N nor D, such as law="E + A*C**-alpha"']
    else:
        hints = [hint for role in roles if (hint := _hint(role, free, compute))]
    last = "; ".join(dict.fromkeys(hints)) or "one run per row is needed, with its N, D and loss"
    return f"{start} (looked for {'; '.join(_LOOKED_FOR[role] for role in roles)}); {raw.listed()}; {last}"


def _hint(role: str, free: list[str], compute: list[str]) -> str:
    """What may stand for a role, and the option that takes it."""
    near = [name for name in free if reminds_of(role, name)] or [name for name in free if is_nearly_usual(role, name)]
    if near:
        return f"{' or '.join(_option(role, name) for name in near[:3])} would take it"
    if role not in ("params", "tokens"):
        return ""
    hints = [f'steps="{name}" with batch= and length= would count tokens' for name in free if reminds_of("steps", name)][:1]
    hints = hints if role == "tokens" else []
    hints += [f'flops="{name}" would take {role} from C = 6 N D' for name in compute[:1]]
    if role == "tokens" and not hints and any(is_usual("params", name) or reminds_of("loss", name) for name in free):
        hints = ['a law in N alone needs no tokens, such as law="E + A*N**-alpha"']
    return ", ".join(hints)


def _option(role: str, name: str) -> str:
    unit = unit_of(name) if role == "loss" else None
    return f'{role}="{name}"' + (f' with loss_unit="{unit}"' if unit else "")
