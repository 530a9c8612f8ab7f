# SPDX-License-Identifier: Apache-2.0
"""scipy's calls with functions that are no laws."""

import pickle

import numpy as np
import offray
import pytest
from scipy import optimize
from truths import HOFFMANN, simulated


def exponential(x, a, b, c):
    return a * np.exp(-b * x) + c


def test_curve_fit_of_a_function_is_scipys_optimum():
    rng = np.random.default_rng(3)
    x = np.linspace(0, 4, 50)
    y = exponential(x, 2.5, 1.3, -0.5) + 0.05 * rng.normal(size=50)
    sigma = rng.uniform(0.5, 2, 50)

    def jac(x, a, b, c):
        e = np.exp(-b * x)
        return np.stack([e, -a * x * e, np.ones_like(x)], axis=1)

    for options in ({}, {"sigma": sigma}, {"sigma": sigma, "absolute_sigma": True}, {"sigma": np.diag(sigma**2)}):
        ours, cov = offray.curve_fit(exponential, x, y, **options)
        theirs, expected = optimize.curve_fit(exponential, x, y, jac=jac, ftol=1e-15, xtol=1e-15, gtol=1e-15, **options)
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)
        np.testing.assert_allclose(cov, expected, rtol=1e-6)


def test_curve_fit_needs_no_start():
    """From ones scipy ends in another valley; parameters of any size and sign."""
    x = np.linspace(0, 1000, 60)
    y = exponential(x, -40.0, 0.013, 7.0)
    ours, _ = offray.curve_fit(exponential, x, y)
    np.testing.assert_allclose(ours, (-40, 0.013, 7), rtol=1e-7)


def test_curve_fit_of_two_inputs():
    def plane_and_power(X, E, A, alpha):
        N, D = X
        return E + A * N**-alpha / np.sqrt(D)

    rng = np.random.default_rng(0)
    X = np.stack([10 ** rng.uniform(0, 2, 40), 10 ** rng.uniform(0, 1, 40)])
    y = plane_and_power(X, 1.5, 3.0, 0.4)
    np.testing.assert_allclose(offray.curve_fit(plane_and_power, X, y)[0], (1.5, 3.0, 0.4), rtol=1e-7)


def test_a_formula_in_scipys_calls():
    law = offray.law("a + b*x**c", real="b")
    x = np.linspace(1, 9, 30)
    y = law(x, 5.0, -0.8, 0.5)
    for xdata in (x, x[None]):
        np.testing.assert_allclose(offray.curve_fit(law, xdata, y)[0], (5, -0.8, 0.5), rtol=1e-6)
    found = offray.least_squares(law, (4.0, -1.0, 0.6), args=(x, y))
    np.testing.assert_allclose(found.x, (5, -0.8, 0.5), rtol=1e-6)
    with pytest.raises(ValueError, match="xdata must be"):
        offray.curve_fit(law, np.stack([x, x]), y)


def test_what_cannot_be_recorded_is_left_to_scipy():
    def table_look_up(x, a, b):
        return a * np.interp(x, [0, 1, 2], [0, 1, 4]) + b

    x = np.linspace(0, 2, 9)
    ours, cov = offray.curve_fit(table_look_up, x, table_look_up(x, 2.0, 1.0))
    np.testing.assert_allclose(ours, (2, 1), rtol=1e-6)
    assert cov.shape == (2, 2)
    with pytest.raises(ValueError, match=r"infeasible|outside of provided bounds"):
        offray.curve_fit(exponential, x, x, p0=[1, 1, 1], bounds=([2, 2, 2], [3, 3, 3]))
    with pytest.raises(TypeError):
        offray.curve_fit(exponential, [1.0, 2.0], [1.0, 2.0])
    with pytest.raises(TypeError, match="f must be a law"):
        offray.curve_fit("chinchilla", x, x)


def test_undetermined_parameters_warn_as_scipy_does():
    def twice(x, a, b):
        return (a + b) * x

    x = np.linspace(1, 2, 9)
    with pytest.warns(optimize.OptimizeWarning, match="Covariance") as caught:
        _, cov = offray.curve_fit(twice, x, 3 * x, p0=[1.0, 1.0])
    assert issubclass(caught[0].category, offray.IdentifiabilityWarning)
    assert np.isinf(cov).all()


def test_least_squares_of_a_function_is_scipys():
    def residual(p):
        return np.array([10 * (p[1] - p[0] ** 2), 1 - p[0]])

    found = offray.least_squares(residual, [-1.2, 1.0])
    assert isinstance(found, optimize.OptimizeResult)
    np.testing.assert_allclose(found.x, (1, 1), rtol=1e-6)
    with pytest.raises(TypeError, match="fun must be a law"):
        offray.least_squares(3, [1.0])
    N, D, loss, _ = simulated("chinchilla", "spread")
    fitted = offray.least_squares(offray.laws.chinchilla, HOFFMANN, args=((N, D), loss))
    assert isinstance(fitted, optimize.OptimizeResult)
    assert pickle.loads(pickle.dumps(fitted)).cost == fitted.cost
