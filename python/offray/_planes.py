# SPDX-License-Identifier: Apache-2.0
"""What the inputs of all runs have in common: one value of an input, one ratio of two, one product of powers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._input.arrays import Array
from offray._law import Law

_LABELS = {"params": "N", "tokens": "D"}
_ROUNDING = 1e-9
_NEGLIGIBLE = 5e-3
"""A power below this is not worth a word; against the largest, which is 1."""


@dataclass(frozen=True)
class InputPlane:
    """prod x^power = exp(level) in all runs.

    Attributes
    ----------
    powers : dict of str to float
        By column; the largest is 1.
    level : float
    scales : dict of str to float
        Of a column with values that are not positive: its largest magnitude, in units of which it counts as it is, in place of
        its logarithm.
    """

    powers: Mapping[str, float]
    level: float
    scales: Mapping[str, float]

    @property
    def what(self) -> str:
        """The product as text: "depth", "width / depth", "D / N^0.5"."""
        above = [_power(name, p) for name, p in self.powers.items() if p > 0]
        below = [_power(name, -p) for name, p in self.powers.items() if p < 0]
        if any(name in self.scales for name in self.powers) and len(self.powers) > 1:
            return f"a combination of {' and '.join(map(_label, self.powers))}"
        return " / ".join([" ".join(above), *below])

    @property
    def value(self) -> float:
        """Of the product."""
        (scale,) = self.scales.values() if len(self.powers) == len(self.scales) == 1 else (0.0,)
        return scale * self.level if scale else float(np.exp(self.level))

    def __str__(self) -> str:
        return f"{self.what} = {self.value:.4g}"

    def moved(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """The same places off it, by a factor of 2 in the product."""
        step = np.log(2) / sum(power**2 for power in self.powers.values())
        out = dict(columns)
        for name, power in self.powers.items():
            by = columns[name].dtype.type(power * step)
            out[name] = columns[name] + by * self.scales[name] if name in self.scales else columns[name] * np.exp(by)
        return out

    def away(self, columns: Mapping[str, Array]) -> Array:
        """By what factor places are off it, at least 1."""
        there = sum(
            power * (columns[name] / self.scales[name] if name in self.scales else np.log(columns[name]))
            for name, power in self.powers.items()
        )
        return np.asarray(np.exp(np.abs(there - self.level)))


def _label(name: str) -> str:
    return _LABELS.get(name, name)


def _power(name: str, power: float) -> str:
    return _label(name) if abs(power - 1) < _NEGLIGIBLE else f"{_label(name)}^{power:.2g}"


def planes(law: Law, columns: Mapping[str, Array], found: list[tuple[Array, Any]]) -> tuple[InputPlane, ...]:
    """Planes as the core finds them, by name."""
    out = []
    read = [name.removeprefix("ln ") for name in law.core.inputs]
    for powers, level in found:
        if any(abs(p) > _NEGLIGIBLE and name not in columns for name, p in zip(read, powers, strict=True)):
            continue  # unique tokens that were not given: all tokens are
        named = {name: float(p) for name, p in zip(read, powers, strict=True) if abs(p) > _NEGLIGIBLE}
        signed = {name: float(np.abs(columns[name]).max()) for name in named if columns[name].min() <= 0}
        turn = -1 if level < 0 and not signed else 1  # a ratio above 1
        named = {name: turn * p for name, p in named.items()}
        out.append(InputPlane(named, turn * float(level), {name: scale or 1.0 for name, scale in signed.items()}))
    return tuple(out)


def entangled(law: Law, theta: Array, columns: Mapping[str, Array], plane: InputPlane) -> frozenset[str]:
    """The parameters of terms that a ratio which all runs share leaves together: their derivatives differ off the plane.

    One value of one input leaves a constant, which rank and standard errors show; but the terms of two inputs that go together
    are one curve, of which a fit makes two that are told apart by nothing but noise.
    """
    if len(plane.powers) < 2:
        return frozenset()
    at, moved = (law.core.evaluate(theta, law.core_columns(c), True) for c in (columns, plane.moved(columns)))
    with np.errstate(invalid="ignore"):
        differ = ~(np.abs(moved - at) <= _ROUNDING * np.abs(at)).all(axis=0)
    return frozenset(name for name, d in zip(law.parameters, differ, strict=True) if d)


def off(plane: InputPlane, columns: Mapping[str, Array]) -> int | None:
    """The first place that is off the plane by more than a tenth; None where all keep to it."""
    away = plane.away(columns) >= _core.ONE_RAY
    return int(np.argmax(away)) if away.any() else None
