# SPDX-License-Identifier: Apache-2.0
"""The search for the runs that determine most for their cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offray import _core
from offray._identify.precision import in_centred_units
from offray._input.arrays import Array, frozen
from offray._law import Law
from offray._plan.cost import Cost
from offray._plan.planning import FLOPS_PER_TOKEN, planned, predicted_sd
from offray._plan.recipes import Limits, recipes
from offray._plan.reserve import Counts, with_lack_of_fit, with_replicates
from offray._plan.suggestion import Suggestion

_CORNERS = 0.01
"""Weight of the corners where the target alone would leave the law open."""


@dataclass(frozen=True, eq=False)
class DesignProblem:
    """What there is to choose from, and for what end."""

    law: Law
    theta: dict[str, Array]
    sigma: float
    target: dict[str, Array]
    existing: tuple[Array, Array]
    N: Array
    D: Array
    limits: Limits
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
        if not np.isfinite(value) and self.criterion == "I":
            # At the target alone its loss would be known, and no parameter: the corners of the candidates count a little too.
            count, value, bound = self.search(share, free, self.models(corners=_CORNERS))
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
        designs = {"suggested": (np.repeat(self.N[chosen], repeats), np.repeat(self.D[chosen], repeats))}
        if len(self.existing[0]):
            designs = {"before": (np.empty(0), np.empty(0)), **designs}
        if self.cost.known_everywhere:
            designs |= recipes(self.limits, budget, self.max_runs, self.cost.at)
        return Suggestion(
            frozen(self.N[chosen]),
            frozen(self.D[chosen]),
            repeats,
            budget,
            float(cost[chosen] @ repeats),
            self.criterion,
            float(min(efficiency, 1.0)),
            {name: self.sd(*runs) for name, runs in designs.items()},
            {key: self.figures(key, *designs["suggested"]) for key in self.theta},
            self.law,
            self.theta,
            self.sigma,
            self.target,
            self.existing,
            cost[chosen],
            self.cost.unit,
            (self.replicates, self.lack_of_fit),
        )

    def search(self, budget: float, runs: int, models: list[tuple[Array, Array, Array]]) -> tuple[Counts, float, float]:
        """How often each candidate is run, the criterion, and a bound on it."""
        cost = self.cost.candidates
        count, _, value, bound = _core.search_design(models, cost, budget, runs, self.max_repeats, self.criterion)
        return np.asarray(count, np.int64), value, bound

    def with_reserve(self, count: Counts, budget: float) -> Counts:
        """The runs that are kept for other ends, from what the others leave of the budget."""
        cost = self.cost.candidates
        places, existing = (np.log(np.stack(runs, axis=1)) for runs in ((self.N, self.D), self.existing))
        # Repeats are of the cheapest: their share is put aside first.
        aside = self.replicates * float(cost[count > 0].min())
        count = with_lack_of_fit(count, places, existing, cost, budget - float(cost @ count) - aside, self.lack_of_fit)
        return with_replicates(count, cost, budget - float(cost @ count), self.replicates)

    def models(self, corners: float = 0.0) -> list[tuple[Array, Array, Array]]:
        """Per theta: derivatives by ln theta of the candidates', the existing runs' and the targets' losses, over sigma; among
        the targets the four extreme candidates, whose variances count `corners` times."""
        out: list[tuple[Array, Array, Array]] = []
        sizes = [len(self.N), len(self.existing[0])]
        for name, values in self.theta.items():
            x = [np.concatenate(parts) for parts in zip((self.N, self.D), self.existing, self.target[name].T, strict=True)]
            J = in_centred_units(self.law, self.law.jacobian(tuple(x), *values), values, x) * values / self.sigma
            rows = np.split(J, np.cumsum(sizes))
            wanted = rows[2] * self.sigma
            if corners:
                at = [int(np.argmax(a * np.log(self.N) + b * np.log(self.D))) for a in (-1, 1) for b in (-1, 1)]
                wanted = np.concatenate([wanted, rows[0][at] * (self.sigma * np.sqrt(corners))])
            out.append((rows[0], rows[1], wanted))
        return out

    def sd(self, N: Array, D: Array) -> dict[str, float]:
        """Predicted standard deviations of the existing runs and these; infinite where they do not determine the law."""
        each = [self.figures(key, N, D) for key in self.theta]
        return {name: float(np.sqrt(np.mean([figures[name] ** 2 for figures in each]))) for name in each[0]}

    def figures(self, key: str, N: Array, D: Array) -> dict[str, float]:
        """The same at one theta."""
        N, D = np.concatenate([self.existing[0], N]), np.concatenate([self.existing[1], D])
        plan = planned(self.law, N, D, self.theta[key])
        flops = FLOPS_PER_TOKEN * float(self.target[key].prod(axis=1).max())
        out = predicted_sd(plan, self.law, self.sigma, self.target[key], flops)
        return out | {"kappa_2": float(plan.conditioning().kappa[()])}
