# SPDX-License-Identifier: Apache-2.0
"""The runs of a fit as columns: fitted values, residuals, leverages."""

import numpy as np
import offray
import pytest
from truths import DESIGNS, HOFFMANN

N, D = DESIGNS["spread"]
LOSS = offray.laws.chinchilla((N, D), *HOFFMANN) * np.exp(0.01 * np.sin(np.arange(len(N)) * 2.3))
WEIGHT = np.linspace(1, 3, len(N))


def reference(fit, weight):
    """Leverages by Householder's QR of numpy, J by theta: what the columns span does not depend on their scale."""
    J = fit.law.jacobian((N, D), *fit.theta)
    if fit.log_loss:
        J = J / fit.law((N, D), *fit.theta)[:, None]
    J = J * np.sqrt(weight)[:, None]
    Q, _ = np.linalg.qr(J / np.linalg.norm(J, axis=0))
    return (Q**2).sum(axis=1)


@pytest.mark.parametrize("log_loss", [False, True])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_columns(log_loss, weight):
    fit = offray.fit(N, D, LOSS, log_loss=log_loss, weight=weight)
    frame = fit.frame()
    wanted = ["row", "N", "D", "loss", "weight", "fitted", "residual", "standardised_residual", "leverage"]
    assert list(frame) == [name for name in wanted if name != "weight" or weight is not None]
    np.testing.assert_array_equal(frame["row"], range(len(N)))
    for name, column in (("N", N), ("D", D), ("loss", LOSS), ("residual", fit.residuals)):
        np.testing.assert_array_equal(frame[name], column)
    fitted = fit.law((N, D), *fit.theta)
    np.testing.assert_allclose(frame["fitted"], fitted, rtol=1e-14)
    np.testing.assert_allclose(frame["residual"], np.log(fitted / LOSS) if log_loss else fitted - LOSS, atol=1e-14)
    w = np.ones(len(N)) if weight is None else weight
    h = reference(fit, w)
    np.testing.assert_allclose(frame["leverage"], h, rtol=1e-8)
    assert frame["leverage"].sum() == pytest.approx(5)
    s = np.sqrt(fit.rss / (len(N) - 5))
    np.testing.assert_allclose(frame["standardised_residual"], np.sqrt(w) * fit.residuals / (s * np.sqrt(1 - h)), rtol=1e-8)


def test_leverage_is_what_a_loss_does_to_its_fitted_value():
    fit, h = offray.fit(N, D, LOSS), offray.fit(N, D, LOSS).frame()["leverage"]
    for i in (0, 7, 35):
        step = 1e-4 * np.eye(len(N))[i]
        up, down = (offray.fit(N, D, LOSS + sign * step, start=fit.theta).frame()["fitted"][i] for sign in (1, -1))
        assert (up - down) / 2e-4 == pytest.approx(h[i], rel=0.1)  # the law is curved


def test_constraints_take_their_share():
    assert offray.fit(N, D, LOSS, fixed={"E": 1.7}, tied=[("alpha", "beta")]).frame()["leverage"].sum() == pytest.approx(3)


def test_a_run_that_decides_its_own_value_has_no_standardised_residual():
    size = np.r_[np.geomspace(1e7, 1e8, 6), 3e8]
    loss = 30 * size**-0.15 * np.exp(0.01 * np.sin(np.arange(7) * 2.3))
    fit = offray.fit(inputs={"x": size}, loss=loss, law=offray.law("A*x**-alpha + B*where(x > 2e8, 1, 0)", real="B"))
    frame = fit.frame()
    assert frame["leverage"][-1] == pytest.approx(1, abs=1e-14)
    assert np.isnan(frame["standardised_residual"][-1])
    assert list(frame)[:2] == ["row", "x"]


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning", "ignore::offray.ConvergenceWarning")
def test_on_a_ray_of_what_is_left():
    n, d = DESIGNS["ray"]
    fit = offray.fit(n, d, offray.laws.chinchilla((n, d), *HOFFMANN) * np.exp(0.01 * np.sin(np.arange(len(n)))))
    frame = fit.frame()
    assert frame["leverage"].sum() == pytest.approx(3)
    np.testing.assert_array_equal(frame["residual"], fit.reduced.residuals)
    np.testing.assert_array_equal(frame["D"], d)


def test_outliers_of_robust_objectives_stand_out():
    loss = LOSS * np.where(np.arange(len(N)) == 5, 1.5, 1)
    z = offray.fit(N, D, loss, objective="huber").frame()["standardised_residual"]
    assert np.abs(z[5]) > 20
    assert np.abs(np.delete(z, 5)).max() < 5


def test_frames_of_others_take_it():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    table = pandas.DataFrame({"N": N, "D": D, "loss": LOSS}, index=[f"run {i}" for i in range(len(N))])
    frame = offray.fit(table).frame()
    assert pandas.DataFrame(frame)["row"][3] == "index 'run 3'"
    assert polars.DataFrame(frame).shape == (len(N), 8)
    frame["loss"][0] = 3  # the user's own copy
    wide = offray.fit(N, D, LOSS, dtype=np.longdouble).frame()
    assert wide["leverage"].dtype == np.longdouble


def test_on_a_ray_that_tells_the_exponents_apart():
    """The rows are those of the law that predictions follow, not of the reduced law that the runs reject."""
    N = np.geomspace(1e6, 1e10, 60)
    loss = offray.laws.chinchilla((N, 20 * N), 1.7, 400, 400, 0.6, 0.2) * np.exp(2e-4 * np.sin(np.arange(60) * 2.3))
    with pytest.warns(offray.IdentifiabilityWarning):
        fit = offray.fit(N, 20 * N, loss)
    assert fit.blended
    frame = fit.frame()
    np.testing.assert_allclose(frame["fitted"], fit.predict(N, 20 * N).value, rtol=1e-10)
    assert np.abs(frame["standardised_residual"]).max() < 5


def test_a_residual_is_said_to_be_above_or_below():
    loss = LOSS.copy()
    loss[3] *= 1.05
    fit = offray.fit(N, D, loss)
    row, deviations = fit.misfit.worst[0]
    assert (row, deviations > 0) == ("row 3", True)
    assert fit.frame()["residual"][3] < 0  # fitted less measured
    assert "row 3 (" in str(fit.misfit)
    assert " above)" in str(fit.misfit)
