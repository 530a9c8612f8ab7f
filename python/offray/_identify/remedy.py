# SPDX-License-Identifier: Apache-2.0
"""The runs that would tell most, of those that cost no more than the largest there is."""

from __future__ import annotations

import numpy as np

from offray import _core
from offray._input.arrays import DOUBLE, Array
from offray._optimum import Optimum

_ADDED = 2
_FARTHEST = 3.0
_LEVELS = 13
_AHEAD = 10.0
_WORTH = 0.8
"""A gain that is worth a sentence: a standard deviation down by a fifth."""


def remedy(fit: Optimum) -> str:
    """Where two more runs would bring the s.d. of the loss at ten times the compute down most, and to what; empty where the fit
    is no ground to plan on, or where no two runs would do much.

    Places are those of a grid over three times the ranges of N and D either way, within the largest run's compute, and repeats
    of runs that there are. Everything is judged by the Jacobian at this optimum, as `offray.check` judges a design.
    """
    law = fit.law
    plain = law.of_N_and_D and not law.further and not law.reads("unique_tokens") and law.traced
    if not plain or not fit.converged or fit.problem.weight.size or not np.isfinite(fit.se).all() or fit.log_loss:
        return ""
    N, D = (np.asarray(a, DOUBLE) for a in (fit.problem.N, fit.problem.D))
    at, k = N * D, D / N
    ratio = np.sqrt(k.min() * k.max())
    ahead = _AHEAD * at.max()
    target = np.array([np.sqrt(ahead / ratio), np.sqrt(ahead * ratio)])
    places = _places(N, D)
    before = _sd(fit, N, D, target)
    after = [_sd(fit, np.append(N, [n] * _ADDED), np.append(D, [d] * _ADDED), target) for n, d in places]
    best = int(np.argmin(after))
    if not after[best] < _WORTH * before:
        return ""
    n, d = places[best]
    where = _where(d / n, k.min(), k.max(), "tokens per parameter")
    return (
        f"{_ADDED} runs of N = {n:.2g} on D = {d:.2g} ({where}), which cost no more than the largest there is, would bring the "
        f"s.d. of the loss at {_AHEAD:g} times its compute (N = {target[0]:.2g}, D = {target[1]:.2g}) from {before:.2g} to "
        f"{after[best]:.2g}, most of all places and of repeats."
    )


def _places(N: Array, D: Array) -> Array:
    """Candidates, (m, 2)."""
    axes = [np.geomspace(a.min() / _FARTHEST, a.max() * _FARTHEST, _LEVELS) for a in (N, D)]
    grid = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)
    affordable = grid[grid.prod(axis=1) <= (N * D).max()]
    return np.concatenate([affordable, np.unique(np.stack([N, D], axis=1), axis=0)])


def _sd(fit: Optimum, N: Array, D: Array, target: Array) -> float:
    """Of the predicted loss, if these were the runs."""
    plan = _core.planned(fit.law.core, {"params": N, "tokens": D}, np.asarray(fit.theta, DOUBLE))
    log, se = _core.delta_method(plan, "loss", [target], float(fit.noise_sd) ** 2)
    return float(np.exp(log[0]) * se[0])


def _where(value: float, low: float, high: float, what: str) -> str:
    side = "above" if value > high else "below" if value < low else "within"
    return f"{value:.2g} {what}, {side} the {low:.2g} to {high:.2g} there are"
