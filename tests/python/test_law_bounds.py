# SPDX-License-Identifier: Apache-2.0
"""Bounds that a law has of its own."""

import pickle
import warnings

import numpy as np
import offray
import pytest
from truths import DESIGNS


def test_bounds_of_a_law():
    """They hold in every fit that does not say otherwise, and travel with the law."""
    law = offray.law("E + (A*N**-alpha + B*D**-beta)**q", bounds={"q": (0.9, 1.1), "E": (0, np.inf)})
    theta = {"E": 1.7, "A": 400, "alpha": 0.34, "B": 410, "beta": 0.28, "q": 1.3}
    N, D = DESIGNS["spread"]
    loss = law((N, D), *(theta[name] for name in law.parameters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bound = offray.fit(N, D, loss, law=law)
        wider = offray.fit(N, D, loss, law=law, bounds={"q": (0.5, 2)})
        held = offray.fit(N, D, loss, law=law, fixed={"q": 1.3})
        many = offray.fit_many(N[None], D[None], loss[None], law=law)
    assert bound.params["q"] == pytest.approx(1.1, rel=1e-9)
    assert "at_bound" in bound.findings
    assert wider.params["q"] == pytest.approx(1.3, rel=1e-6)
    assert held.params["E"] == pytest.approx(1.7, rel=1e-6)
    assert many.theta[0, law.parameters.index("q")] == pytest.approx(1.1, rel=1e-9)
    for again in (pickle.loads(pickle.dumps(law)), offray.Fit.from_json(bound.to_json()).law):
        assert again.bounds == {"q": (0.9, 1.1), "E": (0.0, np.inf)}

    def branches(x, E, A, a):
        return E + A * x**-a if float(np.max(x)) > 0 else E

    called = offray.law(branches, bounds={"a": (0.3, 0.5)})
    assert not called.traced
    assert called.bounds == {"a": (0.3, 0.5)}


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"z": (1, 2)}, "unknown parameter z; the law has E, q, a"),
        ({"q": (2, 1)}, r"q needs 0 <= lower <= upper; got \(2, 1\)"),
        ({"q": (-1, 1)}, r"q needs 0 <= lower <= upper; got \(-1, 1\)"),
        ({"q": 3}, r"needs a pair \(lower, upper\); got 3 for q"),
    ],
)
def test_bad_bounds_of_a_law(bounds, message):
    with pytest.raises(ValueError, match=message):
        offray.law("E + q*C**-a", bounds=bounds)
