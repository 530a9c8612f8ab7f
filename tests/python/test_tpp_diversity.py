# SPDX-License-Identifier: Apache-2.0
"""What a set of tokens-per-parameter ratios can tell apart: V_K, tau_K, kappa and the least ratio of two rays."""

import numpy as np
import offray
import pytest
from helpers import reference


@pytest.mark.parametrize("design", reference("tpp_diversity")["designs"], ids=lambda d: f"{d['name']}-{d['beta']}")
def test_tpp_diversity(design):
    for target in (50, 100, 500, 1000):
        at = offray.tpp_diversity(design["k"], design["beta"], target)
        if len(design["k"]) == 1:
            assert (at.V_K, at.kappa_eq, at.passes) == (0, np.inf, False)
            continue
        for name in ("V_K", "kappa", "kappa_eq"):
            np.testing.assert_allclose(getattr(at, name), float(design[name]), rtol=1e-9)
        np.testing.assert_allclose(at.tau_K, float(design[f"tau_{target}"]), rtol=1e-12)
        np.testing.assert_allclose(at.tau_exact, float(design[f"tau_exact_{target}"]), rtol=1e-12)
        assert at.passes == (float(design["V_K"]) >= float(design[f"tau_{target}"]))
        assert (at.tau_exact <= at.V_K) == (at.kappa <= target)


@pytest.mark.parametrize("row", reference("tpp_diversity")["R_min"], ids=lambda r: f"{r['beta']}-{r['kappa_target']}")
def test_r_min(row):
    b, target = row["beta"], row["kappa_target"]
    cases = [
        ("k1_1", {"k1": 1}),
        ("k1_1_exact", {"k1": 1, "exact": True}),
        ("k1_20", {"k1": 20}),
        ("geo_1", {"k_geo": 1}),
        ("geo_20", {"k_geo": 20}),
        ("scale_free", {}),
    ]
    for name, where in cases:
        if (expected := row[name]) is None:
            assert offray.r_min(b, target, **where) == np.inf
            continue
        expected = expected[0] if isinstance(expected, list) else expected
        np.testing.assert_allclose(offray.r_min(b, target, **where), float(expected), rtol=1e-8)


def test_bad_ratios():
    with pytest.raises(ValueError, match=r"k\[1\] = -2"):
        offray.tpp_diversity([1, -2], 0.3)
    with pytest.raises(ValueError, match="exponent must be positive"):
        offray.tpp_diversity([1, 2], 0)
    with pytest.raises(ValueError, match="kappa_target must be above 1"):
        offray.r_min(0.3, 1.0)
    with pytest.raises(ValueError, match="give one of them"):
        offray.r_min(0.3, k1=1, k_geo=1)
