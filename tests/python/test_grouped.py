# SPDX-License-Identifier: Apache-2.0
"""One law on several curves with shared parameters."""

import time

import numpy as np
import offray
import pytest
from scipy import optimize

FLOORS = {"web": 1.7, "code": 0.9, "books": 2.1, "maths": 1.2, "wiki": 1.5}
ALPHA = 0.21


def curves(sigma=0.0, seed=0, each=9):
    """E + A C^-alpha on five corpora with one exponent."""
    rng = np.random.default_rng(seed)
    corpus = np.repeat(list(FLOORS), each)
    C = np.tile(np.geomspace(1e18, 1e22, each), len(FLOORS))
    E = np.array([FLOORS[name] for name in corpus])
    A = 800 * E
    loss = E + A * C**-ALPHA + sigma * rng.normal(size=len(C))
    order = rng.permutation(len(C))
    return {"corpus": corpus[order], "C": C[order], "loss": loss[order]}


LAW = offray.law("E + A*C**-alpha")


def test_recovered_without_noise():
    fit = offray.fit(curves(), law=LAW, by="corpus", shared="alpha")
    assert fit.converged
    assert set(fit.groups) == set(FLOORS)
    for name, E in FLOORS.items():
        np.testing.assert_allclose(list(fit.params[name].values()), (E, 800 * E, ALPHA), rtol=1e-6)


def test_same_optimum_and_errors_as_one_large_problem():
    """Against scipy on all eleven parameters at once, with the dense Jacobian."""
    data = curves(sigma=0.003)
    fit = offray.fit(data, law=LAW, by="corpus", shared=["alpha"])
    names = list(fit.groups)
    of = np.array([names.index(name) for name in data["corpus"]])

    def residual(phi):
        E, lnA = phi[1::2][of], phi[2::2][of]
        return E + np.exp(lnA - phi[0] * np.log(data["C"])) - data["loss"]

    start = np.concatenate([[ALPHA], *([E, np.log(800 * E)] for E in (FLOORS[name] for name in names))])
    found = optimize.least_squares(residual, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac")
    assert fit.objective_value <= found.cost * (1 + 1e-9)
    np.testing.assert_allclose(fit.params["web"]["alpha"], found.x[0], rtol=1e-5)
    assert fit.degrees_of_freedom == 45 - 11
    cov = np.linalg.inv(found.jac.T @ found.jac) * 2 * found.cost / 34
    np.testing.assert_allclose(fit.se["web"]["alpha"], np.sqrt(cov[0, 0]), rtol=1e-3)
    k = names.index("code")
    np.testing.assert_allclose(fit.se["code"]["E"], np.sqrt(cov[1 + 2 * k, 1 + 2 * k]), rtol=1e-3)
    # The prediction's error by hand: of E + A C^-alpha in (alpha, E_code, ln A_code).
    alpha, E, A = (fit.params["code"][name] for name in ("alpha", "E", "A"))
    term = A * 1e23**-alpha
    at = [0, 1 + 2 * k, 2 + 2 * k]
    slope = np.array([-term * np.log(1e23), 1, term])
    value, se = fit.predict("code", inputs={"C": 1e23})
    np.testing.assert_allclose(value, E + term, rtol=1e-12)
    np.testing.assert_allclose(se, np.sqrt(slope @ cov[np.ix_(at, at)] @ slope), rtol=1e-3)
    assert "(shared)" in str(fit)


def test_intervals_cover():
    inside = 0
    for seed in range(100):
        fit = offray.fit(curves(sigma=0.005, seed=seed), law=LAW, by="corpus", shared="alpha")
        low, high = fit.conf_int()["web"]["alpha"]
        inside += low <= ALPHA <= high
    assert 87 <= inside <= 100


def test_sharing_narrows_the_interval():
    data = curves(sigma=0.005, seed=4)
    fit = offray.fit(data, law=LAW, by="corpus", shared="alpha")
    rows = data["corpus"] == "web"
    alone = offray.fit(inputs={"C": data["C"][rows]}, loss=data["loss"][rows], law=LAW)
    assert fit.se["web"]["alpha"] < 0.6 * alone.se[2]


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_built_in_law_weights_and_log_loss():
    rng = np.random.default_rng(2)
    N, D = 10 ** rng.uniform(7, 9.5, 60), 10 ** rng.uniform(9, 11.5, 60)
    by = np.repeat(["a", "b"], 30)
    E = np.where(by == "a", 1.6, 2.2)
    loss = E + 406.4 * N**-0.34 + 410.7 * D**-0.28
    loss = loss * np.exp(0.002 * rng.normal(size=60))
    weight = rng.uniform(0.5, 2, 60)
    fit = offray.fit(N, D, loss, by=by, shared=("alpha", "beta"), weight=weight, log_loss=True)
    assert fit.converged
    np.testing.assert_allclose([fit.params["a"]["E"], fit.params["b"]["E"]], [1.6, 2.2], rtol=0.1)
    value, se = fit.predict("b", N[:3], D[:3])
    assert value.shape == se.shape == (3,)
    # With everything but beta in common it is fitted worse, and better than by one law for both.
    nearly = offray.fit(N, D, loss, by=by, shared=("E", "A", "B", "alpha"), weight=weight, log_loss=True)
    one = offray.fit(N, D, loss, weight=weight, log_loss=True)
    assert fit.objective_value < nearly.objective_value < one.objective_value


def test_cost_is_linear_in_the_number_of_groups():
    def seconds(groups):
        C = np.tile(np.geomspace(1e18, 1e22, 8), groups)
        by = np.repeat(np.arange(groups), 8)
        loss = 1.5 + by / groups + 1e3 * C**-0.2 + 0.003 * np.random.default_rng(1).normal(size=len(C))
        begun = time.process_time()
        offray.fit(inputs={"C": C}, loss=loss, by=by, shared="alpha", law=LAW)
        return time.process_time() - begun

    seconds(5)
    assert seconds(80) < 10 * seconds(20)


def with_outliers(seed=3):
    data = curves(sigma=0.003, seed=seed)
    data["loss"][[4, 17, 33]] += (0.4, 0.2, 0.3)
    return data


def joint(data, names):
    """Residuals of one large problem: alpha, then E and ln A of each group."""
    of = np.array([names.index(name) for name in data["corpus"]])
    return lambda phi: phi[1::2][of] + np.exp(phi[2::2][of] - phi[0] * np.log(data["C"])) - data["loss"]


@pytest.mark.parametrize("objective", ["huber", "soft_l1", "cauchy"])
def test_robust_objectives_against_one_large_problem(objective):
    data, delta = with_outliers(), 0.006
    fit = offray.fit(data, law=LAW, by="corpus", shared="alpha", objective=objective, delta=delta)
    assert fit.converged
    names = list(fit.groups)
    start = np.concatenate([[ALPHA], *([FLOORS[name], np.log(800 * FLOORS[name])] for name in names)])
    scipys = {"huber": "huber", "soft_l1": "soft_l1", "cauchy": "cauchy"}[objective]
    found = optimize.least_squares(
        joint(data, names), start, loss=scipys, f_scale=delta, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac", max_nfev=5000
    )
    assert fit.objective_value <= found.cost * (1 + 1e-9)
    np.testing.assert_allclose(fit.params["web"]["alpha"], found.x[0], rtol=1e-4)
    # The outliers do not move it, as they do by squares.
    assert abs(fit.params["web"]["alpha"] - ALPHA) < 4 * fit.se["web"]["alpha"]
    assert abs(fit.params["code"]["E"] - FLOORS["code"]) < 4 * fit.se["code"]["E"]
    squares = offray.fit(data, law=LAW, by="corpus", shared="alpha")
    assert fit.se["web"]["alpha"] < 0.2 * squares.se["web"]["alpha"]
    assert fit.noise_sd == pytest.approx(0.003, rel=0.35)
    assert f"{objective} (delta 0.006) on loss" in str(fit)
    again = offray.GroupedFit.from_json(fit.to_json())
    assert (again.objective, again.delta, again.noise_sd) == (objective, delta, fit.noise_sd)


def test_a_bend_beyond_all_residuals_is_squares():
    data = curves(sigma=0.003)
    squares = offray.fit(data, law=LAW, by="corpus", shared="alpha")
    huber = offray.fit(data, law=LAW, by="corpus", shared="alpha", objective="huber", delta=1.0)
    for name in FLOORS:
        np.testing.assert_allclose(list(huber.params[name].values()), list(squares.params[name].values()), rtol=1e-8)
        np.testing.assert_allclose(list(huber.se[name].values()), list(squares.se[name].values()), rtol=1e-6)


def test_the_scale_of_all_groups_together():
    """delta="mad": 1.345 x 1.4826 median |r| about the fit of least absolute deviations, here soft_l1 of a tiny scale."""
    data = with_outliers()
    fit = offray.fit(data, law=LAW, by="corpus", shared="alpha", objective="huber", delta="mad")
    names = list(fit.groups)
    start = np.concatenate([[ALPHA], *([FLOORS[name], np.log(800 * FLOORS[name])] for name in names)])
    lad = optimize.least_squares(joint(data, names), start, loss="soft_l1", f_scale=1e-5, x_scale="jac", max_nfev=5000)
    assert fit.delta == pytest.approx(1.345 * 1.4826 * np.median(np.abs(lad.fun)), rel=0.1)
    assert abs(fit.params["web"]["alpha"] - ALPHA) < 4 * fit.se["web"]["alpha"]
    table = offray.fit(data, law=LAW, by="corpus", shared="alpha", objective="huber", delta=fit.delta)
    assert table.objective_value == pytest.approx(fit.objective_value, rel=1e-12)


def test_robust_intervals_cover():
    """Student's t noise of three degrees of freedom, Huber's objective of a scale from the data."""
    hits, trials = 0, 60
    clean = curves()
    for seed in range(trials):
        noise = 0.002 * np.random.default_rng(seed).standard_t(3, len(clean["loss"]))
        data = {**clean, "loss": clean["loss"] + noise}
        fit = offray.fit(data, law=LAW, by="corpus", shared="alpha", objective="huber", delta="mad")
        low, high = fit.conf_int()["web"]["alpha"]
        hits += low <= ALPHA <= high
    assert hits >= 0.87 * trials  # at .95, fewer in one case of 300


def test_parameters_at_their_bounds():
    """A shared exponent at its bound: the groups are fitted there, each in what is left."""
    data = curves(sigma=0.003)
    held = offray.fit(data, law=LAW, by="corpus", shared="alpha", bounds={"alpha": (0.25, 0.5)})
    assert held.status == "converged"
    assert held.params["web"]["alpha"] == pytest.approx(0.25, rel=1e-9)
    fixed = [
        offray.fit({name: column[data["corpus"] == corpus] for name, column in data.items()}, law=LAW, fixed={"alpha": 0.25})
        for corpus in held.groups
    ]
    assert held.objective_value == pytest.approx(sum(float(fit.objective_value) for fit in fixed), rel=1e-9)


def test_a_start_is_that_of_every_group():
    data = curves(sigma=0.003)
    fit = offray.fit(data, law=LAW, by="corpus", shared="alpha")
    near = offray.fit(data, law=LAW, by="corpus", shared="alpha", start={"E": 1.5, "A": 1200.0, "alpha": 0.21})
    assert near.converged
    np.testing.assert_allclose(near.params["web"]["alpha"], fit.params["web"]["alpha"], rtol=1e-7)


def test_bad_groups_are_named():
    data = curves()
    for options, error, message in (
        ({"by": "corpus", "shared": "gamma"}, ValueError, "shared: unknown parameter 'gamma'; .* has E, A, alpha"),
        ({"by": "corpora", "shared": "alpha"}, ValueError, "by: no column 'corpora'; the columns are corpus, C, loss"),
        ({"by": "corpus"}, TypeError, "by= and shared= go together"),
        ({"by": ["a"] * 44, "shared": "alpha"}, ValueError, "group has 44 labels, but there are 45 runs"),
        ({"by": ["a"] * 45, "shared": "alpha"}, ValueError, "all runs are labelled 'a'"),
        ({"by": "corpus", "shared": ("E", "A", "alpha")}, ValueError, "leave at least one to each group"),
        (
            {"by": "corpus", "shared": "alpha", "objective": "absolute"},
            ValueError,
            "groups are fitted by one of squares, huber",
        ),
        ({"by": ["a"] * 44 + ["b"], "shared": "alpha"}, ValueError, "group 'b' has 1 runs for 2 parameters"),
        ({"by": "corpus", "shared": "alpha", "start": (1, 1)}, ValueError, "start must give E, A, alpha"),
        ({"by": "corpus", "shared": "alpha", "dtype": np.longdouble}, ValueError, "dtype: groups are fitted in float64"),
        ({"by": "corpus", "shared": "alpha", "fixed": {"alpha": 0.2}}, ValueError, "alpha is fixed or tied already"),
    ):
        with pytest.raises(error, match=message):
            offray.fit(data, law=LAW, **options)
    fit = offray.fit(data, law=LAW, by="corpus", shared="alpha")
    with pytest.raises(ValueError, match="'news' is none of"):
        fit.predict("news", inputs={"C": 1e20})
    with pytest.raises(TypeError, match="predict needs C"):
        fit.predict("web")
