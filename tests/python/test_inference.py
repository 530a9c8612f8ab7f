# SPDX-License-Identifier: Apache-2.0
"""Covariances, intervals, predictions, derived quantities, comparisons of laws."""

import time
import warnings

import numpy as np
import offray
import pytest
from truths import HOFFMANN

NC = tuple(a.ravel() for a in np.meshgrid(np.geomspace(5.04e6, 76.5e6, 14), np.geomspace(5.04e6, 3e8, 12)))


def test_coverage():
    """95 % intervals of every parameter and of a derived quantity, over 1000 simulated data sets."""
    clean = offray.laws.chinchilla(NC, *HOFFMANN)
    rng = np.random.default_rng(20261122)
    sets = 1000
    truth = np.array(HOFFMANN)
    ratio = offray.fit(*NC, clean).compute_optimal(1e21).TPP.value
    hits = {method: np.zeros(5) for method in ("delta", "profile", "bootstrap", "sandwich")}
    hits_ratio = 0
    for seed in range(sets):
        fit = offray.fit(*NC, clean + 0.01 * rng.normal(size=clean.size))
        for method, hit in hits.items():
            low, high = fit.conf_int(method=method, seed=seed).T
            hit += (low <= truth) & (truth <= high)
        low, high = fit.compute_optimal(1e21).TPP.interval
        hits_ratio += bool(low <= ratio <= high)
    for method, hit in hits.items():
        assert ((hit >= 0.93 * sets) & (hit <= 0.97 * sets)).all(), (method, hit)
    assert 0.93 * sets <= hits_ratio <= 0.97 * sets


def test_speed(sweep):
    """Profile intervals under 5 ms per parameter; 1000 refits under 60 ms on one thread, three times that on a busy machine."""
    fit = offray.fit(*sweep)
    fit.conf_int(method="profile")
    start = time.process_time()
    fit.conf_int(method="profile")
    profile = time.process_time() - start
    start = time.process_time()
    fit.bootstrap(1000, threads=1)
    assert profile < 5 * 5e-3
    assert time.process_time() - start < 3 * 60e-3


def test_methods_side_by_side(sweep):
    fit = offray.fit(*sweep)
    table = fit.intervals(methods=("delta", "sandwich", "profile", "bootstrap"))
    assert table.bounds.shape == (5, 4, 2)
    assert ((table.bounds[:, :, 0] < fit.theta[:, None]) & (fit.theta[:, None] < table.bounds[:, :, 1])).all()
    assert "profile 95 %" in str(table)
    # A is nearly log-normal: its profile reaches further up than down, delta does not.
    low, high = table.bounds[1, 2]
    assert high - fit.theta[1] > 1.1 * (fit.theta[1] - low)


def test_profile_against_fixed_fits(grid):
    """At its ends the objective has risen by t^2 s^2 / 2, with the parameter held there."""
    fit = offray.fit(*grid)
    t = 2.026192463029109  # Student's, .975 and 37
    variance = fit.rss / fit.degrees_of_freedom
    for name, ends in zip(fit.law.parameters, fit.conf_int(method="profile"), strict=True):
        for end in ends:
            held = offray.fit(*grid, fixed={name: end})
            np.testing.assert_allclose((held.rss - fit.rss) / variance, t**2, rtol=1e-5)


def test_profile_of_a_robust_fit(grid):
    fit = offray.fit(*grid, objective="huber", delta=0.02)
    delta, profile = fit.conf_int(), fit.conf_int(method="profile")
    np.testing.assert_allclose(profile[3], delta[3], rtol=0.05)
    with pytest.raises(ValueError, match="kink"):
        offray.fit(*grid, objective="absolute").conf_int(method="profile")


def test_open_profile():
    """Runs that fit as well without a floor leave E open below, and say 0."""
    N, D, noise = *NC, np.random.default_rng(3).normal(size=NC[0].size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(N, D, offray.laws.chinchilla((N, D), 0.05, 30.0, 30.0, 0.1, 0.1) + 0.02 * noise)
        low, high = fit.conf_int(method="profile")[0]
    assert low == 0
    assert high > 0


def test_fixed_parameters_have_no_width(grid):
    fit = offray.fit(*grid, fixed={"E": 1.69})
    for method in ("delta", "sandwich", "profile", "bootstrap"):
        assert fit.conf_int(method=method, n=50)[0].tolist() == [1.69, 1.69]


def test_sandwich(grid):
    """Against the formula, and grown where the noise is."""
    N, D, loss = grid
    fit = offray.fit(N, D, loss, weight=np.linspace(1, 2, loss.size))
    J = offray.laws.chinchilla.jacobian((N, D), *fit.theta)
    w = np.linspace(1, 2, loss.size)
    scale = np.linalg.norm(J, axis=0)
    bread = np.linalg.inv((J / scale).T @ ((J / scale) * w[:, None])) / np.outer(scale, scale)
    scores = J * (w * fit.residuals)[:, None]
    n = loss.size
    expected = n / (n - 5) * bread @ scores.T @ scores @ bread
    np.testing.assert_allclose(np.diagonal(fit.covariance("sandwich")), np.diagonal(expected), rtol=1e-6)
    group = np.arange(n) // 6
    sums = np.stack([scores[group == g].sum(axis=0) for g in range(7)])
    expected = 7 / 6 * (n - 1) / (n - 5) * bread @ sums.T @ sums @ bread
    clustered = fit.covariance("sandwich", group=group)
    np.testing.assert_allclose(np.diagonal(clustered), np.diagonal(expected), rtol=1e-6)
    np.testing.assert_array_equal(fit.conf_int(method="sandwich", group=group)[:, 1] > fit.theta, True)
    with pytest.raises(ValueError, match="group belongs to"):
        fit.conf_int(group=group)
    with pytest.raises(ValueError, match="unknown kind"):
        fit.covariance("exact")


@pytest.mark.parametrize("log_loss", [False, True])
def test_prediction(grid, log_loss):
    fit = offray.fit(*grid, log_loss=log_loss)
    where = np.array([[1e8, 2e8], [1e9, 2e9]]), np.array([[2e9, 2e9], [2e10, 4e10]])
    at = fit.predict(*where)
    g = offray.laws.chinchilla.jacobian(where, *fit.theta)
    np.testing.assert_allclose(at.se, np.sqrt(np.einsum("...i,ij,...j", g, fit.cov, g)), rtol=1e-6)
    inner, outer = np.diff(at.interval)[..., 0], np.diff(at.prediction_interval)[..., 0]
    assert (outer > inner).all()
    if not log_loss:
        np.testing.assert_allclose((outer / inner) ** 2, 1 + (fit.noise_sd / at.se) ** 2, rtol=1e-9)
    profile = fit.predict(*where, method="profile").interval
    np.testing.assert_allclose(profile, at.interval, rtol=0.02)
    drawn = fit.predict(*where, method="bootstrap", n=400).interval
    np.testing.assert_allclose(drawn, at.interval, rtol=0.05)


def test_new_runs_fall_into_the_prediction_interval():
    N, D = NC
    clean = offray.laws.chinchilla(NC, *HOFFMANN)
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(100):
        fit = offray.fit(N, D, clean + 0.01 * rng.normal(size=N.size))
        low, high = fit.predict(N, D).prediction_interval.T
        new = clean + 0.01 * rng.normal(size=N.size)
        hits.append((low <= new) & (new <= high))
    assert 0.94 < np.mean(hits) < 0.96


def test_compute_optimal(sweep):
    fit = offray.fit(*sweep, objective="huber", log_loss=True)
    _, A, B, alpha, beta = fit.theta
    C = 5.76e23
    at = fit.compute_optimal(C)
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    np.testing.assert_allclose(at.N, G * (C / 6) ** (beta / (alpha + beta)), rtol=1e-12)
    np.testing.assert_allclose(at.N.value * at.D.value * 6, C, rtol=1e-12)
    np.testing.assert_allclose(at.TPP, at.D.value / at.N.value, rtol=1e-12)
    np.testing.assert_allclose(at.loss, fit.law((at.N.value, at.D.value), *fit.theta), rtol=1e-12)
    np.testing.assert_allclose([at.a, at.b], [beta / (alpha + beta), alpha / (alpha + beta)], rtol=1e-12)
    np.testing.assert_allclose(at.elasticity, alpha * beta / (alpha + beta), rtol=1e-12)
    # theory.md 5: the gradient of ln TPP*.
    s, log = alpha + beta, np.log(C / 6)
    g = [0, -2 / s / A, 2 / s / B]
    g.append(-2 * (1 / (alpha * s) - np.log(G) / s) + 2 * beta * log / s**2)
    g.append(2 * (1 / (beta * s) + np.log(G) / s) - 2 * alpha * log / s**2)
    np.testing.assert_allclose(at.TPP.se / at.TPP.value, np.sqrt(np.array(g) @ fit.cov @ g), rtol=1e-6)
    assert float(at.TPP) == at.TPP.value
    assert "TPP" in str(at)

    many = fit.compute_optimal([1e21, 1e22, 1e23], method="bootstrap", n=100)
    assert many.N.interval.shape == (3, 2)
    profile = fit.compute_optimal(1e21, method="profile").TPP.interval
    np.testing.assert_allclose(np.log(profile), np.log(fit.compute_optimal(1e21).TPP.interval), rtol=0.1)
    # Tokens served in inference make the model smaller, and longer trained: Sardana et al. 2024.
    served = fit.compute_optimal(1e23, inference_tokens=1e12)
    assert served.N.value < fit.compute_optimal(1e23).N.value
    assert served.TPP.value > fit.compute_optimal(1e23).TPP.value
    np.testing.assert_allclose(6 * served.N.value * served.D.value + 2e12 * served.N.value, 1e23, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
@pytest.mark.parametrize("law", ["kaplan", "droppo_elibol"])
def test_compute_optimal_of_other_laws(sweep, law):
    fit = offray.fit(*sweep, law=law)
    at = fit.compute_optimal(1e22)
    around = at.N.value * np.geomspace(0.5, 2, 41)
    losses = fit.law((around, 1e22 / (6 * around)), *fit.theta)
    assert losses.argmin() == 20
    assert at.N.interval[0] < at.N.value < at.N.interval[1]


def test_no_budgets(grid):
    none = offray.fit(*grid).compute_optimal([])
    assert repr(none) == "<ComputeOptimal: no budgets>"
    assert none.N.interval.shape == (0, 2)


def test_bad_input(grid):
    fit = offray.fit(*grid)
    for call, message in [
        (lambda: fit.compute_optimal([1e21, -1]), r"C\[1\] = -1"),
        (lambda: fit.compute_optimal(1e21, c=0), "c must be positive"),
        (lambda: fit.compute_optimal(1e21, inference_tokens=-1), "inference_tokens must be"),
        (lambda: fit.compute_optimal(1e21, method="guess"), "unknown method 'guess'"),
        (lambda: fit.compute_optimal(1e21, level=1), "level must be in"),
        (lambda: fit.predict(1e9, 1e10, method="guess"), "unknown method 'guess'"),
        (lambda: fit.predict(1e9, -1e10), r"D\[0\] = -1"),
        (lambda: fit.conf_int(method="guess"), "unknown method 'guess'"),
        (lambda: fit.conf_int(0.0), "level must be in"),
        (lambda: fit.intervals(methods=["guess"]), "unknown method 'guess'"),
        (lambda: offray.compare(*grid, laws=["guess"]), "unknown law 'guess'"),
        (lambda: offray.compare(*grid, laws=[]), "laws is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.skipif(np.finfo(np.longdouble).eps >= 1e-18, reason="long double is no wider than 64 bits here")
def test_long_double_throughout(grid):
    wide = offray.fit(*grid, dtype=np.longdouble)
    narrow = offray.fit(*grid)
    for method in ("delta", "sandwich", "profile"):
        ends = wide.conf_int(method=method)
        assert ends.dtype == np.longdouble
        np.testing.assert_allclose(ends.astype(float), narrow.conf_int(method=method), rtol=1e-6)
    assert wide.predict(1e9, 2e10).se.dtype == np.longdouble
    assert wide.compute_optimal(1e21).N.value.dtype == np.longdouble
    np.testing.assert_allclose(wide.compute_optimal(1e21).N, narrow.compute_optimal(1e21).N.value, rtol=1e-9)


def test_compare_leaves_groups_out_as_a_loop_would(grid):
    N, D, loss = grid
    group = np.arange(N.size) % 5
    score = offray.compare(N, D, loss, laws=["chinchilla"], group=group).scores[0]
    errors = []
    for g in range(5):
        fit = offray.fit(N[group != g], D[group != g], loss[group != g])
        errors.append(fit.law((N[group == g], D[group == g]), *fit.theta) - loss[group == g])
    np.testing.assert_allclose(score.leave_group_out, np.sqrt((np.concatenate(errors) ** 2).mean()), rtol=1e-12)


def test_profile_ends_at_the_users_bound(grid):
    fit = offray.fit(*grid, bounds={"alpha": (0.335, 0.34)})
    low, high = fit.conf_int(method="profile")[3]
    np.testing.assert_allclose([low, high], [0.335, 0.34], rtol=1e-6)
    assert np.isfinite(fit.conf_int(method="profile")[1]).all()


def test_few_runs_make_no_narrow_bootstrap():
    N, D = (a.ravel()[:5] for a in np.meshgrid(np.geomspace(1e7, 1e9, 3), np.geomspace(1e9, 1e11, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(N, D, offray.laws.chinchilla((N, D), *HOFFMANN) + 0.01 * np.sin(np.arange(5)))
        np.testing.assert_array_equal(fit.conf_int(method="bootstrap", n=50), np.tile([-np.inf, np.inf], (5, 1)))
    six = tuple(a.ravel()[[0, 1, 2, 3, 5, 7]] for a in np.meshgrid(np.geomspace(1e7, 1e9, 3), np.geomspace(1e9, 1e11, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(*six, offray.laws.chinchilla(six, *HOFFMANN) + 0.01 * np.sin(np.arange(6)))
    with pytest.warns(offray.IdentifiabilityWarning, match="replicates have no optimum"):
        fit.conf_int(method="bootstrap", n=100)


def test_few_groups_widen_the_sandwich(grid):
    fit = offray.fit(*grid)
    group = np.arange(grid[0].size) % 5
    se = np.sqrt(np.diagonal(fit.covariance("sandwich", group=group)))
    half = np.log(fit.conf_int(method="sandwich", group=group)[:, 1] / fit.theta) / (se / fit.theta)
    np.testing.assert_allclose(half, 2.7764451051977987, rtol=1e-9)  # t(.975, 4)


def test_elasticity_of_droppo_elibol():
    """The slope of ln(L* - L_inf) far out along the optimum."""
    theta = np.array([1.7, 1e9, 1e11, 0.15, 0.2, 0.35])
    law = offray.laws.droppo_elibol

    def reducible(C):
        N, D = np.exp(law.core.optimal(theta, np.array([C]), 6.0, 0.0)[:2])
        return law((N, D), *theta) - theta[0]

    slope = -np.log(reducible(1e41) / reducible(1e40)) / np.log(10)
    elasticity = np.exp(law.core.optimal(theta, np.array([1e40]), 6.0, 0.0)[6])
    np.testing.assert_allclose(elasticity, slope, rtol=2e-3)


def test_new_runs_about_a_quantile(grid):
    N, D, _ = grid
    N, D = np.tile(N, 8), np.tile(D, 8)
    clean = offray.laws.chinchilla((N, D), *HOFFMANN)
    fit = offray.fit(N, D, clean + 0.01 * np.random.default_rng(0).normal(size=N.size), objective="quantile", quantile=0.9)
    middle = fit.predict(N, D).prediction_interval.mean(axis=1)
    assert abs((middle - clean).mean()) < 0.002
    np.testing.assert_allclose(fit.noise_sd, 0.01, rtol=0.15)
