# SPDX-License-Identifier: Apache-2.0
"""Files of published runs, which lie beside the project."""

import csv
import os
from pathlib import Path

import numpy as np
import offray
from truths import HOFFMANN

__all__ = ["DATA", "HOFFMANN", "LAW_NAMES", "data_files", "read_data"]

DATA = Path(os.environ["OFFRAY_PUBLISHED"])
LAW_NAMES = dir(offray.laws)
SUBSETS = ("fit182", "isoflop")  # the rows to fit, where a file holds others too


def data_files():
    return sorted(p.stem for p in DATA.glob("*.csv"))


def read_data(stem):
    """N, D, loss, U or None of a file of published runs."""
    with (DATA / f"{stem}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keep = [r for r in rows if r.get("family") in SUBSETS] or rows
    columns = [np.array([float(r[c]) for r in keep]) for c in ("params", "tokens", "loss")]
    unique = np.array([float(r["unique_tokens"]) for r in keep]) if "unique_tokens" in rows[0] else None
    return *columns, unique
