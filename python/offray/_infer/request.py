# SPDX-License-Identifier: Apache-2.0
"""How an interval is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from offray import _core
from offray._choices import IntervalMethod, Method
from offray._input import check
from offray._input.groups import dense
from offray._optimum import Optimum

METHODS: tuple[str, ...] = get_args(IntervalMethod)
DERIVED_METHODS: tuple[str, ...] = get_args(Method)


class Draws(NamedTuple):
    """Bootstrap replicates, as `Fit.bootstrap` takes them."""

    n: int = 1000
    kind: str = "pairs"
    seed: int = 0


_USUAL = Draws()


@dataclass(frozen=True)
class Request:
    """Level and method, checked; `draws` for the bootstrap, `group` for sandwich and bootstrap."""

    level: float = 0.95
    method: str = "delta"
    draws: Draws = _USUAL
    group: Iterable[Any] | None = None
    known: tuple[str, ...] = DERIVED_METHODS

    def __post_init__(self) -> None:
        if self.method not in self.known:
            raise ValueError(f"unknown method {self.method!r}; known methods: {', '.join(self.known)}")
        if self.group is not None and self.method not in ("sandwich", "bootstrap"):
            raise ValueError(f"group belongs to the methods sandwich and bootstrap; method is {self.method!r}")
        check.level(self.level)
        if self.group is not None:
            object.__setattr__(self, "group", list(self.group))  # it is read more than once

    def half_width(self, fit: Optimum) -> float:
        """Student's t of a two-sided interval, on n - rank degrees of freedom; of a sandwich over G groups on at most G - 1."""
        dof = fit.degrees_of_freedom
        if self.method == "sandwich" and self.group is not None:
            dof = min(dof, len(set(self.group)) - 1)
        return _core.student_t_half_width(self.level, dof)

    def sandwich(self, fit: Optimum) -> Any:
        """What the core takes for a standard error: None for the classical one, else the group of every run, or no groups."""
        if self.method != "sandwich":
            return None
        return [] if self.group is None else dense(self.group, len(fit.residuals))
