# SPDX-License-Identifier: Apache-2.0
"""The numbers of a table: every cell checked, then counts and losses in the units of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offray._input.rows import Table
from offray._read.names import COUNTS, is_usual, power_of
from offray._read.plan import Plan
from offray._read.quantity import is_gap, numbers
from offray._read.raw import Cells, Raw

_FLOPS_PER_TOKEN = 6.0
_FULL_COUNT = 1e6
_DROP = "read with drop_missing=True to leave such rows out"


class Values:
    """The columns of numbers that a plan reads, by their place.

    Attributes
    ----------
    raw : Raw
    plan : Plan
    sign : str or None
        The decimal sign.
    columns : dict of int to (n,) ndarray
        NaN where a cell is empty or holds no number.
    """

    def __init__(self, raw: Raw, plan: Plan, sign: str | None, powers: Mapping[int, int]) -> None:
        self.raw, self.plan, self.sign, self._powers = raw, plan, sign, powers
        read = {at: numbers(raw.column(at), sign) for at in plan.numeric}
        self.columns = {at: values * 10.0 ** powers[at] if at in powers else values for at, (values, _) in read.items()}
        self._bad = {at: bad for at, (_, bad) in read.items()}

    @classmethod
    def of_all(cls, raw: Raw, plan: Plan, sign: str | None) -> Values:
        """Those of the whole table; counts whose heading says "(M)", and whose cells are no full counts, are in millions."""
        powers = {}
        for role in COUNTS:
            at = plan.roles.get(role, -1)
            power = power_of(raw.names[at])[1] if at >= 0 else 0
            if power and np.nanmax(numbers(raw.column(at), sign)[0], initial=0) < _FULL_COUNT:
                powers[at] = power
                raw = raw.noted(f"{role}: {raw.names[at]!r} is in units of 1e{power} by its name")
        return cls(raw, plan, sign, powers)

    def of(self, raw: Raw) -> Values:
        """The same for some of the rows."""
        return Values(raw, self.plan, self.sign, self._powers)

    def missing(self) -> npt.NDArray[np.bool_]:
        """The rows in which a cell that must hold a number says that there is none.

        A text with a digit in it may be a number that was mistyped: that is an error, not a gap.
        """
        gaps = np.zeros(len(self.raw), bool)
        for at in self.plan.strict:
            empty = ~np.isfinite(self.columns[at])
            empty[[row for row, cell in self._bad[at].items() if not _no_number(cell)]] = False
            gaps |= empty
        return gaps

    def check(self) -> None:
        """``ValueError`` for the first cell that must hold a positive number and does not, with its place and the remedy."""
        for at in sorted(self.plan.strict):
            values, bad = self.columns[at], self._bad[at]
            for row in sorted(bad)[:1]:
                raise ValueError(self._no_number(at, row, bad[row]))
            good = np.isfinite(values) if at in self.plan.inputs.values() else np.isfinite(values) & (values > 0)
            if not good.all():
                raise ValueError(self._out_of_range(at, int(np.argmin(good))))

    def _no_number(self, at: int, row: int, cell: Any) -> str:
        where = f"{self._cell(at, row)} = {cell!r}"
        if self.sign is None and isinstance(cell, str) and "," in cell:
            point, whole = cell.replace(",", "."), cell.replace(",", "")
            return f'{where} may be {point} or {whole}; decimal="," or decimal="." decides'
        if isinstance(cell, str) and not _no_number(cell):
            return f"{where} is no number that can be told; write it like 1.4e12, 1.4T or 1,400,000"
        return f"{where}: every value must be a real number" + (f"; {_DROP}" if _no_number(cell) else "")

    def _out_of_range(self, at: int, row: int) -> str:
        value, cell = self.columns[at][row], self.raw.column(at)[row]
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return f"{self._cell(at, row)} is empty; {_DROP}"
        shown = cell.strip() if isinstance(cell, str) and np.isnan(value) else f"{value:.6g}"
        where = f"{self._cell(at, row)} = {shown}: every value must be positive and finite"
        if np.isfinite(value):
            return f'{where}; where="{self.raw.names[at]}>0" leaves such rows out'
        return f"{where}; {_DROP}"

    def _cell(self, at: int, row: int) -> str:
        place, name = self.raw.place(row), self.raw.names[at]
        return f"{name}[{row}]" if place is None else f"{place}: {name}"

    def table(self) -> Table:
        """Columns by role, with the counts that follow from others, and losses in nats per token."""
        raw, (out, spelt) = self.raw, self.counts()
        if "loss" in out:
            out["loss"] = self._nats(out["loss"])
        out |= {name: self.columns[at] for name, at in self.plan.inputs.items()}
        out |= {name: _labels(raw.column(at), self.sign) for name, at in self.plan.labels.items() if name not in out}
        return Table(out, raw.row_name, raw.source, spelt, raw.notes, _corpora(raw))

    def counts(self) -> tuple[dict[str, Cells], dict[str, str]]:
        """Columns by role with the counts that follow from others, and how each is spelt in the source."""
        plan, raw = self.plan, self.raw
        out = {role: self.columns[at] for role, at in plan.roles.items()}
        spelt = {role: str(raw.names[at]) for role, at in plan.roles.items()}
        if plan.factors:
            parts = [self._part(part) for part in plan.factors]
            out["tokens"] = np.prod(np.broadcast_arrays(*parts, np.ones(len(raw))), axis=0)
            spelt["tokens"] = " x ".join(str(raw.names[p]) if isinstance(p, int) else f"{p:g}" for p in plan.factors)
        if plan.flops is not None:
            out["flops"], spelt["flops"] = self.columns[plan.flops], str(raw.names[plan.flops])
            for role, other in (("tokens", "params"), ("params", "tokens")):
                if role not in out and other in out:
                    out[role] = out["flops"] / (_FLOPS_PER_TOKEN * out[other])
                    spelt[role] = f"{spelt['flops']} / (6 {spelt[other]})"
        return out, spelt

    def _part(self, part: int | float) -> Any:
        return self.columns[part] if isinstance(part, int) else part

    def _nats(self, losses: Cells) -> Cells:
        if self.plan.loss_unit == "nats":
            return losses
        if self.plan.loss_unit == "bits":
            per_token = 1.0 if self.plan.bytes_per_token is None else self._part(self.plan.bytes_per_token)
            return np.asarray(losses * np.log(2) * per_token)
        for row in np.flatnonzero(losses <= 1):
            raise ValueError(f"{self._cell(self.plan.roles['loss'], int(row))} = {losses[row]:.6g}: a perplexity is above 1")
        return np.asarray(np.log(losses))


def _no_number(cell: Any) -> bool:
    """Whether a cell means that there is no number: diverged, (partial)."""
    return isinstance(cell, str) and not any(map(str.isdigit, cell))


def _corpora(raw: Raw) -> dict[str, int]:
    """How many corpora each of the columns tells that by their names tell some."""
    named = {str(name): at for at, name in enumerate(raw.names) if is_usual("corpus", name)}
    return {name: len({str(cell) for cell in raw.column(at).tolist() if not is_gap(cell)}) for name, at in named.items()}


def _labels(cells: Cells, sign: str | None) -> Cells:
    """Labels as they are; as numbers where all of a text column are, and None for a gap."""
    if cells.dtype != object:
        return cells
    values, bad = numbers(cells, sign)
    if not bad and np.isfinite(values).all():
        return values.astype(np.int64) if (values == np.rint(values)).all() and (abs(values) < 2**53).all() else values
    out = np.empty(len(cells), object)
    out[:] = [None if is_gap(cell) else cell for cell in cells.tolist()]
    return out
