# SPDX-License-Identifier: Apache-2.0
"""True parameters and designs, in one place: what tests simulate from."""

from __future__ import annotations

import numpy as np
import offray

HOFFMANN = (1.69, 406.4, 410.7, 0.34, 0.28)
"""Chinchilla's law as published (arXiv:2203.15556)."""

TRUTH = {
    "chinchilla": HOFFMANN,
    "kaplan": (4e11, 2.5e10, 0.16, 0.25),
    "droppo_elibol": (1.6, 2.6e7, 7.7e7, 0.33, 0.37, 1.25),
    "repeated_data": (1.86, 490.0, 1500.0, 0.35, 0.353, 5.8, 14.9),
    "kaplan_floor": (1.5, 8.0e8, 3.0e10, 0.24, 0.20),
}
"""A theta for every law, each of a size that published fits have."""

SIZES = np.geomspace(1e7, 2e9, 6)
TOKENS = np.geomspace(3e8, 1e11, 6)


def _pairs(sizes, tokens):
    N, D = np.meshgrid(sizes, tokens)
    return N.ravel(), D.ravel()


def _near_ray():
    N = np.repeat(SIZES, 4)
    return N, 20 * N * np.tile([0.9, 1.0, 1.05, 1.15], len(SIZES))


DESIGNS = {
    "spread": _pairs(SIZES, TOKENS),
    "near ray": _near_ray(),
    "ray": (np.repeat(SIZES, 3), 20 * np.repeat(SIZES, 3)),
    "one size": (np.full(18, 1e8), np.repeat(TOKENS, 3)),
    "one token count": (np.repeat(SIZES, 3), np.full(18, 1e10)),
    "few runs": tuple(a[:7] for a in _pairs(SIZES, TOKENS)),
}
"""N and D of each kind of design that a law has to bear."""


def unique_tokens(D):
    """Epochs of 1, 2, 4 and 8 in turn."""
    return D / 2.0 ** (np.arange(len(D)) % 4)


def simulated(law_name, design, sigma=0.003, seed=0):
    """N, D, loss and, for a law that reads them, unique tokens (else None)."""
    law = getattr(offray.laws, law_name)
    N, D = DESIGNS[design]
    U = unique_tokens(D) if law.reads("unique_tokens") else None
    x = (N, D) if U is None else (N, D, U)
    noise = np.random.default_rng(seed).normal(scale=sigma, size=len(N))
    return N, D, law(x, *TRUTH[law_name]) + noise, U
