# SPDX-License-Identifier: Apache-2.0
"""A formula as a graph of operations: constants folded, common parts once, powers of positive bases through logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

LONGEST = 4096
"""Operations in one formula."""
_WHOLE_POWERS = 64
_UNARY: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "expm1": np.expm1,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": np.minimum,
    "maximum": np.maximum,
    "less": lambda a, b: np.longdouble(a < b),
    "less_equal": lambda a, b: np.longdouble(a <= b),
}
FUNCTIONS = (*_UNARY, "minimum", "maximum", "where", "abs")


class Node(NamedTuple):
    """One operation: its name, its operands (numbers of earlier nodes, or what a leaf is about) and a constant's value."""

    op: str
    a: int = 0
    b: int = 0
    c: int = 0
    value: str = ""  # of a constant, all digits


@dataclass
class Graph:
    """Operations in an order in which operands come first, each once.

    Attributes
    ----------
    parameters : tuple of str
    inputs : tuple of str
    positive : frozenset of str
        The parameters and inputs that are above zero.
    nodes : list of Node
        Leaves ``parameter`` (a: its place), ``input`` (a: its place; b: 1 for its logarithm) and ``constant``; the rest as the
        core names them.
    """

    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    positive: frozenset[str]
    nodes: list[Node] = field(default_factory=list)
    _known: dict[Node, int] = field(default_factory=dict)

    def _add(self, *node: Any) -> int:
        at = Node(*node)
        if at not in self._known:
            if len(self.nodes) >= LONGEST:
                raise ValueError(f"the formula has more than {LONGEST} operations")
            self._known[at] = len(self.nodes)
            self.nodes.append(at)
        return self._known[at]

    def name(self, name: str) -> int:
        """A parameter or an input."""
        if name in self.parameters:
            return self._add("parameter", self.parameters.index(name))
        return self._add("input", self.inputs.index(name))

    def constant(self, value: Any) -> int:
        """A number; a decimal as text keeps its digits in long double."""
        number = np.longdouble(value)
        if not np.isfinite(number):
            raise ValueError(f"the formula has a constant that is not finite: {value}")
        return self._add("constant", 0, 0, 0, np.format_float_scientific(number, unique=True))

    def number(self, k: int) -> Any:
        """The value of a constant; None for anything else."""
        return np.longdouble(self.nodes[k].value) if self.nodes[k].op == "constant" else None

    def _folded(self, function: Callable[..., Any], *operands: int) -> int | None:
        values = [self.number(k) for k in operands]
        if any(v is None for v in values):
            return None
        with np.errstate(all="ignore"):
            return self.constant(function(*values))

    def is_positive(self, k: int) -> bool:
        """Whether a result is above zero whatever the parameters and inputs."""
        op, a, b, _, _ = self.nodes[k]
        if op == "constant":
            return bool(self.number(k) > 0)
        if op in ("parameter", "input"):
            names = self.parameters if op == "parameter" else self.inputs
            return not b and names[a] in self.positive
        if op in ("exp", "logistic"):
            return True
        if op in ("add", "multiply", "divide", "minimum", "maximum"):
            return self.is_positive(a) and self.is_positive(b)
        return op in ("sqrt", "integer_power", "expm1", "log1p") and self.is_positive(a)

    def add(self, a: int, b: int) -> int:
        if (folded := self._folded(np.add, a, b)) is not None:
            return folded
        if self.number(a) == 0:
            return b
        if self.number(b) == 0:
            return a
        if self.nodes[b].op == "negate":
            return self.subtract(a, self.nodes[b].a)
        return self._add("add", a, b)

    def subtract(self, a: int, b: int) -> int:
        if (folded := self._folded(np.subtract, a, b)) is not None:
            return folded
        if self.number(b) == 0:
            return a
        if a == b:
            return self.constant(0)
        if self.number(a) == 0:
            return self.negate(b)
        if self.nodes[b].op == "negate":
            return self.add(a, self.nodes[b].a)
        return self._add("subtract", a, b)

    def negate(self, a: int) -> int:
        if (folded := self._folded(np.negative, a)) is not None:
            return folded
        if self.nodes[a].op == "negate":
            return self.nodes[a].a
        if self.nodes[a].op == "subtract":
            return self._add("subtract", self.nodes[a].b, self.nodes[a].a)
        return self._add("negate", a)

    def multiply(self, a: int, b: int) -> int:
        if (folded := self._folded(np.multiply, a, b)) is not None:
            return folded
        for one, other in ((a, b), (b, a)):
            if self.number(one) == 1:
                return other
            if self.number(one) == -1:
                return self.negate(other)
            if self.nodes[one].op == "negate":
                return self.negate(self.multiply(self.nodes[one].a, other))
        return self._add("multiply", a, b)

    def divide(self, a: int, b: int) -> int:
        if (folded := self._folded(np.divide, a, b)) is not None:
            return folded
        if self.number(b) == 1:
            return a
        if self.nodes[a].op == "negate":
            return self.negate(self.divide(self.nodes[a].a, b))
        if self.nodes[b].op == "exp":  # A / N^alpha is A N^-alpha
            return self.multiply(a, self.call("exp", self.negate(self.nodes[b].a)))
        return self._add("divide", a, b)

    def power(self, a: int, b: int) -> int:
        if (folded := self._folded(np.power, a, b)) is not None:
            return folded
        exponent = self.number(b)
        if exponent is not None and exponent == int(exponent) and abs(exponent) <= _WHOLE_POWERS:
            whole = int(exponent)
            return self.constant(1) if whole == 0 else a if whole == 1 else self._add("integer_power", a, whole)
        if exponent == 0.5:
            return self.call("sqrt", a)
        return self.call("exp", self.multiply(b, self.call("log", a)))

    def call(self, function: str, *operands: int) -> int:
        """A function of the list `FUNCTIONS`."""
        a = operands[0]
        if function == "abs":
            return self.call("maximum", a, self.negate(a))
        if function == "where":
            return self._add("where", *operands)
        fold = _UNARY.get(function) or _BINARY[function]
        if (folded := self._folded(fold, *operands)) is not None:
            return folded
        op, first, second, _, _ = self.nodes[a]
        if function == "exp" and op == "log":
            return first
        if function == "log":
            if op == "exp":
                return first
            if op == "input":
                return self._add("input", first, 1)
            if op in ("multiply", "divide") and self.is_positive(first) and self.is_positive(second):
                join = self.add if op == "multiply" else self.subtract
                return join(self.call("log", first), self.call("log", second))
        return self._add(function, *operands)

    def operands(self, k: int) -> tuple[int, ...]:
        """The nodes that a node takes."""
        node = self.nodes[k]
        if node.op in ("constant", "parameter", "input"):
            return ()
        if node.op == "where":
            return node[1:4]
        if node.op in _BINARY or node.op in ("add", "subtract", "multiply", "divide"):
            return node[1:3]
        return (node.a,)

    def below(self, k: int) -> list[int]:
        """A node and all that it is made of, operands first."""
        needed = {k}
        for j in range(k, -1, -1):
            if j in needed:
                needed.update(self.operands(j))
        return sorted(needed)

    def uses(self, result: int) -> dict[int, int]:
        """How often each node below a result is an operand there."""
        out: dict[int, int] = {}
        for k in self.below(result):
            for j in self.operands(k):
                out[j] = out.get(j, 0) + 1
        return out

    def terms(self, k: int, sign: int = 1) -> Iterator[tuple[int, int]]:
        """The summands of a node, each with its sign."""
        pending = [(k, sign)]
        while pending:
            at, s = pending.pop()
            node = self.nodes[at]
            if node.op in ("add", "subtract"):
                pending += [(node.b, -s if node.op == "subtract" else s), (node.a, s)]
            elif node.op == "negate":
                pending.append((node.a, -s))
            else:
                yield at, s

    def factors(self, k: int) -> list[int]:
        """What a node is a product of."""
        out, pending = [], [k]
        while pending:
            node = self.nodes[at := pending.pop()]
            if node.op == "multiply":
                pending += [node.b, node.a]
            else:
                out.append(at)
        return out


def is_number(value: Any) -> bool:
    """Whether Python or numpy takes something for one real number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and math.isfinite(value)
