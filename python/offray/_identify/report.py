# SPDX-License-Identifier: Apache-2.0
"""What the runs behind a fit determine, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from offray import _core
from offray._identify.facts import Facts, determined
from offray._identify.findings import notes, warning
from offray._identify.remarks import remarks, set_aside
from offray._identify.remedy import remedy
from offray._input.arrays import Array, frozen
from offray._optimum import Optimum
from offray._text import Sheet
from offray._travel.record import Record

OPEN = frozenset(_core.FINDINGS[: _core.FIRST_REMARK])
"""Findings that leave parameters open."""


@dataclass(frozen=True, repr=False, eq=False)
class Identifiability(Record):
    """What the runs determine; ``print`` shows it.

    Attributes
    ----------
    identified : bool
        Whether the fit converged, at an interior optimum, and no finding leaves a parameter open. That the law is the right one
        it does not say: see `findings`.
    warnings : tuple of str
        What is not determined, each with its figure and its remedy.
    notes : tuple of str
        What is determined but loose, or only jointly; and, where something is open, the two runs that would tell most.
    findings : tuple of str
        The same as keywords. What leaves parameters open: one_size, one_token_count, one_ray, confined_inputs, parallel_terms,
        ill_conditioned, at_bound, floor_unknown, exponent_unknown, few_runs, rival_optimum, no_repetition, one_epoch_count,
        no_excess, excess_everywhere. What speaks against the law or the runs: lack_of_fit, dependent_runs, repeated_rows,
        outliers, implausible_units; a warning where it is large, else a note.
    unknowns : int
        Free parameters, tied ones counted once.
    rank : int
        Of the unit-column Jacobian, against rounding.
    rank_against_noise : int
        Number of directions of ln theta (N and D in units of their geometric means) with a standard error below 1: known to
        better than a factor e.
    kappa : floating
        kappa_2 of the unit-column Jacobian.
    kappa_relative : floating
        The same over that of a 3 x 3 factorial design over the same ranges of N and D, which is about as good as it gets; NaN
        where a range is a point, infinite on a ray.
    singular_values : (m,) ndarray
        Of the unit-column Jacobian.
    pair : tuple of str
        The two coefficients whose terms grow alike on a ray; empty where they are not both free.
    kappa_eq : floating
        (1 + rho) / (1 - rho) of their columns, 1 for orthogonal ones; at the smallest gap between the exponents that its 95 %
        interval allows, since the gap is what runs near a ray know least.
    inflation : floating
        1 / sqrt(1 - rho^2) for the same rho: how much wider their intervals are than with orthogonal columns, all else known.
    variance_inflation : mapping of str to floating
        Of every parameter, all others being free: its variance over that with orthogonal columns.
    determined : mapping of str to bool
        Per parameter: whether the 95 % interval of a coefficient (A, B, N_c, ...) spans less than a factor of 10 either way,
        and that of any other parameter keeps away from zero. Then ``loss`` (within the runs' tokens per parameter), ``loss
        off the ray``, and ``compute-optimal`` (TPP* at the largest budget of the runs, within a factor of 10).
    equal : tuple of str
        On one ray: the exponents that its slope stands for, if they are equal; it lies between them if not.
    """

    identified: bool
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    findings: tuple[str, ...]
    unknowns: int
    rank: int
    rank_against_noise: int
    kappa: Any
    kappa_relative: Any
    singular_values: Array
    pair: tuple[str, ...]
    kappa_eq: Any
    inflation: Any
    variance_inflation: Mapping[str, Any]
    determined: Mapping[str, bool]
    equal: tuple[str, ...] = ()

    def _brief(self) -> str:
        what = "identified" if self.identified else ", ".join(self.findings) or "not identified"
        return f"{what}, rank {self.rank} of {self.unknowns}, kappa_2 {self.kappa:.4g}"

    def _sheet(self) -> Sheet:
        known = [self._as_known(name) for name, good in self.determined.items() if good]
        unknown = [name for name, good in self.determined.items() if not good]
        rows = [
            ("figure", "value"),
            ("identified", "yes" if self.identified else "no"),
            ("kappa_2", f"{self.kappa:.4g}{self._against_factorial()}"),
            ("rank", f"{self.rank} of {self.unknowns}; {self.rank_against_noise} against the noise"),
            ("determined", ", ".join(known) or "nothing"),
            ("not determined", ", ".join(unknown) or "nothing"),
        ]
        if self.pair:
            pair = " and ".join(self.pair)
            rows.insert(4, ("pair", f"{pair}: kappa_eq {self.kappa_eq:.4g}, intervals {self.inflation:.3g} times wider"))
        return Sheet([], rows, [f"warning: {text}" for text in self.warnings] + [f"note: {text}" for text in self.notes])

    def __str__(self) -> str:
        sheet = self._sheet()
        return "\n".join([*(f"{label + ':':16}{text}" for label, text in sheet.rows[1:]), *sheet.after])

    def _as_known(self, name: str) -> str:
        return f"{name} (if {' = '.join(self.equal)})" if name in self.equal else name

    def _against_factorial(self) -> str:
        at = self.kappa_relative
        return f", {at:.3g} times that of a 3 x 3 factorial over the same ranges" if np.isfinite(at) else ""


def has_warnings(fit: Optimum) -> bool:
    """Whether the report has a warning; cheaper than it."""
    return fit.loud or not OPEN.isdisjoint(fit.findings)


def warnings_of_runs(fit: Optimum) -> tuple[str, ...] | None:
    """The warnings of a report that says nothing but what the runs have in common; none where only the report itself tells."""
    reduced = fit.reduced
    if reduced is None or has_warnings(reduced):
        return None
    left = _left(fit, reduced)
    return (*left.warnings, *left.said)


_UNITS = "implausible_units"


def assess(fit: Optimum) -> Identifiability:
    """The report on one fit."""
    return _full(fit) if fit.reduced is None else _of_what_is_left(fit, fit.reduced)


def _full(fit: Optimum) -> Identifiability:
    facts = Facts(fit)
    at, keys = facts.report, fit.findings
    factorial = at["factorial_kappa"][()]
    relative = facts.kappa / factorial if np.isfinite(factorial) else fit.theta.dtype.type(np.nan)
    leaves_open = tuple(key for key in keys if key in OPEN)
    # Units that are wrong explain whatever else is strange.
    wrong, doubtful = remarks(fit, (key for key in keys if key == _UNITS))
    said, noted = remarks(fit, (key for key in keys if key not in OPEN and key != _UNITS))
    helpful = [text] if leaves_open and (text := remedy(fit)) else []
    return Identifiability(
        not leaves_open and fit.converged,
        (*wrong, *(warning(key, facts) for key in leaves_open), *said),
        (*doubtful, *(notes(facts, relative) if not leaves_open else ()), *noted, *set_aside(fit), *helpful),
        keys,
        len(at["singular_values"]),
        facts.rank,
        at["rank_against_noise"],
        facts.kappa,
        relative,
        frozen(at["singular_values"]),
        facts.pair,
        facts.kappa_eq,
        _core.interval_inflation(float(facts.kappa_eq)),
        MappingProxyType(dict(zip(fit.law.parameters, at["variance_inflation"], strict=True))),
        MappingProxyType(determined(facts)),
    )


@dataclass(frozen=True)
class _Left:
    """What is said of the runs themselves where the law's terms are one, and the figures behind it."""

    facts: Facts
    why: tuple[str, ...]
    warnings: tuple[str, ...]
    of_runs: tuple[str, ...]
    said: tuple[str, ...]
    notes: tuple[str, ...]


def _left(fit: Optimum, reduced: Optimum) -> _Left:
    why = tuple(key for key in fit.findings if key in ("one_size", "one_token_count", "one_ray"))
    of_runs = tuple(key for key in fit.findings if key in (_UNITS, "repeated_rows") and key not in reduced.findings)
    said, noted = remarks(fit, of_runs)
    facts = Facts(fit)
    return _Left(facts, why, tuple(warning(key, facts) for key in why), of_runs, said, noted)


def _of_what_is_left(fit: Optimum, reduced: Optimum) -> Identifiability:
    """The figures of the law where its terms are one: the rank of the reduced law, and no better."""
    inner = _full(reduced)
    left = _left(fit, reduced)
    assert reduced.problem.reduction is not None
    known = {full: inner.variance_inflation[own] for own, full in reduced.problem.reduction.shared.items()}
    return Identifiability(
        False,
        (*left.warnings, *inner.warnings, *left.said),
        (*inner.notes, *left.notes),
        (*left.why, *inner.findings, *left.of_runs),
        len(fit.law.parameters),
        inner.rank,
        inner.rank_against_noise,
        fit.theta.dtype.type(np.inf),
        fit.theta.dtype.type(np.inf),
        inner.singular_values,
        left.facts.pair,
        fit.theta.dtype.type(np.inf),
        float("inf"),
        MappingProxyType({name: known.get(name, np.inf) for name in fit.law.parameters}),
        MappingProxyType(determined(left.facts)),
        tuple(name for names in reduced.problem.reduction.equal.values() for name in names),
    )
