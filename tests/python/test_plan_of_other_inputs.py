# SPDX-License-Identifier: Apache-2.0
"""Plans of runs whose law reads other inputs than N and D: compute, width and depth, a loss."""

import numpy as np
import offray
import pytest
from helpers import run_cli
from offray import _core

POWER = offray.law("E + A*C**-alpha")
OF_POWER = {"E": 1.7, "A": 1000.0, "alpha": 0.2}
SHAPE = offray.law("E + A*width**-a + B*depth**-b", inputs=("width", "depth"))
OF_SHAPE = {"E": 1.5, "A": 20.0, "a": 0.4, "B": 3.0, "b": 0.7}
REGION = {"width": (64, 2048), "depth": (2, 64)}
LARGE = {"width": 4096, "depth": 64}
WIDTH, DEPTH = (a.ravel() for a in np.meshgrid(np.geomspace(64, 2048, 4), np.geomspace(2, 64, 4)))


def spread(law, theta, columns, sigma, at):
    """The standard deviation of the loss at a place, and of ln theta, from the singular values of J."""
    values = np.array([theta[name] for name in law.parameters])
    J, g = law.jacobian(columns, *values) * values, (law.jacobian(at, *values) * values)[0]
    _, singular, V = np.linalg.svd(J, full_matrices=False)
    factor = V.T / singular * sigma
    return float(np.linalg.norm(g @ factor)), np.linalg.norm(factor, axis=1)


def test_check_tells_what_a_jacobian_does():
    C = np.geomspace(1e18, 1e21, 7)
    at = offray.check(inputs={"C": C}, law=POWER, theta=OF_POWER, target={"C": 1e23}, sigma=0.004)
    loss, each = spread(POWER, OF_POWER, {"C": C}, 0.004, {"C": np.array([1e23])})
    sd = at.figures["theta 1"].sd
    assert sd["loss@target"] == pytest.approx(loss, rel=1e-9)
    np.testing.assert_allclose([sd["ln E"], sd["ln A"], sd["ln alpha"]], each, rtol=1e-9)
    assert "ln TPP*" not in sd
    assert at.passes
    assert "tell the parameters apart" in str(at)
    assert "ratios" not in str(at)

    shape = offray.check(inputs={"width": WIDTH, "depth": DEPTH}, law=SHAPE, theta=OF_SHAPE, target=LARGE)
    place = {name: np.array([float(x)]) for name, x in LARGE.items()}
    loss, each = spread(SHAPE, OF_SHAPE, {"width": WIDTH, "depth": DEPTH}, 0.01, place)
    assert shape.figures["theta 1"].sd["loss@target"] == pytest.approx(loss, rel=1e-9)
    # The same as a table, and with the target as a pair.
    table = [{"width": w, "depth": d} for w, d in zip(WIDTH, DEPTH, strict=True)]
    again = offray.check(table, law=SHAPE, theta=OF_SHAPE, target=(4096, 64))
    assert again.figures["theta 1"].sd == shape.figures["theta 1"].sd
    assert offray.DesignCheck.from_json(shape.to_json()).inputs["width"].tolist() == WIDTH.tolist()


def test_inputs_that_go_together_are_named():
    width = np.geomspace(64, 2048, 8)
    at = offray.check(inputs={"width": width, "depth": width / 32}, law=SHAPE, theta=OF_SHAPE, target=LARGE)
    assert not at.passes
    assert at.confined_to == ("width / depth = 32",)
    assert "width / depth = 32 in all of them" in at.verdict
    few = offray.check(inputs={"width": WIDTH[:4], "depth": DEPTH[:4]}, law=SHAPE, theta=OF_SHAPE, target=LARGE)
    assert "4 different width and depth are too few for the 5 parameters" in few.verdict


def test_a_parameter_of_either_sign():
    """A falling metric of a loss: its standard deviation is that of the slope, not of a logarithm."""
    theta = {"low": 0.25, "high": 0.9, "slope": -3.0, "middle": 2.8}
    x = np.linspace(2, 4, 9)
    at = offray.check(inputs={"x": x}, law="logistic", theta=theta, target=2.1)
    assert [name for name in at.figures["theta 1"].sd if not name.startswith("ln ")] == [
        "low",
        "slope",
        "middle",
        "loss@target",
    ]
    clean = offray.laws.logistic(x, *theta.values())
    noise = np.random.default_rng(3).normal(size=(400, len(x))) * 0.01
    fits = offray.fit_many(inputs={"x": np.tile(x, (400, 1))}, loss=clean + noise, law="logistic")
    slopes = np.abs(fits.theta[:, list(offray.laws.logistic.parameters).index("slope")])  # with its ends exchanged it rises
    assert at.figures["theta 1"].sd["slope"] == pytest.approx(np.std(slopes), rel=0.15)


def test_suggest_beats_an_even_grid():
    plan = offray.suggest(budget=1e21, region={"C": (1e17, 3e20)}, max_runs=10, law=POWER, theta=OF_POWER, target=1e23)
    assert plan.spent <= plan.budget
    assert plan.unit == "FLOP"  # C is what a run costs
    assert plan.sd["suggested"]["loss@target"] < 0.8 * plan.sd["even grid"]["loss@target"]
    shape = offray.suggest(
        budget=1e9,
        region=REGION,
        max_runs=12,
        law=SHAPE,
        theta=OF_SHAPE,
        target=LARGE,
        cost="width**2*depth",
        replicates=2,
        lack_of_fit=1,
    )
    assert shape.spent <= 1e9
    assert shape.sd["suggested"]["loss@target"] < shape.sd["even grid"]["loss@target"]
    assert [*shape.runs[0]] == ["width", "depth", "cost", "repeats", "share"]
    assert shape.repeats.sum() <= 12
    # Its own verdict is that of its runs.
    runs = {name: np.repeat(a, shape.repeats) for name, a in shape.inputs.items()}
    assert (
        shape.check().figures["theta 1"].sd
        == offray.check(inputs=runs, law=SHAPE, theta=OF_SHAPE, target=LARGE).figures["theta 1"].sd
    )
    assert offray.Suggestion.from_json(shape.to_json()).inputs.keys() == {"width", "depth"}


def test_the_next_runs_of_a_fit():
    rng = np.random.default_rng(1)
    loss = SHAPE({"width": WIDTH, "depth": DEPTH}, *OF_SHAPE.values()) + 0.005 * rng.normal(size=WIDTH.size)
    fit = offray.fit(inputs={"width": WIDTH, "depth": DEPTH}, loss=loss, law=SHAPE)
    plan = offray.suggest(fit=fit, budget=2e9, region=REGION, max_runs=6, target=LARGE, cost=lambda w, d: w**2 * d)
    assert plan.sd["suggested"]["loss@target"] < plan.sd["before"]["loss@target"]
    assert len(plan.existing[0]) == 16


def test_plans_whose_candidates_cost_alike():
    """Two cheap runs go for a dear one where the budget is full: near the best of what random lists reach."""
    theta = {"low": 0.25, "high": 0.9, "slope": -3.0, "middle": 2.8}
    plan = offray.suggest(budget=20, region={"x": (2, 4)}, max_runs=12, law="logistic", theta=theta, target=2.1, cost="5 - x")
    rng = np.random.default_rng(0)
    x = np.linspace(2, 4, 20)
    best = np.inf
    for _ in range(1500):
        runs = x[np.sort(rng.integers(0, 20, rng.integers(5, 10)))]
        if (5 - runs).sum() <= 20 and len(set(runs)) > 4:
            at = offray.check(inputs={"x": runs}, law="logistic", theta=theta, target=2.1)
            best = min(best, at.figures["theta 1"].sd["loss@target"])
    assert plan.sd["suggested"]["loss@target"] < 1.05 * best


def test_many_candidates():
    """Tens of thousands of them: time and memory grow with their number, not with its square."""
    C = np.geomspace(1e17, 3e20, 50_000)
    plan = offray.suggest(budget=1e21, candidates={"C": C}, max_runs=10, law=POWER, theta=OF_POWER, target=1e23)
    assert plan.efficiency > 0.9


def test_few_candidates_make_no_plan():
    """Fewer places than parameters determine nothing, whatever a certificate says."""
    places = ([1e7, 1e8, 1e9, 1e7], [1e9, 1e9, 1e9, 1e10])
    with pytest.raises(ValueError, match="no list of at most 8 runs"):
        offray.suggest(candidates=places, budget=1e20, max_runs=8)


@pytest.mark.parametrize(
    ("theta", "low", "target", "runs", "least"),
    [((0.25, 0.6, -3.0, 2.6), -1.8, -2.0, 10, 0.0038), ((0.25, 0.85, -3.0, 2.6), -1.0, -1.5, 6, 0.006)],
)
def test_sensitivities_of_many_sizes(theta, low, target, runs, least):
    """Costs and derivatives that differ by orders of magnitude along the region: near the best of an exchange by hand."""
    plan = offray.suggest(
        law="logistic", theta=theta, region={"x": (low, 4)}, target=target, budget=20, max_runs=runs, cost="exp(-x)"
    )
    assert plan.sd["suggested"]["loss@target"] < least
    assert plan.spent <= 20


@pytest.mark.parametrize("theta", [[1, 2], [1, 2, 3, 4, -1], [1, 2, 3, 4, np.nan]])
def test_theta_that_is_none_of_the_law(theta):
    with pytest.raises(ValueError, match="theta"):
        offray.check([1e8] * 6, [1e9] * 6, theta=theta)
    with pytest.raises(ValueError, match="theta"):
        offray.suggest(budget=1e20, region=((1e7, 1e9), (1e9, 1e11)), max_runs=8, theta=theta)


def test_prices():
    region = {"law": SHAPE, "theta": OF_SHAPE, "region": REGION, "target": LARGE, "max_runs": 12}
    flat, constant = (offray.suggest(budget=60, cost=cost, **region) for cost in ("5", lambda width, depth: 5.0))
    assert flat.inputs["width"].tolist() == constant.inputs["width"].tolist()
    assert flat.spent == 5 * flat.repeats.sum()
    for cost, said in (
        ("unit*depth", "reads unit; it may read width and depth alone"),
        (lambda width, depth: width[:3], r"the function gives shape \(3,\) for 400 runs"),
    ):
        with pytest.raises(ValueError, match=said):
            offray.suggest(budget=60, cost=cost, **region)


def test_a_table_with_columns_of_other_names():
    table = [{"width": w, "layers": d} for w, d in zip(WIDTH, DEPTH, strict=True)]
    at = offray.check(table, inputs={"depth": "layers"}, law=SHAPE, theta=OF_SHAPE, target=LARGE)
    assert at.inputs["depth"].tolist() == DEPTH.tolist()


def test_plans_on_the_command_line_keep_the_names_of_columns(tmp_path):
    there, plan = tmp_path / "there.csv", tmp_path / "plan.csv"
    there.write_text("width,layers\n" + "\n".join(f"{w:g},{d:g}" for w, d in zip(WIDTH, DEPTH, strict=True)) + "\n")
    law = ["--law", "E + A*width**-a + B*depth**-b", "--column", "width=width", "--column", "depth=layers"]
    law += ["--theta", "E=1.5,A=20,a=.4,B=3,b=.7", "--target", "4096,64"]
    limits = [
        "--range",
        "width=64,2048",
        "--range",
        "depth=2,64",
        "--cost",
        "width**2*depth",
        "--budget",
        "1e9",
        "--max-runs",
        "6",
    ]
    for existing in (there, plan):
        made = run_cli("suggest", "--existing", str(existing), *law, *limits, "-o", str(plan))
        assert made.returncode == 0, made.stderr
    assert plan.read_text().startswith("run,width,layers,cost,loss")
    assert run_cli("check", str(plan), *law).returncode == 0


def test_runs_of_other_inputs_have_no_N():
    at = offray.check(inputs={"C": [1e18, 1e19, 1e20]}, law=POWER, theta=OF_POWER, target=1e23)
    assert not hasattr(at, "N")
    with pytest.raises(AttributeError, match="given by C, not by D"):
        at.D  # noqa: B018
    with pytest.raises(ValueError, match="the picture of a design is about N and D"):
        at.plot()


def test_a_plan_is_the_same_on_every_path():
    """Last bits, in which processors differ, choose no run."""
    found = []
    paths = _core.simd_available()
    try:
        for path in paths:
            _core.force_simd(path)
            plan = offray.suggest(budget=1e19, region={"N": (5e6, 8e7), "D": (1e7, 1.6e9)}, max_runs=20)
            found.append((plan.N.tolist(), plan.D.tolist(), plan.repeats.tolist()))
    finally:
        _core.force_simd("best")
    assert all(plan == found[0] for plan in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: offray.check(inputs={"C": [1e18, -1]}, law=POWER, theta=OF_POWER, target=1e23), r"C\[1\] = -1"),
        (lambda: offray.check(inputs={"C": []}, law=POWER, theta=OF_POWER, target=1e23), "C is empty"),
        (
            lambda: offray.check(inputs={"C": [[1e18]]}, law=POWER, theta=OF_POWER, target=1e23),
            r"C must be .*; got shape \(1, 1\)",
        ),
        (lambda: offray.check(inputs={"C": ["a"]}, law=POWER, theta=OF_POWER, target=1e23), r"C\[0\] = 'a'"),
        (lambda: offray.check(inputs={"C": [1e18]}, law=POWER, theta=OF_POWER), "target: where is the loss"),
        (lambda: offray.check(inputs={"C": [1e18]}, law=POWER, target=1e23), "no published fit"),
        (
            lambda: offray.check(inputs={"C": [1e18]}, law=POWER, theta={"E": 1.7}, target=1e23),
            "theta must give E, A, alpha; got E",
        ),
        (lambda: offray.check(inputs={"C": [1e18]}, law=POWER, theta=OF_POWER, target=-1.0), "every C must be positive"),
        (lambda: offray.check(inputs={"C": [1e18]}, law=POWER, theta=OF_POWER, target=(1, 2, 3), C=1e9), "C is about N and D"),
        (lambda: offray.check(inputs={"C": [1e18]}, N=[1e9], D=[1e10]), "reads N and D alone"),
        (lambda: offray.check(inputs={"width": [64.0]}, law=SHAPE, theta=OF_SHAPE, target=LARGE), "depth is missing"),
        (
            lambda: offray.check(inputs={"width": [64.0], "depth": [2.0]}, law=SHAPE, theta=OF_SHAPE, target={**LARGE, "x": 1}),
            "does not read x",
        ),
        (
            lambda: offray.check(inputs={"width": [64.0, 128.0], "depth": [2.0]}, law=SHAPE, theta=OF_SHAPE, target=LARGE),
            "depth has 1 values, but width has 2",
        ),
        (
            lambda: offray.suggest(budget=1, region={"width": (1, 2)}, max_runs=9, law=SHAPE, theta=OF_SHAPE, target=LARGE),
            "region must give depth",
        ),
        (
            lambda: offray.suggest(budget=1, region=REGION, max_runs=9, law=SHAPE, theta=OF_SHAPE, target=LARGE),
            "cost: what does a run of given width, depth cost",
        ),
        (
            lambda: offray.suggest(
                budget=1, region=REGION, max_runs=9, law=SHAPE, theta=OF_SHAPE, target=LARGE, cost="N*width"
            ),
            "reads N; it may read width and depth alone",
        ),
        (
            lambda: offray.suggest(budget=1, region=REGION, max_runs=9, law=SHAPE, theta=OF_SHAPE, target=LARGE, tpp=(1, 9)),
            "these are about N and D",
        ),
        (
            lambda: offray.suggest(
                budget=1, region={**REGION, "heads": (1, 8)}, max_runs=9, law=SHAPE, theta=OF_SHAPE, target=LARGE, cost="width"
            ),
            "does not read heads",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_on_the_command_line(tmp_path):
    """From a file of compute and losses to the next runs, which check reads."""
    rng = np.random.default_rng(2)
    rows = [f"{c:.4g},{1.7 + 1000 * c**-0.2 + 0.004 * rng.normal():.5f}" for c in np.geomspace(1e17, 1e20, 12)]
    runs, plan = tmp_path / "runs.csv", tmp_path / "plan.csv"
    runs.write_text("flops,loss\n" + "\n".join(rows) + "\n")
    law = ["--law", "E + A*C**-alpha"]
    limits = ["--range", "C=1e17,1e21", "--budget", "3e21", "--max-runs", "6"]
    made = run_cli("suggest", "--existing", str(runs), *law, *limits, "--target", "1e23", "-o", str(plan))
    assert made.returncode == 0, made.stderr
    assert "C is read from 'flops'" in made.stderr
    assert "even grid" in made.stdout
    assert plan.read_text().splitlines()[0] == "run,C,cost,loss"
    checked = run_cli("check", str(plan), *law, "--theta", "E=1.7,A=1000,alpha=.2", "--target", "C=1e23")
    assert checked.returncode == 0, checked.stderr
    assert "18 runs" in checked.stdout
    for wrong, said in (
        (["suggest", *law, "--budget", "1", "--max-runs", "3"], "--range C=LEAST,MOST: without ranges"),
        (["suggest", "--budget", "1", "--max-runs", "3"], "--sizes N0,N1, --tokens-range D0,D1"),
        (["check", str(plan), *law, "--target", "1e9,1e10"], "--target: '1e9,1e10' must be C"),
        (["check", str(plan), *law, "--theta", "E=1,A=2", "--target", "1e23"], "theta must give E, A, alpha; got E, A"),
    ):
        refused = run_cli(*wrong)
        assert refused.returncode == 2
        assert said in refused.stderr
