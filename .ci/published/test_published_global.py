# SPDX-License-Identifier: Apache-2.0
"""Published runs: what global has to say of them."""

import numpy as np
import offray
import pytest
from published import HOFFMANN, read_data
from test_global import residual_function, scipy_cost


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_outliers(massivetext):
    """The five runs that Besiroglu et al. leave out: the optimum of log-Huber is found, and moves less than least squares."""
    extra = read_data("chinchilla_massivetext_outliers")[:3]
    runs = [np.concatenate(pair) for pair in zip(massivetext, extra, strict=True)]
    moved = {}
    for objective, options in (("squares", {}), ("huber", {"loss": "huber", "f_scale": 1e-3})):
        clean = offray.fit(*massivetext, objective=objective, log_loss=True)
        fit = offray.fit(*runs, objective=objective, log_loss=True)
        assert fit.converged
        problem = residual_function(fit.law, *runs[:2], None, runs[2], True)
        for theta in (fit.theta, clean.theta, np.array(HOFFMANN)):
            assert fit.objective_value <= scipy_cost(problem, problem[2](theta), **options) * (1 + 1e-9)
        moved[objective] = abs(fit.params["beta"] / clean.params["beta"] - 1)
    assert moved["huber"] < 0.5 * moved["squares"]


CUT = ("gemstones_dolma", "l2l_starcoder", "marin_nemotron", "porian_openwebtext2", "chinchilla_massivetext")


@pytest.mark.parametrize("stem", CUT)
def test_a_law_never_fits_worse_than_those_inside_it(stem):
    """Few runs, some near one ray, where power sums run beyond the parameters' range: Droppo-Elibol contains both others."""
    N, D, loss, _ = read_data(stem)
    rng = np.random.default_rng(0)
    near = np.argsort(np.abs(np.log(D / N / 20)))[:12]
    sets = [near[:8], near, *(rng.choice(len(N), 9, replace=False) for _ in range(40))]
    runs = ([N[rows] for rows in sets], [D[rows] for rows in sets], [loss[rows] for rows in sets])
    names = ("chinchilla", "kaplan", "droppo_elibol")
    chinchilla, kaplan, both = (offray.fit_many(*runs, law=name, log_loss=True).objective_value for name in names)
    assert (both <= np.minimum(chinchilla, kaplan) * (1 + 1e-6)).all()
