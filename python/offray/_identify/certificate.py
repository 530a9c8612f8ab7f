# SPDX-License-Identifier: Apache-2.0
"""What is known about the optimum that a fit returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from offray._input.arrays import EMPTY, Array, frozen
from offray._optimum import Optimum
from offray._problem import Limits
from offray._travel.record import Record, Told

_NOTHING = 1e-250
"""A coefficient so small that its term changes no loss, whatever its exponent up to 1."""


@dataclass(frozen=True, repr=False, eq=False)
class Basin(Record):
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

    def _brief(self) -> str:
        return f"{self.status}, objective {self.objective_value:.6g}"


@dataclass(frozen=True, repr=False, eq=False)
class Certificate(Told):
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
        Distinct ends of the descents of the search, the best first. One where a start was given.
    room : mapping of str to floating
        Distance to the nearer bound, in units of ln theta about the geometric means of N and D; infinite for fixed parameters.
    search : str
        What was searched: ``grid`` (16 exponents of each term, .025 to 9.6, every pair of them, the coefficients solved at
        each), ``profile`` (the same for each of a row of outer powers), ``own`` (the law's own rule), ``sweep`` (32 to 512
        points of a low-discrepancy sequence), ``data`` (exponents of a coarse grid), each with a descent from every promising
        point, but on one ray only until no further power of N can lower the objective by a millionth; ``start`` where one was
        given, which says nothing of other basins.
    gap : floating
        For ``absolute`` and ``quantile``, whose kink is smoothed on the way: the objective is at most this far above its
        minimum in this basin. 0 for the others.
    """

    limit: str
    parameter: str | None
    scaled_gradient: Any
    basins: tuple[Basin, ...]
    room: Mapping[str, Any]
    search: str
    gap: Any
    _fit: Optimum = field(repr=False)

    @property
    def rivals(self) -> tuple[Basin, ...]:
        """Other basins whose objective is within a thousandth of the best: the runs hardly choose between them."""
        best = self.basins[0].objective_value
        return tuple(basin for basin in self.basins[1:] if basin.objective_value <= best * (1 + 1e-3))

    @cached_property
    def faces(self) -> Mapping[str, Any]:
        """The best objective with one term less (``"A -> 0"``, ``"E -> 0"``) and with equal exponents (``"alpha = beta"``).

        Found when first looked at, by a fit each; of parameters and exponents that are free. One close to
        ``fit.objective_value`` says that the runs hardly need the term.
        """
        return MappingProxyType(_faces(self._fit))

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
        if self.rivals:
            others += f", {len(self.rivals)} of them within 0.1 % of the best: the runs hardly choose between them"
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
        "start" if fit.problem.options.start.size else fit.law.core.search,
        core.gap[()],
        fit,
    )


def _faces(fit: Optimum) -> dict[str, Any]:
    problem, law = fit.problem, fit.law
    held = Limits({}, (), {}) if problem.limits is None else problem.limits
    free = [name for name, is_free in zip(law.parameters, fit.core.free, strict=True) if is_free]
    bounded = {*held.bounds, *(name for pair in held.tied for name in pair)}
    options = replace(problem.options, start=EMPTY[problem.dtype])

    def least(limits: Limits) -> Any:
        return replace(problem, limits=limits, options=options).minimise().objective_value[()]

    out = {}
    for name in law.named("floor", "coefficient", "scale"):
        if name in free and name not in bounded and len(free) > 1:
            nothing = np.array([_NOTHING], problem.dtype)
            out[f"{name} -> 0"] = least(replace(held, fixed={**held.fixed, name: nothing}))
    exponents = (*law.named("exponent", axis="N"), *law.named("exponent", axis="D"))
    if len(exponents) == 2 and all(name in free and name not in bounded for name in exponents):
        out[" = ".join(exponents)] = least(replace(held, tied=(*held.tied, exponents)))
    return out
