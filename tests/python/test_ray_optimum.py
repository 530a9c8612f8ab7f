# SPDX-License-Identifier: Apache-2.0
"""On one ray the optimum is proven: against the convex problem that contains it, and against many starts."""

from __future__ import annotations

import itertools

import numpy as np
import offray
import pytest
from scipy.optimize import nnls

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning", "ignore::offray.ConvergenceWarning")


def ray(seed, n=14, k=20.0):
    """Runs and losses at k tokens per parameter, with noise of between .03 and 2 per cent."""
    rng = np.random.default_rng(seed)
    N = np.geomspace(5e6, 8e7 * rng.choice([1, 10]), n)
    loss = 1.69 + 406.4 * N**-0.34 + 410.7 * (k * N) ** -0.28
    return N, k * N, loss * np.exp(10 ** rng.uniform(-3.5, -1.7) * rng.normal(size=n))


def relaxed(N, loss):
    """Least squares over a floor and nonnegative amounts of 400 powers of N: its objective, and how many powers it takes."""
    x = np.log(N / N[0])
    columns = np.column_stack([np.ones(len(N)), *(np.exp(-q * x) for q in np.geomspace(1e-3, 33, 400))])
    amounts, norm = nnls(columns, loss, maxiter=100_000)
    taken = np.flatnonzero(amounts[1:] > 1e-9)
    return norm**2 / 2, 1 + np.count_nonzero(np.diff(taken) > 2) if len(taken) else 0


def best_of_starts(N, D, loss, **options):
    """The lowest end of descents from 25 pairs of exponents."""
    out = np.inf
    for alpha, beta in itertools.product([0.05, 0.15, 0.4, 1.0, 3.0], repeat=2):
        n, d = np.exp(alpha * np.log(N[0])), np.exp(beta * np.log(D[0]))
        out = min(out, offray.fit(N, D, loss, start=[1.5, n, d, alpha, beta], **options).objective_value)
    return out


def test_no_sum_of_powers_is_lower():
    proven = 0
    for seed in range(60):
        N, D, loss = ray(seed, n=[8, 14, 30][seed % 3], k=[20.0, 0.3][seed % 2])
        fit = offray.fit(N, D, loss)
        bound, powers = relaxed(N, loss)
        if powers <= 2:
            proven += 1
            assert fit.objective_value <= bound * (1 + 1e-6), seed
        assert fit.objective_value <= best_of_starts(N, D, loss) * (1 + 1e-6), seed
    assert proven > 40  # what the test is about is the rule


@pytest.mark.parametrize(
    "options", [{"log_loss": True}, {"objective": "huber", "delta": 0.003}, {"objective": "soft_l1", "delta": 0.01}]
)
def test_no_start_leads_lower(options):
    for seed in range(20):
        N, D, loss = ray(seed)
        fit = offray.fit(N, D, loss, **options)
        assert fit.objective_value <= best_of_starts(N, D, loss, **options) * (1 + 1e-6), seed


def test_weights_and_repeats():
    for seed in range(10):
        N, D, loss = ray(seed)
        N, D, loss = (np.concatenate([a, a[::2]]) for a in (N, D, loss))
        loss[-3:] *= 1.002
        weights = np.random.default_rng(seed).uniform(0.2, 5, len(N))
        fit = offray.fit(N, D, loss, weight=weights)
        assert fit.objective_value <= best_of_starts(N, D, loss, weight=weights) * (1 + 1e-6), seed


def test_a_descent_goes_along_an_edge():
    """Where the floor, or a term, vanishes on the way the descent does not creep up to the edge."""
    evaluations = [offray.fit(*ray(seed), start=[1.5, 400.0, 400.0, 0.4, 0.2]).evaluations for seed in range(40)]
    assert np.median(evaluations) <= 14
    assert np.quantile(evaluations, 0.9) <= 40
