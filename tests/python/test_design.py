# SPDX-License-Identifier: Apache-2.0
"""Before training: checks of designs, suggestions, isoFLOP curves."""

import time
import warnings

import numpy as np
import offray
import pytest
from offray._plan.recipes import Limits, recipes
from truths import HOFFMANN

BESIROGLU = (1.8172, 482.01, 2085.43, 0.3478, 0.3658)
SIZES = np.geomspace(5.04e6, 76.5e6, 14)
FAN = (1, 1.5, 1.9, 2, 2.5, 2.7, 3, 3.3, 3.5, 4, 4.5, 5)
REGION = {"N": (5.04e6, 76.5e6), "D": (1e7, 1.6e9)}
DESIGNS = {
    "fan": offray.designs.fan(FAN, SIZES),
    "grid": offray.designs.grid(SIZES, np.geomspace(5.04e6, 3e8, 12)),
    "isoFLOP": offray.designs.isoflop(np.geomspace(1e16, 1e18, 5), np.geomspace(5.04e6, 76.5e6, 9)),
    "factorial": tuple(np.tile(a, 8) for a in offray.designs.factorial((5.04e6, 76.5e6), (1e7, 1.6e9))),
}


def test_walk_through():
    """The paper's example: four ratios that hardly differ."""
    at = offray.check(ratios=[15, 20, 25, 30], sizes=SIZES, theta=HOFFMANN)
    figures = at.figures["theta 1"]
    np.testing.assert_allclose([figures.diversity.V_K, figures.diversity.tau_K], [9.5553497664e-4, 0.01392425423], rtol=1e-9)
    np.testing.assert_allclose(figures.kappa_eq, 532.75288649797559522, rtol=1e-8)
    np.testing.assert_allclose(figures.r_min, 4.3194465819346722304, rtol=1e-9)
    assert not at.passes
    assert not figures.diversity.passes
    assert "a factor 4.32 apart would pass" in at.verdict
    assert "V_K" in str(at)
    assert offray.check(ratios=[5, 20, 100], sizes=SIZES).passes


def test_figures_agree_with_a_fit(grid):
    """kappa_2 and standard errors of a design at theta are those of a fit that ends there."""
    N, D, _ = grid
    loss = offray.laws.chinchilla((N, D), *HOFFMANN)
    figures = offray.check(N, D, theta=HOFFMANN, sigma=0.02).figures["theta 1"]
    fit = offray.fit(N, D, loss + 1e-9 * np.sin(np.arange(N.size)))
    np.testing.assert_allclose(figures.kappa_2, fit.conditioning.kappa, rtol=1e-5)
    scale = 0.02 / np.sqrt(fit.rss / fit.degrees_of_freedom)
    np.testing.assert_allclose(figures.sd["ln alpha"], scale * fit.se[3] / fit.theta[3], rtol=1e-5)
    np.testing.assert_allclose(figures.inflation, fit.identifiability.inflation, rtol=1e-4)


@pytest.mark.parametrize("name", DESIGNS)
def test_predicted_against_simulated(name):
    """Predicted standard deviations against 2000 simulated fits, at a noise that keeps the law nearly linear."""
    N, D = DESIGNS[name]
    sigma = 2e-3
    target = (1e9, 2e10)
    sd = offray.check(N, D, theta=HOFFMANN, sigma=sigma, target=target, C=1e21).figures["theta 1"].sd
    clean = offray.laws.chinchilla((N, D), *HOFFMANN)
    noise = sigma * np.random.default_rng(11).normal(size=(2000, N.size))
    theta = offray.fit_many(N, D, clean + noise).theta
    spread = dict(zip((f"ln {p}" for p in offray.laws.chinchilla.parameters), np.log(theta).std(axis=0), strict=True))
    spread["loss@target"] = np.std([offray.laws.chinchilla(target, *row) for row in theta])
    optimal = [offray.laws.chinchilla.core.optimal(np.ascontiguousarray(row), np.array([1e21]), 6.0, 0.0)[2] for row in theta]
    spread["ln TPP*"] = np.std(optimal)
    for quantity, predicted in sd.items():
        np.testing.assert_allclose(predicted, spread[quantity], rtol=0.1, err_msg=quantity)


def test_targets_of_the_suggestions():
    plan = {"budget": 1e19, "region": REGION, "max_runs": 60, "theta": HOFFMANN}
    precise = offray.suggest(**plan)
    assert precise.sd["suggested"]["loss@target"] <= 0.0080
    assert precise.repeats.sum() <= 60
    assert precise.spent <= 1e19
    assert precise.efficiency > 0.98
    pairs = offray.suggest(**{**plan, "region": (REGION["N"], REGION["D"])})
    np.testing.assert_array_equal(pairs.repeats, precise.repeats)
    volume = offray.suggest(criterion="D", **plan)
    assert volume.sd["suggested"]["ln A"] <= 0.090
    assert volume.efficiency > 0.98
    # Neither recipe does better at what was asked for.
    for recipe in ("fan", "isoFLOP", "3 x 3 factorial"):
        assert precise.sd[recipe]["loss@target"] > precise.sd["suggested"]["loss@target"]
    assert "efficiency" in str(precise)


def test_the_papers_fan_at_its_own_cost():
    N, D = DESIGNS["fan"]
    cost = 6 * float(N @ D)
    C = 100 * 6 * float((N * D).max())
    theta = np.array(HOFFMANN)
    target = np.exp(offray.laws.chinchilla.core.optimal(theta, np.array([C]), 6.0, 0.0)[:2])
    ours = offray.suggest(budget=cost, region=REGION, max_runs=N.size, theta=HOFFMANN, target=target)
    theirs = offray.check(N, D, theta=HOFFMANN, target=target).figures["theta 1"].sd["loss@target"]
    assert ours.spent <= cost
    assert theirs > 1.9 * ours.sd["suggested"]["loss@target"]


def test_designed_at_one_theta_judged_at_another():
    target = (7.65e8, 1.6e10)
    plan = {"budget": 1e19, "region": REGION, "max_runs": 60, "target": target}
    here = offray.suggest(theta=HOFFMANN, **plan)
    there = offray.suggest(theta=BESIROGLU, **plan)
    runs = np.repeat(here.N, here.repeats), np.repeat(here.D, here.repeats)
    judged = offray.check(*runs, theta=BESIROGLU, target=target).figures["theta 1"].sd["loss@target"]
    assert judged < 1.05 * there.sd["suggested"]["loss@target"]


@pytest.mark.parametrize("criterion", ["I", "D"])
def test_certificate_holds(criterion):
    """No list that a random search finds beats the bound."""
    sizes, tokens = np.geomspace(5e6, 8e7, 4), np.geomspace(1e7, 1e9, 4)
    plan = offray.suggest(
        budget=2e18, region={"N": (5e6, 8e7), "D": (1e7, 1e9)}, max_runs=8, criterion=criterion, theta=HOFFMANN, sizes=sizes,
        tokens=tokens, target=(8e8, 1.6e10),
    )  # fmt: skip
    N, D = offray.designs.grid(sizes, tokens)
    J = offray.laws.chinchilla.jacobian((N, D), *HOFFMANN) * HOFFMANN
    g = offray.laws.chinchilla.jacobian((8e8, 1.6e10), *HOFFMANN) * HOFFMANN
    scale = np.linalg.norm(J, axis=0)
    J, g = J / scale, g / scale

    def criterion_of(rows):
        r = np.linalg.qr(J[rows], mode="r")
        if np.abs(np.diagonal(r)).min() < 1e-9:
            return np.inf
        if criterion == "D":
            return -2 * np.log(np.abs(np.diagonal(r))).sum()
        return float((np.linalg.solve(r.T, g) ** 2).sum())

    chosen = [
        int(np.flatnonzero((n == N) & (d == D))[0])
        for n, d, k in zip(plan.N, plan.D, plan.repeats, strict=True)
        for _ in range(k)
    ]
    ours = criterion_of(chosen)
    rng = np.random.default_rng(0)
    best = np.inf
    for _ in range(20000):
        rows = rng.integers(0, N.size, 8)
        if 6 * N[rows] @ D[rows] <= 2e18:
            best = min(best, criterion_of(rows))
    efficiency = np.exp((best - ours) / 5) if criterion == "D" else best / ours
    assert efficiency > plan.efficiency * (1 - 1e-9)
    assert efficiency > 0.97


def test_existing_runs_are_sunk():
    """On top of a ray the suggestion spreads out; with a fit its law and noise are used, and the loss gets better known."""
    N, D = offray.designs.fan([20], SIZES)
    loss = offray.laws.chinchilla((N, D), *HOFFMANN) + 0.005 * np.random.default_rng(0).normal(size=14)
    plan = offray.suggest((N, D), budget=1e18, region=REGION, max_runs=10, theta=HOFFMANN)
    assert plan.sd["before"]["kappa_2"] > 1e5 > 500 > plan.sd["suggested"]["kappa_2"]
    with pytest.warns(offray.IdentifiabilityWarning, match="one ray"):
        stuck = offray.fit(N, D, loss)
    assert "Hoffmann et al. 2022" in offray.suggest(fit=stuck, budget=1e18, region=REGION, max_runs=10).theta
    spread = offray.designs.factorial((5e6, 8e7), (1e8, 1.6e9))
    both = np.concatenate([N, spread[0]]), np.concatenate([D, spread[1]])
    loss = offray.laws.chinchilla(both, *HOFFMANN) + 0.005 * np.random.default_rng(0).normal(size=both[0].size)
    fit = offray.fit(*both, loss)
    batch = offray.suggest(fit=fit, budget=1e18, region=REGION, max_runs=10)
    np.testing.assert_allclose(batch.sigma, fit.noise_sd)
    assert len(batch.theta) > 5
    assert batch.sd["suggested"]["loss@target"] < batch.sd["before"]["loss@target"]


def test_cheapest_budget():
    plan = {"region": REGION, "max_runs": 40, "theta": HOFFMANN, "target": (7.65e8, 1.6e10)}
    at = offray.suggest(budget=1e19, until="sd(loss@target) < 0.012", **plan)
    assert at.sd["suggested"]["loss@target"] < 0.012
    assert offray.suggest(budget=at.budget / 1.1, **plan).sd["suggested"]["loss@target"] > 0.0119
    with pytest.raises(ValueError, match="with the whole budget"):
        offray.suggest(budget=1e19, until="sd(loss@target) < 1e-5", **plan)
    with pytest.raises(ValueError, match="until must be such as"):
        offray.suggest(budget=1e19, until="loss < 1", **plan)


def test_speed():
    plan = {"budget": 1e19, "region": REGION, "max_runs": 60}
    N, D = DESIGNS["grid"]
    offray.check(N, D)
    times = []
    for call in (lambda: offray.check(N, D), lambda: offray.suggest(**plan)):
        best = np.inf
        for _ in range(5):
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
        times.append(best)
    assert times[0] < 3e-3  # 1 ms on a quiet machine
    assert times[1] < 1


def test_bad_input():
    for call, error, message in [
        (lambda: offray.check([1e8], None), TypeError, "a design is N and D"),
        (lambda: offray.check(sizes=[1e8], ratios=[20], tokens=[1e9]), TypeError, "a design is N and D"),
        (lambda: offray.check([1e8, -1], [1e9, 1e9]), ValueError, r"N\[1\] = -1"),
        (lambda: offray.check([1e8], [1e9], sigma=0), ValueError, "sigma must be positive"),
        (lambda: offray.check([1e8], [1e9], theta=[1, 2]), ValueError, "theta has 2 values"),
        (lambda: offray.check([1e8], [1e9], theta=[]), ValueError, "theta is empty"),
        (lambda: offray.check([1e8], [1e9], law="droppo_elibol"), ValueError, "no published fit of droppo_elibol"),
        (lambda: offray.check([1e8], [1e9], target=(1, 2, 3)), ValueError, r"target must be \(N, D\)"),
        (lambda: offray.suggest(budget=1e19), ValueError, "thousands of tiny runs"),
        (lambda: offray.suggest(budget=1e19, region={"N": (1e7, 1e8)}, max_runs=9), ValueError, "region must give D"),
        (lambda: offray.suggest(budget=1e19, region=REGION, max_runs=0), ValueError, "max_runs must be at least 1"),
        (lambda: offray.suggest(budget=1e19, region=REGION, max_runs=3), ValueError, "no list of at most 3 runs"),
        (
            lambda: offray.suggest(budget=1e3, region=REGION, max_runs=9),
            ValueError,
            "run is as cheap as that; the cheapest costs ",
        ),
        (lambda: offray.suggest(budget=1e19, region=REGION, max_runs=9, criterion="A"), ValueError, "unknown criterion"),
        (lambda: offray.isoflop([1e8] * 5, [1e9] * 5, [3.0] * 5), ValueError, "none has runs of 3 sizes"),
    ]:
        with pytest.raises(error, match=message):
            call()


def test_target_at_the_largest_size():
    """Its loss alone would need that size alone: a list all the same, which determines the law."""
    region = {"N": (5e7, 3e8), "D": (2e7, 2e10)}
    plan = offray.suggest(budget=5e18, region=region, max_runs=12, target=(3e8, 6e9))
    assert plan.repeats.sum() <= 12
    assert plan.spent <= 5e18
    assert np.isfinite(list(plan.sd["suggested"].values())).all()
    others = [v["loss@target"] for name, v in plan.sd.items() if name != "suggested"]
    assert plan.sd["suggested"]["loss@target"] <= 1.1 * min(others)


def test_recipes_and_plans_obey_the_limits():
    region = {"N": (1e6, 3e8), "D": (2e7, 2e10)}
    plan = offray.suggest(budget=5e18, region=region, max_runs=12, tpp=(1, 1000))
    assert ((plan.D / plan.N >= 1) & (plan.D / plan.N <= 1000)).all()
    assert set(plan.sd) == {"suggested", "fan", "isoFLOP", "3 x 3 factorial"}
    assert all(np.isfinite(list(v.values())).all() for v in plan.sd.values())
    limits = Limits(region["N"], region["D"], (1, 1000))
    for N, D in recipes(limits, 5e18, 12, lambda n, d: 6 * n * d).values():
        assert len(N) <= 12
        assert 6 * N @ D <= 5e18
        assert limits.hold(N, D).all()
    for bad in ((5, 1), (0, 3), 4):
        with pytest.raises(ValueError, match="tpp must be"):
            offray.suggest(budget=5e18, region=region, max_runs=12, tpp=bad)
    with pytest.raises(ValueError, match="tpp: no run of the region"):
        offray.suggest(budget=5e18, region=region, max_runs=12, tpp=(1e7, 1e8))


def test_figures_of_long_names_stand_apart():
    law = offray.law("floor_of_the_loss + amplitude_of_parameters*N**-slope + B*D**-beta")
    checked = offray.check(ratios=[5, 20, 100], sizes=np.geomspace(5e6, 8e7, 5), law=law, theta=HOFFMANN)
    lines = str(checked).splitlines()
    (line,) = [line for line in lines if line.startswith("sd(ln amplitude_of_parameters)")]
    (heading,) = [line for line in lines if line.startswith("figure")]
    (at,) = checked.figures.values()
    assert line[heading.index("at every theta") - 2 :] == f"  {at.sd['ln amplitude_of_parameters']:.4g}"


def test_isoflop_on_exact_runs():
    """Equal exponents and symmetric sizes: parabola, law and truth agree. Unequal ones, wide and off-centre: a warning."""
    theta = (1.7, 400.0, 400.0 * 20**0.34, 0.34, 0.34)
    budgets = np.geomspace(1e18, 1e20, 5)
    N, D, C = [], [], []
    for budget in budgets:
        best = np.exp(offray.laws.chinchilla.core.optimal(np.array(theta), np.array([budget]), 6.0, 0.0)[0])
        sizes = best * np.geomspace(1 / 3, 3, 7)
        N.append(sizes)
        D.append(budget / (6 * sizes))
        C.append(budget)
    N, D = np.concatenate(N), np.concatenate(D)
    at = offray.isoflop(N, D, offray.laws.chinchilla((N, D), *theta))
    assert at.warnings == ()
    np.testing.assert_allclose([p.N for p in at.parabolas], [p.law_N for p in at.parabolas], rtol=1e-6)
    np.testing.assert_allclose([at.exponent, at.law_exponent], 0.5, atol=1e-6)
    assert "N* parabola" in str(at)
    small = 1e8 * np.geomspace(0.05, 1.5, 9)
    runs = small, 1e19 / (6 * small)
    with pytest.warns(offray.IdentifiabilityWarning, match="outside the sizes|misses its optimum"):
        offray.isoflop(*runs, offray.laws.chinchilla(runs, *HOFFMANN), budgets=[1e19])


def test_isoflop_of_few_runs_and_their_own_compute():
    """Three sizes give a minimum, with the noise of the law; FLOPs may be other than 6 N D; runs outside are said."""
    curves = offray.designs.isoflop([1e19, 1e20, 1e21], [1e8, 6e8, 4e9])
    loss = offray.laws.chinchilla(curves, *HOFFMANN) + 0.002 * np.sin(np.arange(9))
    at = offray.isoflop(*curves, loss)
    assert [p.runs for p in at.parabolas] == [3, 3, 3]
    assert all(np.isfinite(p.interval).all() and p.interval[0] < p.N < p.interval[1] for p in at.parabolas)
    N, D = (np.append(a, b) for a, b in zip(curves, ([3e7], [1e9]), strict=True))
    more = offray.isoflop(N, D, np.append(loss, 3.9), flops=np.append(np.repeat([1e19, 1e20, 1e21], 3) / 3, 6e16))
    assert more.left_out == (9,)
    assert "left out: 1 runs" in str(more)
    np.testing.assert_allclose([p.C for p in more.parabolas], np.array([1e19, 1e20, 1e21]) / 3)
    np.testing.assert_allclose([p.N * p.D for p in more.parabolas], [1e19 / 6, 1e20 / 6, 1e21 / 6])
    with pytest.raises(ValueError, match="flops has 2 values"):
        offray.isoflop(*curves, loss, flops=[1e19, 1e20])
    sizes = np.tile([1e8, 4e8, 1.6e9], 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        chain = offray.isoflop(sizes, np.repeat(1e19 * 1.08 ** np.arange(12), 3) / 6 / sizes, np.linspace(3, 2.5, 36))
    assert all(p.runs < 12 for p in chain.parabolas)


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
@pytest.mark.parametrize("slope", [0.1, -0.1])
def test_isoflop_minimum_beyond_all_numbers(slope):
    """At ln N = -5000 and 5000."""
    x = np.linspace(14, 18, 9)
    N, C = np.tile(np.exp(x), 2), np.repeat([1e18, 1e19], 9)
    curves = offray.isoflop(N, C / 6 / N, np.tile(5 + slope * x + 1e-5 * x**2, 2))
    ends = (0, np.inf) if slope > 0 else (np.inf, 0)
    assert [(p.N, p.D) for p in curves.parabolas] == [ends, ends]
    assert np.isnan(curves.exponent)
    assert str(curves)
    if slope > 0:
        assert all("lies outside the sizes" in text for text in curves.warnings)


def test_isoflop_tokens_are_those_of_the_compute():
    x = np.linspace(14, 18, 9)
    (curve,) = offray.isoflop(np.exp(x), 1e18 / 6 / np.exp(x), 3 + (x - 16.5) ** 2 / 100).parabolas
    products = [6 * curve.N * curve.D, 6 * curve.law_N * curve.law_D]
    np.testing.assert_allclose(products, curve.C)


def test_isoflop_names_the_odd_run():
    sizes = np.array([4.6e6, 1.2e7, 2.8e7, 5e7])
    with pytest.warns(offray.IdentifiabilityWarning, match=r"Without the run of 2.8e\+07 parameters .* misses by 0.1"):
        at = offray.isoflop(sizes, 3e17 / 6 / sizes, [1.538, 1.51, 1.663, 1.537])
    assert at.fit is None
    assert np.isnan(at.parabolas[0].N)


def test_change_of_inputs_changes_no_error(sweep):
    """Proposition 3: as a function of (C, N) the fitted law has the errors that it has as one of (N, D)."""
    N, D, loss = sweep
    fit = offray.fit(N, D, loss)
    C = 6 * N * D
    again = offray.fit(N, C / (6 * N), loss)
    np.testing.assert_allclose(again.rss, fit.rss, rtol=1e-12)
    np.testing.assert_allclose(fit.predict(N, C / (6 * N)).value - loss, fit.residuals, atol=1e-12)


def test_parabolas_against_a_law_that_does_not_follow():
    """Where the law misses its runs and its optimum lies elsewhere, the message sides with the parabola."""
    C = np.repeat(np.geomspace(1e18, 1e20, 4), 9)
    best = 0.1 * C**0.5
    N = best * np.tile(np.geomspace(0.3, 3, 9), 4)
    loss = 2 + 1e3 * C**-0.16 + 0.05 * np.log(N / best) ** 2
    with pytest.warns(offray.IdentifiabilityWarning, match="believe the parabola"):
        curves = offray.isoflop(N, C / (6 * N), loss)
    assert curves.exponent == pytest.approx(0.5, abs=1e-3)
    assert not any("Use the law's optimum" in text for text in curves.warnings)


@pytest.mark.parametrize(
    ("N", "D", "counted"),
    [
        (np.repeat([1e7, 1e10], 6), np.tile(np.geomspace(1e8, 1e12, 6), 2), "2 model sizes"),
        (np.tile(np.geomspace(1e7, 1e10, 6), 2), np.repeat([1e9, 1e12], 6), "2 token counts"),
    ],
)
def test_check_counts_sizes_and_token_counts(N, D, counted):
    assert f"they have {counted}, and a power and a constant need 3" in offray.check(N, D).verdict
