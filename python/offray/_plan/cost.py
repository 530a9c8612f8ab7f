# SPDX-License-Identifier: Apache-2.0
"""What a planned run costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from offray._expression.law import law
from offray._input.arrays import DOUBLE, Array, positive
from offray._plan.planning import FLOPS_PER_TOKEN


class Cost:
    """The cost of runs: 6 N D operations, a formula, a function, or a figure for each candidate.

    Attributes
    ----------
    unit : str
        "FLOP", or "cost" where it is the user's own.
    """

    def __init__(self, given: Any, N: Array, D: Array) -> None:
        self.unit = "FLOP" if given is None else "cost"
        self._of: Callable[[Array, Array], Any] | None = None
        if given is None:
            self._of = lambda n, d: FLOPS_PER_TOKEN * n * d
        elif isinstance(given, str):
            priced = law(f"unit*({given})")
            others = {*priced.parameters, *priced.inputs} - {"unit", "params", "tokens"}
            if others:
                raise ValueError(f"cost: the formula {given!r} reads {', '.join(sorted(others))}; it may read N and D alone")
            self._of = lambda n, d: priced({"params": n, "tokens": d}, 1.0)
        elif callable(given):
            self._of = given
        self.candidates = self.at(N, D) if self._of is not None else positive("cost", given)
        if len(self.candidates) != len(N):
            raise ValueError(f"cost has {len(self.candidates)} values, but there are {len(N)} candidates: one each is needed")

    @property
    def known_everywhere(self) -> bool:
        """Whether runs other than the candidates have a cost."""
        return self._of is not None

    def at(self, N: Array, D: Array) -> Array:
        """Of these runs; ``ValueError`` where one is not positive and finite."""
        assert self._of is not None
        out: Array = np.broadcast_to(np.asarray(self._of(N, D), DOUBLE), np.shape(N))
        good = np.isfinite(out) & (out > 0)
        if not good.all():
            row = int(np.argmin(good))
            raise ValueError(f"cost is {out[row]} at N = {N[row]:.4g}, D = {D[row]:.4g}: it must be positive and finite")
        return out
