# SPDX-License-Identifier: Apache-2.0
"""Optima that the runs do not choose between."""

import numpy as np
import offray
import pytest
from helpers import noisy
from offray import _core

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")


def two_optima(seed):
    """A ray with one run off it, which either term can explain."""
    n = np.geomspace(3e6, 4e8, 11)
    d = np.where(np.arange(11) == 5, 0.87, 4.82) * n
    n, d = np.concatenate([n, n[:5]]), np.concatenate([d, d[:5]])
    return offray.fit(n, d, noisy(n, d, 5e-4, seed=seed, theta=(0.9, 73.0, 9624.0, 0.194, 0.413)))


@pytest.mark.parametrize("seed", range(3))
def test_two_optima_within_the_noise(seed):
    fit = two_optima(seed)
    rival = fit.rivals[0]
    assert "rival_optimum" in fit.findings
    assert not fit.identifiability.identified
    text = next(text for text in fit.identifiability.warnings if "2 optima" in text)
    assert f"{rival.theta[3]:.4g}" in text
    t = _core.student_t_half_width(0.95, fit.degrees_of_freedom)
    assert 2 * (rival.objective_value - fit.objective_value) / fit.noise_sd**2 <= t**2
    for method in ("delta", "profile"):
        low, high = fit.conf_int(method=method).T
        assert (low <= np.minimum(fit.theta, rival.theta)).all()
        assert (high >= np.maximum(fit.theta, rival.theta)).all()
    here, there = fit.predict(1e9, 1e10), rival.predict(1e9, 1e10)
    assert here.statistical[0] <= min(here.value, there.value)
    assert here.statistical[1] >= max(here.value, there.value)
    best = fit.compute_optimal(1e20).TPP
    assert best.interval[0] <= rival.compute_optimal(1e20).TPP.value <= best.interval[1]


def test_rivals_are_other_optima():
    """No basin that ends beside the best one, none that is beyond floating point."""
    for seed in range(240, 260):
        rng = np.random.default_rng(seed)
        n = 10 ** rng.uniform(7, 9.5, 8)
        d = n * 10 ** rng.uniform(1, 1.5, 8)
        fit = offray.fit(n, d, noisy(n, d, 0.01, seed=seed))
        for rival in fit.rivals:
            assert np.abs(rival.theta / fit.theta - 1).max() > 1e-3
    C = np.geomspace(1e18, 1e22, 12)
    steep = offray.fit(inputs={"x": C}, loss=1.7 + 1e3 * C**-0.2 + 0.3 * np.exp(-((np.log10(C) - 20) ** 2)), law="power")
    assert np.isfinite(steep.theta).all()
    assert "power" in repr(steep)
    spike = offray.fit(inputs={"x": np.geomspace(1e18, 1e22, 8)}, loss=[2.1, 2, 2, 2, 2, 2, 2, 2.05], law="power")
    assert np.isfinite(spike.theta).all()
