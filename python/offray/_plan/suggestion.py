# SPDX-License-Identifier: Apache-2.0
"""What a plan is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from offray._drawn import Drawn
from offray._input.arrays import Array
from offray._law import Law
from offray._plan.check import checked
from offray._plan.design_check import DesignCheck
from offray._plan.places import OfInputs, Places, labels_of, of_N_and_D
from offray._plan.planning import FLOPS_PER_TOKEN
from offray._text import Sheet
from offray._travel.record import Record


@dataclass(frozen=True, repr=False, eq=False)
class Suggestion(Record, Drawn, OfInputs):
    """Runs to train; ``print`` shows them, what they bring, and what plain recipes at the same cost would.

    Attributes
    ----------
    inputs : dict of str to (m,) ndarray
        The distinct runs, by what the law reads: ``params`` and ``tokens``, which `N` and `D` are, or others.
    repeats : (m,) ndarray of int
        How often each is to be run (other seeds).
    budget, spent : float
        Allowed and used: floating-point operations at 6 N D a run, or what `cost` was in.
    criterion : str
    efficiency : float
        Lower bound on how close the list comes to the best design within the limits, whole runs or not: the ratio of variances
        for "I", of the determinants' p-th roots for "D". From the equivalence theorem. Of the list without the runs that are
        kept for other ends.
    sd : dict of str to dict of str to float
        By design ("before", "suggested", "fan", "isoFLOP", "3 x 3 factorial"; for other inputs than N and D "even grid"), the
        predicted standard deviations: ``ln`` of every parameter, ``loss@target``, ``ln TPP*``, and ``kappa_2``; root mean
        squares over the assumed theta. Recipes obey the same limits and come on top of the existing runs.
    sd_of : dict of str to dict of str to float
        Of the suggested runs, by the name of the assumed theta.
    law : Law
    theta : dict of str to ndarray
    sigma : float
    target : dict of str to (t, k) ndarray
        By the name of the assumed theta; a column for each input.
    existing : tuple of ndarray
        The runs that there were: (N, D), or what else the law reads, in its order.
    cost : (m,) ndarray
        Of one run each.
    unit : str
        "FLOP", or "cost".
    reserved : (int, int)
        How many repeats, and how many runs away from all others, are among them on request.
    """

    inputs: dict[str, Array]
    repeats: np.ndarray[Any, np.dtype[np.int64]]
    budget: float
    spent: float
    criterion: str
    efficiency: float
    sd: dict[str, dict[str, float]]
    sd_of: dict[str, dict[str, float]]
    law: Law
    theta: dict[str, Array]
    sigma: float
    target: dict[str, Array]
    existing: Places
    cost: Array
    unit: str
    reserved: tuple[int, int]

    def _brief(self) -> str:
        return f"{int(self.repeats.sum())} runs, {self.spent:.4g} of {self.budget:.4g} {self.unit}"

    def _figures(self) -> dict[str, Any]:
        """The runs one by one too, repeats among them, as a table of planned runs has them."""
        price = "flops" if of_N_and_D(self.law) else "cost"
        rows = [
            {
                **{name: row[label] for name, label in self._labels},
                price: row["FLOPs" if price == "flops" else price],
                "seed": seed,
            }
            for row in self.runs
            for seed in range(int(row["repeats"]))
        ]
        return {"runs": rows, **super()._figures()}

    @property
    def _labels(self) -> list[tuple[str, str]]:
        """The inputs as columns, and as people write them."""
        return list(zip(self.inputs, labels_of(self.law), strict=True))

    @property
    def degrees_of_freedom(self) -> int:
        """What a fit of all runs, existing and suggested, would have."""
        return len(self.existing[0]) + int(self.repeats.sum()) - len(self.law.parameters)

    def check(self) -> DesignCheck:
        """What `offray.check` says of all runs, existing and suggested."""
        every = tuple(
            np.concatenate([there, np.repeat(new, self.repeats)])
            for there, new in zip(self.existing, self.inputs.values(), strict=True)
        )
        return checked(self.law, every, theta=self.theta, sigma=self.sigma, target=self.target)

    @property
    def _one_target(self) -> Array | None:
        first, *others = self.target.values()
        return first if all(np.array_equal(first, other) for other in others) else None

    @property
    def runs(self) -> list[dict[str, float]]:
        """One row per distinct run: its inputs, for N and D with TPP and FLOPs (6 N D) of one, else its cost; repeats, share
        of the budget."""
        out = []
        for *place, repeats, cost in zip(*self.inputs.values(), self.repeats, self.cost, strict=True):
            row = {label: float(value) for (_, label), value in zip(self._labels, place, strict=True)}
            if of_N_and_D(self.law):
                row |= {"TPP": row["D"] / row["N"], "FLOPs": FLOPS_PER_TOKEN * row["N"] * row["D"]}
            else:
                row["cost"] = float(cost)
            out.append(row | {"repeats": int(repeats), "share": float(repeats * cost / self.budget)})
        return out

    def _sheet(self) -> Sheet:
        total = (
            f"{int(self.repeats.sum())} runs, {self.spent:.4g} of {self.budget:.4g} {self.unit}, {self.criterion}-efficiency "
            f"at least {100 * self.efficiency:.3g} %"
        )
        shown = {"TPP": ".3g", "FLOPs": ".3g", "cost": ".3g", "repeats": "d"}
        rows = [
            (*(f"{r[name]:{shown.get(name, '.4g')}}" for name in r if name != "share"), f"{100 * r['share']:.1f}%")
            for r in self.runs
        ]
        return Sheet([total], [tuple(self.runs[0]), *rows], self._remarks())

    def _predicted(self) -> Sheet:
        rows = [(name, *(f"{column[name]:.4g}" for column in self.sd.values())) for name in self.sd["suggested"]]
        text = f"predicted standard deviations at sigma {self.sigma:g}, root mean squares over theta: {self._thetas()}"
        return Sheet([text], [("", *self.sd), *rows])

    def __str__(self) -> str:
        return f"{self._sheet().text()}\n{self._predicted().text()}"

    def _repr_html_(self) -> str:
        return self._sheet().html() + self._predicted().html()

    def _thetas(self) -> str:
        axes = sum(name.startswith("axis ") for name in self.theta)
        names = [name for name in self.theta if not name.startswith("axis ")]
        return "; ".join([*names, *([f"{axes} ends of the axes of the fit's 68 % confidence ellipsoid"] if axes else [])])

    def _remarks(self) -> list[str]:
        """The target, the degrees of freedom, and what `check` says."""
        points = np.concatenate(list(self.target.values()))
        ends = zip(labels_of(self.law), points.min(axis=0), points.max(axis=0), strict=True)
        where = ", ".join(f"{label} = {_range(low, high)}" for label, low, high in ends)
        whose = "" if self._one_target is not None else ", the compute-optimal points for 100 times the largest run"
        repeats, away = self.reserved
        kept = f"; kept: {repeats} repeats for the noise, {away} away from all others" if repeats or away else ""
        few = "; few: every interval is that of a short t" if 0 < self.degrees_of_freedom < _FEW else ""
        return [f"target: {where}{whose}", f"{self.degrees_of_freedom} degrees of freedom{few}{kept}", self.check().verdict]


_FEW = 3


def _range(low: float, high: float) -> str:
    return f"{low:.4g}" if high - low <= 1e-6 * abs(high) else f"{low:.4g} .. {high:.4g}"
