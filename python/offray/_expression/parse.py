# SPDX-License-Identifier: Apache-2.0
"""Formulas as text, read by Python's own parser; nothing is ever evaluated."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import reduce

from offray._expression.graph import FUNCTIONS, Graph

LONGEST_TEXT = 20_000
DEEPEST = 100
_OPERATORS: dict[type[ast.operator], Callable[[Graph], Callable[[int, int], int]]] = {
    ast.Add: lambda g: g.add,
    ast.Sub: lambda g: g.subtract,
    ast.Mult: lambda g: g.multiply,
    ast.Div: lambda g: g.divide,
    ast.Pow: lambda g: g.power,
}
_ARGUMENTS = {"minimum": (2, 99), "maximum": (2, 99), "where": (3, 3), "min": (2, 99), "max": (2, 99)}
_ALIASES = {"min": "minimum", "max": "maximum", "ln": "log", "sigmoid": "logistic", "expit": "logistic"}


def parsed(text: str) -> ast.expr:
    """The syntax tree of a formula; ``ValueError`` where it is none."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the formula has {len(text)} characters; at most {LONGEST_TEXT} are read")
    if depth(text) > DEEPEST:
        raise ValueError(f"the formula has more than {DEEPEST} nested parentheses")
    body = text.split("=", 1)[1] if text.lstrip().startswith(("L =", "L=")) else text
    try:
        return ast.parse(body.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ValueError(f"the formula {shown(text)} cannot be read: {reason}") from None


def depth(text: str) -> int:
    """How deeply parentheses and signs are nested, at most."""
    now = deepest = signs = 0
    for character in text:
        now += (character in "([") - (character in ")]")
        signs = signs + 1 if character in "+-~" else 0 if not character.isspace() else signs
        deepest = max(deepest, now, signs)
    return deepest


def shown(text: str) -> str:
    """A formula for a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def names_in(tree: ast.expr) -> tuple[str, ...]:
    """Names other than functions, in the order in which they appear."""
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions]
    return tuple(dict.fromkeys(n.id for n in sorted(found, key=lambda n: (n.lineno, n.col_offset))))


def build(graph: Graph, tree: ast.expr) -> int:
    """The result of a syntax tree as a node; ``ValueError`` for anything but the operations of a formula."""
    if isinstance(tree, ast.Constant):
        if isinstance(tree.value, bool) or not isinstance(tree.value, (int, float)):
            raise ValueError(  # noqa: TRY004 (a bad formula, whatever it has)
                f"the formula has {tree.value!r} where a number should be"
            )
        return graph.constant(repr(tree.value))
    if isinstance(tree, ast.Name):
        if tree.id not in (*graph.parameters, *graph.inputs):
            raise ValueError(f"the formula has an unknown name {tree.id!r}")
        return graph.name(tree.id)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.USub, ast.UAdd)):
        inner = build(graph, tree.operand)
        return graph.negate(inner) if isinstance(tree.op, ast.USub) else inner
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        return _OPERATORS[type(tree.op)](graph)(build(graph, tree.left), build(graph, tree.right))
    if isinstance(tree, ast.Call):
        return _call(graph, tree)
    if isinstance(tree, ast.Compare):
        return _comparison(graph, tree)
    raise ValueError(
        f"the formula has {ast.unparse(tree)[:60]!r}; it may have numbers, names, + - * / **, comparisons inside where(), and "
        f"{', '.join(FUNCTIONS)}"
    )


def _call(graph: Graph, tree: ast.Call) -> int:
    name = tree.func.id if isinstance(tree.func, ast.Name) else ast.unparse(tree.func)[:60]
    function = _ALIASES.get(name, name)
    if function not in FUNCTIONS or tree.keywords:
        raise ValueError(f"the formula calls {name!r}; known functions: {', '.join(FUNCTIONS)}")
    least, most = _ARGUMENTS.get(function, (1, 1))
    if not least <= len(tree.args) <= most:
        raise ValueError(f"{name} takes {least} argument{'s' if least > 1 else ''}; got {len(tree.args)}")
    arguments = [build(graph, argument) for argument in tree.args]
    if function in ("minimum", "maximum"):
        return reduce(lambda a, b: graph.call(function, a, b), arguments)
    return graph.call(function, *arguments)


def _comparison(graph: Graph, tree: ast.Compare) -> int:
    if len(tree.ops) != 1:
        raise ValueError(f"the formula has a chain of comparisons, {ast.unparse(tree)[:60]!r}; one at a time")
    a, b = build(graph, tree.left), build(graph, tree.comparators[0])
    kinds = {ast.Lt: ("less", a, b), ast.LtE: ("less_equal", a, b), ast.Gt: ("less", b, a), ast.GtE: ("less_equal", b, a)}
    if type(tree.ops[0]) not in kinds:
        raise ValueError(f"the formula has {ast.unparse(tree)[:60]!r}; comparisons are <, <=, > and >=")
    return graph.call(*kinds[type(tree.ops[0])])
