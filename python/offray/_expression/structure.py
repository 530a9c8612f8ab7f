# SPDX-License-Identifier: Apache-2.0
"""What a formula is made of: which parameters it is linear in, what its terms are, whether it is a power sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from offray._expression.graph import Graph

_AXES = {"N": "N", "D": "D"}


class Power(NamedTuple):
    """(scale / x)^exponent or x^-exponent (`rises`: with the other sign), as places of parameters and of the input."""

    exponent: int
    input: int
    scale: int | None
    rises: bool


@dataclass(frozen=True)
class Structure:
    """What follows from a formula.

    Attributes
    ----------
    roles : tuple of (str, str or None)
        Role and axis of every parameter, in their order.
    linear : tuple of int
        The parameters that the result is linear in, all together.
    power_sum : bool
        Whether it is a power sum of N and D: floor + A N^-alpha + B D^-beta.
    """

    roles: tuple[tuple[str, str | None], ...]
    linear: tuple[int, ...]
    power_sum: bool


class _Reader:
    """One formula on its way to a `Structure`."""

    def __init__(self, graph: Graph, result: int) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.below = graph.below(result)
        self.result = result
        counts = graph.uses(result)
        counts[result] = counts.get(result, 0) + 1
        self.once = {self.nodes[k].a for k in self.below if self.nodes[k].op == "parameter" and counts[k] == 1}
        self.input_nodes: dict[int, int] = {}
        for k in self.below:
            if self.nodes[k].op == "input":
                self.input_nodes[self.nodes[k].a] = self.input_nodes.get(self.nodes[k].a, 0) + counts[k]

    def parameter(self, k: int) -> int | None:
        """The place of a parameter that stands here and nowhere else."""
        node = self.nodes[k]
        return node.a if node.op == "parameter" and node.a in self.once else None

    def power(self, k: int) -> Power | None:
        """A power of one input with a parameter of its own as exponent."""
        node = self.nodes[k]
        if node.op != "exp":
            return None
        inner, sign = self.nodes[node.a], 1
        if inner.op == "negate":
            inner, sign = self.nodes[inner.a], -1
        if inner.op != "multiply":
            return None
        for first, second in ((inner.a, inner.b), (inner.b, inner.a)):
            exponent = self.parameter(first)
            if exponent is None:
                continue
            base = self.nodes[second]
            if base.op == "input" and base.b:
                return Power(exponent, base.a, None, sign > 0)
            if base.op == "subtract":
                return self._compared(exponent, base.a, base.b, sign)
        return None

    def _compared(self, exponent: int, a: int, b: int, sign: int) -> Power | None:
        """(s / x)^p: p (ln s - ln x)."""
        for over, under, falls in ((a, b, sign > 0), (b, a, sign < 0)):
            top, bottom = self.nodes[over], self.nodes[under]
            if bottom.op == "input" and bottom.b and top.op == "log":
                scale = self.parameter(top.a)
                if scale is not None:
                    return Power(exponent, bottom.a, scale, not falls)
        return None

    def parameters_of(self, k: int) -> set[int]:
        """Places of the parameters below a node."""
        return {self.nodes[j].a for j in self.graph.below(k) if self.nodes[j].op == "parameter"}


def structure(graph: Graph, result: int) -> Structure:
    """Reads a formula."""
    read = _Reader(graph, result)
    names = graph.parameters
    positive = [name in graph.positive for name in names]
    roles: list[tuple[str, str | None]] = [("positive" if good else "real", None) for good in positive]
    linear: list[int] = []
    floor: int | None = None
    plain = True  # so far a floor and falling power terms of N and D
    axes: set[str] = set()
    for k, sign in graph.terms(result):
        lone = read.parameter(k)
        if lone is not None:
            linear.append(lone)
            if sign > 0 and floor is None and positive[lone]:
                floor = lone
                roles[lone] = ("floor", None)
            else:
                plain = False
            continue
        factors = graph.factors(k)
        sizes = [j for f in factors if (j := read.parameter(f)) is not None]
        if sizes:
            linear.append(sizes[0])
        power = next((p for f in factors if (p := read.power(f)) is not None), None)
        axis = _axis(read, power)
        alone = len(factors) == 2 and len(sizes) == 1 and positive[sizes[0]]
        if alone and power is not None and axis is not None and _falls(power, positive):
            roles[sizes[0]] = ("coefficient", axis)
            roles[power.exponent] = ("exponent", axis)
            plain = plain and sign > 0 and axis not in axes
            axes.add(axis)
            continue
        plain = False
    for k in read.below:
        _name_inner(read, k, positive, roles)
    return Structure(tuple(roles), tuple(sorted(linear)), plain and axes == {"N", "D"})


def _axis(read: _Reader, power: Power | None) -> str | None:
    """The axis of a power whose input stands nowhere else."""
    if power is None or read.input_nodes[power.input] != 1:
        return None
    return _AXES.get(read.graph.inputs[power.input])


def _falls(power: Power, positive: list[bool]) -> bool:
    return power.scale is None and not power.rises and positive[power.exponent]


def _name_inner(read: _Reader, k: int, positive: list[bool], roles: list[tuple[str, str | None]]) -> None:
    """Exponents wherever they stand: of an input, of a scaled input, of a sum."""
    power = read.power(k)
    if power is not None:
        if positive[power.exponent] and roles[power.exponent][0] == "positive":
            roles[power.exponent] = ("exponent", None)
        if power.scale is not None and positive[power.scale] and (axis := _axis(read, power)) is not None:
            roles[power.scale] = ("scale", axis)
        return
    node = read.nodes[k]
    if node.op == "multiply":
        for first, second in ((node.a, node.b), (node.b, node.a)):
            exponent = read.parameter(first)
            if exponent is not None and read.nodes[second].op == "log" and roles[exponent][0] == "positive":
                roles[exponent] = ("exponent", None)
