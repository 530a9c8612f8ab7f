# SPDX-License-Identifier: Apache-2.0
"""What a formula is made of: which parameters it is linear in, what its terms are, whether it is a power sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from offray._expression.graph import Graph
from offray._expression.program import Program, slots

_AXES = {"params": "N", "tokens": "D"}


class Power(NamedTuple):
    """(scale / x)^exponent or x^-exponent (`rises`: with the other sign), as places of parameters and of the input."""

    exponent: int
    input: int
    scale: int | None
    rises: bool


class InputRange(NamedTuple):
    """Where to look for a parameter: ``beside`` an input, with its logarithm beside one (``beside_log``), or ``per`` input."""

    range: str
    input: int
    logarithm: bool

    def in_program(self, graph: Graph, program: Program) -> tuple[str, int]:
        """The same as the core takes it."""
        place = program.place(graph, graph.inputs[self.input], logarithm=self.logarithm)
        return ("by_role", 0) if place is None else (self.range, place)


@dataclass(frozen=True)
class Structure:
    """What follows from a formula.

    Attributes
    ----------
    roles : tuple of (str, str or None)
        Role and axis of every parameter, in their order.
    power_sum : bool
        Whether it is a power sum: floor + A N^-alpha + B D^-beta, or floor + A x^-alpha of its only input.
    of_sum : bool
        Whether it is an outer power of such a sum.
    linear : tuple of int
        Unless it is a power sum: the parameters that the result is linear in, all together.
    ranges : dict of int to InputRange
        Parameters to look for in the range of an input.
    """

    roles: tuple[tuple[str, str | None], ...]
    power_sum: bool
    of_sum: bool
    linear: tuple[int, ...]
    ranges: dict[int, InputRange]

    def ranges_in(self, graph: Graph, program: Program) -> list[tuple[str, int]]:
        """The ranges of all parameters as the core takes them."""
        by_role = ("by_role", 0)
        return [self.ranges[j].in_program(graph, program) if j in self.ranges else by_role for j in range(len(self.roles))]


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

    def outer_power(self, k: int) -> tuple[int, int] | None:
        """A power with a parameter of its own as exponent: the place of that, and the node below it."""
        node = self.nodes[k]
        product = self.nodes[node.a] if node.op == "exp" else node
        if product.op != "multiply" or product is node:
            return None
        for first, second in ((product.a, product.b), (product.b, product.a)):
            exponent = self.parameter(first)
            if exponent is not None and self.nodes[second].op == "log":
                return exponent, self.nodes[second].a
        return None


class _Sum(NamedTuple):
    """What the terms of a node are: roles of parameters, those that it is linear in, whether it is a power sum."""

    roles: dict[int, tuple[str, str | None]]
    linear: list[int]
    power_sum: bool


def _sum(read: _Reader, k: int, positive: list[bool]) -> _Sum:
    roles: dict[int, tuple[str, str | None]] = {}
    linear: list[int] = []
    plain = True  # so far a floor and falling power terms of N and D
    axes: set[str] = set()
    for at, sign in read.graph.terms(k):
        lone = read.parameter(at)
        if lone is not None:
            linear.append(lone)
            first = sign > 0 and positive[lone] and ("floor", None) not in roles.values()
            plain = plain and first
            if first:
                roles[lone] = ("floor", None)
            continue
        factors = read.graph.factors(at)
        sizes = [j for f in factors if (j := read.parameter(f)) is not None]
        if sizes:
            linear.append(sizes[0])
        power = next((p for f in factors if (p := read.power(f)) is not None), None)
        axis = _axis(read, power)
        alone = len(factors) == 2 and len(sizes) == 1 and positive[sizes[0]]
        if not (alone and power is not None and axis is not None and _falls(power, positive)):
            plain = False
            continue
        roles[sizes[0]] = ("coefficient", axis)
        roles[power.exponent] = ("exponent", axis)
        plain = plain and sign > 0 and axis not in axes
        axes.add(axis)
    of_one = axes == {"N"} and len(read.graph.inputs) == 1
    return _Sum(roles, linear, plain and (axes == {"N", "D"} or of_one))


def structure(graph: Graph, result: int) -> Structure:
    """Reads a formula."""
    read = _Reader(graph, result)
    positive = [name in graph.positive for name in graph.parameters]
    found, outer = _sum(read, result, positive), read.outer_power(result)
    of_sum = False
    if outer is not None and positive[outer[0]]:
        within = _sum(read, outer[1], positive)
        if within.power_sum:
            found, of_sum = within, True
            found.roles[outer[0]] = ("outer", None)
    roles = [found.roles.get(j, ("positive" if good else "real", None)) for j, good in enumerate(positive)]
    if not of_sum:
        for k in read.below:
            _name_inner(read, k, positive, roles)
    linear = () if found.power_sum else tuple(sorted(found.linear))
    return Structure(tuple(roles), found.power_sum, of_sum, linear, _ranges(read))


def _ranges(read: _Reader) -> dict[int, InputRange]:
    """Parameters that an input is compared with, and rates that multiply one."""
    out: dict[int, InputRange] = {}
    beside: dict[int, InputRange] = {}  # nodes x - theta, and inputs
    for k in read.below:
        node = read.nodes[k]
        if node.op == "input":
            beside[k] = InputRange("per", node.a, bool(node.b))
        if node.op not in ("add", "subtract", "multiply"):
            continue
        for one, other in ((node.a, node.b), (node.b, node.a)):
            if node.op == "multiply":
                if (rate := read.parameter(one)) is not None and other in beside:
                    out[rate] = beside[other]
                continue
            x, compared = read.nodes[one], read.nodes[other]
            logarithm = compared.op == "log"
            place = read.parameter(compared.a if logarithm else other)
            if x.op == "input" and place is not None:
                out[place] = InputRange("beside_log" if logarithm else "beside", x.a, bool(x.b))
                beside[k] = InputRange("per", x.a, bool(x.b))
    return out


def _axis(read: _Reader, power: Power | None) -> str | None:
    """The axis of a power whose input stands nowhere else."""
    if power is None or read.input_nodes[power.input] != 1:
        return None
    slot = slots(read.graph).get(read.graph.inputs[power.input])
    return None if slot is None else _AXES[slot[0]]


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
