# SPDX-License-Identifier: Apache-2.0
"""How much worse the fit becomes as parameters are held elsewhere: what profiles and likelihood regions are drawn from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import offray

Array = npt.NDArray[Any]
_FACTOR, _FACTOR_OF_EXPONENTS, _ERRORS = 20.0, 3.0, 10.0
"""How far from the estimate a region that is open is drawn: of coefficients, of exponents, in standard errors of others."""
_EXACT = 1e-12
"""Noise below this share of the losses is rounding."""
_TINY = 1e-6
"""An estimate below this, and this share of its upper end, sits at its lower bound."""


class Profiler:
    """Refits of one fit with parameters held.

    Parameters
    ----------
    fit : Fit
        By a smooth objective.

    Raises
    ------
    ValueError
        For an objective with a kink, which has no likelihood region.
    """

    def __init__(self, fit: offray.Fit) -> None:
        if fit.objective in ("absolute", "quantile"):
            raise ValueError(f"profiles are of smooth objectives; the objective {fit.objective!r} has a kink")
        self.fit = fit
        self._intervals: dict[float, Array] = {}
        self.least = float((fit.reduced or fit).objective_value)
        self._held, self._options = _call(fit)
        self.scale = self._scale()
        self.free = tuple(name for name in fit.law.parameters if name not in self._held)

    def excess(self, held: Mapping[str, float]) -> float:
        """2 (F - F_min) / s^2 with these parameters held and all others free; infinite where there is no fit."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                at = self._fit({**self._held, **held})
            except ValueError:
                return float("inf")
        return max(2 * (float(at.objective_value) - self.least) / self.scale, 0.0)

    def _fit(self, held: dict[str, float]) -> offray.Fit:
        """From the optimum, which takes a tenth of the time; the global search where that is no safe place to start."""
        if self.fit.converged and self.fit.reduced is None and not self.fit.rivals:
            start = {**{name: float(value) for name, value in self.fit.params.items()}, **held}
            at: offray.Fit = offray.fit(**self._options, fixed=held, start=start)
            if at.converged:
                return at
        again: offray.Fit = offray.fit(**self._options, fixed=held)
        return again

    def centre(self, name: str) -> float:
        """Where a parameter is, or the slope that stands for it on a ray; NaN where the runs say nothing of it."""
        value = float(self.fit.params[name])
        equal = self.fit.identifiability.equal
        if np.isnan(value) and name in equal:
            return next((float(self.fit.params[one]) for one in equal if np.isfinite(self.fit.params[one])), value)
        return value

    def positive(self, name: str) -> bool:
        """Whether a parameter is looked at on its logarithm."""
        return next(p.role for p in self.fit.law.roles if p.name == name) != "real"

    def nothing_to_draw(self, *names: str) -> str:
        """Why there is no profile or region of these parameters; empty where there is one."""
        held = [name for name in names if name not in self.free]
        if held:
            return f"{' and '.join(held)}: fixed."
        if self.fit.degrees_of_freedom < 1 or not np.isfinite(self.scale):
            return "As many free parameters as runs: nothing tells the noise."
        if not np.sqrt(self.scale) > _EXACT * float(np.abs(self.fit.problem.loss).max()):
            return "The law fits these runs to rounding: there is no noise to judge by."
        lost = [name for name in names if not self._bounded(name)]
        return f"{' and '.join(lost)}: not determined by these runs." if lost else ""

    def _bounded(self, name: str) -> bool:
        """Whether a parameter has an estimate with a standard error, or the slope of a ray stands for it."""
        se = self.fit.se[self.fit.law.parameters.index(name)]
        known = np.isfinite(se) or name in self.fit.identifiability.equal
        return bool(known and np.isfinite(self.centre(name)))

    def wide(self, name: str) -> bool:
        """Whether an axis is logarithmic: for what sizes a term, which spans factors, unless it sits at zero."""
        role = next(p.role for p in self.fit.law.roles if p.name == name)
        return role in ("coefficient", "scale", "decay", "positive") and not self.at_zero(name)

    def at_zero(self, name: str) -> bool:
        """Whether a positive parameter sits at its lower bound."""
        high = float(self._outer(0.95)[self.fit.law.parameters.index(name)][1])
        return self.positive(name) and self.centre(name) < _TINY * min(high, 1.0)

    def axis(self, name: str, threshold: float, steps: int) -> Array:
        """Values of a parameter that span its profile up to a threshold, the estimate among them, (steps,): denser about it."""
        centre, wide = self.centre(name), self.wide(name)
        se = float(self.fit.se[self.fit.law.parameters.index(name)])
        low, high = self._ends(name, centre, threshold)
        if wide:
            low, high, middle, unit = np.log(low), np.log(high), np.log(centre), se / abs(centre)
        else:
            middle, unit = centre, se
        half = steps // 2
        below, above = (_steps(end - middle, unit, count) for end, count in ((low, half + 1), (high, steps - half)))
        x = middle + np.concatenate([below[:0:-1], above])
        return np.asarray(np.exp(x) if wide else x)

    def _ends(self, name: str, centre: float, threshold: float) -> tuple[float, float]:
        """Where the excess passes a threshold, kept in sight of the estimate."""
        j = self.fit.law.parameters.index(name)
        low, high = map(float, self._outer(level_of(float(np.sqrt(threshold)), self.fit.degrees_of_freedom))[j])
        if not self.positive(name):
            far = _ERRORS * float(self.fit.se[j])
            return max(low, centre - far), min(high, centre + far)
        if name in self.fit.identifiability.equal:  # the slope of a ray bounds either exponent only if they are equal
            return centre / _FACTOR_OF_EXPONENTS, centre * _FACTOR_OF_EXPONENTS
        if self.at_zero(name):
            return centre, high if np.isfinite(high) else 1.0
        factor = _FACTOR if self.wide(name) or np.isfinite(high) else _FACTOR_OF_EXPONENTS
        return max(low, centre / factor if self.wide(name) else _TINY * centre), min(high, centre * factor)

    def _outer(self, level: float) -> Array:
        """Profile intervals of all parameters, (p, 2)."""
        if level not in self._intervals:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
                self._intervals[level] = self.fit.conf_int(level, "profile")
        return self._intervals[level]

    def _scale(self) -> float:
        """s^2, or for other objectives than squares what makes the profile interval end at t^2."""
        at = self.fit.reduced or self.fit
        if self.fit.objective == "squares":
            return float(at.noise_sd) ** 2
        self.scale = 1.0  # for the refits below
        t = t_of(0.95, at.degrees_of_freedom)
        for name, ends in zip(self.fit.law.parameters, self.fit.conf_int(method="profile"), strict=True):
            for end in ends:
                if name not in self._held and 0 < end < np.inf:
                    reached = self.excess({name: float(end)})
                    if 0 < reached < np.inf:
                        return reached / t**2
        return float("nan")


def _call(fit: offray.Fit) -> tuple[dict[str, float], dict[str, Any]]:
    """What is held already, and the arguments of `offray.fit` that make this fit."""
    problem, options = fit.problem, fit.problem.options
    columns = dict(problem.columns)
    arguments: dict[str, Any] = {
        "N": columns.pop("params", None),
        "D": columns.pop("tokens", None),
        "unique_tokens": columns.pop("unique_tokens", None),
        "inputs": columns or None,
        "loss": problem.loss,
        "weight": problem.weight if problem.weight.size else None,
        "law": fit.law,
        "objective": fit.objective,
        "log_loss": fit.log_loss,
        "identify": "force",
    }
    if np.isfinite(fit.delta):
        arguments["delta"] = float(fit.delta)
    if fit.objective == "quantile":
        arguments["quantile"] = options.quantile
    limits = problem.limits
    held: dict[str, float] = {}
    if limits is not None:
        held = {name: float(value[0]) for name, value in limits.fixed.items()}
        arguments["tied"] = limits.tied
        arguments["bounds"] = {name: (float(ends[0]), float(ends[1])) for name, ends in limits.bounds.items()}
    return held, arguments


def _steps(length: float, unit: float, count: int) -> Array:
    """From 0 to a length, denser at 0 where the length is many units."""
    even = np.linspace(0, 1, count)
    ratio = abs(length) / unit if np.isfinite(unit) and unit > 0 else 1.0
    if ratio < 4 * _FACTOR_OF_EXPONENTS:
        return length * even
    bend = np.log(ratio)
    return length * np.asarray(np.sinh(bend * even) / np.sinh(bend))


def t_of(level: float, dof: int) -> float:
    """Student's t of a two-sided interval."""
    if dof < 1:
        return float("inf")
    phi, below = _angles(dof)
    return float(np.sqrt(dof) * np.tan(np.interp(level, below, phi)))


def level_of(t: float, dof: int) -> float:
    """The level of the two-sided interval with this t, below 1."""
    phi, below = _angles(dof)
    return min(float(np.interp(np.arctan(t / np.sqrt(dof)), phi, below)), 1 - 1e-9)


def _angles(dof: int) -> tuple[Array, Array]:
    """With t = sqrt(dof) tan(phi) the density is cos(phi)^(dof - 1): phi, and how much lies within it on either side."""
    phi = np.linspace(0, np.pi / 2, 20001)
    density = np.cos(phi) ** (dof - 1)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return phi, below / below[-1]


def joint(level: float, dof: int) -> float:
    """2 F of two parameters together: what the excess reaches at the edge of their confidence region."""
    return float(dof * ((1 - level) ** (-2 / dof) - 1)) if dof > 0 else float("inf")
