# SPDX-License-Identifier: Apache-2.0
"""Run designs: model sizes and token counts of planned runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from offray._input.arrays import Array, positive


def fan(ratios: Any, sizes: Any) -> tuple[Array, Array]:
    """Every size on every ray D = k N.

    Parameters
    ----------
    ratios : (K,) array_like
        Tokens per parameter k.
    sizes : (m,) array_like
        Model parameters N.

    Returns
    -------
    N, D : (K m,) ndarray
    """
    k, N = np.meshgrid(_positive("ratios", ratios), _positive("sizes", sizes), indexing="ij")
    return N.ravel(), (k * N).ravel()


def grid(sizes: Any, tokens: Any) -> tuple[Array, Array]:
    """Every size on every number of training tokens D; arguments and result as for `fan`."""
    D, N = np.meshgrid(_positive("tokens", tokens), _positive("sizes", sizes), indexing="ij")
    return N.ravel(), D.ravel()


def isoflop(budgets: Any, sizes: Any, c: float = 6.0) -> tuple[Array, Array]:
    """Every size at every budget C = c N D; arguments and result as for `fan`."""
    C, N = np.meshgrid(_positive("budgets", budgets), _positive("sizes", sizes), indexing="ij")
    return N.ravel(), (C / (c * N)).ravel()


def factorial(sizes: tuple[float, float], tokens: tuple[float, float], levels: int = 3) -> tuple[Array, Array]:
    """`levels` x `levels` log-spaced values over the ranges of N and D."""
    (n0, n1), (d0, d1) = _positive("sizes", sizes), _positive("tokens", tokens)
    return grid(np.geomspace(n0, n1, levels), np.geomspace(d0, d1, levels))


def _positive(name: str, values: Any) -> Array:
    return positive(name, np.atleast_1d(values))
