# SPDX-License-Identifier: Apache-2.0
"""The figures that sentences on a fit are made of, and what of it is determined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from offray import _core
from offray._optimum import Optimum

_FACTOR = np.log(10)


@dataclass(frozen=True)
class Facts:
    """The figures of one fit that the sentences are made of, each computed when first asked for; where the law's terms are one,
    those of the law that is left, and no better."""

    fit: Optimum

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """The core's figures, of the law that is left."""
        return _core.report((self.fit.reduced or self.fit).core)

    @cached_property
    def pair(self) -> tuple[str, ...]:
        """The coefficients of the two terms, where both are unknowns of their own."""
        law, limits = self.fit.law, self.fit.problem.limits
        free = [name for name, is_free in zip(law.parameters, self.fit.core.free, strict=True) if is_free]
        both = tuple(name for name in free if name in law.coefficients)
        tied = {name for pair in limits.tied for name in pair} if limits is not None else set()
        return both if len(both) == 2 and tied.isdisjoint(both) else ()

    @property
    def kappa(self) -> Any:
        """kappa_2 of the unit-column Jacobian."""
        return self.report["kappa"][()] if self.fit.reduced is None else self.fit.theta.dtype.type(np.inf)

    @property
    def rank(self) -> int:
        """Its rank against rounding."""
        return int(self.report["rank"])

    @property
    def kappa_eq(self) -> Any:
        """(1 + rho) / (1 - rho) of the pair's columns."""
        return self.report["pair_kappa"][()] if self.fit.reduced is None else self.fit.theta.dtype.type(np.inf)

    @cached_property
    def relative_se(self) -> Mapping[str, Any]:
        """Standard errors over the estimates; infinite for what the law that is left lacks."""
        fit, left = self.fit, self.fit.reduced
        if left is None:
            return dict(zip(fit.law.parameters, self.report["relative_se"], strict=True))
        assert left.problem.reduction is not None
        shared = left.problem.reduction.shared
        own = zip(left.law.parameters, left.se, left.theta, strict=True)
        known = {shared[name]: se / value for name, se, value in own if name in shared and np.isfinite(se)}
        return {name: known.get(name, np.inf) for name in fit.law.parameters}


def is_determined(facts: Facts, name: str) -> bool:
    """Whether the interval of a parameter says something."""
    fit, se = facts.fit, facts.relative_se[name]
    if se == 0:  # fixed
        return True
    if fit.on_ray and fit.reduced is None and name != fit.law.floor:
        return False
    # A reduced law that is rejected is so with all that it has.
    if name in fit.entangled or fit.blended:
        return False
    t = _half_width(fit)
    return bool(np.isfinite(t) and t * se < (_FACTOR if name in fit.law.coefficients else 1))


def _half_width(fit: Optimum) -> float:
    return _core.student_t_half_width(0.95, fit.degrees_of_freedom)


def determined(facts: Facts) -> dict[str, bool]:
    """Per parameter and derived quantity: whether its interval says something."""
    fit = facts.fit
    t = _half_width(fit)
    out = {name: is_determined(facts, name) for name in fit.law.parameters}
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
