# SPDX-License-Identifier: Apache-2.0
"""Refits of resampled runs, each from the optimum of the full table."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

import numpy as np
import offray
from clock import interleaved
from forms import FORMS

REFITS = 1000
SAMPLE = 30  # refits timed of an engine that fits one table at a time


def bootstraps(problem, contestants, rounds):
    """Seconds for REFITS refits by (engine, form). What the others draw and prepare is not on their clock; offray's is."""
    fit = offray.fit(*problem.x[:2], problem.loss, law=problem.law)
    calls, share = {}, {}
    for threads in (1, 2):
        calls["offray", f"{threads} thread{'s' * (threads > 1)}"] = partial(fit.bootstrap, REFITS, seed=1, threads=threads)
    draws = np.random.default_rng(2).integers(problem.loss.size, size=(REFITS, problem.loss.size))
    problem = replace(problem, start=fit.theta)
    resampled = [problem.resampled(rows) for rows in draws]
    for engine in contestants:
        for name in FORMS if engine.refits else ():
            key = engine.name, name
            calls[key] = sweep([engine.prepare(p, p.form(name)) for p in resampled[:SAMPLE]])
            share[key] = SAMPLE / REFITS
            if engine.prepare_many:
                calls[f"{engine.name}, one batch", name] = engine.prepare_many(resampled, [p.form(name) for p in resampled])
    return {key: seconds / share.get(key, 1) for key, seconds in interleaved(calls, rounds).items()}


def sweep(solves):
    def call():
        for solve in solves:
            # A resample on which an engine gives up costs it nothing more.
            with suppress(ValueError, RuntimeError):
                solve()

    return call
