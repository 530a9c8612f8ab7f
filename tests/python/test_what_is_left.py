# SPDX-License-Identifier: Apache-2.0
"""What runs of one size, of one token count or on one ray leave of a law."""

import pickle
import warnings

import numpy as np
import offray
import pytest
from helpers import GRID, losses, noisy

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
N, D = GRID


def test_one_token_count_leaves_the_law_in_N():
    n = np.geomspace(1e7, 1e9, 12)
    fit = offray.fit(n, np.full(12, 1e10), noisy(n, 1e10))
    assert fit.reduced.law.name == "chinchilla_on_ray"
    assert fit.params["alpha"] == pytest.approx(0.34, abs=0.05)
    assert fit.params["A"] == fit.reduced.params["psi"]
    assert np.isnan([fit.params[name] for name in ("E", "B", "beta")]).all()
    determined = fit.identifiability.determined
    assert (determined["alpha"], determined["beta"], determined["loss elsewhere"]) == (True, False, False)
    assert fit.degrees_of_freedom == 9
    low, high = fit.conf_int()[3]
    assert low < 0.34 < high
    assert fit.predict(1e10, 1e10).value == pytest.approx(losses(1e10, 1e10), rel=0.02)
    with pytest.raises(offray.NotIdentifiedError, match="all runs have D = 1e\\+10"):
        fit.predict(1e9, 1e11)
    with pytest.raises(offray.NotIdentifiedError):
        fit.compute_optimal(1e21)
    said = " ".join(fit.identifiability.warnings)
    assert "E + B D^-beta = " in said
    assert "E' + A N^-alpha, E' = E + B D^-beta" in str(fit)
    assert "other numbers of tokens" in said
    rows = {row[0]: row[-1] for row in fit.rows()[1:]}
    assert rows["beta"] == "not determined"
    assert " .. " in rows["alpha"]


def test_one_size_leaves_the_law_in_D():
    d = np.geomspace(1e9, 1e11, 12)
    fit = offray.fit(np.full(12, 1e8), d, noisy(1e8, d))
    assert fit.params["beta"] == pytest.approx(0.28, abs=0.06)
    assert "E' + B D^-beta, E' = E + A N^-alpha" in str(fit)
    assert fit.predict(1e8, 1e12).reach.factors.keys() == {"compute", "D", "tokens per parameter"}
    assert str(pickle.loads(pickle.dumps(fit.reduced))) == str(fit.reduced)
    assert fit.predict(1e8, 5e9).value == pytest.approx(losses(1e8, 5e9), rel=0.01)
    with pytest.raises(offray.NotIdentifiedError, match="all runs have N"):
        fit.predict(1e9, 5e9)


def test_two_sizes_leave_the_term_in_D():
    n, d = (a.ravel() for a in np.meshgrid([1e8, 3e8], np.geomspace(1e9, 1e11, 10)))
    fit = offray.fit(n, d, noisy(n, d, 0.001))
    se = dict(zip(fit.law.parameters, fit.se, strict=True))
    assert np.isfinite([se["B"], se["beta"]]).all()
    assert np.isinf([se["E"], se["A"], se["alpha"]]).all()
    determined = fit.identifiability.determined
    assert [determined[name] for name in ("B", "beta", "E", "A", "alpha")] == [True, True, False, False, False]
    said = " ".join(fit.identifiability.warnings)
    assert "a third model size" in said
    assert "inf" not in said
    assert fit.degrees_of_freedom == 16


def test_three_runs_on_a_ray():
    n = np.array([1e7, 1e8, 1e9])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = offray.fit(n, 20 * n, losses(n, 20 * n))
    assert fit.law.name == "chinchilla_on_ray"
    assert "what is left of it along the ray" in str(caught[0].message)
    with pytest.raises(ValueError, match="5 free parameters"):
        offray.fit(n, [1e9, 1e9, 1e10], losses(n, 1e9))


def test_equal_exponents_rejected_on_a_ray():
    n = np.geomspace(1e6, 1e11, 40)
    theta = (1.7, 40.0, 2000.0, 0.2, 0.45)
    fit = offray.fit(n, 20 * n, noisy(n, 20 * n, 1e-4, theta=theta))
    assert fit.blended
    assert not fit.identifiability.determined["alpha"]
    assert "blend" in str(fit)
    assert fit.predict(1e12, 2e13).value == pytest.approx(losses(1e12, 2e13, theta=theta), rel=2e-3)
    even = offray.fit(n, 20 * n, noisy(n, 20 * n, 1e-3, theta=(1.7, 400.0, 400.0, 0.3, 0.3)))
    assert not even.blended
    assert even.identifiability.determined["alpha"]


def test_a_blended_ray_by_every_method():
    n = np.geomspace(1e6, 1e10, 12)
    theta = (1.69, 406.4, 4000.0, 0.5, 0.2)
    fit = offray.fit(n, 20 * n, noisy(n, 20 * n, 2e-5, theta=theta))
    assert fit.blended
    truth = losses(3e9, 6e10, theta=theta)
    for method in ("delta", "bootstrap"):
        low, high = fit.predict(3e9, 6e10, method=method).interval
        assert low < truth < high
    assert not any(fit.identifiability.determined[name] for name in fit.law.parameters)
    with pytest.raises(offray.NotIdentifiedError):
        fit.predict(3e9, 6e11)
