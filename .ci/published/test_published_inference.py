# SPDX-License-Identifier: Apache-2.0
"""Published runs: what inference has to say of them."""

import warnings

import numpy as np
import offray
import pytest
from offray import _core
from published import read_data


def test_compare():
    comparison = offray.compare(*read_data("chinchilla_massivetext")[:3], log_loss=True)
    assert [score.law.name for score in comparison.scores] == ["droppo_elibol", "chinchilla", "kaplan"]
    chinchilla = comparison["chinchilla"]
    n, K = 240, 6
    np.testing.assert_allclose(chinchilla.AICc, n * np.log(chinchilla.rss / n) + 2 * K + 2 * K * (K + 1) / (n - K - 1))
    np.testing.assert_allclose(chinchilla.BIC, n * np.log(chinchilla.rss / n) + K * np.log(n))
    assert chinchilla.leave_group_out > np.sqrt(chinchilla.rss / n)
    assert comparison["kaplan"].held_out["largest compute"] > chinchilla.held_out["largest compute"]
    assert "leave group out" in str(comparison)
    with pytest.raises(KeyError):
        comparison["repeated_data"]


def test_compare_with_repeated_data():
    N, D, loss, U = read_data("datablations_c4")
    comparison = offray.compare({"params": N, "tokens": D, "loss": loss, "unique_tokens": U}, log_loss=True)
    assert comparison.scores[0].law.name == "repeated_data"
    assert len(comparison.scores) == 4


@pytest.mark.parametrize(
    ("stem", "log_loss"), [("steplaw_dense", False), ("datablations_c4", True), ("gadre_redpajama", False)]
)
def test_profiles_of_loose_parameters(stem, log_loss):
    """Ends far from the estimate, where descents are long: tau is t there, or nothing is ruled out."""
    runs = read_data(stem)[:3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(*runs, log_loss=log_loss)
        t = _core.student_t_half_width(0.95, fit.degrees_of_freedom)
        ends = fit.conf_int(method="profile")
        variance = fit.rss / fit.degrees_of_freedom
        assert (ends[:, 0] < 0.99 * fit.theta).all()
        assert (ends[:, 1] > 1.01 * fit.theta).all()
        for name, pair in zip(fit.law.parameters, ends, strict=True):
            for end in pair:
                if not 1e-10 < end < 1e100:
                    continue
                held = offray.fit(*runs, fixed={name: end}, log_loss=log_loss)
                tau = np.sqrt(max(held.rss - fit.rss, 0) / variance)
                np.testing.assert_allclose(tau, t, rtol=1e-3, err_msg=f"{name} {end}")
        if ends[0, 0] == 0:
            floorless = offray.fit(*runs, fixed={"E": 1e-12}, log_loss=log_loss)
            assert np.sqrt((floorless.rss - fit.rss) / variance) < t


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_shares_stay_below_one():
    N, D, loss, _ = read_data("steplaw_dense")
    fit = offray.fit(N, D, loss)
    with pytest.warns(offray.IdentifiabilityWarning, match="compute-optimal point is not determined"):
        at = fit.compute_optimal(1e21)
    for share in (at.a, at.b):
        assert 0 < share.interval[0] < share.value < share.interval[1] < 1
    notes = offray.fit(*read_data("gadre_c4")[:3]).identifiability.notes
    assert any("compute-optimal" in note for note in notes)
