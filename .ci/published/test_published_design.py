# SPDX-License-Identifier: Apache-2.0
"""Published runs: what design has to say of them."""

import warnings

import numpy as np
import offray
from published import read_data


def test_real_runs_near_a_ray_and_suggested():
    """From the near-ray cut of an isoFLOP file, with the rest to choose from: kappa_2 falls, and the hold-out error is told."""
    for stem in ("l2l_fineweb_edu", "chinchilla_massivetext"):
        N, D, loss, _ = read_data(stem)
        k = D / N
        near = np.flatnonzero(np.abs(np.log(k / 20)) < np.log(1.35))[::2]
        rest = np.setdiff1d(np.arange(N.size), near)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            before = offray.fit(N[near], D[near], loss[near], log_loss=True)
            plan = offray.suggest(
                (N[near], D[near]),
                budget=6 * float(N[near] @ D[near]),
                max_runs=len(near),
                candidates=(N[rest], D[rest]),
                max_repeats=1,
            )
            chosen = np.concatenate(
                [near, [np.flatnonzero((n == N) & (d == D))[0] for n, d in zip(plan.N, plan.D, strict=True)]]
            )
            after = offray.fit(N[chosen], D[chosen], loss[chosen], log_loss=True)
        assert after.conditioning.kappa < before.conditioning.kappa


def test_isoflop_of_real_runs():
    N, D, loss, _ = read_data("l2l_fineweb_edu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        at = offray.isoflop(N, D, loss)
    assert len(at.parabolas) == 8
    assert 0.4 < at.exponent < 0.6
    assert at.exponent_interval[0] < at.exponent < at.exponent_interval[1]
