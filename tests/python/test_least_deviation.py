# SPDX-License-Identifier: Apache-2.0
"""Absolute deviation and quantiles, against linear programs: at given exponents the coefficients are one."""

from __future__ import annotations

import itertools

import numpy as np
import offray
import pytest
from scipy.optimize import linprog

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning", "ignore::offray.ConvergenceWarning")

DESIGNS = {
    "factorial": lambda rng: np.meshgrid(np.geomspace(1e6, 1e9, 3), np.geomspace(1e8, 1e11, 3)),
    "near a ray": lambda rng: (N := 10 ** rng.uniform(6, 10, 10), 20 * N * np.exp(0.1 * rng.normal(size=10))),
    "fan": lambda rng: (N := 10 ** rng.uniform(6, 10, 30), N * rng.choice([5, 20, 80, 320], 30)),
}


def runs(seed, design):
    rng = np.random.default_rng(seed)
    N, D = map(np.ravel, DESIGNS[design](rng))
    loss = offray.laws.chinchilla((N, D), rng.uniform(1, 2.5), 10 ** rng.uniform(2, 3), 10 ** rng.uniform(2, 4), 0.34, 0.45)
    return N, D, loss * np.exp(10 ** rng.uniform(-4, -1.3) * rng.normal(size=len(N)))


def program(N, D, loss, alpha, beta, tau=0.5):
    """The least sum of tau max(-r, 0) + (1 - tau) max(r, 0) over floors and coefficients that are not negative."""
    n = len(N)
    columns = np.column_stack([np.ones(n), (N / N.min()) ** -alpha, (D / D.min()) ** -beta])
    # columns c - loss = above - below
    equal = np.hstack([columns, -np.eye(n), np.eye(n)])
    cost = np.concatenate([np.zeros(3), np.full(n, 1 - tau), np.full(n, tau)])
    return linprog(cost, A_eq=equal, b_eq=loss, bounds=(0, None), method="highs").fun


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("tau", [None, 0.5, 0.2])
def test_no_coefficients_are_better(design, tau):
    options = {"objective": "absolute"} if tau is None else {"objective": "quantile", "quantile": tau}
    for seed in range(12):
        N, D, loss = runs(seed, design)
        fit = offray.fit(N, D, loss, **options)
        _, _, _, alpha, beta = fit.theta
        least = program(N, D, loss, alpha, beta, 0.5 if tau is None else tau) * (2 if tau is None else 1)
        assert fit.objective_value <= least * (1 + 1e-6) + 1e-12, seed


@pytest.mark.parametrize("design", DESIGNS)
def test_nor_are_other_exponents(design):
    for seed in range(6):
        N, D, loss = runs(seed, design)
        fit = offray.fit(N, D, loss, objective="absolute")
        nodes = itertools.product(np.geomspace(0.1, 1.5, 12), repeat=2)
        least = 2 * min(program(N, D, loss, alpha, beta) for alpha, beta in nodes)
        assert fit.objective_value <= least * (1 + 1e-3), seed
