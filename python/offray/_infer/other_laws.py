# SPDX-License-Identifier: Apache-2.0
"""Whether another law follows the runs better, and whether that moves the answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from offray._infer.optimal import ComputeOptimal, compute_optimal
from offray._infer.request import Request
from offray._input.arrays import EMPTY
from offray._law import Law
from offray._optimum import Optimum
from offray._travel.record import Record

BETTER = 10.0
"""Difference of AICc from which one law is preferred: exp(-10 / 2) is less than a hundredth."""
_FURTHER = 10.0


@dataclass(frozen=True, repr=False, eq=False)
class OtherLaw(Record):
    """A law that follows the runs better than the one fitted.

    Attributes
    ----------
    law : Law
    AICc : float
        By how much that of the fitted law is higher: n ln(RSS / n) + 2 K n / (n - K - 1), K = p + 1.
    optimum, fitted : ComputeOptimal
        The compute-optimal point for ten times the runs' largest compute, by this law and by the fitted one.
    """

    law: Law
    AICc: float
    optimum: ComputeOptimal
    fitted: ComputeOptimal

    def _brief(self) -> str:
        return f"{self.law.name}, AICc lower by {self.AICc:.3g}"

    @property
    def matters(self) -> bool:
        """Whether their intervals of TPP* or of the loss there do not overlap."""
        pairs = ((getattr(self.optimum, name), getattr(self.fitted, name)) for name in ("TPP", "loss"))
        return any(bool(a.statistical[0] > b.statistical[1] or b.statistical[0] > a.statistical[1]) for a, b in pairs)

    def __str__(self) -> str:
        there = f"at ten times the runs' largest compute, {self.optimum.C:.3g} FLOP"
        return (
            f"the law {self.law.name} follows these runs better (AICc lower by {self.AICc:.3g}) and {there} puts TPP* at "
            f"{self.optimum.TPP} and the loss at {self.optimum.loss}, where the fitted law has {self.fitted.TPP} and "
            f"{self.fitted.loss}"
        )


def other_laws(fit: Optimum, laws: Iterable[Law]) -> tuple[OtherLaw, ...]:
    """Those of some laws of N and D with an AICc lower by `BETTER` or more, the best first; none for robust objectives,
    constraints, and runs on which the fitted law has no compute-optimal point."""
    plain = fit.objective == "squares" and fit.problem.limits is None and fit.reduced is None and not fit.law.on_one_ray
    if not plain or not fit.law.of_N_and_D or fit.law.further or fit.law.reads("unique_tokens"):
        return ()
    ours = _optimum(fit)
    if ours is None:
        return ()
    found = []
    for law in laws:
        if law.name == fit.law.name or law.reads("unique_tokens") or len(fit.residuals) < len(law.parameters) + 3:
            continue
        problem = replace(fit.problem, law=law, options=replace(fit.problem.options, start=EMPTY[fit.problem.dtype]))
        other = Optimum(problem)
        gain = _aicc(fit) - _aicc(other)
        optimum = _optimum(other) if BETTER <= gain < np.inf and other.converged else None
        if optimum is not None:
            found.append(OtherLaw(law, gain, optimum, ours))
    return tuple(sorted(found, key=lambda other: -other.AICc))


def _aicc(fit: Optimum) -> float:
    n, K = len(fit.residuals), sum(fit.core.free) + 1
    return float(n * np.log(fit.rss / n) + 2 * K * n / (n - K - 1)) if n > K + 1 and fit.rss > 0 else float("nan")


def _optimum(fit: Optimum) -> ComputeOptimal | None:
    """The compute-optimal point for ten times the runs' largest compute, where there is one."""
    C: Any = _FURTHER * 6 * (fit.problem.N * fit.problem.D).max()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compute_optimal(fit, C, 6.0, 0.0, Request())
        except ValueError:
            return None
