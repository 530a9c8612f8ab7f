# SPDX-License-Identifier: Apache-2.0
"""What is left of a law where the runs cannot tell its terms apart: along one ray, at one size, at one token count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from offray import _core
from offray._input.arrays import Array
from offray._law import Law, find_law
from offray._warnings import NotIdentifiedError

_ONE_TERM = "chinchilla"
"""The law whose reduced form, a floor and one falling power, serves every floor with a falling power of N and one of D."""


@dataclass(frozen=True)
class Reduction:
    """A reduced law and how it stands to the full one.

    Attributes
    ----------
    law : Law
        With one term, in what it calls N.
    where : {"one_ray", "one_size", "one_token_count"}
        Why.
    shared : mapping of str to str
        Its parameters that are also the full law's, by name, with their names there.
    merged : mapping of str to str
        Its other parameters, with what they are made of.
    equal : mapping of str to tuple of str
        Those that stand for several of the full law's, taken to be equal: the slope along a ray.
    at : float
        The tokens per parameter, N or D that all runs have.
    """

    law: Law
    where: str
    shared: Mapping[str, str]
    merged: Mapping[str, str]
    equal: Mapping[str, tuple[str, ...]]
    at: float

    def label(self, name: str) -> str:
        """A parameter of the reduced law as the full one calls it; what swallows a constant term is primed."""
        if name in self.equal:
            return "=".join(self.equal[name])
        if name in self.shared:
            return self.shared[name]
        return name if self.where == "one_ray" else f"{name}'"

    @property
    def text(self) -> str:
        """Where it holds, and what it is."""
        formula = self.law.formula
        if self.where == "one_size":
            formula = formula.replace(" N^", " D^")
        for name in self.law.parameters:
            formula = re.sub(rf"\b{name}\b", self.shared.get(name, self.label(name)), formula)
        place = {"one_ray": "on one ray", "one_size": "at one size", "one_token_count": "at one token count"}[self.where]
        return f"{place}: {formula}, {', '.join(f'{self.label(name)} = {parts}' for name, parts in self.merged.items())}"

    def columns(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """Inputs of the full law as the reduced one's.

        Raises
        ------
        NotIdentifiedError
            For a run that is not where all the others are.
        """
        if self.where == "one_ray":
            return dict(given)
        held, moves, unit = ("params", "tokens", "N") if self.where == "one_size" else ("tokens", "params", "D")
        away = np.maximum(given[held] / self.at, self.at / given[held]) >= _core.ONE_RAY
        if away.any():
            row = int(np.argmax(away))
            raise NotIdentifiedError(
                f"{unit}[{row}] = {given[held][row]:.4g}: all runs have {unit} = {self.at:.4g}, and elsewhere they do not "
                f"determine the loss. Add runs at other {unit}; identify='force' gives the full law's figures."
            )
        return {"params": given[moves], "tokens": given[moves]}


def reduction(law: Law, columns: Mapping[str, Array], findings: tuple[str, ...]) -> Reduction | None:
    """What is left of a law on runs with these findings; None where nothing is lost, or nothing known is left."""
    if "one_ray" in findings:
        left = law.on_ray or (find_law(_ONE_TERM).on_ray if _is_plain(law) else None)
        if left is None:
            return None
        k = float(np.exp(np.log(columns["tokens"] / columns["params"]).mean()))
        return _along_ray(law, left, k)
    for where, held, axis in (("one_token_count", "tokens", "N"), ("one_size", "params", "D")):
        if where in findings and _is_plain(law):
            at = float(np.exp(np.log(columns[held]).mean()))
            return _of_one_input(law, where, axis, at)
    return None


def _is_plain(law: Law) -> bool:
    """A floor and a falling power each of N and D, and nothing else."""
    roles = sorted((p.role, p.axis or "") for p in law.roles)
    wanted = [("coefficient", "D"), ("coefficient", "N"), ("exponent", "D"), ("exponent", "N"), ("floor", "")]
    return roles == wanted and law.of_N_and_D and not law.further and not law.reads("unique_tokens")


def _along_ray(law: Law, left: Law, k: float) -> Reduction:
    if law.on_ray is left:
        shared = {name: name for name in left.parameters if name in law.parameters}
    else:  # a formula with names of its own
        pairs = zip(left.named("floor", "exponent"), (law.floor or "", *law.named("exponent", axis="N")), strict=True)
        shared = dict(pairs)
    parts = left.psi
    if law.on_ray is not left:
        (A,), (B,), (p,) = (
            law.named("coefficient", axis="N"),
            law.named("coefficient", axis="D"),
            law.named("exponent", axis="N"),
        )
        parts = f"{A} + {B} k^-{p}"
    exponents = (*law.named("exponent", axis="N"), *law.named("exponent", "outer", axis="D"))
    equal = {(left.named("exponent") or left.exponents)[0]: exponents}
    return Reduction(left, "one_ray", shared, {left.coefficients[0]: parts}, equal, k)


def _of_one_input(law: Law, where: str, axis: str, at: float) -> Reduction:
    left = find_law(_ONE_TERM).on_ray
    assert left is not None
    other = "D" if axis == "N" else "N"
    (coefficient,), (exponent,) = law.named("coefficient", axis=axis), law.named("exponent", axis=axis)
    (lost,), (lost_exponent,) = law.named("coefficient", axis=other), law.named("exponent", axis=other)
    shared = {left.coefficients[0]: coefficient, left.exponents[0]: exponent}
    floor = left.floor or ""
    return Reduction(
        left,
        where,
        shared,
        {floor: f"{law.floor} + {lost} {other}^-{lost_exponent}"},
        {},
        at,
    )
