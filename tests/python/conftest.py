# SPDX-License-Identifier: Apache-2.0
"""Simulated runs."""

import numpy as np
import offray
import pytest
from truths import HOFFMANN


@pytest.fixture
def sweep():
    """240 isoFLOP runs at nine budgets, scattered about Chinchilla's law as published losses are, in relative terms."""
    rng = np.random.default_rng(17)
    C = np.repeat(np.geomspace(6e18, 3e21, 9), 27)[:240]
    N = np.sqrt(C / 6 / 20) * np.exp(rng.uniform(-1.6, 1.6, len(C)))
    D = C / (6 * N)
    return N, D, offray.laws.chinchilla((N, D), *HOFFMANN) * np.exp(0.007 * rng.standard_t(4, len(C)))


@pytest.fixture
def grid():
    """A 7 x 6 grid of Chinchilla losses with a little deterministic noise."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 7), np.geomspace(2e8, 1e11, 6)))
    noise = 0.01 * np.sin(np.arange(N.size) * 2.3)
    return N, D, offray.laws.chinchilla((N, D), *HOFFMANN) + noise
