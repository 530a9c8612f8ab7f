# SPDX-License-Identifier: Apache-2.0
"""What planned runs cost, and runs that a plan keeps for other ends than the target."""

from __future__ import annotations

import numpy as np
import offray
import pytest

HOFFMANN = (1.69, 406.4, 410.7, 0.34, 0.28)
REGION = {"N": (5e6, 8e7), "D": (1e7, 1.6e9)}
PLAN = {"region": REGION, "max_runs": 20, "theta": HOFFMANN}


def test_costs_by_formula_and_by_function():
    plain = offray.suggest(budget=1e18, **PLAN)
    for cost in ("6*N*D", "6 * D * N", lambda N, D: 6 * N * D):
        same = offray.suggest(budget=1e18, cost=cost, **PLAN)
        np.testing.assert_array_equal(same.repeats, plain.repeats)
        assert same.spent == pytest.approx(plain.spent, rel=1e-12)
    assert (plain.unit, same.unit) == ("FLOP", "cost")
    served = offray.suggest(budget=1e18, cost="6*N*D + 2*N*1e9", **PLAN)
    assert float((6 * served.N * served.D + 2e9 * served.N) @ served.repeats) == pytest.approx(served.spent)
    assert served.spent <= 1e18
    assert "of 1e+18 cost" in str(served)


def test_costs_of_candidates():
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(5e6, 8e7, 6), np.geomspace(1e7, 1.6e9, 6)))
    hours = 1e-13 * N**0.8 * D + 0.5
    plan = offray.suggest(budget=200.0, max_runs=20, theta=HOFFMANN, candidates=(N, D), cost=hours)
    assert plan.spent <= 200
    assert set(plan.sd) == {"suggested"}  # other runs have no price
    at = [int(np.flatnonzero((n == N) & (d == D))[0]) for n, d in zip(plan.N, plan.D, strict=True)]
    np.testing.assert_array_equal(plan.cost, hours[at])


def test_runs_kept_for_noise_and_fit():
    plan = offray.suggest(budget=1e18, replicates=4, lack_of_fit=3, **PLAN)
    bare = offray.suggest(budget=1e18, **PLAN)
    assert plan.repeats.sum() <= 20
    assert plan.spent <= 1e18
    assert len(plan.N) >= 5 + 3
    assert plan.repeats.sum() - len(plan.N) >= 4
    # The places away from all others are not those of the optimum.
    optimal = set(zip(bare.N, bare.D, strict=True))
    assert len(set(zip(plan.N, plan.D, strict=True)) - optimal) >= 3
    loss = offray.laws.chinchilla((np.repeat(plan.N, plan.repeats), np.repeat(plan.D, plan.repeats)), *HOFFMANN)
    loss += np.random.default_rng(0).normal(scale=0.01, size=len(loss))
    fit = offray.fit(np.repeat(plan.N, plan.repeats), np.repeat(plan.D, plan.repeats), loss)
    assert fit.misfit.pure_error_dof >= 4
    assert "kept: 4 repeats for the noise, 3 away from all others" in str(plan)


def test_a_plan_says_what_check_says_and_where_it_aims():
    plan = offray.suggest(budget=1e18, **PLAN)
    text = str(plan)
    assert plan.check().verdict in text
    assert "target: N = " in text
    given = str(offray.suggest(budget=1e18, target=(1e9, 2e10), **PLAN))
    assert "target: N = 1e+09, D = 2e+10\n" in given
    assert plan.sd_of["theta 1"] == pytest.approx(plan.sd["suggested"])
    assert plan.degrees_of_freedom == plan.repeats.sum() - 5


def test_published_fits_of_several_corpora():
    """A plan for all of them claims for each what simulated refits find there."""
    plan = offray.suggest(budget=1e19, region=REGION, max_runs=40, sigma=0.002)
    assert len(plan.theta) >= 5
    N, D = np.repeat(plan.N, plan.repeats), np.repeat(plan.D, plan.repeats)
    rng = np.random.default_rng(1)
    for name, theta in plan.theta.items():
        losses = offray.laws.chinchilla((N, D), *theta) + 0.002 * rng.normal(size=(400, len(N)))
        refits = offray.fit_many(N, D, losses, start=theta).theta
        (target,) = plan.target[name]
        found = np.std([offray.laws.chinchilla(tuple(target), *row) for row in refits])
        assert plan.sd_of[name]["loss@target"] == pytest.approx(found, rel=0.25), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": "6*N*D*C"}, "reads C; it may read N and D alone"),
        ({"cost": "6*N*D*k"}, "reads k; it may read N and D alone"),
        ({"cost": lambda N, D: N - 2e7}, r"cost is .* at N = 5e\+06"),
        ({"cost": [1.0, 2.0]}, "go with candidates"),
        ({"replicates": 20}, "none is left to plan"),
        ({"replicates": -1}, "replicates must be at least 0"),
        ({"lack_of_fit": 1.5}, "lack_of_fit must be an integer"),
    ],
)
def test_bad_costs(options, message):
    with pytest.raises(ValueError, match=message):
        offray.suggest(budget=1e18, **PLAN, **options)


def test_one_cost_for_each_candidate():
    with pytest.raises(ValueError, match="cost has 2 values, but there are 3 candidates"):
        offray.suggest(budget=1e18, max_runs=9, candidates=([1e7, 2e7, 3e7], [1e8, 1e9, 2e9]), cost=[1.0, 2.0])
