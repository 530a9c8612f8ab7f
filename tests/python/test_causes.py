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


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("E + F + A*C**-a", "The law itself does not tell them apart, whatever the runs"),
        ("E + A*B*C**-a", "The law itself does not tell them apart, whatever the runs"),
        ("E + A*C**-(a + b)", "The law itself does not tell them apart, whatever the runs"),
        ("E + A*C**-a + B*C**-b", "Add runs over a wider range of C."),
    ],
)
def test_a_remedy_in_the_inputs_of_the_law(formula, said):
    """No word of tokens per parameter where the law reads none, and none of more runs where none would help."""
    C = np.geomspace(1e17, 1e20, 12)
    loss = 1.7 + 800 * C**-0.2 + 0.003 * np.cos(7 * np.arange(12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(inputs={"C": C}, loss=loss, law=formula)
    assert "ill_conditioned" in fit.findings
    text = " ".join(fit.identifiability.warnings)
    assert said in text
    assert "tokens per parameter" not in text


def test_a_remedy_over_two_inputs():
    width, depth = np.repeat(np.geomspace(128, 1024, 6), 2), np.tile([8.0, 16.0], 6)  # two depths: a power and a constant
    law = offray.law("E + A*width**-a + B*depth**-b", inputs=("width", "depth"))
    loss = law({"width": width, "depth": depth}, 1.5, 20, 0.5, 3, 0.55) + 0.02 * np.cos(7 * np.arange(12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(inputs={"width": width, "depth": depth}, loss=loss, law=law)
    assert "ill_conditioned" in fit.findings
    assert "spread width and depth over wider ranges" in " ".join(fit.identifiability.warnings)
