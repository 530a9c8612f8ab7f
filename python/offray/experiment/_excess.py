# SPDX-License-Identifier: Apache-2.0
"""Losses that no law follows: runs that end early, and means over training in place of final losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from offray.experiment._design import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_POWER = 6


@dataclass(frozen=True)
class ShortRunExcess:
    """Runs that end early lie above the law: loss (1 + size exp(-D / tokens)).

    Attributes
    ----------
    size : float
        Relative excess of the shortest runs. Losses of real runs below 4 tokens per parameter miss fitted laws by 8 %
        (Porian et al. 2024, arXiv:2406.19146).
    tokens : float
        Training tokens over which it fades.
    """

    size: float = 0.08
    tokens: float = 1e7

    def __post_init__(self) -> None:
        if not (0 <= self.size < np.inf and 0 < self.tokens < np.inf):
            raise ValueError(f"size must not be negative and tokens must be positive; got {self.size} and {self.tokens}")

    def __str__(self) -> str:
        return f"excess {self.size:g} over {self.tokens:g} tokens"

    def measured(self, loss_at: Callable[[float], Array], D: Array) -> Array:
        """What is measured of runs of D tokens whose loss at a share of them is given."""
        return np.asarray(loss_at(1.0) * (1 + self.size * np.exp(-D / self.tokens)))


@dataclass(frozen=True)
class TrainingMean:
    """The loss is the mean over training in place of its end: (1 / D) int_0^D L(N, d) dd + start / D.

    For L = E + A N^-alpha + B d^-beta that is the same law with B / (1 - beta) for B, but for the start of training.

    Attributes
    ----------
    start : float
        What warm-up and the first steps lie above the law, nats times tokens; one nat for the first million tokens is 1e6.
    """

    start: float = 1e6

    def __post_init__(self) -> None:
        if not 0 <= self.start < np.inf:
            raise ValueError(f"start must not be negative; got {self.start}")

    def __str__(self) -> str:
        return f"mean over training, start {self.start:g}"

    def measured(self, loss_at: Callable[[float], Array], D: Array) -> Array:
        """As for `ShortRunExcess`. The substitution d = D t^6 takes the steep start from the integrand of Gauss's rule."""
        t = (_NODES + 1) / 2
        shares, weights = t**_POWER, _POWER * t ** (_POWER - 1) * _WEIGHTS / 2
        mean = sum(w * loss_at(float(s)) for s, w in zip(shares, weights, strict=True))
        return np.asarray(mean + self.start / D)


Excess: TypeAlias = ShortRunExcess | TrainingMean
