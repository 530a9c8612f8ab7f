# SPDX-License-Identifier: Apache-2.0
"""A formula as the core's program."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from offray._expression.graph import Graph
from offray._input.arrays import Array

SLOTS = {"N": ("params", 0), "D": ("tokens", 1)}
"""Inputs that every law's data have: the column's name and the place of its logarithm."""


def slots(graph: Graph) -> dict[str, tuple[str, int]]:
    """`SLOTS`; the only input of a law takes the place of N, so that a law in compute is searched as one in parameters is."""
    lone = graph.inputs[0] if len(graph.inputs) == 1 else None
    if lone is None or lone in SLOTS or lone not in graph.positive:
        return SLOTS
    return {lone: SLOTS["N"]}


class Program(NamedTuple):
    """What the core takes.

    Attributes
    ----------
    steps : list of (str, int, int, int)
    constants : (k,) long double array
    columns : tuple of str
        What the core is given, in its order; ``ln x`` is the logarithm of x.
    """

    steps: list[tuple[str, int, int, int]]
    constants: Array
    columns: tuple[str, ...]

    def place(self, graph: Graph, name: str, *, logarithm: bool) -> int | None:
        """Where the core has an input, or its logarithm; None where it has it not."""
        kept = slots(graph)
        if name in kept:
            return kept[name][1] if logarithm else None
        further = [column for column in self.columns if column not in ("params", "tokens")]
        return 3 + further.index(f"ln {name}" if logarithm else name)


def program(graph: Graph, result: int) -> Program:
    """The operations below a result, renumbered; powers of N and D read the logarithms that the core has."""
    steps: list[tuple[str, int, int, int]] = []
    values: list[np.longdouble] = []
    place: dict[int, int] = {}
    kept = slots(graph)
    further: list[str] = []

    def append(op: str, *operands: int, value: str = "0") -> int:
        a, b, c = (*operands, 0, 0, 0)[:3]
        steps.append((op, a, b, c))
        values.append(np.longdouble(value))
        return len(steps) - 1

    def read(name: str, *, logarithm: bool) -> int:
        if name in kept:
            at = append("input", kept[name][1])
            return at if logarithm else append("exp", at)
        column = f"ln {name}" if logarithm else name
        if column not in further:
            further.append(column)
        return append("input", 3 + further.index(column))

    for k in graph.below(result):
        op, a, b, _, value = graph.nodes[k]
        if op == "input":
            place[k] = read(graph.inputs[a], logarithm=bool(b))
        elif op == "parameter":
            place[k] = append(op, a)
        elif op == "constant":
            place[k] = append(op, value=value)
        else:
            operands = [place[j] for j in graph.operands(k)]
            if op == "integer_power":
                operands.append(b)
            place[k] = append(op, *operands)
    used = [column for name, (column, _) in kept.items() if name in graph.inputs]
    return Program(steps, np.array(values), (*used, *further))
