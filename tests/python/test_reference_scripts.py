# SPDX-License-Identifier: Apache-2.0
"""The scripts that make the reference values still make these: a sample, computed anew."""

import sys

import pytest
from helpers import REFERENCE, reference

sys.path.insert(0, str(REFERENCE))

import make_conditioning
import make_fits
import make_interval_inflation
import make_laws
import make_tpp_diversity


@pytest.mark.parametrize("case", reference("laws")["cases"][::7], ids=lambda case: f"{case['law']} {case['label']}")
def test_laws(case):
    assert make_laws.computed(case) == case


@pytest.mark.parametrize("design", reference("tpp_diversity")["designs"][::7], ids=lambda design: design["name"])
def test_tpp_diversity(design):
    assert make_tpp_diversity.computed(design) == design


def test_one_fit():
    (case,) = (case for case in reference("fits")["fits"] if case["law"] == "kaplan")
    assert make_fits.computed(case) == case


def test_conditioning():
    table = reference("conditioning")
    for law, rows in table["laws"].items():
        for row in rows[::5]:
            assert make_conditioning.at_gap(law, row["gap"], table["sizes"], table["k"]) == row["kappa"]


def test_interval_inflation():
    row = reference("interval_inflation")["table"][4]
    assert make_interval_inflation.computed(row) == row
