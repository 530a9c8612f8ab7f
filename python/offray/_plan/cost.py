# SPDX-License-Identifier: Apache-2.0
"""What a planned run costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from offray._expression.law import law
from offray._expression.names import USUAL_INPUTS
from offray._expression.parse import names_in, parsed
from offray._input.arrays import DOUBLE, Array, positive
from offray._law import Law
from offray._plan.places import Places, by_name, is_positive, labels_of
from offray._plan.planning import FLOPS_PER_TOKEN

_COMPUTE = ("C", "flops")
"""Inputs that are themselves what a run costs."""


class Cost:
    """The cost of runs: 6 N D operations, a formula, a function, or a figure for each candidate.

    Attributes
    ----------
    unit : str
        "FLOP", or "cost" where it is the user's own.
    """

    def __init__(self, given: Any, of: Law, places: Places) -> None:
        self.unit = "FLOP" if given is None else "cost"
        self._law = of
        self._of: Callable[..., Any] | None = None
        if given is None:
            self._of = _usual(of)
        elif isinstance(given, str):
            self._of = _priced(given, of)
        elif callable(given):
            self._of = given
        self.candidates = self.at(*places) if self._of is not None else positive("cost", given)
        if len(self.candidates) != len(places[0]):
            raise ValueError(
                f"cost has {len(self.candidates)} values, but there are {len(places[0])} candidates: one each is needed"
            )

    @property
    def known_everywhere(self) -> bool:
        """Whether runs other than the candidates have a cost."""
        return self._of is not None

    def at(self, *places: Array) -> Array:
        """Of these runs; ``ValueError`` where one is not positive and finite."""
        assert self._of is not None
        given = np.asarray(self._of(*places), DOUBLE)
        if given.shape not in ((), np.shape(places[0])):
            runs = len(places[0])
            raise ValueError(f"cost: the function gives shape {given.shape} for {runs} runs: one figure each is needed")
        out: Array = np.array(np.broadcast_to(given, np.shape(places[0])))
        good = np.isfinite(out) & (out > 0)
        if not good.all():
            row = int(np.argmin(good))
            where = ", ".join(f"{label} = {a[row]:.4g}" for label, a in zip(labels_of(self._law), places, strict=True))
            raise ValueError(f"cost is {out[row]} at {where}: it must be positive and finite")
        return out


def _usual(of: Law) -> Callable[..., Any]:
    """6 N D, or compute itself, where the law reads them."""
    names = of.place
    if {"params", "tokens"} <= set(names):
        n, d = names.index("params"), names.index("tokens")
        return lambda *places: FLOPS_PER_TOKEN * places[n] * places[d]
    if known := [names.index(name) for name in _COMPUTE if name in names]:
        return lambda *places: places[known[0]]
    read = ", ".join(names)
    raise ValueError(f"cost: what does a run of given {read} cost? Give a formula, a function, or a figure for each candidate")


def _priced(formula: str, of: Law) -> Callable[..., Any]:
    labels = labels_of(of)
    signed = [label for label, name in zip(labels, of.place, strict=True) if not is_positive(of, name)]
    read = names_in(parsed(formula))
    if others := [name for name in read if name not in labels]:
        known = f"{', '.join(labels)} alone" if len(labels) != 2 else f"{' and '.join(labels)} alone"
        raise ValueError(f"cost: the formula {formula!r} reads {', '.join(sorted(others))}; it may read {known}")
    if not read:  # a flat price
        formula, read = f"{formula} + 0*{labels[0]}", labels[:1]
    own = [label for label in read if label not in USUAL_INPUTS]
    price = "price" + "_" * max(map(len, labels))  # no input is called so
    priced = law(f"{price}*({formula})", inputs=own, real=[label for label in signed if label in read])
    return lambda *places: priced({name: a for name, a in by_name(of, places).items() if name in priced.inputs}, 1.0)
