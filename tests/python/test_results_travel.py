# SPDX-License-Identifier: Apache-2.0
"""Every result as plain data, as JSON, through pickles and copies."""

import copy
import dataclasses
import inspect
import json
import math
import pickle
import re

import numpy as np
import offray
import pytest
from truths import HOFFMANN

N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 7), np.geomspace(2e8, 1e11, 6)))
LOSS = offray.laws.chinchilla((N, D), *HOFFMANN) + 0.01 * np.sin(np.arange(N.size) * 2.3)
REGION = {"N": (1e7, 1e9), "D": (1e9, 1e11)}
WITH_A_FIT = {"Certificate", "Misfit"}
"""Results that work out some of their figures when asked, from the fit that they hold: they are not read back."""


def chained(fit):
    metric = offray.fit(inputs={"x": LOSS}, loss=0.25 + 0.6 / (1 + np.exp(3 * (LOSS - 2.6))), law="logistic")
    return offray.chain(fit, metric)


RESULTS = {
    "Basin": lambda fit: fit.certificate.basins[0],
    "Bootstrap": lambda fit: fit.bootstrap(5),
    "Certificate": lambda fit: fit.certificate,
    "Chain": chained,
    "ChainPrediction": lambda fit: chained(fit).predict(1e9, 2e10),
    "Comparison": lambda fit: offray.compare(N, D, LOSS, laws=["chinchilla", "kaplan"]),
    "ComputeOptimal": lambda fit: fit.compute_optimal([1e20, 1e21]),
    "Conditioning": lambda fit: fit.conditioning,
    "DesignCheck": lambda fit: offray.check(N, D),
    "Estimate": lambda fit: fit.compute_optimal(1e20).TPP,
    "Figures": lambda fit: next(iter(offray.check(N, D).figures.values())),
    "Fit": lambda fit: fit,
    "FitMany": lambda fit: offray.fit_many(N, D, np.stack([LOSS, LOSS + 0.1])),
    "GroupedFit": lambda fit: offray.fit(
        np.r_[N, N], np.r_[D, D], np.r_[LOSS, LOSS + 0.1], by=["a"] * 42 + ["b"] * 42, shared=("alpha", "beta")
    ),
    "Identifiability": lambda fit: fit.identifiability,
    "Intervals": lambda fit: fit.intervals(n=20),
    "IsoFlop": lambda fit: offray.isoflop(*isoflop_runs()),
    "LawScore": lambda fit: offray.compare(N, D, LOSS, laws=["chinchilla"]).scores[0],
    "Misfit": lambda fit: fit.misfit,
    "OptimalPoint": lambda fit: offray.compute_optimal("chinchilla", HOFFMANN, [1e20, 1e21]),
    "OtherLaw": lambda fit: offray.OtherLaw(fit.law, 12.5, fit.compute_optimal(1e20), fit.compute_optimal(1e20)),
    "Parabola": lambda fit: offray.isoflop(*isoflop_runs()).parabolas[0],
    "PrecisionReport": lambda fit: offray.precision_report(N, D, theta=HOFFMANN),
    "Prediction": lambda fit: fit.predict([1e9, 1e10], 2e10),
    "Reach": lambda fit: fit.predict([1e9, 1e10], 2e10).reach,
    "Rolling": lambda fit: fit.misfit.rolling,
    "Suggestion": lambda fit: offray.suggest((N, D), 1e21, REGION, 5),
    "TppDiversity": lambda fit: offray.tpp_diversity([5, 100], 0.28),
    "WeightedConditioning": lambda fit: fit.conditioning_under("huber"),
}


def isoflop_runs():
    C = np.repeat([1e19, 1e20, 1e21], 7)
    size = np.sqrt(C / 120) * np.tile(np.geomspace(0.3, 3, 7), 3)
    return size, C / 6 / size, offray.laws.chinchilla((size, C / 6 / size), *HOFFMANN) + 0.002 * np.sin(np.arange(21) * 2.3)


@pytest.fixture(scope="module", params=["float64", "longdouble"])
def fit(request):
    return offray.fit(N, D, LOSS, dtype=request.param)


@pytest.fixture(params=sorted(RESULTS))
def result(request, fit):
    return RESULTS[request.param](fit)


def public_results():
    """Public classes that are no input, no warning and nothing that is plotted: frozen dataclasses, and fits."""
    each = (getattr(offray, name) for name in offray.__all__)
    classes = {c.__name__ for c in each if inspect.isclass(c) and (dataclasses.is_dataclass(c) or hasattr(c, "from_json"))}
    return classes - {"OnlineFit"}  # no figures of one moment; test_online.py


def test_no_result_is_left_out():
    assert public_results() == set(RESULTS)


def same(a, b):
    """Equal to the last bit, types included; of results all fields."""
    if isinstance(a, float) and isinstance(b, float):  # Python's or numpy's
        assert a == b or (math.isnan(a) and math.isnan(b))
        return
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype or a.dtype.kind == b.dtype.kind == "U"
        np.testing.assert_array_equal(a, b)
        assert not b.flags.writeable or a.flags.writeable
    elif isinstance(a, dict) or type(a).__name__ == "mappingproxy":
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, tuple | list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, offray.Fit):
        same(a.state(), b.state())
    elif dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            same(getattr(a, field.name), getattr(b, field.name))
    else:
        assert a == b or (a != a and b != b)


def strict(text):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def test_told_as_json(result):
    data = strict(result.to_json())
    assert data == json.loads(json.dumps(result.to_dict()))
    assert data["schema"] == "offray." + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(result).__name__).lower()
    assert data["version"] == 1


def test_read_back_with_all_bits(result, tmp_path):
    if type(result).__name__ in WITH_A_FIT:
        assert not hasattr(result, "from_json")
        return
    again = type(result).from_json(result.to_json())
    assert again.to_json() == result.to_json()
    same(result, again)
    result.save(tmp_path / "result.json")
    assert offray.load(tmp_path / "result.json").to_json() == result.to_json()
    assert type(result).load(tmp_path / "result.json").to_json() == result.to_json()
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
def test_copies(result, way):
    same(result, way(result))


def test_in_one_line(result):
    shown = repr(result)
    assert "\n" not in shown
    assert shown.startswith(f"<{type(result).__name__}")
    assert len(shown) < 300


def test_in_a_notebook(result):
    from html.parser import HTMLParser

    html = result._repr_html_()
    assert not re.search(r"https?:|<script|color|src=", html)
    seen = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.append(tag)

        def handle_endtag(self, tag):
            assert seen.pop() == tag

    Parser().feed(html)
    assert not seen


def test_html_is_text(fit):
    law = offray.law("E + A*N**-alpha + B*D**-beta", name="<b>&law")
    assert "&lt;b&gt;&amp;law" in offray.fit(N, D, LOSS, law=law)._repr_html_()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.update(schema="offray.fit"), "the schema is 'offray.fit', not 'offray.prediction'"),
        (lambda d: d.update(version=2), "version 2; this offray reads version 1, a newer one is needed"),
        (lambda d: d.pop("se"), "'se' is missing"),
        (lambda d: d.update(se=["no number", 1]), "'se': 'no number' is no number"),
        (lambda d: d.update(level="x"), "'level': 'x' is no number"),
        (lambda d: d.update(method=3), "'method': 3 is no text"),
        (lambda d: d.update(reach=[]), r"'reach': \[\] is no object"),
        (lambda d: d["reach"].update(factors={"N": {}}), "'factors': {} is no number"),
    ],
)
def test_damaged_figures(fit, damage, message):
    data = RESULTS["Prediction"](fit).to_dict()
    damage(data)
    with pytest.raises(ValueError, match=message):
        offray.Prediction.from_dict(data)


@pytest.mark.parametrize("x", [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan])
def test_numbers_keep_their_bits(x):
    from offray._travel.plain import number, number_from

    for value in (np.float64(x), np.longdouble(x), np.longdouble(x) / 3):
        again = number_from(json.loads(json.dumps(number(value), allow_nan=False)))
        assert type(again) is type(value)
        assert again == value or np.isnan(value)
        assert np.signbit(again) == np.signbit(value)
        if type(value) is np.longdouble and np.isfinite(float(value)) and np.isfinite(value):
            assert float.fromhex(number(value)) == pytest.approx(x if value == x else x / 3, nan_ok=True)


def test_a_plan_is_read_as_runs(fit, tmp_path):
    """One row for each run to train, repeats among them, as `check` and `read` take a table."""
    plan = RESULTS["Suggestion"](fit)
    plan.save(tmp_path / "plan.json")
    rows = json.loads((tmp_path / "plan.json").read_text())["runs"]
    assert len(rows) == plan.repeats.sum()
    assert {"params", "tokens"} <= rows[0].keys()
    checked = offray.check(tmp_path / "plan.json")
    np.testing.assert_array_equal(checked.N, np.repeat(plan.N, plan.repeats))
