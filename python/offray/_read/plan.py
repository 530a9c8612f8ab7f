# SPDX-License-Identifier: Apache-2.0
"""What is to be read of a table, resolved to columns and numbers before any cell is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from offray._read.names import ROLES, is_usual, per_byte, reminds_of, unit_of
from offray._read.quantity import number
from offray._read.raw import Raw
from offray._read.roles import find_roles

_ALWAYS_SOUGHT = ("loss", "unique_tokens", "weight")
UNITS = ("nats", "bits", "perplexity")


@dataclass(frozen=True)
class Plan:
    """Which columns are read, and as what.

    Attributes
    ----------
    roles : dict of str to int
        Role to the place of its column.
    factors : tuple of int or float
        Columns and numbers whose product is the tokens; empty where they have a column or come from compute.
    flops : int or None
        The column of compute, from which N or D is taken where it has no column.
    bytes_per_token : int, float or None
    inputs, labels : dict of str to int
        Further columns, of numbers and of anything.
    strict : frozenset of int
        The columns that must hold a number in every row.
    """

    roles: dict[str, int]
    factors: tuple[int | float, ...]
    flops: int | None
    loss_unit: str
    bytes_per_token: int | float | None
    inputs: dict[str, int]
    labels: dict[str, int]
    strict: frozenset[int]

    @property
    def numeric(self) -> tuple[int, ...]:
        """All columns of numbers."""
        further = [at for at in (self.flops, self.bytes_per_token, *self.factors) if isinstance(at, int)]
        return tuple(dict.fromkeys((*self.roles.values(), *self.inputs.values(), *further)))


def planned(
    raw: Raw,
    given: Mapping[str, str],
    *,
    flops: str | None,
    steps: Any,
    batch: Any,
    length: Any,
    loss_unit: str | None,
    bytes_per_token: Any,
    required: tuple[str, ...],
    inputs: Mapping[str, str],
    labels: tuple[str, ...],
    by: str | None,
) -> tuple[Plan, tuple[str, ...]]:
    """The plan for a table, and what was decided on the way; ``ValueError`` for what does not go together."""
    factors = _factors(raw, given, steps, batch, length)
    compute = None if flops is None else raw.find("flops", flops)
    # What is not needed and not asked for is left alone, but for columns that change what a fit is.
    sought = [role for role in ROLES if role in required or role in _ALWAYS_SOUGHT]
    needed = list(required)
    if factors:
        sought, needed = ([role for role in roles if role != "tokens"] for roles in (sought, needed))
    elif compute is not None and {"params", "tokens"} <= {*required}:
        there, _ = find_roles(raw, given, sought, ())
        absent = [role for role in ("tokens", "params") if role not in there]
        needed = [role for role in needed if role not in absent[:1]]  # where both are, N is asked for
    roles, notes = find_roles(raw, given, sought, needed)
    unit = _unit(raw, roles if "loss" in given else {}, loss_unit, bytes_per_token)
    per_token = None if bytes_per_token is None else _part(raw, "bytes_per_token", bytes_per_token)
    further = {name: _input(raw, name, column) for name, column in inputs.items()}
    notes += tuple(
        f"C is read from {raw.names[at]!r}" for name, at in further.items() if name == "C" and raw.names[at] != inputs[name]
    )
    known = {name: raw.find("by" if name == by else name, name) for name in labels if name == by or name in raw.names}
    asked = {roles[role] for role in (*needed, *given)} | set(further.values())
    asked |= {at for at in (compute, per_token, *factors) if isinstance(at, int)}
    return Plan(roles, factors, compute, unit, per_token, further, known, frozenset(asked)), notes


def _input(raw: Raw, name: str, column: str) -> int:
    """The place of a law's own input; C is the field's word for compute, which files spell in other ways."""
    if name == column == "C" and "C" not in raw.names:
        compute = [at for at, known in enumerate(raw.names) if reminds_of("flops", known)]
        if len(compute) == 1:
            return compute[0]
    return raw.find(name, column)


def _factors(raw: Raw, given: Mapping[str, str], steps: Any, batch: Any, length: Any) -> tuple[int | float, ...]:
    """Steps, tokens per step; empty where tokens are not counted so."""
    if steps is None and batch is None and length is None:
        return ()
    if "tokens" in given:
        raise ValueError("tokens: a column of their own, or steps with batch and length, not both")
    if batch is None:
        raise ValueError("steps need batch=, in sequences with length= or in tokens without it")
    if steps is None:
        usual = [name for name in raw.names if is_usual("steps", name)]
        if len(usual) != 1:
            raise ValueError(f"steps: no such column; {raw.listed()}")
        steps = usual[0]
    parts = {"steps": steps, "batch": batch} | ({} if length is None else {"length": length})
    return tuple(_part(raw, role, value) for role, value in parts.items())


def _part(raw: Raw, role: str, value: Any) -> int | float:
    """A column's place, or a number; a text is a number only where no column is called so."""
    if isinstance(value, str):
        told = None if value in raw.names else number(value)
        if told is None:
            return raw.find(role, value)
        value = told
    if not 0 < float(value) < float("inf"):
        raise ValueError(f"{role} must be positive and finite; got {value}")
    return float(value)


def _unit(raw: Raw, named: Mapping[str, int], loss_unit: str | None, bytes_per_token: Any) -> str:
    """The unit of the losses; ``ValueError`` where the name of the column that was asked for tells another one."""
    if loss_unit is not None and loss_unit not in UNITS:
        raise ValueError(f"loss_unit must be one of {', '.join(UNITS)}; got {loss_unit!r}")
    if bytes_per_token is not None and loss_unit != "bits":
        raise ValueError('bytes_per_token is for losses in bits per byte: loss_unit="bits"')
    name = str(raw.names[named["loss"]]) if named else ""
    told = unit_of(name)
    if loss_unit is None and told is not None:
        raise ValueError(
            f'loss: {name!r} is by its name no loss in nats; loss_unit="{told}" converts it, "nats" takes it as it is'
        )
    if loss_unit == "bits" and bytes_per_token is None and per_byte(name):
        raise ValueError(f"loss: {name!r} is by its name per byte; bytes_per_token= makes it one per token")
    return loss_unit or "nats"
