# SPDX-License-Identifier: Apache-2.0
"""A parameter at its bound: the sentence names why."""

from __future__ import annotations

import warnings

import numpy as np
import offray
import pytest

N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 8), np.geomspace(1e8, 1e11, 8)))
LOSS = offray.laws.chinchilla((N, D), 1.7, 400, 400, 0.34, 0.28) + np.random.default_rng(0).normal(scale=3e-3, size=64)


def said(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return offray.fit(*args, **options).identifiability.warnings[0]


@pytest.mark.parametrize(
    ("bounds", "cause"),
    [
        ({"E": (2.5, 3)}, "E >= 2.5 is a bound of yours and the best value lies below: widen the bounds"),
        ({"alpha": (0.01, 0.2)}, "alpha <= 0.2 is a bound of yours and the best value lies above: widen the bounds"),
    ],
)
def test_bounds_of_the_user(bounds, cause):
    assert cause in said(N, D, LOSS, bounds=bounds)


def test_a_falling_law_on_a_metric_that_rises():
    x = np.geomspace(1e18, 1e22, 15)
    accuracy = 0.8 - 0.6 * (x / 1e18) ** -0.3 + np.random.default_rng(1).normal(scale=2e-3, size=15)
    assert "rise with every input" in said({"x": x, "loss": accuracy}, law="power")
    assert "rise with every input" in said(N, D, 8 - LOSS)


def test_exponents_of_the_optimum_of_a_law_without_a_closed_one():
    """a = beta / (alpha + beta) whatever the outer power, with the standard error that this formula has."""
    fit = offray.fit(N, D, LOSS, law="outer_exponent")
    at = fit.compute_optimal(1e22)
    names = list(fit.law.parameters)
    i, j = names.index("alpha"), names.index("beta")
    alpha, beta = fit.theta[[i, j]]
    assert at.a.value == pytest.approx(beta / (alpha + beta), rel=1e-6)
    slope = np.zeros(len(names))
    slope[[i, j]] = -beta / (alpha + beta) ** 2, alpha / (alpha + beta) ** 2
    assert at.a.se == pytest.approx(np.sqrt(slope @ fit.cov @ slope), rel=1e-3)
    low, high = fit.compute_optimal(1e22, method="profile").a.interval
    t = (high - low) / 2 / at.a.se
    assert 1.9 < t < 2.2
