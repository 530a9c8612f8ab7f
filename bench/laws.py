# SPDX-License-Identifier: Apache-2.0
"""The laws that other engines are seldom given: offray without a start against scipy close to the optimum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import offray
from contest import fastest, single_fits
from engines import with_scipy
from problem import Problem
from runs import isoflop, simulate

RUNS = 240
TRUTHS = {
    "kaplan": (8.8e13, 5.4e13, 0.076, 0.095),
    "droppo_elibol": (1.6, 4e9, 2e11, 0.25, 0.3, 0.9),
    "repeated_data": (1.87, 521.0, 1488.0, 0.35, 0.35, 5.3, 15.4),
}
ANALYTIC = [engine for engine in with_scipy.ENGINES if engine.squares and "analytic" in engine.name]


@dataclass(frozen=True)
class LawRow:
    law: str
    status: str
    seconds: float  # offray, no start
    near: float  # offray, from the start that the others get
    rival: str
    rival_seconds: float


def law_rows(rounds):
    """One row per law; scipy's row is its fastest analytic configuration that reached the optimum."""
    return [law_row(getattr(offray.laws, name), truth, rounds) for name, truth in TRUTHS.items()]


def law_row(law, truth, rounds):
    x = isoflop(RUNS)
    if law.name == "repeated_data":
        x = (*x, x[1] / np.array([1, 2, 4, 10, 40])[np.arange(RUNS) % 5])  # one to forty epochs
    loss = simulate(law, truth, x)
    best = offray.fit(*x[:2], loss, unique_tokens=x[2] if len(x) == 3 else None, law=law)
    moved = best.theta * (1 + 0.1 * np.cos(1.0 + np.arange(best.theta.size)))
    rows = single_fits(Problem(law, x, loss, moved), ANALYTIC, rounds)
    local, everywhere = rows[:2]
    rivals = [row for engine in ANALYTIC if (row := fastest(rows, engine.name))]
    rival = min(rivals, key=lambda row: row.seconds, default=None)
    name, seconds = (f"{rival.engine}, {rival.form}", rival.seconds) if rival else ("none reached the optimum", np.nan)
    return LawRow(law.name, best.status, everywhere.seconds, local.seconds, name, seconds)
