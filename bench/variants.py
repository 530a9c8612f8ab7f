# SPDX-License-Identifier: Apache-2.0
"""offray against itself: what constraints, objectives, warnings, precision and formulas cost beside the plain fit."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import offray
from clock import interleaved
from runs import TRUTH, isoflop, simulate
from scipy import optimize

RUNS = 240


def noisy(N, D):
    """The same runs with nine kinds of noise in turn: what a fit of one ray takes differs with it."""
    loss = offray.laws.chinchilla((N, D), *TRUTH)
    noise = [0.007 * np.random.default_rng(seed).standard_normal(N.size) for seed in range(9)]
    return itertools.cycle([(N, D, loss * np.exp(e)) for e in noise])


def fit_shown(runs):
    """A fit whose warning is written out, to nowhere."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        return offray.fit(*runs)


def variants(rounds):
    """Median seconds by name, no start unless it says so; the plain fit first."""
    x = isoflop(RUNS)
    loss = simulate(offray.laws.chinchilla, TRUTH, x)
    N, many = np.geomspace(5e6, 8e7, 14), np.geomspace(5e6, 8e8, RUNS)
    fan, filtered, shown = noisy(N, N * np.resize([5, 20, 80, 320], N.size)), noisy(N, 20 * N), noisy(N, 20 * N)
    long_ray = noisy(many, 20 * many)
    formula = offray.law("E + A*N**-alpha + B*D**-beta")
    outer = offray.laws.outer_exponent
    wide = [a.astype(np.longdouble) for a in (*x, loss)]
    fit = offray.fit(*x, loss)
    start = fit.theta * 1.05
    # In the order of the formula: E, A, alpha, B, beta.
    typed_start = start[[0, 1, 3, 2, 4]]
    calls = {
        "plain": lambda: offray.fit(*x, loss),
        "E fixed": lambda: offray.fit(*x, loss, fixed={"E": 1.8}),
        "E bounded": lambda: offray.fit(*x, loss, bounds={"E": (1.0, 1.8)}),
        "exponents tied": lambda: offray.fit(*x, loss, tied=[("alpha", "beta")]),
        "both exponents fixed": lambda: offray.fit(*x, loss, fixed={"alpha": 0.34, "beta": 0.36}),
        "Huber of the log loss": lambda: offray.fit(*x, loss, objective="huber", log_loss=True),
        "least absolute deviation": lambda: offray.fit(*x, loss, objective="absolute"),
        "long double": lambda: offray.fit(*wide),
        "one ray, the warning filtered": lambda: offray.fit(*next(long_ray)),
        "plain, 14 runs": lambda: offray.fit(*next(fan)),
        "one ray, 14 runs, the warning filtered": lambda: offray.fit(*next(filtered)),
        "one ray, 14 runs, the warning shown": lambda: fit_shown(next(shown)),
        "from a start": lambda: offray.fit(*x, loss, start=start),
        "the same law as a formula": lambda: offray.fit(*x, loss, law=formula),
        "the formula from a start": lambda: offray.fit(*x, loss, law=formula, start=typed_start),
        "a formula that is no power sum (outer exponent)": lambda: offray.fit(*x, loss, law=outer),
        "predict, one run": lambda: fit.predict(70e9, 1.4e12),
        "1000 bootstrap refits, 1 thread": lambda: fit.bootstrap(1000, threads=1),
    }
    return interleaved(calls, rounds)


def exponential(x, a, b, c):
    """The example of scipy's documentation."""
    return a * np.exp(-b * x) + c


def functions(rounds):
    """curve_fit of a function, offray's and scipy's, from the same start."""
    x = np.linspace(0, 4, RUNS)
    y = exponential(x, 2.5, 1.3, 0.5) + 0.05 * np.random.default_rng(0).standard_normal(RUNS)
    start = (2.0, 1.0, 0.0)
    return interleaved(
        {
            "offray.curve_fit": lambda: offray.curve_fit(exponential, x, y, p0=start),
            "scipy.optimize.curve_fit": lambda: optimize.curve_fit(exponential, x, y, p0=start),
        },
        rounds,
    )
