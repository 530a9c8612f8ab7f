# SPDX-License-Identifier: Apache-2.0
"""What a plan is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from offray._input.arrays import Array
from offray._law import Law
from offray._plan.planning import FLOPS_PER_TOKEN


@dataclass(frozen=True, eq=False)
class Suggestion:
    """Runs to train; ``print`` shows them, what they bring, and what plain recipes at the same cost would.

    Attributes
    ----------
    N, D : (m,) ndarray
        The distinct runs.
    repeats : (m,) ndarray of int
        How often each is to be run (other seeds).
    budget, spent : float
        Floating-point operations allowed and used, at 6 N D a run.
    criterion : str
    efficiency : float
        Lower bound on how close the list comes to the best design within the limits, whole runs or not: the ratio of variances
        for "I", of the determinants' p-th roots for "D". From the equivalence theorem.
    sd : dict of str to dict of str to float
        By design ("before", "suggested", "fan", "isoFLOP", "3 x 3 factorial"), the predicted standard deviations: ``ln`` of
        every parameter, ``loss@target``, ``ln TPP*``, and ``kappa_2``; root mean squares over the assumed theta. Recipes obey
        the same limits and come on top of the existing runs.
    law : Law
    theta : dict of str to ndarray
    sigma : float
    target : dict of str to (t, 2) ndarray
        By the name of the assumed theta.
    """

    N: Array
    D: Array
    repeats: np.ndarray[Any, np.dtype[np.int64]]
    budget: float
    spent: float
    criterion: str
    efficiency: float
    sd: dict[str, dict[str, float]]
    law: Law
    theta: dict[str, Array]
    sigma: float
    target: dict[str, Array]

    @property
    def runs(self) -> list[dict[str, float]]:
        """One row per distinct run: N, D, TPP, FLOPs of one, repeats, share of the budget."""
        return [
            {
                "N": float(n),
                "D": float(d),
                "TPP": float(d / n),
                "FLOPs": float(FLOPS_PER_TOKEN * n * d),
                "repeats": int(k),
                "share": float(k * FLOPS_PER_TOKEN * n * d / self.budget),
            }
            for n, d, k in zip(self.N, self.D, self.repeats, strict=True)
        ]

    def __str__(self) -> str:
        lines = [
            f"{int(self.repeats.sum())} runs, {self.spent:.4g} of {self.budget:.4g} FLOP, {self.criterion}-efficiency at least "
            f"{100 * self.efficiency:.3g} %",
            f"{'N':>10}{'D':>11}{'TPP':>9}{'FLOPs':>11}{'repeats':>9}{'share':>8}",
            *(
                f"{r['N']:10.4g}{r['D']:11.4g}{r['TPP']:9.3g}{r['FLOPs']:11.3g}{r['repeats']:9d}{100 * r['share']:7.1f}%"
                for r in self.runs
            ),
            f"predicted standard deviations at sigma {self.sigma:g}, theta: {'; '.join(self.theta)}",
            f"{'':16}" + "".join(f"{name:>17}" for name in self.sd),
        ]
        table = [
            f"{name:16}" + "".join(f"{column[name]:17.4g}" for column in self.sd.values()) for name in self.sd["suggested"]
        ]
        return "\n".join(lines + table)
