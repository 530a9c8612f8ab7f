# SPDX-License-Identifier: Apache-2.0
"""Whether the law follows the runs, whether they are runs of their own, and what is said of it."""

import json

import numpy as np
import offray
import pytest
from helpers import GRID, losses, noisy
from offray import _core

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
N, D = GRID


def test_f_test_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    for F in (0.3, 1.0, 2.7, 14.0, 300.0):
        for above, below in ((1, 1), (3, 232), (40, 7), (5, 50000)):
            np.testing.assert_allclose(_core.f_tail(F, above, below), stats.f.sf(F, above, below), rtol=1e-9, atol=1e-290)


def test_the_right_law_is_seldom_accused():
    found = [offray.fit(N, D, noisy(N, D, seed=seed)).findings for seed in range(200)]
    assert sum("lack_of_fit" in keys for keys in found) <= 6  # 3 %, the sum of all levels
    assert sum(bool(keys) for keys in found) <= 8


@pytest.mark.parametrize("power", [0.5, 0.75, 1.4])
def test_another_law_is_noticed(power):
    fit = offray.fit(N, D, noisy(N, D, 0.002, power=power))
    assert "lack_of_fit" in fit.findings
    assert fit.identifiability.identified  # its parameters are determined; they are those of another law
    at = fit.misfit
    assert at.trend.p < 1e-4
    curve = at.relative_pattern
    assert min(curve, at.relative_sd - curve, 0.02 - at.relative_sd) > 0
    assert any("does not follow these runs" in text for text in (*fit.identifiability.warnings, *fit.identifiability.notes))
    assert "a curve of" in str(fit)


def test_trend_against_a_fit_with_the_curves():
    """F is that of three more columns: squares and product of ln N and ln D about their means."""
    fit = offray.fit(N, D, noisy(N, D, power=0.6))
    J = fit.law.jacobian((N, D), *fit.theta) * fit.theta
    x, y = (np.log(a) - np.log(a).mean() for a in (N, D))
    Q, _ = np.linalg.qr(np.column_stack([J, x * x, y * y, x * y]))
    r = fit.residuals
    inner, _ = np.linalg.qr(J)
    before, after = (((r - q @ (q.T @ r)) ** 2).sum() for q in (inner, Q))
    assert fit.misfit.trend.dof == (3, len(N) - 8)
    expected = (before - after) / 3 / (after / (len(N) - 8))
    np.testing.assert_allclose(fit.misfit.trend.F, expected, rtol=1e-6)
    assert fit.misfit.pattern == pytest.approx(np.sqrt((before - after) / len(N)), rel=1e-6)


def test_repeats_measure_the_noise():
    n, d = np.repeat(N, 3), np.repeat(D, 3)
    fit = offray.fit(n, d, noisy(n, d, 0.004))
    at = fit.misfit
    cells = fit.problem.loss.reshape(-1, 3)
    assert at.pure_error == pytest.approx(np.sqrt(cells.var(axis=1, ddof=1).mean()), rel=1e-9)
    assert (at.distinct, at.pure_error_dof, at.lack_of_fit.dof) == (56, 112, (51, 112))
    bent = offray.fit(n, d, noisy(n, d, 0.004, power=0.3))
    assert bent.misfit.lack_of_fit.F > at.lack_of_fit.F


def test_copies_are_said():
    n, d = np.tile(N, 2), np.tile(D, 2)
    fit = offray.fit(n, d, np.tile(noisy(N, D), 2))
    assert "repeated_rows" in fit.findings
    assert any("56 of 112 rows repeat" in text and "1.4 times" in text for text in fit.identifiability.warnings)
    with pytest.warns(offray.IdentifiabilityWarning, match="copies, not runs"):
        offray.fit(n, d, np.tile(noisy(N, D), 2))


def test_outliers_are_named_as_the_user_knows_them():
    pandas = pytest.importorskip("pandas")
    loss = noisy(N, D)
    loss[[5, 40]] += [4, 3]
    frame = pandas.DataFrame({"params": N, "tokens": D, "loss": loss}, index=[f"run{i}" for i in range(len(N))])
    fit = offray.fit(frame)
    assert fit.misfit.outliers == (5, 40)
    said = " ".join(fit.identifiability.warnings)
    assert "index 'run5'" in said
    assert "objective='huber', delta='mad'" in said
    robust = offray.fit(frame, objective="huber", delta="mad")
    assert "outliers" not in robust.findings
    # Set aside by the objective they are named, and no larger run is foretold by them.
    assert any("index 'run5'" in text for text in robust.identifiability.notes)
    assert robust.predict(1e10, 2e11).model < 0.1


def test_checkpoints_and_shared_noise():
    rng = np.random.default_rng(3)
    shared = 0.01 * rng.normal(size=8)[np.unique(N, return_inverse=True)[1]]
    by_size = offray.fit(N, D, losses(N, D) + shared + 0.0005 * rng.normal(size=len(N)))
    assert "dependent_runs" in by_size.findings
    assert any("group=" in text for text in by_size.identifiability.warnings)
    steps, sizes = np.meshgrid(np.arange(1, 41), np.geomspace(1e7, 1e9, 5), indexing="xy")
    n, d = sizes.ravel(), (steps * 5e8).ravel()
    wander = np.cumsum(rng.normal(size=(5, 40)), axis=1)
    wander -= wander.mean(axis=1, keepdims=True)
    checkpoints = offray.fit(n, d, losses(n, d) + 0.002 * wander.ravel())
    assert checkpoints.misfit.in_series
    assert "dependent_runs" in checkpoints.findings
    clustered = checkpoints.predict(5e8, 1e10, method="sandwich", group=n)
    assert clustered.se != checkpoints.predict(5e8, 1e10).se
    assert checkpoints.compute_optimal(1e20, method="sandwich", group=n).N.se != checkpoints.compute_optimal(1e20).N.se


@pytest.mark.parametrize(
    ("scale_N", "scale_D", "scale_loss", "word"),
    [(1e6, 1e9, 1, "millions"), (1, 1e6, 1, "steps"), (1, 1, 0.2, "perplexity"), (1e3, 1e-4, 1, "in another unit")],
)
def test_implausible_units(scale_N, scale_D, scale_loss, word):
    fit = offray.fit(N / scale_N, D / scale_D, noisy(N, D) / scale_loss)
    assert "implausible_units" in fit.findings
    assert any(word in text for text in fit.identifiability.warnings)
    assert fit.identifiability.identified


def test_forecasts_of_the_larger_runs():
    n, d = np.tile(N, 2), np.tile(D, 2)
    right = offray.fit(n, d, noisy(n, d))
    assert right.misfit.rolling.slope == 0
    assert len(right.misfit.rolling.origins) == 5
    other = offray.fit(n, d, noisy(n, d, 0.002, power=0.5))
    rolling = other.misfit.rolling
    assert rolling.slope > 0.001
    assert all(o.error > o.expected for o in rolling.origins)
    assert [o.runs for o in rolling.origins] == sorted(o.runs for o in rolling.origins)
    text = str(other.misfit)
    for word in ("worst runs", "smallest runs fitted", "beyond noise"):
        assert word in text


@pytest.mark.parametrize("power", [0.5, 0.75])
def test_predictions_beyond_the_runs_allow_for_the_law(power):
    n, d = np.tile(N, 2), np.tile(D, 2)
    held, plain = [], []
    for seed in range(12):
        fit = offray.fit(n, d, noisy(n, d, 0.002, seed=seed, power=power))
        far = fit.predict(3e9, 1e11)
        truth = losses(3e9, 1e11, power=power)
        held.append(far.interval[0] <= truth <= far.interval[1])
        plain.append(far.statistical[0] <= truth <= far.statistical[1])
        assert far.model > 0
        assert far.findings == ("extrapolates",)
        assert far.reach.compute == pytest.approx(10)
        low, high = far.interval
        assert low < far.statistical[0] < far.value < far.statistical[1] < high
        inside = fit.predict(1e8, 1e9)
        assert inside.model == 0
        assert inside.findings == ()
        np.testing.assert_array_equal(inside.interval, inside.statistical)
    assert np.mean(held) >= 0.9 > np.mean(plain)
    best = fit.compute_optimal(1e22)
    assert best.findings == ("extrapolates",)
    assert np.ptp(best.loss.interval) > np.ptp(best.loss.statistical)
    assert "beyond the runs" in str(far)
    assert "rest is what it misses" in str(far)
    assert "compute" in str(fit.predict([3e9, 1e8], [1e11, 1e9]))


def test_places_that_do_not_test_the_law():
    n, d = np.array([1e7, 1e8, 1e9, 1e7, 1e9]), np.array([1e9, 1e9, 1e9, 1e10, 1e11])
    fit = offray.fit(np.repeat(n, 3), np.repeat(d, 3), noisy(np.repeat(n, 3), np.repeat(d, 3)))
    assert fit.degrees_of_freedom == 10
    assert "few_runs" in fit.findings
    assert any("5 different inputs for 5 free parameters" in text for text in fit.identifiability.warnings)


def test_a_floor_that_the_runs_reject():
    fit = offray.fit(N, D, noisy(N, D), fixed={"E": 1.2})
    said = " ".join((*fit.identifiability.warnings, *fit.identifiability.notes))
    assert "E = 1.2, which they reject" in said
    above = offray.fit(N, D, noisy(N, D), fixed={"E": 2.6})
    assert any("E = 2.6 (above the lowest loss" in text for text in above.identifiability.warnings)


def test_losses_that_collapse():
    loss = losses(N, D) * np.where(N * D > 1e18, 1e-3, 1)
    fit = offray.fit(N, D, loss)
    said = " ".join(fit.identifiability.warnings)
    assert "no power law" in said
    assert "larger runs, whose loss" not in said


def test_misfit_as_plain_data():
    data = json.loads(json.dumps(offray.fit(N, D, noisy(N, D)).to_dict()))["misfit"]
    assert data["trend"]["dof"] == [3, 48]
    assert data["pure_error"] is None
    assert data["outliers"] == []
    assert data["distinct"] == 56


def test_another_law_that_matters():
    """Droppo and Elibol's losses, fitted by Kaplan's law, which has no floor: the better law is named, with what it changes."""
    theta = (1.7, 6e7, 3e9, 0.35, 0.3, 1.2)
    loss = offray.laws.droppo_elibol((N, D), *theta) * np.exp(0.003 * np.random.default_rng(0).normal(size=len(N)))
    fit = offray.fit(N, D, loss, law="kaplan")
    best = fit.other_laws[0]
    assert {other.law.name for other in fit.other_laws} >= {"droppo_elibol", "chinchilla"}
    assert best.AICc >= fit.other_laws[-1].AICc >= 10
    assert best.matters
    assert pytest.approx(60 * (N * D).max()) == best.optimum.C
    assert f"the law {best.law.name} follows these runs better" in str(fit)
    data = fit.to_dict()
    assert "law_matters" in data["findings"]
    right = offray.fit(N, D, noisy(N, D))
    assert right.other_laws == ()
    assert "law_matters" not in right.to_dict()["findings"]
    assert offray.fit(N, D, loss, law="kaplan", fixed={"alpha_D": 0.3}).other_laws == ()


def test_robust_and_weighted_misfit_in_units_of_residuals():
    n, d = np.repeat(N, 3), np.repeat(D, 3)
    loss = noisy(n, d, 0.003)
    plain = offray.fit(n, d, loss).misfit
    for objective in ("absolute", "huber"):
        robust = offray.fit(n, d, loss, objective=objective, delta="mad" if objective == "huber" else None)
        assert robust.misfit.pure_error == pytest.approx(plain.pure_error, rel=0.4)
        assert "dependent_runs" not in robust.findings
    weight = np.tile([1.0, 30.0, 3.0], len(N))
    base = losses(n, d) * (1 + 0.02 * np.sin(np.log(n)))
    sigma = 1e-3 / np.sqrt(weight)
    weighted = offray.fit(n, d, base + sigma * np.random.default_rng(1).normal(size=len(n)), weight=weight).misfit
    assert weighted.pure_error == pytest.approx(1e-3, rel=0.2)


def test_sizes_that_share_nothing_are_seldom_accused():
    p = [offray.fit(N, D, noisy(N, D, seed=seed)).misfit.by_size.p for seed in range(200)]
    assert 0.3 < np.median(p) < 0.7
    assert np.mean(np.array(p) < 0.05) < 0.12


def test_groups_may_be_an_iterator():
    fit = offray.fit(N, D, noisy(N, D))
    for call in (
        lambda g: fit.predict(1e9, 1e10, method="sandwich", group=g).interval,
        lambda g: fit.compute_optimal(1e20, method="sandwich", group=g).N.interval,
    ):
        np.testing.assert_array_equal(call(iter(N)), call(list(N)))
    assert str(fit.predict([], []))


def test_the_cause_is_the_tie():
    fit = offray.fit(N, D, noisy(N, D, theta=(1.69, 400.0, 400.0, 0.5, 0.2)), tied=[("alpha", "beta")], fixed={"E": 1.69})
    said = " ".join((*fit.identifiability.warnings, *fit.identifiability.notes))
    assert "does not follow" in said
    few = offray.fit(N[::9], D[::9], noisy(N[::9], D[::9]))
    assert few.other_laws == ()
