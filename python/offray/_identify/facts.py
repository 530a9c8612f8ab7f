# SPDX-License-Identifier: Apache-2.0
"""The figures that sentences on a fit are made of, and what of it is determined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._optimum import Optimum

_FACTOR = np.log(10)


@dataclass(frozen=True)
class Facts:
    """The figures of one fit that the sentences are made of."""

    fit: Optimum
    pair: tuple[str, ...]
    kappa: Any
    rank: int
    kappa_eq: Any
    relative_se: Mapping[str, Any]


def pair_of(fit: Optimum) -> tuple[str, ...]:
    """The coefficients of the two terms, where both are unknowns of their own."""
    free = [p for p, is_free in zip(fit.law.parameters, fit.core.free, strict=True) if is_free and p in fit.law.coefficients]
    return tuple(free) if len(free) == 2 and all(name in fit.sloppy_direction for name in free) else ()


def determined(facts: Facts) -> dict[str, bool]:
    """Per parameter and derived quantity: whether its interval says something."""
    fit = facts.fit
    t = _core.student_t_half_width(0.95, (fit.reduced or fit).degrees_of_freedom)

    def good(name: str, se: Any) -> bool:
        if se == 0:  # fixed
            return True
        if fit.on_ray and fit.reduced is None and name != fit.law.floor:
            return False
        if name in fit.entangled:
            return False
        if fit.blended:  # the reduced law is rejected, with all that it has
            return False
        return bool(np.isfinite(t) and t * se < (_FACTOR if name in fit.law.coefficients else 1))

    out = {name: good(name, se) for name, se in facts.relative_se.items()}
    out["loss"] = bool(np.isfinite(t) and (fit.reduced or fit).converged)
    if fit.on_ray:
        out["loss off the ray"] = False
    elif fit.reduced is not None or fit.confined_to:
        out["loss elsewhere"] = False
    seen = not fit.on_ray and fit.reduced is None and not fit.confined_to
    out["compute-optimal"] = seen and fit.converged and bool(t * _ratio_se(fit) < _FACTOR)
    return out


def _ratio_se(fit: Optimum) -> float:
    """Standard error of ln TPP* at the largest budget of the runs."""
    if not fit.law.of_N_and_D or fit.law.further:
        return float("inf")
    budget = 6 * (fit.problem.N * fit.problem.D).max()
    cost = np.array([budget, 6, 0], fit.theta.dtype)
    try:
        return float(_core.delta_method(fit.core, "optimal TPP", [cost])[1][0])
    except ValueError:  # a law of one's own may have no optimum
        return float("inf")


def known_values(facts: Facts) -> str:
    """The parameters that are determined, where some are."""
    fit = facts.fit
    known = [
        name for name, good in determined(facts).items() if good and name in fit.law.parameters and facts.relative_se[name] > 0
    ]
    values = ", ".join(
        f"{name} = {fit.params[name]:.4g} +- {abs(fit.params[name]) * facts.relative_se[name]:.2g}" for name in known
    )
    return f" What they determine is {values or 'no single parameter'}."
