# SPDX-License-Identifier: Apache-2.0
"""Laws that are functions which cannot be traced, and are called back."""

import pickle

import numpy as np
import offray
import pytest

TABLE = np.array([0.0, 1.0, 3.0, 7.0, 12.0])


def looked_up(x, a, b):
    """Not analytic, so that derivatives are differences."""
    return a * np.interp(x, np.arange(5.0), TABLE) + b


def branching(x, a, b):
    if np.max(x) < 0:
        raise ArithmeticError("too small")
    return a * x**2 + np.cumsum(np.full(len(x), b))


@pytest.mark.parametrize("function", [looked_up, branching])
def test_a_function_that_is_called_back(function):
    law = offray.law(function)
    assert not law.traced
    x = np.linspace(0.5, 3.9, 25)
    y = function(x, 2.0, 1.5)
    for options in ({}, {"start": (1.0, 1.0)}):
        fit = offray.fit(inputs={"x": x}, loss=y, law=law, **options)
        np.testing.assert_allclose(fit.theta, (2.0, 1.5), rtol=1e-7)
    noisy = y + 0.01 * np.sin(7 * x)
    fit = offray.fit(inputs={"x": x}, loss=noisy, law=law)
    assert fit.converged
    design = np.stack([function(x, 1.0, 0.0), function(x, 0.0, 1.0)], axis=1)
    np.testing.assert_allclose(fit.theta, np.linalg.lstsq(design, noisy, rcond=None)[0], rtol=1e-7)
    np.testing.assert_allclose(law.jacobian(x, *fit.theta), design, rtol=1e-7, atol=1e-9)
    assert fit.bootstrap(10, seed=0, threads=2).theta.shape == (10, 2)
    again = pickle.loads(pickle.dumps(law))
    np.testing.assert_array_equal(again(x, 2.0, 1.5), y)


def test_a_jacobian_of_ones_own():
    calls = []

    def jac(x, a, b):
        calls.append(1)
        return np.stack([looked_up(x, 1.0, 0.0), np.ones_like(x)], axis=1)

    law = offray.law(looked_up, jac=jac)
    x = np.linspace(0.5, 3.9, 25)
    np.testing.assert_allclose(offray.fit(inputs={"x": x}, loss=looked_up(x, 2.0, 1.5), law=law).theta, (2, 1.5), rtol=1e-10)
    assert calls
    with pytest.raises(TypeError, match="jac belongs to a function"):
        offray.law("E + A*x", jac=jac)


def test_what_a_function_raises_is_said():
    def broken(x, a):
        return a * np.interp(x, [0, 1], [0, 1]) + 1 / 0

    law = offray.law(broken)
    with pytest.raises(ValueError, match="the function broken raised ZeroDivisionError"):
        offray.fit(inputs={"x": [0.5, 1.0, 2.0]}, loss=[1.0, 2.0, 3.0], law=law)
