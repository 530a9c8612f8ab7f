# SPDX-License-Identifier: Apache-2.0
"""How the benchmarks see an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Engine:
    """One way to call a fitter."""

    name: str
    prepare: Callable  # (Problem, Form) -> solve; solve() is what is timed
    read: Callable  # what solve() returned -> (p, evaluations or None)
    squares: bool = True  # takes squares on the loss
    huber: bool = False  # takes Huber's function of the log loss
    refits: bool = False  # worth a row among the bootstraps
    prepare_many: Callable | None = None  # ([Problem], [Form]) -> solve, where one call can fit them all
    compiles: bool = False  # the first call on a new shape compiles

    def takes(self, problem):
        return self.squares if problem.delta is None else self.huber
