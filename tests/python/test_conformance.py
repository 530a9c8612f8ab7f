# SPDX-License-Identifier: Apache-2.0
"""Every public call on every law, on every kind of design: a value, or a refusal that says why."""

import numpy as np
import offray
import pytest
from truths import DESIGNS, TRUTH, simulated, unique_tokens

LAWS = dir(offray.laws)
STATUSES = {"converged", "at_bound", "rank_deficient", "stalled", "evaluation_limit"}

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning", "ignore::offray.ConvergenceWarning")


def fitted(law, design, **options):
    N, D, loss, U = simulated(law, design)
    return offray.fit(N, D, loss, unique_tokens=U, law=law, **options)


def refused_or(call):
    """What a call returns; None where it refuses with a ValueError that says something."""
    try:
        return call()
    except ValueError as error:
        words = str(error)
    assert len(words) > 20
    return None


def test_every_law_has_a_truth():
    assert set(TRUTH) == set(LAWS)


@pytest.mark.parametrize("law", LAWS)
def test_the_description_is_complete(law):
    at = getattr(offray.laws, law)
    assert at.formula.startswith("L = ")
    assert at.reference
    assert set(at.inputs) >= {"params", "tokens"}
    assert len(set(at.parameters)) == len(at.parameters) == len(at.roles)
    for parameter in at.roles:
        assert parameter.role in ("floor", "coefficient", "scale", "exponent", "outer", "decay")
        assert parameter.axis in (None, "N", "D")
    assert at.floor is None or at.floor in at.parameters
    assert all(len(theta) == len(at.parameters) for theta in at.published.values())


@pytest.mark.parametrize("law", LAWS)
def test_spread_runs_give_the_truth_back(law):
    fit = fitted(law, "spread")
    assert fit.converged, str(fit)
    spread = np.sqrt(np.diagonal(fit.cov))
    assert np.abs((fit.theta - TRUTH[law]) / spread).max() < 4


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("law", LAWS)
def test_analyses_of_a_fit(law, design):
    fit = refused_or(lambda: fitted(law, design))
    if fit is None:
        assert len(DESIGNS[design][0]) < len(getattr(offray.laws, law).parameters)
        return
    assert fit.status in STATUSES
    assert np.isfinite(fit.theta).all()
    assert law in str(fit)
    assert fit.to_dict()["law"] == law
    assert fit.identifiability.identified == (fit.converged and not fit.identifiability.warnings)
    if design in ("ray", "one size", "one token count"):
        assert not fit.identifiability.identified
    ends = fit.conf_int()
    assert ends.shape == (len(fit.theta), 2)
    assert not (ends[:, 0] > ends[:, 1]).any()
    assert refused_or(lambda: fit.intervals(methods=("delta", "sandwich", "profile", "bootstrap"), n=20)) is not None
    boot = fit.bootstrap(10, threads=1)
    assert boot.theta.shape == (10, len(fit.theta))
    N, D = DESIGNS[design]
    here = fit.predict(N[:1], D[:1])
    assert np.isfinite(here.value).all()
    refused_or(lambda: fit.predict(7e10, 1.4e12, method="profile"))
    optimum = refused_or(lambda: fit.compute_optimal(1e21))
    if design == "ray" and getattr(offray.laws, law).on_ray is not None:
        assert optimum is None
        assert fit.reduced is not None
        assert fit.reduced.law.on_one_ray
    if optimum is not None:
        assert float(optimum.N) * float(optimum.D) * 6 == pytest.approx(1e21, rel=1e-9)
    refused_or(lambda: offray.isoflop(fit))
    assert fit.conditioning_under("huber", delta=0.01).kappa >= 1


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("law", LAWS)
def test_other_ways_to_fit(law, design):
    the_law = getattr(offray.laws, law)
    N, D, loss, U = simulated(law, design)
    x = (N, D) if U is None else (N, D, U)
    if len(N) < len(TRUTH[law]):
        return
    one = offray.fit(N, D, loss, unique_tokens=U, law=law)
    many = offray.fit_many(N, D, np.stack([loss, loss]), unique_tokens=U, law=law, threads=2)
    assert np.array_equal(many.theta, np.stack([one.theta, one.theta]))
    if one.status == "stalled":
        with pytest.raises(RuntimeError, match="Optimal parameters not found"):  # as scipy
            offray.curve_fit(the_law, x, loss)
    else:
        assert np.array_equal(offray.curve_fit(the_law, x, loss)[0], one.theta)
    result = offray.least_squares(the_law, TRUTH[law], args=(x, loss))
    assert result.cost <= 0.5 * ((the_law(x, *TRUTH[law]) - loss) ** 2).sum() * (1 + 1e-9)
    assert 2 * result.cost == pytest.approx(float((result.fun**2).sum()))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("law", LAWS)
def test_plans(law, design):
    N, D = DESIGNS[design]
    U = unique_tokens(D) if getattr(offray.laws, law).reads("unique_tokens") else None
    checked = refused_or(lambda: offray.check(N, D, unique_tokens=U, law=law, theta=TRUTH[law]))
    if checked is not None:
        (figures,) = checked.figures.values()
        assert figures.kappa_2 >= 1
        # Of one exponent in both terms a ray says nothing; a gap between the exponents is taken as known here.
        assert law != "chinchilla" or checked.passes == (design == "spread")
    report = offray.precision_report(N, D, law=law, theta=TRUTH[law], unique_tokens=U)
    assert report.svd >= 1
    region = {"N": (1e7, 1e9), "D": (1e9, 1e11)}
    plan = refused_or(
        lambda: offray.suggest(
            budget=1e21, region=region, max_runs=12, law=law, theta=TRUTH[law], sizes=np.geomspace(1e7, 1e9, 5)
        )
    )
    assert plan is None or plan.spent <= 1e21
    exponent = refused_or(lambda: getattr(offray.laws, law).data_exponent(TRUTH[law]))
    assert offray.tpp_diversity(np.unique(np.round(D / N, 9)), exponent).kappa_eq >= 1


@pytest.mark.parametrize("law", [law for law in LAWS if not getattr(offray.laws, law).reads("unique_tokens")])
def test_comparisons_and_the_experiment_take_every_law(law):
    N, D, loss, _ = simulated(law, "spread")
    assert offray.compare(N, D, loss, laws=[law, "chinchilla"])[law].law.name == law
    corpus = offray.experiment.Corpus("simulated", law, TRUTH[law], sigma=0.003)
    designs = {name: offray.experiment.Design(*DESIGNS[name]) for name in ("near ray", "spread")}
    held_out = {"one size": offray.experiment.Design(*DESIGNS["one size"])}
    rows = offray.experiment.compare(designs, [corpus], held_out, laws=[law], seeds=1).rows
    assert rows[0]["law"] == law


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("inference_tokens", [0.0, 1e11])
def test_the_compute_optimal_point_is_one(law, inference_tokens):
    """Stationary along the budget, and its exponents and elasticity are the differences of points at near budgets."""
    fit = fitted(law, "spread")
    at = fit.compute_optimal(1e21, inference_tokens=inference_tokens)
    N, D = float(at.N), float(at.D)
    the_law = fit.law

    def loss(size):
        return float(the_law((size, (1e21 / size - 2 * inference_tokens) / 6), *fit.theta))

    assert pytest.approx((1e21 / N - 2 * inference_tokens) / 6, rel=1e-9) == D
    assert float(at.loss) == pytest.approx(loss(N), rel=1e-12)
    step = 1e-3
    assert loss(N) < min(loss(N * (1 + step)), loss(N * (1 - step)))
    if law != "repeated_data":  # beyond N_opt, where its optimum lies, further parameters are worth less: a kink in the slope
        assert abs(loss(N * (1 + step)) - loss(N * (1 - step))) < 0.02 * (loss(N * (1 + step)) - loss(N))
    if inference_tokens:
        return
    more, less = fit.compute_optimal(1.01e21), fit.compute_optimal(1e21 / 1.01)
    width = 2 * np.log(1.01)
    assert float(at.a) == pytest.approx(np.log(float(more.N) / float(less.N)) / width, rel=1e-5)
    assert float(at.a) + float(at.b) == pytest.approx(1, rel=1e-9)
    if law == "droppo_elibol":  # its elasticity is that of large budgets
        more, less = fit.compute_optimal(1.01e90), fit.compute_optimal(1e90 / 1.01)
    floor = 0.0 if the_law.floor is None else float(fit.params[the_law.floor])
    slope = -np.log((float(more.loss) - floor) / (float(less.loss) - floor)) / width
    assert float(at.elasticity) == pytest.approx(slope, rel=2e-3 if law == "droppo_elibol" else 1e-5)
    # Standard errors of the point follow from its gradient: an analytic one against simulated draws of theta.
    drawn = np.random.default_rng(0).multivariate_normal(
        np.log(fit.theta), fit.cov / np.outer(fit.theta, fit.theta) * 1e-4, 200
    )
    ratio = [np.log(np.prod(one_point(fit.law, np.exp(row)) ** np.array([-1, 1]))) for row in drawn]
    expected = float(at.TPP.se / at.TPP.value) * 1e-2
    assert np.std(ratio) == pytest.approx(expected, rel=0.2)


def one_point(law, theta):
    """N and D of least loss at 1e21 FLOP by a fine search."""
    x = np.log(np.geomspace(1e6, 1e14, 4001))
    loss = law((np.exp(x), 1e21 / (6 * np.exp(x))), *theta)
    k = int(np.argmin(loss))
    vertex = x[k] - 0.5 * (x[k + 1] - x[k]) * (loss[k + 1] - loss[k - 1]) / (loss[k + 1] - 2 * loss[k] + loss[k - 1])
    return np.array([np.exp(vertex), 1e21 / (6 * np.exp(vertex))])
