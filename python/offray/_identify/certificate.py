# SPDX-License-Identifier: Apache-2.0
"""What is known about the optimum that a fit returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from offray._input.arrays import Array, frozen
from offray._optimum import Optimum


@dataclass(frozen=True, eq=False)
class Basin:
    """Where one descent of the global search ended.

    Attributes
    ----------
    theta : (p,) ndarray
        Natural units, in the law's order.
    objective_value : floating
        Sum of w rho(r) there.
    status : str
        As `Fit.status`.
    """

    theta: Array
    objective_value: Any
    status: str


@dataclass(frozen=True, eq=False)
class Certificate:
    """Why the optimum of a fit is one, and where it lies.

    Attributes
    ----------
    limit : str
        ``interior``; ``equal_exponents`` (alpha = beta on a ray, where the two terms are one), ``term_vanishes`` (A -> 0 or
        B -> 0), ``floor_vanishes`` (E -> 0), ``runaway`` (a parameter improves the fit to the end of its range), ``bounded`` (a
        bound that was asked for), ``unidentified`` (other parameters fit as well); ``unsettled`` where the descent did not end
        at a stationary point.
    parameter : str or None
        The parameter that `limit` is about.
    scaled_gradient : floating
        sqrt(g' (J'J)^-1 g) / sqrt(2 F), zero at a stationary point; times sqrt(n - p) it is the distance to the optimum in
        standard errors.
    basins : tuple of Basin
        Distinct ends of the descents from all local minima of the search grid, the best first. One where a start was given.
    room : mapping of str to floating
        Distance to the nearer bound, in units of ln theta about the geometric means of N and D; infinite for fixed parameters.
    gap : floating
        For ``absolute`` and ``quantile``, whose kink is smoothed on the way: the objective is at most this far above its
        minimum in this basin. 0 for the others.
    """

    limit: str
    parameter: str | None
    scaled_gradient: Any
    basins: tuple[Basin, ...]
    room: Mapping[str, Any]
    gap: Any

    @property
    def interior(self) -> bool:
        """Whether the optimum is interior: the only kind that is called converged."""
        return self.limit == "interior"

    def __str__(self) -> str:
        where = {
            "interior": "interior",
            "equal_exponents": "at equal exponents, where the two terms are one",
            "term_vanishes": f"at {self.parameter} -> 0: the best fit does without the term",
            "floor_vanishes": f"at {self.parameter} -> 0: the best fit has no floor",
            "runaway": f"none: {self.parameter or 'a parameter'} runs away",
            "bounded": f"at the bound of {self.parameter}",
            "unidentified": "not unique: the Jacobian is rank-deficient",
            "unsettled": f"not reached; scaled gradient {float(self.scaled_gradient):.1e}",
        }[self.limit]
        others = f", {len(self.basins)} basins" if len(self.basins) > 1 else ""
        return where + others


def certify(fit: Optimum) -> Certificate:
    """The certificate of one fit."""
    core = fit.core
    index = core.limit_parameter
    return Certificate(
        core.limit,
        fit.law.parameters[index] if index >= 0 else None,
        core.scaled_gradient[()],
        tuple(Basin(frozen(theta), value[()], status) for theta, value, status in core.basins),
        MappingProxyType(dict(zip(fit.law.parameters, core.room, strict=True))),
        core.gap[()],
    )
