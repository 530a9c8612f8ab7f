# SPDX-License-Identifier: Apache-2.0
"""Fits with fixed, tied and bounded parameters end at the optimum within the constraints, on every path that takes them."""

import warnings

import numpy as np
import offray
import pytest
from scipy.optimize import lsq_linear, minimize
from truths import TRUTH

CHINCHILLA = [
    {"fixed": {"E": 1.5}},
    {"fixed": {"A": 300.0}},
    {"fixed": {"alpha": 0.3}},
    {"fixed": {"alpha": 0.34, "beta": 0.28}},
    {"fixed": {"E": 1.6, "A": 300.0}},
    {"tied": [("alpha", "beta")]},
    {"tied": [("A", "B")]},
    {"tied": [("alpha", "beta"), ("A", "B")]},
    {"bounds": {"E": (1.75, 2.0)}},
    {"bounds": {"E": (0.5, 1.6)}},
    {"bounds": {"B": (100.0, 300.0)}},
    {"bounds": {"beta": (0.1, 0.25)}},
    {"bounds": {"alpha": (0.35, 0.5), "beta": (0.35, 0.5)}, "tied": [("alpha", "beta")]},
    {"fixed": {"E": 1.5}, "tied": [("alpha", "beta")]},
    {"bounds": {"E": (1.5, 1.5)}},
]
KAPLAN = [
    {"fixed": {"alpha_D": 0.1}},
    {"tied": [("alpha_N", "alpha_D")]},
    {"fixed": {"alpha_N": 0.07, "alpha_D": 0.1}},
    {"bounds": {"alpha_D": (0.12, 0.2)}},
    {"fixed": {"alpha_N": 0.15}},
    {"fixed": {"N_c": 5e11}},
]
DROPPO_ELIBOL = [
    {"fixed": {"alpha": 0.7}},
    {"tied": [("alpha_N", "alpha_D")]},
    {"fixed": {"alpha": 0.7, "L_inf": 1.2}},
]
CASES = [
    *(("chinchilla", case) for case in CHINCHILLA),
    *(("kaplan", case) for case in KAPLAN),
    *(("droppo_elibol", case) for case in DROPPO_ELIBOL),
]


def runs(law_name, seed=0, sigma=0.005):
    rng = np.random.default_rng(seed)
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e11, 5)))
    loss = getattr(offray.laws, law_name)((N, D), *TRUTH[law_name]) * (1 + sigma * rng.normal(size=len(N)))
    return N, D, loss


def lowest(law_name, data, constraints, log_loss, starts):
    """The lowest sum of squares that scipy finds within the constraints, from several starts, in ln theta."""
    law = getattr(offray.laws, law_name)
    N, D, loss = data
    fixed = constraints.get("fixed", {})
    partner = {second: first for first, second in constraints.get("tied", [])}
    free = [name for name in law.parameters if name not in fixed and name not in partner]
    bounds = constraints.get("bounds", {})

    def theta(phi):
        values = dict(zip(free, np.exp(phi), strict=True)) | fixed
        return np.array([values[partner.get(name, name)] for name in law.parameters])

    def objective(phi):
        value = law((N, D), *theta(phi))
        return np.sum((np.log(value / loss) if log_loss else value - loss) ** 2) / 2

    limits = [tuple(np.log(np.maximum(bounds.get(name, (1e-30, 1e30)), 1e-30))) for name in free]
    best = np.inf
    for start in starts:
        phi = np.clip(np.log([start[law.parameters.index(name)] for name in free]), *np.transpose(limits))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for method in ("Nelder-Mead", "L-BFGS-B", "Nelder-Mead"):
                done = minimize(objective, phi, method=method, bounds=limits, options={"maxiter": 4000})
                phi = done.x
        best = min(best, done.fun)
    return best


@pytest.mark.parametrize("log_loss", [False, True], ids=["loss", "log-loss"])
@pytest.mark.parametrize(("law_name", "constraints"), CASES, ids=lambda case: str(case))
def test_scipy_finds_nothing_lower(law_name, constraints, log_loss):
    data = runs(law_name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(*data, law=law_name, log_loss=log_loss, **constraints)
    assert fit.status in ("converged", "at_bound")
    params = fit.params
    for name, value in constraints.get("fixed", {}).items():
        assert params[name] == value
    for first, second in constraints.get("tied", []):
        assert params[first] == params[second]
    for name, (low, high) in constraints.get("bounds", {}).items():
        assert low <= params[name] <= high
    starts = [fit.theta, np.array(TRUTH[law_name])]
    assert fit.objective_value <= lowest(law_name, data, constraints, log_loss, starts) * (1 + 1e-9)


def test_both_exponents_fixed_is_linear_least_squares():
    N, D, loss = runs("chinchilla")
    columns = np.column_stack([np.ones_like(N), N**-0.34, D**-0.28])
    for bounds in ({}, {"E": (1.8, 2.0)}, {"A": (0.0, 200.0), "B": (500.0, 600.0)}):
        ends = np.array([bounds.get(name, (0.0, np.inf)) for name in ("E", "A", "B")]).T
        scale = np.linalg.norm(columns, axis=0)
        expected = lsq_linear(columns / scale, loss, ends * scale, tol=1e-15)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = offray.fit(N, D, loss, fixed={"alpha": 0.34, "beta": 0.28}, bounds=bounds)
        np.testing.assert_allclose(fit.objective_value, expected.cost, rtol=1e-10)
        np.testing.assert_allclose(fit.theta[:3], expected.x / scale, rtol=1e-6)


def test_a_bound_that_binds_is_met_to_the_last_bit():
    with pytest.warns(offray.IdentifiabilityWarning):
        fit = offray.fit(*runs("chinchilla"), bounds={"A": (100.0, 300.0)})
    assert fit.params["A"] == 300.0
    assert fit.status == "at_bound"


@pytest.mark.parametrize("constraints", CHINCHILLA[:8], ids=str)
def test_many_fits_take_constraints(constraints):
    N, D, loss = runs("chinchilla")
    losses = np.stack([loss, runs("chinchilla", seed=1)[2]])
    many = offray.fit_many(N, D, losses, **constraints)
    for row, one in zip(many.theta, losses, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_array_equal(row, offray.fit(N, D, one, **constraints).theta)


def test_curve_fit_fixes_where_bounds_are_equal():
    N, D, loss = runs("chinchilla")
    lower, upper = [1.5, 0, 0, 0, 0], [1.5, np.inf, np.inf, np.inf, np.inf]
    theta, covariance = offray.curve_fit(offray.laws.chinchilla, (N, D), loss, bounds=(lower, upper))
    np.testing.assert_array_equal(theta, offray.fit(N, D, loss, fixed={"E": 1.5}).theta)
    assert (covariance[0] == 0).all()


@pytest.mark.parametrize("constraints", [{"fixed": {"E": 1.65}}, {"tied": [("alpha", "beta")]}], ids=str)
def test_bootstrap_keeps_the_constraints(constraints):
    fit = offray.fit(*runs("chinchilla"), **constraints)
    replicates = fit.bootstrap(50, seed=1)
    theta = dict(zip(fit.params, replicates.theta.T, strict=True))
    for name, value in constraints.get("fixed", {}).items():
        assert (theta[name] == value).all()
    for first, second in constraints.get("tied", []):
        np.testing.assert_array_equal(theta[first], theta[second])
    assert theta["B"].std() > 0
