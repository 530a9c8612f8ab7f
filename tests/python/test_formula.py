# SPDX-License-Identifier: Apache-2.0
"""Laws that a person writes down."""

import copy
import pickle
import warnings

import numpy as np
import offray
import pytest
from truths import DESIGNS, HOFFMANN, TRUTH, simulated

FORMULAS = {
    "chinchilla": ("E + A*N**-alpha + B*D**-beta", ("E", "A", "B", "alpha", "beta")),
    "kaplan": ("((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D", ("N_c", "D_c", "alpha_N", "alpha_D")),
    "kaplan_floor": ("E + ((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D", ("E", "N_c", "D_c", "alpha_N", "alpha_D")),
    "droppo_elibol": (
        "(L_inf**(1/alpha) + (N_C/N)**(alpha_N/alpha) + (D_C/D)**(alpha_D/alpha))**alpha",
        ("L_inf", "N_C", "D_C", "alpha_N", "alpha_D", "alpha"),
    ),
}
"""The laws of the core once more, as a person would type them."""


def typed(name):
    text, parameters = FORMULAS[name]
    return offray.law(text, parameters=parameters)


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("name", FORMULAS)
def test_same_values_and_derivatives_as_the_built_in_law(name, dtype):
    x = tuple(a.astype(dtype) for a in DESIGNS["spread"])
    theta = [dtype(t) for t in TRUTH[name]]
    ours, built_in = typed(name), getattr(offray.laws, name)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(ours(x, *theta), built_in(x, *theta), rtol=20 * eps)
    J, expected = ours.jacobian(x, *theta), built_in.jacobian(x, *theta)
    assert (np.abs(J - expected) <= 400 * eps * np.abs(expected) + 20 * eps * np.abs(expected).max(axis=0)).all()


@pytest.mark.parametrize("name", FORMULAS)
def test_same_fit_as_the_built_in_law(name):
    N, D, loss, _ = simulated(name, "spread")
    start = np.array(TRUTH[name]) * 1.05
    ours, built_in = (offray.fit(N, D, loss, law=law, start=start) for law in (typed(name), name))
    np.testing.assert_allclose(ours.theta, built_in.theta, rtol=1e-8)
    np.testing.assert_allclose(ours.objective_value, built_in.objective_value, rtol=1e-12)


def test_a_power_sum_is_found_to_be_one():
    """The grid search of the built-in law, hence its optimum to the bit, and no slower."""
    N, D, loss, _ = simulated("chinchilla", "spread")
    ours = offray.fit(N, D, loss, law=typed("chinchilla"))
    np.testing.assert_allclose(ours.theta, offray.fit(N, D, loss).theta, rtol=1e-12)
    assert ours.law.roles == offray.laws.chinchilla.roles
    assert len(ours.certificate.basins) >= 1
    assert ours.certificate.interior


def test_outer_exponent_is_recovered_without_a_start():
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e12, 6)))
    law = offray.laws.outer_exponent
    truth = {"E": 1.6, "A": 300.0, "alpha": 0.45, "B": 800.0, "beta": 0.4, "q": 0.8}
    loss = law((N, D), *(truth[name] for name in law.parameters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(N, D, loss, law=law)
    for name, value in truth.items():
        np.testing.assert_allclose(fit.params[name], value, rtol=1e-6)


def test_one_input():
    """L = E + A C^-alpha on eight budgets: recovered without noise; with noise the intervals hold the truth."""
    C = np.geomspace(1e18, 1e22, 8)
    truth = (1.7, 1e3, 0.2)
    law = offray.law("E + A*C**-alpha")
    fit = offray.fit(inputs={"C": C}, loss=law(C, *truth), law=law)
    np.testing.assert_allclose(fit.theta, truth, rtol=1e-6)
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        noisy = offray.fit(inputs={"C": C}, loss=law(C, *truth) + 0.003 * rng.normal(size=8), law=law)
        low, high = noisy.predict(inputs={"C": 1e23}).interval
        inside += low <= law(1e23, *truth) <= high
    assert 180 <= inside <= 199


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_inputs_of_any_name_from_a_table():
    rng = np.random.default_rng(1)
    width, depth = 2.0 ** rng.integers(7, 12, 60), rng.integers(2, 33, 60).astype(float)
    law = offray.law("E + a*width**-p + b*depth**-q", inputs=["width", "depth"])
    truth = (1.8, 30.0, 0.6, 1.2, 0.9)
    table = {"width": width, "layers": depth, "loss": law((width, depth), *truth)}
    fit = offray.fit(table, inputs={"depth": "layers"}, law=law)
    np.testing.assert_allclose(fit.theta, truth, rtol=1e-6)
    assert fit.predict(inputs={"width": 4096, "depth": 40}).value == law((4096, 40), *fit.theta)
    with pytest.raises(ValueError, match="depth: no column 'depth'; the columns are width, layers, loss"):
        offray.fit(table, law=law)


def test_a_rising_metric():
    """Accuracy as a sigmoid of the loss, whose slope is negative."""
    x = np.linspace(2.0, 4.0, 25)
    law = offray.laws.logistic
    truth = {"low": 0.25, "high": 0.9, "slope": -4.0, "middle": 2.9}
    metric = law(x, *(truth[name] for name in law.parameters))
    fit = offray.fit(inputs={"x": x}, loss=metric, law=law)
    np.testing.assert_allclose(fit.objective_value, 0, atol=1e-12)
    np.testing.assert_allclose(law(x, *fit.theta), metric, rtol=1e-6)


def test_a_function():
    def sum_of_powers(N, D, E, A, B, alpha, beta):
        return E + A / N**alpha + B * np.exp(-beta * np.log(D))

    law = offray.law(sum_of_powers)
    assert law.parameters == ("E", "A", "B", "alpha", "beta")
    x = DESIGNS["spread"]
    np.testing.assert_allclose(law(x, *HOFFMANN), offray.laws.chinchilla(x, *HOFFMANN), rtol=1e-14)
    assert law.roles == offray.laws.chinchilla.roles


def test_a_function_of_one_column():
    law = offray.law(lambda steps, E, A, tau: E + A * np.exp(-steps / tau), inputs="steps", name="decay")
    steps = np.linspace(0.0, 10.0, 20)
    fit = offray.fit(inputs={"steps": steps[1:]}, loss=law(steps[1:], 2.0, 1.5, 3.0), law=law)
    np.testing.assert_allclose(fit.theta, (2.0, 1.5, 3.0), rtol=1e-6)


def test_every_operation_against_differences():
    law = offray.law(
        "a*exp(b*x) + sqrt(c + x**2) + log1p(d*x)*tanh(e*x) + where(x < 2, a*x, 2*a) + logistic(b*x)"
        " + minimum(c, d*x) + maximum(e, x/c) + expm1(-b*x)/(1 + x) + abs(x - e) + (x - a)**3"
    )
    x = np.linspace(0.3, 4.1, 23)
    theta = np.array([0.7, 0.4, 1.9, 0.8, 1.3])[: len(law.parameters)]
    J = law.jacobian(x, *theta)
    for j in range(len(theta)):
        step = 1e-6 * np.eye(len(theta))[j]
        central = (law(x, *(theta + step)) - law(x, *(theta - step))) / 2e-6
        np.testing.assert_allclose(J[:, j], central, rtol=1e-6, atol=1e-8)


def test_values_are_those_of_numpy():
    x = np.linspace(0.2, 3.0, 11)
    law = offray.law("p*log(x) + x**q - 3*x/(p + 1e-1) + ln(x)**2")
    p, q = 1.2, 0.7
    expected = p * np.log(x) + x**q - 3 * x / (p + 0.1) + np.log(x) ** 2
    np.testing.assert_allclose(law(x, p, q), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('true')", "calls"),
        ("E.__class__ + N", "formula has"),
        ("(" * 9_000 + "N" + ")" * 9_000, "nested parentheses"),
        ("(" * 10_000 + "N" + ")" * 10_000, "characters"),
        ("E + " + "-" * 5000 + "N", "nested"),
        ("N + " * 250_000 + "E", "characters"),
        ("E + 1e999*N", "not finite"),
        ("E + [1, 2][0]*N", "formula has"),
        ("E + (lambda: 1)()*N", "formula"),
        ("E + A*N**-alpha +", "cannot be read"),
        ("E if N < 3 else A", "formula has"),
        ("E + foo(N)", "calls 'foo'"),
        ("E + exp(N, 2)", "exp takes 1 argument"),
        ("E + A", "reads no input"),
        ("2*N", "1 to 10 parameters; the formula has 0"),
        ("N*(" + " + ".join(f"p{k}" for k in range(60)) + ")", "1 to 10 parameters; the formula has 60"),
        ("E + 'A'*N", "where a number should be"),
        ("E + A*N**-alpha; import os", "cannot be read"),
        ("", "cannot be read"),
        ("E - E + N", "does not depend on"),
    ],
    ids=lambda text: text[:20],
)
def test_hostile_formulas_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        offray.law(text)


def test_bad_laws_are_refused():
    def branches(x, a, b):
        return a * x if a > 1 else b * x

    assert not offray.law(branches).traced
    assert offray.law(lambda x, a, b: a * x + b).traced
    with pytest.raises(ValueError, match="one by one"):
        offray.law(lambda x, *theta: x)
    with pytest.raises(ValueError, match="inputs: the formula does not read width"):
        offray.law("E + A*N**-alpha", inputs="width")
    with pytest.raises(ValueError, match="parameters are E, A, but the formula has E, A, alpha"):
        offray.law("E + A*N**-alpha", parameters=["E", "A"])
    with pytest.raises(ValueError, match="real: unknown parameter gamma"):
        offray.law("E + A*N**-alpha", real="gamma")


@pytest.mark.parametrize("name", offray.laws.NAMES)
def test_a_known_law_by_its_name(name):
    assert offray.law(name) is getattr(offray.laws, name)
    for options in ({"real": "all"}, {"inputs": "x"}, {"parameters": ()}, {"name": "mine"}, {"jac": np.ones}):
        with pytest.raises(TypeError, match=f"{name} is a known law; inputs, parameters, real, bounds, name and jac"):
            offray.law(name, **options)


def test_a_name_alone_is_no_formula():
    for options in ({}, {"inputs": "E"}, {"parameters": ["E"]}):
        with pytest.raises(ValueError, match=r"unknown law 'E'; known laws: .*chinchilla.*power"):
            offray.law("E", **options)


def test_bad_data_is_named():
    law = offray.law("E + A*C**-alpha")
    with pytest.raises(ValueError, match=r"C\[2\] = -1.0: every value must be positive and finite"):
        offray.fit(inputs={"C": [1.0, 2, -1, 4]}, loss=[3.0, 2, 2, 1], law=law)
    with pytest.raises(ValueError, match="C has 2 values, but loss has 3"):
        offray.fit(inputs={"C": [1.0, 2]}, loss=[3.0, 2, 2], law=law)
    with pytest.raises(TypeError, match="fit needs inputs"):
        offray.fit(loss=[3.0, 2, 2], law=law)
    with pytest.raises(ValueError, match="does not read U"):
        offray.fit(inputs={"C": [1.0, 2, 3], "U": [1, 2, 3]}, loss=[3.0, 2, 2], law=law)
    fit = offray.fit(inputs={"C": np.geomspace(1, 100, 6)}, loss=law(np.geomspace(1, 100, 6), 1, 2, 0.5), law=law)
    with pytest.raises(ValueError, match="is about N and D; the law"):
        fit.compute_optimal(1e21)
    with pytest.raises(ValueError, match="reads inputs with C"):
        fit.predict(1e9, 1e10)
    with pytest.raises(ValueError, match=r"inputs: the law .* reads C"):
        offray.fit_many([1e7], [1e9], [[3.0]], law=law)
    with pytest.raises(ValueError, match=r"unknown law 'chinchila'; known laws: chinchilla, .*power.*or a formula"):
        offray.fit([1e7] * 6, [1e9] * 6, [3.0] * 6, law="chinchila")


def test_a_formula_serves_as_a_law_everywhere():
    N, D, loss, _ = simulated("kaplan_floor", "spread")
    law = typed("kaplan_floor")
    fit, built_in = offray.fit(N, D, loss, law=law), offray.fit(N, D, loss, law="kaplan_floor")
    np.testing.assert_allclose(fit.objective_value, built_in.objective_value, rtol=1e-9)
    assert fit.identifiability.findings == built_in.identifiability.findings
    np.testing.assert_allclose(fit.compute_optimal(1e21).N.value, built_in.compute_optimal(1e21).N.value, rtol=1e-5)
    np.testing.assert_allclose(fit.se, built_in.se, rtol=1e-4)
    few = fit.bootstrap(20, seed=1)
    assert few.theta.shape == (20, 5)
    again = pickle.loads(pickle.dumps(law))
    assert again.parameters == law.parameters
    np.testing.assert_array_equal(again((N, D), *fit.theta), law((N, D), *fit.theta))
    assert copy.deepcopy(fit).params == fit.params
    assert "E + ((N_c/N)" in str(fit)
    many = offray.fit_many(N, D, np.stack([loss, loss]), law=law)
    np.testing.assert_allclose(many.theta[0], fit.theta, rtol=1e-6)


def test_parameters_of_either_sign():
    law = offray.law("a + b*x", real=["a", "b"])
    x = np.linspace(1.0, 5.0, 12)
    fit = offray.fit(inputs={"x": x}, loss=10 - 1.5 * x, law=law)
    np.testing.assert_allclose(fit.theta, (10, -1.5), rtol=1e-10)
    with pytest.warns(offray.IdentifiabilityWarning, match="b = -1 sits at its bound"):
        bounded = offray.fit(inputs={"x": x}, loss=10 - 1.5 * x, law=law, bounds={"b": (-1.0, 2.0)})
    assert bounded.params["b"] == -1.0
    with pytest.warns(offray.IdentifiabilityWarning, match="b = -2, which they reject .*Leave free what is fixed") as said:
        held = offray.fit(inputs={"x": x}, loss=10 - 1.5 * x, law=law, fixed={"b": -2.0})
    assert "outer power" not in str(said[0].message)
    np.testing.assert_allclose(held.params["a"], 10 + 0.5 * x.mean(), rtol=1e-10)


def test_compute_optimal_of_known_parameters():
    """By hand: N* = G (C/6)^(beta / (alpha + beta)) with G = (alpha A / (beta B))^(1 / (alpha + beta))."""
    E, A, B, alpha, beta = HOFFMANN
    C = np.array([1e21, 5.76e23])
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    names = ("E", "A", "B", "alpha", "beta")
    for law, theta in (("chinchilla", HOFFMANN), (typed("chinchilla"), dict(zip(names, HOFFMANN, strict=True)))):
        point = offray.compute_optimal(law, theta, C)
        np.testing.assert_allclose(point.N, N, rtol=1e-10)
        np.testing.assert_allclose(point.D, C / 6 / N, rtol=1e-10)
        np.testing.assert_allclose(point.loss, offray.laws.chinchilla((point.N, point.D), *HOFFMANN), rtol=1e-12)
    outer = offray.compute_optimal("outer_exponent", (E, A, alpha, B, beta, 1.0), C)
    np.testing.assert_allclose(outer.N, N, rtol=1e-5)
    with pytest.raises(ValueError, match=r"inference_tokens must be finite and not negative; got -0\.5"):
        offray.compute_optimal("chinchilla", HOFFMANN, 1e21, inference_tokens=-0.5)
    for arguments, message in (
        (("chinchilla", HOFFMANN[:4], 1e21), "theta must have 5 values"),
        (("chinchilla", {"E": 1}, 1e21), "theta must give E, A, B, alpha, beta; got E"),
        (("chinchilla", (*HOFFMANN[:4], -1), 1e21), "beta = -1.0 must be positive"),
        (("chinchilla", HOFFMANN, -1), "C: every value must be positive"),
        (("power", (1, 2, 0.5), 1e21), "is about N and D"),
    ):
        with pytest.raises(ValueError, match=message):
            offray.compute_optimal(*arguments)


def test_formulas_are_compared_and_profiled():
    N, D, loss, _ = simulated("chinchilla", "spread")
    power = "E + (A*N**-alpha + B*D**-beta)**q"
    both = offray.compare(N, D, loss, laws=["chinchilla", power])
    assert {score.law.name for score in both.scores} == {"chinchilla", power}
    assert both[power].rss <= both["chinchilla"].rss * (1 + 1e-9)
    typed_fit, built_in = (offray.fit(N, D, loss, law=law) for law in (typed("chinchilla"), "chinchilla"))
    places = [3e8, 1e9], [2e10, 1e10]
    ours, theirs = (fit.predict(*places, method="profile") for fit in (typed_fit, built_in))
    np.testing.assert_allclose(ours.statistical, theirs.statistical, rtol=1e-6)
    width = np.array([100.0, 200, 400, 800, 1600, 3200])
    of_one = offray.fit(inputs={"x": width}, loss=2 + 30 * width**-0.7 + 0.001 * np.sin(np.arange(6)), law="power")
    low, high = of_one.predict(inputs={"x": 6400.0}, method="profile").statistical
    assert low < of_one.predict(inputs={"x": 6400.0}).value < high
    line = offray.fit(inputs={"x": width}, loss=3000 - 0.9 * width, law=offray.law("a + b*x", real=["a", "b"]))
    with pytest.raises(ValueError, match="positive losses"):
        line.predict(inputs={"x": 1e5}, method="profile")


def test_many_fits_of_a_formula():
    """Each as a fit of its own, for shared and for own inputs."""
    rng = np.random.default_rng(4)
    x = np.exp(rng.uniform(2, 9, (5, 20)))
    loss = 1.5 + 20 * x**-0.5 + 0.01 * rng.normal(size=(5, 20))
    many = offray.fit_many(inputs={"x": x}, loss=loss, law="power")
    each = [offray.fit(inputs={"x": a}, loss=b, law="power").theta for a, b in zip(x, loss, strict=True)]
    np.testing.assert_array_equal(many.theta, each)
    shared = offray.fit_many(inputs={"x": x[0]}, loss=loss[:1] + np.zeros((3, 1)), law="power")
    np.testing.assert_array_equal(shared.theta, np.tile(each[0], (3, 1)))
    N, D, losses, _ = simulated("chinchilla", "spread")
    np.testing.assert_array_equal(
        offray.fit_many(N, D, losses[None], law=typed("chinchilla")).theta[0],
        offray.fit(N, D, losses, law=typed("chinchilla")).theta,
    )
    tilted = offray.fit_many(inputs={"x": x - x.mean()}, loss=3 + 1e-4 * x, law=offray.law("a + b*x", real=["a", "b", "x"]))
    assert tilted.converged.all()
    bad = x.copy()
    bad[1, 3] = -1
    with pytest.raises(ValueError, match=r"x\[1, 3\] = -1"):
        offray.fit_many(inputs={"x": bad}, loss=loss, law="power")
    with pytest.raises(ValueError, match="inputs: the law power reads x; got w"):
        offray.fit_many(inputs={"w": x}, loss=loss, law="power")
    with pytest.raises(TypeError, match="fit_many needs D"):
        offray.fit_many(x, None, loss)


def test_plans_take_a_formula_as_text():
    """The same figures as the built-in law of that formula; what a formula lacks is named."""
    text, order = "E + A*N**-alpha + B*D**-beta", ("E", "A", "alpha", "B", "beta")
    theta = dict(zip(("E", "A", "B", "alpha", "beta"), HOFFMANN, strict=True))
    N, D = DESIGNS["spread"]
    checked, ours = offray.check(N, D, law=text, theta=theta), offray.check(N, D, theta=theta)
    assert checked.law.parameters == order
    for name, figures in ours.figures.items():
        assert checked.figures[name].kappa_eq == pytest.approx(figures.kappa_eq, rel=1e-10)
        assert checked.figures[name].sd == pytest.approx(figures.sd, rel=1e-8)
    region = {"N": (1e7, 1e9), "D": (1e9, 1e11)}
    plans = [offray.suggest(budget=1e22, region=region, max_runs=10, law=law, theta=theta) for law in (text, "chinchilla")]
    np.testing.assert_array_equal(plans[0].N, plans[1].N)
    loss = offray.laws.chinchilla((N, D), *HOFFMANN)
    with pytest.raises(ValueError, match="isoflop is about N and D; the law E"):
        offray.isoflop(N, D, loss, law="E + A*x**-alpha")
    # No exponent of its own for D: no figures of rays, but all others.
    outer = offray.check(N, D, law="outer_exponent", theta=[1.7, 400, 0.34, 400, 0.28, 1.1])
    assert "V_K" not in str(outer)
    assert np.isfinite(list(outer.figures["theta 1"].sd.values())).all()
    ray = offray.check(
        ratios=[20], sizes=np.geomspace(1e7, 1e9, 9), law="outer_exponent", theta=[1.7, 400, 0.34, 400, 0.28, 1.1]
    )
    assert not ray.passes


def test_standard_errors_of_parameters_of_either_sign():
    """A note gives the standard error of the table, whatever the sign and the size of the estimate."""
    x = np.linspace(18, 24, 24)
    metric = offray.laws.logistic(x, -0.01, 0.6, 1.1, 20.5) + 0.01 * np.random.default_rng(4).normal(size=24)
    fit = offray.fit(inputs={"x": x}, loss=metric - metric.min() + 1e-3, law=offray.laws.logistic)
    low = fit.params["low"]
    assert low < 0
    assert f"low = {low:.3g} +- {fit.se[0]:.2g}: the 95 % interval" in " ".join(fit.identifiability.notes)
