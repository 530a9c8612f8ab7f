# SPDX-License-Identifier: Apache-2.0
"""What a formula is found to be: a power sum, an outer power of one, a logistic, and searched as such."""

import numpy as np
import offray
import pytest
from truths import DESIGNS


def test_what_is_searched_as_the_built_in_laws_are():
    found = {
        "E + A*C**-alpha": "grid",
        "E + A*N**-alpha": "grid",
        "A*steps**-alpha": "grid",
        "E + A*N**-alpha + B*D**-beta": "grid",
        "(E + A*N**-alpha + B*D**-beta)**q": "profile",
        "(E + A*C**-alpha)**q": "profile",
        "E + (A*N**-alpha + B*D**-beta)**q": "sweep",
        "E - A*C**-alpha": "sweep",
        "E + A*N**-alpha + F*w**-gamma": "sweep",
    }
    inputs = ("steps", "w", "N", "D", "C")
    for text, search in found.items():
        law = offray.law(text, inputs=[x for x in inputs if x in text])
        assert law.core.search == search, text


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_an_outer_power_of_a_power_sum(dtype):
    """Exponents and floor are those of the sum: exact losses give the truth back, the derived figures follow."""
    N, D = (a.astype(dtype) for a in DESIGNS["spread"])
    law = offray.law("(E + A*N**-alpha + B*D**-beta)**q")
    truth = dict(zip(law.parameters, (dtype(v) for v in (1.6, 300, 0.4, 800, 0.35, 0.6)), strict=True))
    loss = law((N, D), *truth.values())
    fit = offray.fit(N, D, loss, law=law)
    assert fit.converged
    np.testing.assert_allclose(fit.theta, list(truth.values()), rtol=1e-7)
    assert law.data_exponent(truth.values()) == pytest.approx(0.35)
    held = offray.fit(N, D, loss, law=law, fixed={"q": 0.6, "alpha": 0.4})
    np.testing.assert_allclose(held.theta, list(truth.values()), rtol=1e-7)
    with pytest.warns(offray.IdentifiabilityWarning):
        bounded = offray.fit(N, D, loss, law=law, bounds={"beta": (0.4, 0.5)})
    assert bounded.params["beta"] == 0.4
    flops = 1e20
    point = offray.compute_optimal(law, truth, flops)
    sizes = np.geomspace(1e7, 1e13, 20001)
    best = sizes[np.argmin(law((sizes, flops / (6 * sizes)), *truth.values()))]
    assert float(point.N) == pytest.approx(best, rel=2e-3)


@pytest.mark.parametrize("seed", range(12))
def test_logistic_is_found_wherever_its_middle_lies(seed):
    rng = np.random.default_rng(seed)
    x = np.linspace(1.5, 4, 40) * 10 ** rng.uniform(-2, 3)
    width = x[-1] - x[0]
    truth = (0.1, 0.9, rng.choice([-1, 1]) * rng.uniform(4, 20) / width, x[0] + rng.uniform(0.2, 0.8) * width)
    clean = offray.laws.logistic(x, *truth)
    loss = clean + 0.01 * rng.normal(size=40)
    fit, near = (offray.fit(inputs={"x": x}, loss=loss, law="logistic", start=start) for start in (None, truth))
    assert fit.converged
    assert fit.objective_value <= near.objective_value * (1 + 1e-9)


def test_power_terms():
    rng = np.random.default_rng(2)
    width, depth = np.exp(rng.uniform(np.log(64), np.log(4096), 60)), np.exp(rng.uniform(np.log(2), np.log(64), 60))
    law = offray.laws.power_terms("width", "depth")
    assert law.parameters == ("E", "A_width", "alpha_width", "A_depth", "alpha_depth")
    assert law.inputs == ("width", "depth")
    truth = (1.8, 30.0, 0.7, 1.5, 0.9)
    fit = offray.fit(inputs={"width": width, "depth": depth}, loss=law((width, depth), *truth), law=law)
    np.testing.assert_allclose(fit.theta, truth, rtol=1e-6)
    for wrong in ((), ("a", "b", "c", "d", "e"), ("not a name",)):
        with pytest.raises(ValueError, match=r"power_terms|parameters|name"):
            offray.laws.power_terms(*wrong)
    with pytest.raises(ValueError, match=r"law=offray.laws.power_terms"):
        offray.fit(inputs={"width": width}, loss=depth, law="power_terms")
