# SPDX-License-Identifier: Apache-2.0
"""The runs that the benchmarks fit: files of real ones, and simulated ones."""

from __future__ import annotations

import csv

import numpy as np

SUBSETS = ("fit182", "isoflop")  # the rows to fit, in files that mark them so in a column `family`
TRUTH = (1.82, 478.0, 2143.0, 0.347, 0.367)  # of the simulated runs: arXiv:2404.10102
SHAPES = {15: (3, 5), 60: (6, 10), 240: (12, 20), 1000: (25, 40), 10000: (100, 100)}  # budgets x model sizes


def read(path):
    """(N, D) or (N, D, U), and the losses, of a CSV file."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [r for r in rows if r.get("family") in SUBSETS] or rows
    x = [np.array([float(r[c]) for r in rows]) for c in ("params", "tokens")]
    if "unique_tokens" in rows[0]:
        x.append(np.array([float(r["unique_tokens"]) for r in rows]))
    return tuple(x), np.array([float(r["loss"]) for r in rows])


def isoflop(n):
    """N and D of n runs: compute budgets C = 6 N D, each split over model sizes a factor of 8 around D = 20 N."""
    budgets, sizes = SHAPES[n]
    C, spread = (
        a.ravel() for a in np.meshgrid(np.geomspace(6e18, 3e21, budgets), np.geomspace(1 / 8, 8, sizes), indexing="ij")
    )
    N = np.sqrt(C / 120) * spread
    return N, C / (6 * N)


def simulate(law, theta, x):
    """Losses of the law with noise of .7 %, about that of published runs; the same numbers every time."""
    noise = np.random.default_rng(1).standard_normal(x[0].size)
    return law(x, *theta) * np.exp(0.007 * noise)
