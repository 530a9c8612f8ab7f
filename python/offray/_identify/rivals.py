# SPDX-License-Identifier: Apache-2.0
"""Optima that fit as well within the noise: what they say apart, and which run would decide."""

from __future__ import annotations

import numpy as np

from offray import _core
from offray._input.arrays import Array
from offray._optimum import Optimum

_TELLING = 3.0
_FURTHER = 10.0
"""How far beyond the largest run, in N and in D, a deciding run is looked for."""


def rival_optimum(fit: Optimum) -> str:
    """The sentences on rivals of an optimum."""
    free = [j for j, is_free in enumerate(fit.core.free) if is_free]

    def text(at: Optimum) -> str:
        return ", ".join(f"{fit.law.parameters[j]} = {at.theta[j]:.4g}" for j in free)

    others = " ".join(f"and {text(rival)};" for rival in fit.rivals)
    worse = ""
    if fit.objective == "squares":
        t = _core.student_t_half_width(0.95, fit.degrees_of_freedom)
        most = max(2 * (rival.objective_value - fit.objective_value) / fit.noise_sd**2 for rival in fit.rivals)
        worse = f" worse by up to {most:.2g} s^2 where {t**2:.2g} is the 95 % bound."
    return (
        f"{len(fit.rivals) + 1} optima fit alike: {text(fit)}; {others}{worse} The runs do not tell which; intervals and "
        f"predictions span all.{_deciding(fit, fit.rivals[0])}"
    )


def _deciding(fit: Optimum, rival: Optimum) -> str:
    if not fit.law.of_N_and_D or fit.law.further or fit.law.reads("unique_tokens"):
        return ""

    def range_of(x: Array) -> Array:
        return np.geomspace(x.min(), x.max() * _FURTHER, 16)

    sizes, tokens = map(np.ravel, np.meshgrid(range_of(fit.problem.N), range_of(fit.problem.D)))
    ours, theirs = (at.law((sizes, tokens), *at.theta) for at in (fit, rival))
    noise = fit.noise_sd if fit.log_loss else fit.noise_sd / ours
    apart = np.abs(np.log(ours / theirs)) / noise
    beyond = sizes * tokens > (fit.problem.N * fit.problem.D).max()
    best, aside = int(np.argmax(np.where(beyond, 0, apart))), ""
    if apart[best] <= _TELLING:
        best, aside = int(np.argmax(apart)), " by more than noise only beyond the runs' compute;"
    if apart[best] <= _TELLING:
        return " They part nowhere near the runs by more than noise."
    where = f"N = {sizes[best]:.3g}, D = {tokens[best]:.3g}"
    return f" They part{aside} most at {where}: {ours[best]:.4g} against {theirs[best]:.4g}; a run there would decide."
