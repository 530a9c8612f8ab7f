# SPDX-License-Identifier: Apache-2.0
"""Numbers as people write them."""

import numpy as np
import offray
import pytest


def first(cell, **options):
    """What a cell is read as."""
    return float(offray.read([{"N": cell, "D": 1, "loss": 1}], **options)["params"][0])


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("70B", 70e9),
        ("70b", 70e9),
        ("70 B", 70e9),
        ("1.4T", 1.4e12),
        ("4.6M", 4.6e6),
        ("4.6e6", 4.6e6),
        ("+4.6E+6", 4.6e6),
        (".5B", 5e8),
        ("410M params", 410e6),
        ("300 billion", 300e9),
        ("300bn tokens", 300e9),
        ("12k", 12e3),
        ("2G", 2e9),
        ("1.5e3M", 1.5e9),
        ("19,000,000", 19e6),
        ("1,234,567.5", 1234567.5),
        ("19_000_000", 19e6),
        ("19 000 000", 19e6),
        ("19\u202f000\u202f000", 19e6),
        ("19'000'000", 19e6),
        ("19.000.000", 19e6),
        ("3.5e20 FLOPs", 3.5e20),
        ("2 EFLOPs", 2e18),
        ("3 ZFLOP", 3e21),
        ("5 BFLOPs", 5e9),
        ("1234,5", 1234.5),
        ("0,125", 0.125),
        ("1.234,5", 1234.5),
        ("47557632", 47557632),
        ("2.93 nats", 2.93),
        (7, 7),
        (np.float32(0.5), 0.5),
    ],
)
def test_quantities(cell, value):
    assert first(cell) == value


@pytest.mark.parametrize(
    "cell", ["70MB", "~70M", "7-13B", "7B/13B", "1,23,456", "12.34.56", "1e", "3.5 bits", "2^30", "0x10", "1__0"]
)
def test_what_cannot_be_told(cell):
    with pytest.raises(ValueError, match=r"N\[0\] = .* is no number that can be told; write it like 1.4e12, 1.4T or 1,400,000"):
        first(cell)


def test_the_file_tells_the_decimal_sign():
    """One comma before three digits may be either; any other cell of the columns that are read may tell."""
    assert first("19,000", decimal=",") == 19
    assert first("19,000", decimal=".") == 19000
    told = {"D": [1e9, "1,5"], "loss": [3, 3]}
    assert offray.read({"N": ["19,000", "1"], **told})["params"][0] == 19
    assert offray.read({"N": ["19,000", "2.5"], "D": [1, 1], "loss": [3, 3]})["params"][0] == 19000
    assert offray.read({"N": ["19,000", "1,234,567"], "D": [1, 1], "loss": [3, 3]})["params"][0] == 19000
    for cells in (["19,000", "20,000"], ["2.925", "19,000"]):
        with pytest.raises(ValueError, match=r'may be 19.000 or 19000; decimal="," or decimal="." decides'):
            offray.read({"N": cells, "D": [1, 1], "loss": [3, 3]})
    with pytest.raises(ValueError, match=r"'1,5' has a decimal comma, '2.5' a decimal point"):
        offray.read({"N": ["1,5", "2.5"], "D": [1, 1], "loss": [3, 3]})
    with pytest.raises(ValueError, match=r"decimal must be .* got ';'"):
        first("1", decimal=";")


@pytest.mark.parametrize(
    "gap", ["", " ", "NA", "n/a", "NaN", "null", "None", "-", "--", "\u2014", None, float("nan"), "inf", "(partial)", "OOM"]
)
def test_gaps_and_words_are_left_out(gap):
    rows = [{"N": 1, "D": 1, "loss": 2}, {"N": 2, "D": 1, "loss": gap}]
    runs = offray.read(rows, drop_missing=True)
    assert runs["params"].tolist() == [1]
    assert runs.notes == ("1 row of 2 left out, without a number in N, D, loss: row 1",)
    with pytest.raises(ValueError, match=r"^loss\[1\].*; read with drop_missing=True to leave such rows out"):
        offray.read(rows)


def test_a_mistyped_number_is_no_gap():
    rows = [{"N": 1, "D": 1, "loss": 2}, {"N": 2, "D": 1, "loss": "2.9l"}]
    with pytest.raises(ValueError, match=r"loss\[1\] = '2.9l' is no number"):
        offray.read(rows, drop_missing=True)
    with pytest.raises(ValueError, match="no row has a number in each of N, D, loss"):
        offray.read([{"N": 1, "D": 1, "loss": "x"}], drop_missing=True)
