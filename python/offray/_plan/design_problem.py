# SPDX-License-Identifier: Apache-2.0
"""The search for the runs that determine most for their cost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from offray import _core
from offray._input.arrays import Array, frozen
from offray._law import Law
from offray._plan.candidates import Bounds
from offray._plan.cost import Cost
from offray._plan.places import Places, by_name, coordinates, is_positive, labels_of
from offray._plan.planning import FLOPS_PER_TOKEN, planned, predicted_sd
from offray._plan.recipes import Limits, even_grid, recipes
from offray._plan.reserve import Counts, with_lack_of_fit, with_replicates
from offray._plan.suggestion import Suggestion

_CORNERS = 0.01
"""Weight of other places where the target alone would leave the law open."""
_MANY = 64


@dataclass(frozen=True, eq=False)
class DesignProblem:
    """What there is to choose from, and for what end."""

    law: Law
    theta: dict[str, Array]
    sigma: float
    target: dict[str, Array]
    existing: Places
    places: Places
    bounds: Bounds
    limits: Limits | None
    budget: float
    max_runs: int
    max_repeats: int
    criterion: str
    cost: Cost
    replicates: int
    lack_of_fit: int

    def solve(self, budget: float) -> Suggestion:
        cost = self.cost.candidates
        kept = self.replicates + self.lack_of_fit
        free, share = self.max_runs - kept, budget * (1 - kept / self.max_runs)
        count, value, bound = self.search(share, free, self.models())
        if self.criterion == "I":
            # At the target alone its loss would be known, and no parameter: the corners of the candidates count a little too,
            # or, where these are too few, candidates of every kind.
            for others in (self.extremes(), self.everywhere()):
                if not np.isfinite(value):
                    count, value, bound = self.search(share, free, self.models(others))
        if not np.isfinite(value):
            raise ValueError(
                f"budget, max_runs: no list of at most {free} runs for {share:.4g} {self.cost.unit} was found that determines "
                f"the {len(self.law.parameters)} parameters of {self.law.name}. Allow more of both, or a wider region"
            )
        count = self.with_reserve(count, budget)
        chosen = np.flatnonzero(count)
        repeats = count[chosen]
        p = len(self.law.parameters)
        efficiency = np.exp((bound - value) / p) if self.criterion == "D" else max(bound, 0) / value
        designs: dict[str, Places] = {"suggested": tuple(np.repeat(a[chosen], repeats) for a in self.places)}
        if len(self.existing[0]):
            designs = {"before": tuple(np.empty(0) for _ in self.places), **designs}
        if self.cost.known_everywhere:
            designs |= self.recipes(budget)
        return Suggestion(
            by_name(self.law, tuple(frozen(a[chosen]) for a in self.places)),
            repeats,
            budget,
            float(cost[chosen] @ repeats),
            self.criterion,
            float(min(efficiency, 1.0)),
            {name: self.sd(runs) for name, runs in designs.items()},
            {key: self.figures(key, designs["suggested"]) for key in self.theta},
            self.law,
            self.theta,
            self.sigma,
            self.target,
            self.existing,
            cost[chosen],
            self.cost.unit,
            (self.replicates, self.lack_of_fit),
        )

    def recipes(self, budget: float) -> dict[str, Places]:
        """Plain designs within the same limits."""
        if self.limits is not None:
            return recipes(self.limits, budget, self.max_runs, self.cost.at)
        axes = [
            (*self.bounds[label], is_positive(self.law, name))
            for label, name in zip(labels_of(self.law), self.law.place, strict=True)
        ]
        grid = even_grid(axes, budget, self.max_runs, self.cost.at)
        return {} if grid is None else {"even grid": grid}

    def search(self, budget: float, runs: int, models: list[tuple[Array, Array, Array]]) -> tuple[Counts, float, float]:
        """How often each candidate is run, the criterion, and a bound on it."""
        cost = self.cost.candidates
        count, _, value, bound = _core.search_design(models, cost, budget, runs, self.max_repeats, self.criterion)
        return np.asarray(count, np.int64), value, bound

    def with_reserve(self, count: Counts, budget: float) -> Counts:
        """The runs that are kept for other ends, from what the others leave of the budget."""
        cost = self.cost.candidates
        places, existing = (coordinates(self.law, runs) for runs in (self.places, self.existing))
        # Repeats are of the cheapest: their share is put aside first.
        aside = self.replicates * float(cost[count > 0].min())
        count = with_lack_of_fit(count, places, existing, cost, budget - float(cost @ count) - aside, self.lack_of_fit)
        return with_replicates(count, cost, budget - float(cost @ count), self.replicates)

    def models(self, others: list[int] | None = None) -> list[tuple[Array, Array, Array]]:
        """Per theta: derivatives of the candidates', the existing runs' and the targets' losses, over sigma; among the targets
        those of `others` among the candidates, whose variances count a hundredth.

        They are by combinations of the parameters in which those of the runs are orthogonal, which changes no variance of a
        loss and all determinants alike.
        """
        out: list[tuple[Array, Array, Array]] = []
        sizes = [len(self.places[0]), len(self.existing[0])]
        for name, values in self.theta.items():
            x = tuple(np.concatenate(parts) for parts in zip(self.places, self.existing, self.target[name].T, strict=True))
            J = self.law.jacobian(x, *values)
            rows = np.split(_orthogonal(J, sum(sizes)) / self.sigma, np.cumsum(sizes))
            wanted = rows[2] * self.sigma
            if others is not None:
                wanted = np.concatenate([wanted, rows[0][others] * (self.sigma * np.sqrt(_CORNERS))])
            out.append((rows[0], rows[1], wanted))
        return out

    def extremes(self) -> list[int]:
        """The candidates at the corners of the region."""
        at = coordinates(self.law, self.places)
        return [int(np.argmax(at @ signs)) for signs in product((-1, 1), repeat=at.shape[1])]

    def everywhere(self) -> list[int]:
        """Candidates from one end of the list to the other."""
        m = len(self.places[0])
        return [int(k) for k in np.linspace(0, m - 1, min(m, _MANY)).round()]

    def sd(self, runs: Places) -> dict[str, float]:
        """Predicted standard deviations of the existing runs and these; infinite where they do not determine the law."""
        each = [self.figures(key, runs) for key in self.theta]
        return {name: float(np.sqrt(np.mean([figures[name] ** 2 for figures in each]))) for name in each[0]}

    def figures(self, key: str, runs: Places) -> dict[str, float]:
        """The same at one theta."""
        every = tuple(np.concatenate(pair) for pair in zip(self.existing, runs, strict=True))
        plan = planned(self.law, every, self.theta[key])
        flops = FLOPS_PER_TOKEN * float(self.target[key].prod(axis=1).max())
        out = predicted_sd(plan, self.law, self.sigma, self.target[key], flops)
        return out | {"kappa_2": float(plan.conditioning().kappa[()])}


def _orthogonal(J: Array, runs: int) -> Array:
    """J of other unknowns: those in which its first rows, the runs, are orthogonal columns of root mean square 1, rounded.

    Plans are discrete: where two are as good, bits decide, and machines differ in the last ones of J. Rounded to 22 bits they
    agree but for one entry in millions, at a price of 1e-6 of the criterion. Directions in which the runs do not differ are
    zero.
    """
    size = np.linalg.norm(J[:runs], axis=0)
    J = J / np.where(size > 0, size, 1)
    short = np.zeros((max(J.shape[1] - runs, 0), J.shape[1]))  # fewer runs than parameters leave directions open
    _, singular, V = np.linalg.svd(np.concatenate([J[:runs], short]), full_matrices=False)
    lost = singular <= _LOST * singular[0]
    V *= np.where(V.sum(axis=1) < 0, -1, 1)[:, None]  # an axis has no sign of its own
    out = J @ V.T / np.where(lost, 1, singular) * np.sqrt(runs)
    out[:runs, lost] = 0
    unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(out), _SMALL))) - _BITS)
    return np.asarray(np.rint(out / unit) * unit)


_LOST = 1e-13
_BITS, _SMALL = 22, 2.0**-12
"""What is kept of an entry, and the size below which it counts as of that size."""
