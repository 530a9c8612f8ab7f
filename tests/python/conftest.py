# SPDX-License-Identifier: Apache-2.0
"""Reference values and real runs."""

import csv
import json
from pathlib import Path

import numpy as np
import offray
import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference"
DATA = ROOT.parent / "shared" / "data"

LAW_NAMES = dir(offray.laws)
LAW_OF_REFERENCE = {"repeated": "repeated_data"}
SUBSETS = ("fit182", "isoflop")  # the rows to fit, where a file holds others too
HOFFMANN = (1.69, 406.4, 410.7, 0.34, 0.28)


def reference(name):
    return json.loads((REFERENCE / f"{name}.json").read_text())


def law_of(name):
    return getattr(offray.laws, LAW_OF_REFERENCE.get(name, name))


def data_files():
    return sorted(p.stem for p in DATA.glob("*.csv")) or ["absent"]


def read_data(stem):
    """N, D, loss, U or None of a file of real runs."""
    path = DATA / f"{stem}.csv"
    if not path.exists():
        pytest.skip(f"real runs are not part of the project; {DATA} is not there")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    keep = [r for r in rows if r.get("family") in SUBSETS] or rows
    columns = [np.array([float(r[c]) for r in keep]) for c in ("params", "tokens", "loss")]
    unique = np.array([float(r["unique_tokens"]) for r in keep]) if "unique_tokens" in rows[0] else None
    return *columns, unique


@pytest.fixture
def massivetext():
    return read_data("chinchilla_massivetext")[:3]


@pytest.fixture
def grid():
    """A 7 x 6 grid of Chinchilla losses with a little deterministic noise."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 7), np.geomspace(2e8, 1e11, 6)))
    noise = 0.01 * np.sin(np.arange(N.size) * 2.3)
    return N, D, offray.laws.chinchilla((N, D), *HOFFMANN) + noise
