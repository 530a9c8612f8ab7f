# SPDX-License-Identifier: Apache-2.0
"""Options as Literal types that are what the calls accept; numbers to the digits of their standard errors."""

import inspect
import typing

import numpy as np
import offray
import pytest
from offray import _choices, _core
from offray._text import rounded, two_digits
from truths import DESIGNS, HOFFMANN

N, D = DESIGNS["spread"]
LOSS = offray.laws.chinchilla((N, D), *HOFFMANN) * np.exp(0.01 * np.sin(np.arange(len(N)) * 2.3))
FIT = offray.fit(N, D, LOSS)
CHAIN = offray.chain(FIT, offray.fit(inputs={"x": LOSS}, loss=0.25 + 0.6 / (1 + np.exp(3 * (LOSS - 2.6))), law="logistic"))
TABLE = {"N": N, "D": D, "loss": LOSS}

CALLS = {
    "Objective": lambda word: offray.fit(N, D, LOSS, objective=word),
    "Identify": lambda word: offray.fit(N, D, LOSS, identify=word),
    "Covariance": lambda word: FIT.covariance(word),
    "Method": lambda word: FIT.predict(1e9, 2e10, method=word, n=20),
    "IntervalMethod": lambda word: FIT.conf_int(method=word, n=20),
    "ChainMethod": lambda word: CHAIN.predict(1e9, 2e10, method=word, n=20),
    "Resampling": lambda word: FIT.bootstrap(3, kind=word),
    "Criterion": lambda word: offray.suggest((N, D), 1e21, {"N": (1e8, 1e9), "D": (1e9, 1e10)}, 6, word, sizes=[1e8, 1e9]),
    "LossUnit": lambda word: offray.read(TABLE, loss_unit=word),
    "Decimal": lambda word: offray.read(TABLE, decimal=word),
}


def test_every_choice_is_tried():
    assert set(CALLS) == {name for name, at in vars(_choices).items() if typing.get_origin(at) is typing.Literal}


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
@pytest.mark.parametrize("name", CALLS)
def test_words_are_what_calls_accept(name):
    for word in typing.get_args(getattr(_choices, name)):
        CALLS[name](word)
    with pytest.raises(ValueError, match="nothing"):
        CALLS[name]("nothing")


def test_words_of_the_core():
    assert typing.get_args(_choices.Objective) == _core.OBJECTIVES
    assert set(typing.get_args(_choices.Resampling)) == set(_core.RESAMPLINGS)
    assert set(typing.get_args(_choices.Criterion)) == set(_core.CRITERIA)


@pytest.mark.parametrize(
    "call",
    [
        *(offray.fit, offray.fit_many, offray.OnlineFit, offray.suggest, offray.Fit.conf_int, offray.Fit.predict),
        *(offray.Fit.compute_optimal, offray.Fit.bootstrap, offray.Fit.covariance, offray.Chain.predict, offray.read),
    ],
)
def test_signatures_say_so(call):
    named = {"objective", "identify", "method", "kind", "criterion", "loss_unit", "decimal"}
    for name, parameter in inspect.signature(call).parameters.items():
        if name in named:
            assert "str" not in parameter.annotation, (call, name)


@pytest.mark.parametrize(
    ("value", "se", "shown", "error"),
    [
        (406.4, 12, "406", "12"),
        (1.62236e11, 6.2e10, "1.62e+11", "6.2e+10"),
        (0.02164, 0.0031, "0.0216", "0.0031"),
        (334.714, 260, "330", "260"),
        (-5.5, 0.034, "-5.500", "0.034"),
        (0.0432, 0.14, "0.043", "0.14"),  # two digits at least
        (66.077, 260, "66", "260"),
        (9.996, 0.0996, "10.00", "0.10"),
        (0.99999, 0.0099, "1.0000", "0.0099"),
        (0, 1, "0", "1.0"),
        (1.8, 1e-14, "1.800000000", "1.0e-14"),  # ten at most
        (1.69, 0, "1.69", "0"),
        (1.234567891, np.inf, "1.23457", "inf"),
        (np.inf, 0.1, "inf", "0.10"),
        (np.nan, np.nan, "nan", "nan"),
        (1.5e-5, 2e-6, "1.50e-05", "2.0e-06"),
        (123456789.0, 1234.0, "1.234568e+08", "1200"),
    ],
)
def test_two_digits_of_the_standard_error(value, se, shown, error):
    assert (rounded(value, se), two_digits(se)) == (shown, error)


def test_the_error_of_rounding_is_small_beside_the_standard_error():
    rng = np.random.default_rng(0)
    for value, share in zip(10 ** rng.uniform(-20, 20, 2000), 10 ** rng.uniform(-7, 0, 2000), strict=True):
        se = value * share
        assert abs(float(rounded(value, se)) - value) <= 0.0501 * se
        assert abs(float(two_digits(se)) - se) <= 0.0501 * se


def test_tables_use_them():
    (_, estimate, se, interval), *_ = FIT.rows()[2:]
    assert estimate == rounded(FIT.params["A"], FIT.se[1])
    assert se == two_digits(FIT.se[1])
    assert interval.split(" .. ") == [rounded(end, FIT.se[1]) for end in FIT.conf_int()[1]]
    assert f"A={estimate}" in repr(FIT)
    assert FIT.to_dict()["params"]["A"] == FIT.params["A"]  # all digits
