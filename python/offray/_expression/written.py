# SPDX-License-Identifier: Apache-2.0
"""Laws as plain data: by name, or by the graph of their formula, which a function that was recorded has too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from offray._law import Law, find_law

if TYPE_CHECKING:
    from offray._expression.graph import Graph

# The machinery of formulas is imported where there is one: a first fit of a law by name needs none.

_LEAVES = ("constant", "parameter", "input")
_OPERATIONS = {"add", "subtract", "multiply", "divide", "negate", "integer_power", "less", "less_equal"}
_KEYS = ("name", "formula", "parameters", "inputs", "positive", "nodes", "result")


def law_as_plain(law: Law) -> str | dict[str, Any]:
    """A law for JSON; ``ValueError`` for one whose function is called back."""
    if law.built_in:
        return law.name
    from offray._expression.formula_law import FormulaLaw

    assert isinstance(law, FormulaLaw)
    if not law.traced:
        raise ValueError(
            f"the law {law.name} calls a Python function back, which cannot be written down: give it as a formula that "
            "offray.law can record, or pickle the result"
        )
    *head, nodes, result, bounds = law.made_of
    lists = [list(part) if isinstance(part, tuple) else part for part in head]
    out = dict(zip(_KEYS, (*lists, [list(node) for node in nodes], result), strict=True))
    return out | ({"bounds": [[name, *map(str, ends)] for name, *ends in bounds]} if bounds else {})


def law_from(data: Any) -> Law:
    """What `law_as_plain` gave; ``ValueError`` for anything else."""
    if isinstance(data, str):
        return find_law(data)
    if not isinstance(data, Mapping) or not set(_KEYS) <= set(data):
        raise ValueError("the law is neither a name nor a formula")
    from offray._expression.formula_law import restore
    from offray._expression.graph import LONGEST, Graph, Node
    from offray._expression.names import check_names

    names = [_texts(data[key]) for key in ("parameters", "inputs", "positive")]
    try:
        nodes = tuple(Node(str(op), int(a), int(b), int(c), str(value)) for op, a, b, c, value in data["nodes"])
        result = int(data["result"])
        bounds = tuple((str(name), float(low), float(high)) for name, low, high in data.get("bounds", ()))
    except (TypeError, ValueError):
        raise ValueError("the law's formula has an operation that is none") from None
    graph = Graph(names[0], names[1], frozenset(names[2]), list(nodes))
    check_names(graph)
    if any(name not in names[0] or not low <= high for name, low, high in bounds):
        raise ValueError("the law's bounds are none")
    if not 0 <= result < len(nodes) <= LONGEST or not all(_good(graph, k) for k in range(len(nodes))):
        raise ValueError("the law's formula has an operation that is none")
    return restore(str(data["name"]), str(data["formula"]), *names, nodes, result, bounds)


def _texts(data: Any) -> tuple[str, ...]:
    if not isinstance(data, list) or not all(isinstance(at, str) for at in data):
        raise ValueError("the law's names are no texts")
    return tuple(data)


def _good(graph: Graph, k: int) -> bool:
    """Whether a node is one that a formula makes."""
    node = graph.nodes[k]
    if node.op in _LEAVES:
        if node.op == "constant":
            return bool(graph.number(k) == graph.number(k))
        return 0 <= node.a < len(graph.parameters if node.op == "parameter" else graph.inputs)
    from offray._expression.graph import FUNCTIONS

    operation = node.op in _OPERATIONS or (node.op in FUNCTIONS and node.op != "abs")
    return operation and all(0 <= j < k for j in graph.operands(k))
