# SPDX-License-Identifier: Apache-2.0
"""What the runs behind a fit determine, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offray._result import Fit

COLLINEAR = 1000.0
"""kappa_2 above which a design counts as collinear: the worst combination's interval is this much wider than the best's."""

ONE_RAY = 1.1
"""Largest over smallest tokens per parameter below which runs count as one ray: k^-beta then varies by under 4 %."""

_REMEDY = "Add runs whose tokens per parameter differ by a large factor from the present ones."


@dataclass(frozen=True)
class Identifiability:
    """What the runs determine.

    Attributes
    ----------
    identified : bool
        Whether every free parameter is determined: interior optimum, full rank, kappa_2 <= 1000, more than one ray, more runs
        than parameters.
    warnings : tuple of str
        Each with its figure and its remedy; empty where `identified`.
    """

    identified: bool
    warnings: tuple[str, ...]


def assess(fit: Fit) -> Identifiability:
    """The report on one fit."""
    found = [_bound(fit, j) for j, stuck in enumerate(fit._core.at_bound) if stuck]
    if fit._core.tpp_ratio[()] < ONE_RAY and "R_D" not in fit.law.parameters:
        found.append(
            f"all runs lie on one ray, tokens per parameter within a factor {fit._core.tpp_ratio[()]:.3g}: along it the terms "
            f"in N and in D cannot be told apart, whatever the fit says. {_REMEDY}"
        )
    # The iteration's own bound on kappa_2 spares the singular values of the usual, well-conditioned fit.
    # It leaves out parameters at their bounds.
    suspect = bool(found) or fit._core.inverse_condition[()] * COLLINEAR < 1
    if suspect and fit.conditioning.kappa > COLLINEAR:
        found.append(_collinear(fit))
    if fit.degrees_of_freedom == 0:
        found.append(
            f"{len(fit.residuals)} runs for as many free parameters: the noise has no estimate, so every standard error is "
            "infinite. Add runs, or fix a parameter."
        )
    return Identifiability(not found and fit.converged, tuple(found))


def _bound(fit: Fit, j: int) -> str:
    name = fit.law.parameters[j]
    return (
        f"{name} = {fit.theta[j]:.3g} sits at its bound: these runs prefer a value beyond it, so they do not determine {name}. "
        f"Fix {name} at a known value, or add runs where its term matters."
    )


def _collinear(fit: Fit) -> str:
    at = fit.conditioning
    rank = f"rank {at.rank} of {len(at.direction)}" if at.rank < len(at.direction) else "collinear"
    return (
        f"kappa_2 = {at.kappa:.3g} ({rank}): the runs barely notice a change along ({name_direction(fit)}) in unit columns. "
        f"{_REMEDY}"
    )


def name_direction(fit: Fit) -> str:
    """The sloppy direction in parameters, components under a tenth of the largest left out."""
    direction = fit.sloppy_direction
    largest = max(map(abs, direction.values()))
    return ", ".join(f"{name} {value:+.2f}" for name, value in direction.items() if abs(value) >= 0.1 * largest)
