# SPDX-License-Identifier: Apache-2.0
"""Runs whose inputs have something in common, whatever the law: one ratio, one value, one product of powers."""

from __future__ import annotations

import warnings

import numpy as np
import offray
import pytest

DEPTH = np.tile([4.0, 6, 8, 12, 16, 24, 32], 3)
TOKENS = np.repeat([1e9, 4e9, 16e9], 7)


def quiet_fit(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        warnings.simplefilter("ignore", offray.ConvergenceWarning)  # a valley has no bottom
        return offray.fit(*args, **options)


def deep_and_wide(width, depth=DEPTH, tokens=TOKENS):
    loss = 1.7 + 30 * width**-0.7 + 2 * depth**-0.8 + 400 * tokens**-0.3
    noise = np.random.default_rng(3).normal(scale=1e-3, size=len(loss))
    law = offray.laws.power_terms("width", "depth", "D")
    return quiet_fit({"width": width, "depth": depth, "D": tokens, "loss": loss + noise}, law=law)


def test_one_ratio_of_any_inputs():
    fit = deep_and_wide(64 * DEPTH)
    assert "confined_inputs" in fit.findings
    assert str(fit.confined_to[0]) == "width / depth = 64"
    (text,) = [w for w in fit.identifiability.warnings if "width / depth = 64" in w]
    assert "another width / depth" in text
    known = fit.identifiability.determined
    assert [known[name] for name in ("A_width", "alpha_width", "A_depth", "alpha_depth")] == [False] * 4
    assert np.isinf(fit.conf_int()[fit.law.parameters.index("alpha_depth")]).all()
    assert np.isfinite(fit.predict(D=1e10, inputs={"width": 640.0, "depth": 10.0}).se)  # at the same ratio
    with pytest.raises(offray.NotIdentifiedError, match=r"width\[0\] = 2048, depth\[0\] = 8: all runs have width / depth = 64"):
        fit.predict(D=1e10, inputs={"width": 2048.0, "depth": 8.0})


def test_spread_inputs_are_free():
    fit = deep_and_wide(DEPTH * np.tile([32.0, 128, 64, 40, 256, 16, 90], 3))
    assert fit.confined_to == ()
    assert "confined_inputs" not in fit.findings


def test_product_of_powers():
    """D = 1000 width^2 depth in all runs: a rule of the width and the depth, and no plane of two inputs."""
    width = DEPTH * np.tile([32.0, 128, 64, 40, 256, 16, 90], 3)
    fit = deep_and_wide(width, tokens=1000 * width**2 * DEPTH)
    assert fit.confined_to[0].powers == pytest.approx({"width": 1, "depth": 0.5, "tokens": -0.5}) or fit.confined_to[
        0
    ].powers == pytest.approx({"width": -1, "depth": -0.5, "tokens": 0.5})


@pytest.mark.parametrize("law", ["outer_exponent", "kaplan_floor", "droppo_elibol"])
@pytest.mark.parametrize("shape", ["ray", "one size"])
def test_laws_of_n_and_d_do_not_leave_their_runs(law, shape):
    x = np.geomspace(1e7, 1e10, 20)
    N, D = (x, 20 * x) if shape == "ray" else (np.full(20, 1e8), x)
    loss = offray.laws.chinchilla((N, D), 1.7, 400, 400, 0.34, 0.28) * np.exp(
        np.random.default_rng(0).normal(scale=2e-3, size=20)
    )
    fit = quiet_fit(N, D, loss, law=law)
    assert not fit.identifiability.identified
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(offray.NotIdentifiedError, match="all runs have"):
            fit.predict(1e10, 1e10)


def test_a_law_of_the_product_alone_is_told_on_a_ray():
    N = np.geomspace(1e7, 1e10, 20)
    loss = 1.7 + 900 * (20 * N * N) ** -0.16 + np.random.default_rng(1).normal(scale=1e-3, size=20)
    fit = offray.fit(N, 20 * N, loss, law="E + A*(N*D)**-alpha")
    assert fit.identifiability.identified
    with pytest.warns(offray.IdentifiabilityWarning, match="outside the runs' range"):
        assert np.isfinite(fit.predict(1e10, 1e10).se)


def test_repeated_data_on_a_ray_of_one_epoch_count():
    N = np.geomspace(1e7, 1e10, 30)
    loss = offray.laws.chinchilla((N, 20 * N), 1.7, 400, 400, 0.34, 0.28) + np.random.default_rng(1).normal(scale=1e-3, size=30)
    fit = quiet_fit(N, 20 * N, loss, unique_tokens=5 * N, law="repeated_data")
    assert {"one_ray", "one_epoch_count"} <= set(fit.findings)


def test_many_on_a_ray():
    N = np.geomspace(1e7, 1e10, 8)
    losses = offray.laws.chinchilla((N, 20 * N), 1.7, 400, 400, 0.34, 0.28) + np.random.default_rng(1).normal(
        scale=1e-3, size=(3, 8)
    )
    with pytest.warns(offray.IdentifiabilityWarning, match="in 1 of 1 data sets .* one D / N"):
        shared = offray.fit_many(N, 20 * N, losses)
    spread = 20 * N * np.tile([0.2, 5.0], 4)
    with pytest.warns(offray.IdentifiabilityWarning, match=r"in 2 of 3 data sets \(the first is 0\)"):
        offray.fit_many([N] * 3, [20 * N, spread, 20 * N], list(losses))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(offray.fit_many(N, 20 * N, losses, identify="force").theta, shared.theta)
    with pytest.raises(ValueError, match="identify must be"):
        offray.fit_many(N, N, losses, identify="no")


def test_reach_of_inputs_that_are_not_counts():
    loss = np.linspace(2.2, 3.0, 12)
    accuracy = 0.2 + 0.7 / (1 + np.exp(6 * (loss - 2.6))) + np.random.default_rng(2).normal(scale=1e-3, size=12)
    fit = quiet_fit({"x": loss, "loss": accuracy}, law="logistic")
    assert "extrapolates" not in fit.predict(inputs={"x": 2.15}).findings
    far = fit.predict(inputs={"x": 1.8})
    assert far.findings == ("extrapolates",)
    assert far.reach.spans["x"] == pytest.approx(0.5)
    assert "by 0.5 of their range in x" in str(far)
