# SPDX-License-Identifier: Apache-2.0
"""Drop-in for scipy: same arguments, same return values, same errors."""

import numpy as np
import offray
import pytest
import scipy.optimize
from truths import HOFFMANN

law = offray.laws.chinchilla


def test_curve_fit_agrees(grid):
    N, D, loss = grid
    sigma = np.linspace(0.5, 2, loss.size)
    for options in ({}, {"sigma": sigma}, {"sigma": sigma, "absolute_sigma": True}, {"bounds": (0, np.inf)}):
        expected = scipy.optimize.curve_fit(law, (N, D), loss, HOFFMANN, jac=law.jacobian, **options, xtol=1e-14, ftol=1e-14)
        popt, pcov = offray.curve_fit(law, (N, D), loss, HOFFMANN, **options)
        np.testing.assert_allclose(popt, expected[0], rtol=1e-5)
        np.testing.assert_allclose(pcov, expected[1], rtol=1e-3, atol=1e-9 * np.abs(pcov).max())
        free, _ = offray.curve_fit(law, (N, D), loss, **options)
        np.testing.assert_allclose(free, popt, rtol=1e-9)


def test_scipy_takes_the_law_objects(grid):
    """Without p0 scipy counts the arguments of the signature."""
    N, D, loss = grid
    popt, _ = scipy.optimize.curve_fit(law, np.array([N, D]), loss, p0=HOFFMANN)
    np.testing.assert_allclose(popt, offray.fit(N, D, loss).theta, rtol=1e-3)
    with pytest.raises(RuntimeError, match="Optimal parameters not found"):
        scipy.optimize.curve_fit(law, np.array([N, D]), loss, maxfev=10)  # ones for five parameters


def test_curve_fit_full_output_and_nan_policy(grid):
    N, D, loss = grid
    popt, _, info, message, ier = offray.curve_fit(law, (N, D), loss, full_output=True)
    assert info["nfev"] > 1
    assert ier in (1, 2, 3, 4)
    assert isinstance(message, str)
    np.testing.assert_allclose(info["fvec"], law((N, D), *popt) - loss, atol=1e-13)
    holed = loss.copy()
    holed[3] = np.nan
    with pytest.raises(ValueError, match=r"\[3\] = nan"):
        offray.curve_fit(law, (N, D), holed)
    kept = np.arange(len(loss)) != 3
    omitted, _ = offray.curve_fit(law, (N, D), holed, nan_policy="omit")
    np.testing.assert_array_equal(omitted, offray.curve_fit(law, (N[kept], D[kept]), loss[kept])[0])


def test_curve_fit_errors(grid):
    N, D, loss = grid
    for error, message, call in (
        (TypeError, "must be a law", lambda: offray.curve_fit("chinchilla", (N, D), loss)),
        (TypeError, "number of func parameters=5 must not exceed", lambda: offray.curve_fit(law, (N[:3], D[:3]), loss[:3])),
        (TypeError, "unexpected keyword arguments: foo", lambda: offray.curve_fit(law, (N, D), loss, foo=1)),
        (ValueError, "`ydata` must not be empty", lambda: offray.curve_fit(law, ([], []), [])),
        (ValueError, "at most its upper", lambda: offray.curve_fit(law, (N, D), loss, bounds=(1, 0))),
        (ValueError, "Inconsistent shapes", lambda: offray.curve_fit(law, (N, D), loss, bounds=([0, 0], [1, 1]))),
        (ValueError, "`p0` is infeasible", lambda: offray.curve_fit(law, (N, D), loss, HOFFMANN, bounds=(0, 1))),
        (ValueError, "p0 must have shape", lambda: offray.curve_fit(law, (N, D), loss, [1, 2])),
        (ValueError, "`sigma` has incorrect shape", lambda: offray.curve_fit(law, (N, D), loss, sigma=[1, 2])),
        (ValueError, "`sigma` must be positive", lambda: offray.curve_fit(law, (N, D), loss, sigma=0 * loss)),
        (ValueError, "`method` must be", lambda: offray.curve_fit(law, (N, D), loss, method="newton")),
        (ValueError, "nan_policy", lambda: offray.curve_fit(law, (N, D), loss, nan_policy="drop")),
        (ValueError, "`sigma` must be positive and finite", lambda: offray.curve_fit(law, (N, D), loss, sigma=np.inf)),
        (ValueError, "incorrect shape", lambda: offray.curve_fit(law, (N, D), loss, sigma=[1, 2], nan_policy="omit")),
        (ValueError, "'lm' only supports", lambda: offray.curve_fit(law, (N, D), loss, bounds=(0, 1e9), method="lm")),
        (ValueError, "`max_nfev` must be", lambda: offray.curve_fit(law, (N, D), loss, maxfev=0)),
        (ValueError, "`max_nfev` must be", lambda: offray.curve_fit(law, (N, D), loss, max_nfev=10**12)),
        (ValueError, "`p0` is infeasible", lambda: offray.curve_fit(law, (N, D), loss, [0, 1, 1, 1, 1])),
        (RuntimeError, "Optimal parameters not found", lambda: offray.curve_fit(law, (N, D), loss, HOFFMANN, maxfev=2)),
    ):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("loss_name", ["linear", "huber"])
def test_least_squares_agrees(grid, loss_name):
    N, D, loss = grid

    def residual(theta):
        return law((N, D), *theta) - loss

    def jacobian(theta):
        return law.jacobian((N, D), *theta)

    options = {"loss": loss_name, "f_scale": 0.005}
    expected = scipy.optimize.least_squares(
        residual, HOFFMANN, jacobian, x_scale="jac", **options, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000
    )
    ours = offray.least_squares(law, HOFFMANN, args=((N, D), loss), **options)
    assert ours.success
    assert ours.status == 1
    np.testing.assert_allclose(ours.x, expected.x, rtol=1e-4)
    np.testing.assert_allclose(ours.cost, expected.cost, rtol=1e-9)
    assert ours.cost <= expected.cost * (1 + 1e-12)
    np.testing.assert_allclose(ours.fun, expected.fun, atol=1e-5)
    # The gradient of the scaled problem, as scipy defines it, is zero at our point.
    assert (np.abs(ours.grad) <= 1e-8 * np.linalg.norm(jacobian(ours.x), axis=0)).all()
    assert set(expected) <= set(ours) | {"nit"}
    assert (ours.active_mask == 0).all()


def test_a_runaway_is_no_success():
    """The packaged runs push E to zero: no bound of the caller's, so no success, and curve_fit warns."""
    runs = offray.examples.pile()
    x = np.array([runs["params"], runs["tokens"]])
    result = offray.least_squares(law, HOFFMANN, args=(x, runs["loss"]))
    assert not result.success
    assert result.active_mask[0] == -1
    with pytest.warns(offray.IdentifiabilityWarning, match="at_bound"):
        offray.curve_fit(law, x, runs["loss"])


def test_least_squares_bounds_and_errors(grid):
    N, D, loss = grid
    upper = np.array([np.inf, 300, np.inf, np.inf, np.inf])
    start = np.minimum(HOFFMANN, upper)
    bounded = offray.least_squares(law, start, bounds=(0, upper), args=((N, D), loss))
    assert list(bounded.active_mask) == [0, 1, 0, 0, 0]
    assert bounded["x"] is bounded.x
    with pytest.raises(TypeError, match="args must be"):
        offray.least_squares(law, HOFFMANN)
    with pytest.raises(ValueError, match="`loss` must be one of linear, huber"):
        offray.least_squares(law, HOFFMANN, loss="arctan", args=((N, D), loss))
    with pytest.raises(ValueError, match="`x0` is infeasible"):
        offray.least_squares(law, np.negative(HOFFMANN), args=((N, D), loss))
