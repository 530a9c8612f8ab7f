# SPDX-License-Identifier: Apache-2.0
"""As many different inputs as parameters, some of them repeated: several optima go through all means exactly."""

import warnings

import numpy as np
import offray
import pytest
from scipy.optimize import least_squares


def study(seed):
    """Five places, of which six runs are repeats."""
    rng = np.random.default_rng(seed)
    N = 10 ** rng.uniform(7.5, 9.5, 5)
    D = N * 10 ** rng.uniform(0.3, 1.2, 5)
    theta = rng.uniform(1.5, 2.0), rng.uniform(200, 900), rng.uniform(300, 2000), rng.uniform(0.3, 0.4), rng.uniform(0.25, 0.35)
    at = np.concatenate([np.arange(5), rng.integers(0, 5, 6)])
    loss = offray.laws.chinchilla((N, D), *theta)[at] + 0.003 * rng.normal(size=11)
    return N[at], D[at], loss


def exact_optima(N, D, loss):
    """Exponents through all means, from many starts of two equations: what a fit of E, A and B leaves of five means is zero."""
    places = np.unique(np.stack([N, D]), axis=1)
    means = np.array([loss[(n == N) & (d == D)].mean() for n, d in places.T])
    x, y = (np.log(a / np.exp(np.log(a).mean())) for a in places)

    def fitted(phi):
        X = np.stack([np.ones(5), np.exp(-np.exp(phi[0]) * x), np.exp(-np.exp(phi[1]) * y)], axis=1)
        coefficients, *_ = np.linalg.lstsq(X, means, rcond=None)
        return means - X @ coefficients, coefficients

    found = []
    for p in np.geomspace(0.04, 2.5, 9):
        for q in np.geomspace(0.04, 2.5, 9):
            end = least_squares(
                lambda phi: fitted(phi)[0], np.log([p, q]), bounds=(-4, 1.2), xtol=1e-15, ftol=1e-15, gtol=1e-15
            )
            if np.abs(end.fun).max() > 1e-9 or (fitted(end.x)[1] <= 0).any():
                continue
            if all(np.abs(end.x - other).max() > 0.05 for other in found):
                found.append(end.x)
    return np.exp(found)


SEEDS = (0, 19, 27, 1, 2, 3, 5, 8)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_exact_optimum_is_told(seed):
    N, D, loss = study(seed)
    exact = exact_optima(N, D, loss)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        fit = offray.fit(N, D, loss)
    ours = [[at["alpha"], at["beta"]] for at in (fit.params, *(rival.params for rival in fit.rivals))]
    for optimum in exact:
        assert any(np.allclose(optimum, at, rtol=1e-4) for at in ours), (exact, ours)
    assert ("rival_optimum" in fit.findings) == (len(ours) > 1)
    assert "few_runs" in fit.findings or not fit.converged


def test_some_of_these_studies_have_two():
    assert sum(len(exact_optima(*study(seed))) > 1 for seed in SEEDS) >= 3
