# SPDX-License-Identifier: Apache-2.0
"""Known ways in which runs leave a law, each by its name."""

import numpy as np
import offray
import pytest
from helpers import GRID, losses, noisy

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
N, D = GRID
SCATTERED = np.exp(np.random.default_rng(5).uniform(np.log([1e7, 2e8]), np.log([1e9, 3e10]), (120, 2))).T


@pytest.mark.parametrize(
    ("excess", "name", "words"),
    [
        (lambda N, D: losses(N, D, 0.85) - losses(N, D), "outer_power", "'outer_exponent' has such a power"),
        (lambda N, D: (4e8 / D) ** 2, "short_runs", "Leave the shortest runs out"),
        (lambda N, D: 0.05 * (np.log(N) > np.log(N).mean()), "large_models", "tokenizer, data or code"),
    ],
)
def test_a_departure_is_named(excess, name, words):
    N, D = SCATTERED
    fit = offray.fit(N, D, noisy(N, D, 0.002) + excess(N, D))
    assert "lack_of_fit" in fit.findings
    assert fit.misfit.departure == name
    at = fit.misfit.departures[name]
    assert at.found
    assert at.test.dof == (1, 114)
    assert fit.misfit.unexplained >= fit.misfit.share(at.pattern) > 0
    assert any(words in text for text in (*fit.identifiability.warnings, *fit.identifiability.notes))
    assert f"{name} p = {at.test.p:.2g}" in str(fit.misfit)
    assert fit.misfit.to_dict()["departures"][name] == {
        "F": at.test.F,
        "p": at.test.p,
        "dof": [1, 114],
        "pattern": at.pattern,
        "found": True,
    }


def test_a_departure_is_not_found_where_noise_grows_with_the_loss():
    """At a level of .01; where the noise counted as even, one in fifty was."""
    N, D = SCATTERED
    uneven = [
        offray.fit(N, D, losses(N, D) * np.exp(0.01 * (losses(N, D) / 3) ** 2 * np.random.default_rng(k).normal(size=120)))
        for k in range(300)
    ]
    assert sum(fit.misfit.departures["outer_power"].found for fit in uneven) <= 8


def test_a_law_that_follows_a_departure_has_nothing_to_test():
    kaplan = offray.fit(N, D, offray.laws.kaplan((N, D), 9e13, 5.4e13, 0.076, 0.103) * 1.0001, law="kaplan")
    assert np.isnan(kaplan.misfit.departures["outer_power"].test.F)
    droppo = offray.fit(N, D, noisy(N, D, power=0.8), law="droppo_elibol")
    assert np.isnan(droppo.misfit.departures["outer_power"].test.F)
    assert np.isnan(droppo.misfit.departures["large_models"].test.F)  # a grid: its sizes are compared as they are
