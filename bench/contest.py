# SPDX-License-Identifier: Apache-2.0
"""All engines on one problem, taking turns."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from clock import interleaved
from engines import with_cpp, with_offray
from forms import FORMS

REACHED = 1e-8  # relative excess over the best objective up to which an engine counts as having found the optimum


@dataclass
class Row:
    """One engine in one form."""

    engine: str
    form: str
    seconds: float = np.nan
    objective: float = np.nan
    excess: float = np.nan  # relative, over the best objective of all rows
    evaluations: int | None = None
    compile_seconds: float = 0.0

    @property
    def reached(self):
        return self.excess < REACHED


def single_fits(problem, contestants, rounds, cpp=None):
    """offray from the start and from none, then every other engine in every form, from the start."""
    calls, rows = {}, {}
    for name, from_start in (("from the start", True), ("no start", False)):
        solve = with_offray.prepare(problem, from_start=from_start)
        fit = solve()
        calls["offray", name] = solve
        rows["offray", name] = Row("offray", name, objective=problem.objective(fit.theta), evaluations=fit.evaluations)
    for engine in contestants:
        for form in map(problem.form, FORMS if engine.takes(problem) else ()):
            solve = engine.prepare(problem, form)
            row = rows[engine.name, form.name] = Row(engine.name, form.name)
            first = time.perf_counter()
            try:
                p, row.evaluations = engine.read(solve())
            except (ValueError, RuntimeError):  # a trial outside the law's domain, or no convergence
                continue
            row.compile_seconds = time.perf_counter() - first if engine.compiles else 0.0
            row.objective = problem.objective(form.natural(p))
            calls[engine.name, form.name] = solve
    for key, seconds in interleaved(calls, rounds).items():
        rows[key].seconds = seconds
    if cpp and problem.delta is None:
        for name, seconds, theta, evaluations in with_cpp.measure(cpp, problem):
            rows[name, "centred logs"] = Row(name, "centred logs", seconds, problem.objective(theta), evaluations=evaluations)
    return ranked(rows.values())


def ranked(rows):
    """The rows with their excess filled in."""
    rows = list(rows)
    best = np.nanmin([row.objective for row in rows])
    for row in rows:
        row.excess = row.objective / best - 1
    return rows


def fastest(rows, engine):
    """The fastest row of an engine that reached the optimum, or None."""
    good = [row for row in rows if row.engine == engine and row.reached]
    return min(good, key=lambda row: row.seconds, default=None)
