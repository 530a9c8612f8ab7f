# SPDX-License-Identifier: Apache-2.0
"""Formulas that are known by name, beside the laws of the core."""

from __future__ import annotations

from functools import cache

from offray._expression.formulas import FORMULAS
from offray._expression.law import law
from offray._law import LAWS, Law, find_law

_REAL = {"logistic": ("low", "slope", "middle", "x")}


@cache
def known(name: str) -> Law:
    """The law of a formula; ``KeyError`` for an unknown name."""
    return law(FORMULAS[name], name=name, real=_REAL.get(name, ()))


def any_law(given: str | Law) -> Law:
    """A law, by its name, or out of a formula as text."""
    if isinstance(given, Law):
        return given
    if isinstance(given, str) and given in FORMULAS:
        return known(given)
    if given == "power_terms":
        raise ValueError("law: power_terms needs its inputs: law=offray.laws.power_terms('width', 'depth')")
    if not isinstance(given, str) or given.isidentifier() or not given.strip():
        try:
            return find_law(given)
        except ValueError:
            names = ", ".join((*LAWS, *FORMULAS))
            raise ValueError(f"unknown law {given!r}; known laws: {names}; or a formula such as 'E + A*C**-alpha'") from None
    return law(given)
