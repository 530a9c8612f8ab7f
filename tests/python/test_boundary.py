# SPDX-License-Identifier: Apache-2.0
"""What crosses into the core: array kinds, tables, results, threads."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import offray
import pandas as pd
import pyarrow as pa
import pytest
from helpers import LAW_NAMES
from truths import HOFFMANN


def test_any_layout_gives_the_same_bits(grid):
    expected = offray.fit(*grid).theta
    wide = np.zeros((3, grid[0].size * 2))
    wide[:, ::2] = grid
    frozen = [np.array(a) for a in grid]
    for a in frozen:
        a.flags.writeable = False
    table = np.rec.fromarrays(grid, names=["N", "D", "loss"])
    for arrays in (
        [list(a) for a in grid],
        list(wide[:, ::2]),
        frozen,
        list(np.array(grid).T.copy().T),
        [a.astype(">f8") for a in grid],
        [pd.Series(a, index=np.arange(len(a))[::-1]) for a in grid],
        [table],
        [dict(zip(("params", "tokens", "loss"), grid, strict=True))],
        [pd.DataFrame(dict(zip(("N", "D", "loss"), grid, strict=True)))],
        [pa.table(dict(zip(("params", "tokens", "loss"), grid, strict=True)))],
        [pd.DataFrame(dict(zip(("Parameters", "Tokens", "val_loss"), grid, strict=True)))],
        [[str(v) for v in a] for a in grid],
    ):
        np.testing.assert_array_equal(offray.fit(*arrays).theta, expected)


def test_other_dtypes(grid):
    N, D, loss = grid
    whole = offray.fit(N.astype(np.int64), D.astype(np.uint64), loss)
    np.testing.assert_allclose(whole.theta, offray.fit(np.floor(N), np.floor(D), loss).theta, rtol=1e-12)
    single = offray.fit(N, D, loss.astype(np.float32))
    assert single.theta.dtype == np.float64
    np.testing.assert_allclose(single.theta, whole.theta, rtol=1e-3)
    assert offray.fit(N, D, loss, dtype=np.longdouble).theta.dtype == np.longdouble
    wide = offray.fit(list(N), list(D), [np.longdouble(v) for v in loss])
    assert wide.theta.dtype == np.longdouble
    nullable = pd.DataFrame({"params": N, "tokens": D, "loss": loss}).convert_dtypes(dtype_backend="pyarrow")
    np.testing.assert_allclose(offray.fit(nullable).theta, offray.fit(*grid).theta, rtol=1e-12)


def test_named_columns(grid):
    frame = pd.DataFrame(dict(zip(("size", "seen", "final"), grid, strict=True)))
    fit = offray.fit(frame, params="size", tokens="seen", loss="final")
    np.testing.assert_array_equal(fit.theta, offray.fit(*grid).theta)
    frame["weight"] = np.linspace(1, 2, len(frame))
    weighted = offray.fit(frame, params="size", tokens="seen", loss="final")
    np.testing.assert_array_equal(weighted.theta, offray.fit(*grid, weight=frame["weight"]).theta)


def test_result(grid):
    fit = offray.fit(*grid)
    assert fit.law is offray.laws.chinchilla
    assert list(fit.params) == ["E", "A", "B", "alpha", "beta"]
    assert (fit.status, fit.converged, fit.degrees_of_freedom) == ("converged", True, 37)
    np.testing.assert_allclose(fit.residuals, fit.law(grid[:2], *fit.theta) - grid[2], atol=1e-13)
    np.testing.assert_allclose(fit.rss, (fit.residuals**2).sum())
    np.testing.assert_allclose(fit.objective_value, fit.rss / 2)
    np.testing.assert_allclose(np.diagonal(fit.cov), fit.se**2)
    low, high = fit.conf_int(method="delta").T
    assert ((low < fit.theta) & (fit.theta < high)).all()
    # On the logarithm of positive parameters: t(.975, 37) standard errors of it.
    np.testing.assert_allclose(np.log(high / low) / (2 * fit.se / fit.theta), 2.026192463029109, rtol=1e-12)
    np.testing.assert_allclose(fit.conf_int(), fit.conf_int(method="profile"))
    assert set(fit.sloppy_direction) == set(fit.params)
    np.testing.assert_allclose(list(fit.sloppy_direction.values()), fit.conditioning.direction)
    report = fit.identifiability
    assert (report.identified, report.warnings, report.findings) == (True, (), ())
    for array in (fit.theta, fit.cov, fit.se, fit.residuals):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        fit.law = None
    with pytest.raises(TypeError):
        fit.params["E"] = 1
    text = str(fit)
    for word in ("chinchilla", "converged", "kappa_2", "alpha", "s.e.", "95 % interval"):
        assert word in text


def test_predict_shapes(grid):
    fit = offray.fit(*grid)
    one = fit.predict(70e9, 1.4e12)
    assert one.value.shape == one.se.shape == ()
    assert one.interval.shape == (2,)
    many = fit.predict(np.geomspace(1e8, 1e9, 3)[:, None], np.geomspace(1e9, 1e11, 4))
    assert many.value.shape == (3, 4)
    assert many.interval.shape == (3, 4, 2)
    np.testing.assert_allclose(
        many.value, fit.law((np.geomspace(1e8, 1e9, 3)[:, None], np.geomspace(1e9, 1e11, 4)), *fit.theta)
    )
    with pytest.raises(ValueError, match=r"D\[0\] = -1"):
        fit.predict(1e9, -1)


def test_constraints(grid):
    tied = offray.fit(*grid, tied=[("alpha", "beta")], fixed={"E": 1.69})
    assert tied.params["alpha"] == tied.params["beta"]
    assert tied.params["E"] == 1.69
    assert tied.se[0] == 0
    assert tied.degrees_of_freedom == 39
    assert set(tied.sloppy_direction) == {"A", "B", "alpha=beta"}
    assert "fixed" in str(tied)
    with pytest.warns(offray.IdentifiabilityWarning, match="A = 300 sits at its bound"):
        bounded = offray.fit(*grid, bounds={"A": (1, 300)})
    assert bounded.status == "at_bound"


def test_constraints_are_kept_to_the_last_bit(grid):
    for law, fixed in (("kaplan", {"N_c": 8.8e13}), ("chinchilla", {"alpha": 0.3}), ("chinchilla", {"A": 406.4})):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = offray.fit(*grid, law=law, fixed=fixed)
        assert all(fit.params[name] == value for name, value in fixed.items())
    with pytest.warns(offray.IdentifiabilityWarning):
        assert offray.fit(*grid, bounds={"A": (1, 310)}).params["A"] == 310
    # The start of a fixed exponent does not matter, nor does a mapping need it.
    fixed = {"alpha": 0.34}
    near = offray.fit(*grid, fixed=fixed, start=HOFFMANN)
    far = offray.fit(*grid, fixed=fixed, start=[*HOFFMANN[:3], 9, HOFFMANN[4]])
    named = offray.fit(*grid, fixed=fixed, start={"E": 1.69, "A": 406.4, "B": 410.7, "beta": 0.28})
    assert near.evaluations == far.evaluations == named.evaluations


def test_a_slack_bound_changes_no_figure(grid):
    """kappa_2 is that of the geometric-mean reference, in whatever units the fit was run."""
    free, bounded = offray.fit(*grid), offray.fit(*grid, bounds={"A": (0, 1e6), "B": (1, 1e9)})
    np.testing.assert_allclose(bounded.theta, free.theta, rtol=1e-9)
    np.testing.assert_allclose(bounded.conditioning.singular_values, free.conditioning.singular_values, rtol=1e-8)
    np.testing.assert_allclose(bounded.se, free.se, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_copies_are_the_same_fit(grid):
    fit = offray.fit(*grid, law="kaplan", objective="huber", delta=0.01, weight=np.linspace(1, 2, 42))
    assert fit.weighted
    for copied in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        np.testing.assert_array_equal(copied.theta, fit.theta)
        np.testing.assert_array_equal(copied.cov, fit.cov)
        assert str(copied) == str(fit)


def test_law_objects():
    assert LAW_NAMES == ["chinchilla", "droppo_elibol", "kaplan", "kaplan_floor", "repeated_data"]
    law = offray.laws.chinchilla
    assert law((1e9, 2e10), *HOFFMANN).shape == ()
    assert law.jacobian((np.ones(3), np.ones(3)), *HOFFMANN).shape == (3, 5)
    assert pickle.loads(pickle.dumps(law)) is law
    assert law((1e9, 2e10), -1, -2, 3, 0.1, 0.1) < 0  # defined for every real theta
    assert np.isnan(offray.laws.kaplan((1e9, 2e10), -1, 1, 0.1, 0.1))
    with pytest.raises(AttributeError, match="known laws: chinchilla"):
        _ = offray.laws.hoffmann
    with pytest.raises(TypeError, match=r"takes 5 parameters \(E, A, B, alpha, beta\); got 2"):
        law((1e9, 2e10), 1, 2)
    with pytest.raises(ValueError, match=r"N\[0\] = 0"):
        law((0.0, 2e10), *HOFFMANN)
    with pytest.raises(ValueError, match="must be"):
        law((1, 2, 3, 4), *HOFFMANN)


def test_condition_any_jacobian():
    J = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    at = offray.condition(J)
    assert at.rank == 1
    np.testing.assert_allclose(np.abs(at.direction), np.sqrt(0.5))
    wide = np.random.default_rng(0).normal(size=(30, 12))
    np.testing.assert_allclose(offray.condition(wide, columns="raw").singular_values, np.linalg.svd(wide)[1])
    np.testing.assert_allclose(offray.condition(wide.astype(np.longdouble)).kappa, offray.condition(wide).kappa)
    for bad, message in ((np.ones(3), "two-dimensional"), (np.ones((0, 2)), "at least one"), ([[np.nan, 1]], "finite")):
        with pytest.raises(ValueError, match=message):
            offray.condition(bad)
    with pytest.raises(ValueError, match="'unit' or 'raw'"):
        offray.condition(J, columns="log")


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_threads_give_the_same_bits(grid):
    serial = [offray.fit(*grid, law=law).theta for law in ("chinchilla", "kaplan", "droppo_elibol")] * 8
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda law: offray.fit(*grid, law=law).theta, ("chinchilla", "kaplan", "droppo_elibol") * 8))
    for a, b in zip(serial, threaded, strict=True):
        np.testing.assert_array_equal(a, b)
