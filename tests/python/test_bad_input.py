# SPDX-License-Identifier: Apache-2.0
"""Bad input: a clear error that names the argument, the row and the value; never a NaN or a silent drop."""

import warnings

import numpy as np
import offray
import pandas as pd
import pytest


def changed(array, row, value):
    out = np.array(array)
    out[row] = value
    return out


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("argument", ["N", "D", "loss", "weight", "unique_tokens"])
def test_bad_value(grid, argument, value):
    given = dict(zip(("N", "D", "loss"), grid, strict=True)) | {"weight": np.ones(42), "unique_tokens": grid[1]}
    given[argument] = changed(given[argument], 5, value)
    with pytest.raises(ValueError, match=rf"{argument}\[5\] = {value:g}: every value must be positive and finite"):
        offray.fit(**given)


def test_bad_shapes(grid):
    N, D, loss = grid
    for call, message in (
        (lambda: offray.fit(N[:5], D, loss), "D has 42 values, but N has 5"),
        (lambda: offray.fit(N, D, loss[:7]), "loss has 7 values, but N has 42"),
        (lambda: offray.fit(N.reshape(7, 6), D, loss), r"N must be one-dimensional, one value per run; got shape \(7, 6\)"),
        (lambda: offray.fit(N[:2], D[:2], loss[:2]), "5 free parameters of chinchilla need at least as many runs; got 2"),
        (lambda: offray.fit([], [], []), "N is empty: there are no runs to fit"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_no_number(grid):
    N, D, _ = grid
    with pytest.raises(ValueError, match=r"loss\[0\] = .*: every value must be a real number"):
        offray.fit(N, D, [2j] * 42)
    dates = np.array(["2020-01-01"] * 42, "datetime64[D]")
    for bad in (dates, dates - dates[0], np.ones(42, bool)):
        with pytest.raises(ValueError, match=r"loss\[0\] = .*: every value must be a real number"):
            offray.fit(N, D, bad)
    with pytest.raises(ValueError, match="loss has masked values"):
        offray.fit(N, D, np.ma.masked_less(grid[2], 2.5))
    for bad in ("abc", pd.NA):
        loss = [2.0] * 41 + [bad]
        with pytest.raises(ValueError, match=r"loss\[41\] = .*: every value must be a real number"):
            offray.fit(N, D, loss)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": "hoffmann"}, "unknown law 'hoffmann'; known laws: chinchilla, kaplan, droppo_elibol, repeated_data"),
        ({"objective": "lad"}, "unknown objective 'lad'; known objectives: squares, huber"),
        ({"objective": "huber", "delta": 0}, "delta must be positive"),
        ({"objective": "huber", "delta": np.nan}, "delta must be positive"),
        ({"delta": 1e-3}, "delta belongs to huber, soft_l1, cauchy"),
        ({"fixed": {"gamma": 1}}, "fixed: unknown parameter 'gamma'; chinchilla has E, A, B, alpha, beta"),
        ({"fixed": {"E": -1}}, "fixed: E must be positive and finite"),
        ({"fixed": {"E": "x"}}, "must be a real number"),
        ({"tied": [("alpha", "gamma")]}, "tied: unknown parameter 'gamma'"),
        ({"bounds": {"E": (2, 1)}}, "0 <= lower <= upper"),
        ({"start": np.ones(9)}, "start has 9 values, but chinchilla has 5 parameters"),
        ({"start": np.ones(1000)}, "start has 1000 values, but chinchilla has 5 parameters"),
        ({"start": [1.69, 406.4, 410.7, 0.34, 0.28], "bounds": {"E": (5, 10)}}, "start: E lies outside its bounds"),
        ({"fixed": {"E": 3}, "bounds": {"E": (0, 2)}}, "fixed: the value of E lies outside its bounds"),
        ({"fixed": [("alpha", 0.3)]}, "fixed must be a mapping from parameters"),
        ({"bounds": {"E": 2}}, "every parameter needs a pair"),
        ({"bounds": {"alpha": (200, 300)}}, "nothing is left of the range of alpha"),
        ({"tied": ("alpha", "beta")}, "tied must hold pairs"),
        ({"law": ["chinchilla"]}, "unknown law"),
        ({"objective": "huber", "delta": 1e-26}, "delta is below the rounding error"),
        ({"weight": []}, "weight has 0 values"),
        ({"unique_tokens": []}, "unique_tokens has 0 values"),
        ({"fixed": {"alpha": 50.0}}, "beyond the range"),
        ({"start": [1, 2, 3]}, "start has 3 values, but chinchilla has 5 parameters"),
        ({"start": {"E": 1}}, "start must give E, A, B, alpha, beta; got E"),
        ({"start": [1, 1, 1, 1, 0]}, r"start\[4\] = 0"),
        ({"dtype": np.float32}, "dtype must be float64 or longdouble"),
    ],
)
def test_bad_option(grid, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        offray.fit(*grid, **options)


def test_bad_table(grid):
    frame = pd.DataFrame(dict(zip(("params", "tokens", "loss"), grid, strict=True)))
    with pytest.raises(ValueError, match=r"^loss: no such column .* the columns are params, tokens"):
        offray.fit(frame[["params", "tokens"]])
    with pytest.raises(ValueError, match="tokens: no column 'seen'; the columns are params, tokens, loss"):
        offray.fit(frame, tokens="seen")
    with pytest.raises(ValueError, match="params: columns 'N', 'n_params' could all be it; params=\"N\" takes the first"):
        offray.fit(frame.rename(columns={"params": "N"}).assign(n_params=1))
    with pytest.raises(TypeError, match="column names by keyword"):
        offray.fit(frame, grid[1])
    with pytest.raises(TypeError, match="one table with columns"):
        offray.fit(grid[0])


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_extreme_but_valid():
    """Huge counts, duplicated rows and a single ray all give finite figures and the right words."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e3, 1e14, 8), np.geomspace(1e5, 1e16, 8)))
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    fit = offray.fit(N, D, loss)
    np.testing.assert_allclose(fit.theta, [1.69, 406.4, 410.7, 0.34, 0.28], rtol=1e-9)

    twice = offray.fit(np.repeat(N, 2), np.repeat(D, 2), np.repeat(loss, 2))
    np.testing.assert_allclose(twice.theta, fit.theta, rtol=1e-9)

    same = np.full(9, 1e9)
    with pytest.warns(offray.IdentifiabilityWarning, match="one ray"):
        stuck = offray.fit(same, 20 * same, np.linspace(2, 3, 9))
    assert np.isfinite(stuck.theta).all()
    assert not np.isnan(stuck.se).any()
    assert not stuck.identifiability.identified


def test_one_ray_never_hangs_and_never_passes():
    N = np.geomspace(5.04e6, 76.5e6, 14)
    rng = np.random.default_rng(0)
    exact = offray.laws.chinchilla((N, 20 * N), 1.69, 406.4, 410.7, 0.34, 0.28)
    for _ in range(100):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = offray.fit(N, 20 * N, exact + 0.005 * rng.normal(size=14))
        assert any("one ray" in str(w.message) for w in caught if w.category is offray.IdentifiabilityWarning)
        assert np.isfinite(fit.theta).all()
        assert not fit.identifiability.identified


def test_no_nan_anywhere():
    """Hostile fits end in a status and in figures that are numbers or infinite, never NaN."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(1e9, 1e11, 6)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for loss in (2.0 + (N > 1e9), 3 + 0 * N, 3 + 0.1 * np.sin(np.arange(36)), np.geomspace(1e-3, 1e3, 36)):
            for law in dir(offray.laws):
                for log_loss in (False, True):
                    fit = offray.fit(N, D, loss, law=law, log_loss=log_loss)
                    figures = (fit.theta, fit.se, fit.cov, fit.conf_int(), fit.predict(N, D).interval, fit.conditioning.kappa)
                    assert not any(np.isnan(a).any() for a in figures), (law, log_loss, fit)
        hopeless = offray.fit(N, D, 3 + 0 * N, law="kaplan", start=[1e100, 1e-50, 15, 1e-3])
    assert isinstance(str(hopeless), str)
    J = offray.laws.repeated_data.jacobian((1e10, 1e10), 1.7, 0.5, 400, 0.001, 0.3, 5.0, 5.0)
    assert np.isfinite(J).all()


def test_fixed_parameter_with_as_many_runs(grid):
    rows = [0, 8, 16, 24]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(*(a[rows] for a in grid), fixed={"E": 1.69})
    assert fit.conf_int()[0].tolist() == [1.69, 1.69]


def test_as_many_runs_as_parameters():
    N, D = np.array([1e7, 1e7, 1e8, 1e8, 3e8]), np.array([1e9, 1e10, 1e9, 1e10, 3e10])
    with pytest.warns(offray.IdentifiabilityWarning, match="no estimate"):
        fit = offray.fit(N, D, offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28))
    assert np.isinf(fit.se).all()
    assert np.isinf(fit.predict(1e9, 1e10).se)
    assert "not determined" in str(fit)
