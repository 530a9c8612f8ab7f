# SPDX-License-Identifier: Apache-2.0
"""Formulas as Python functions, recorded by calling them once with arrays that remember what is done to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from offray._expression.graph import Graph, is_number


class NotTraceableError(TypeError):
    """The function does something that a formula cannot."""


class Traced(NDArrayOperatorsMixin):
    """A number or a column whose operations are recorded."""

    __slots__ = ("graph", "node")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __init__(self, graph: Graph, node: int) -> None:
        self.graph = graph
        self.node = node

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Traced:
        if method != "__call__" or options or ufunc.__name__ not in _UFUNCS:
            raise NotTraceableError(f"{ufunc.__name__} cannot be recorded")
        return Traced(self.graph, _UFUNCS[ufunc.__name__](self.graph, *(_node(self.graph, x) for x in operands)))

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Traced:
        if function is np.where and len(arguments) == 3 and not options:
            return Traced(self.graph, self.graph.call("where", *(_node(self.graph, x) for x in arguments)))
        raise NotTraceableError(f"{function.__name__} cannot be recorded")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotTraceableError("its values cannot be looked at")

    __bool__ = __float__ = __int__ = __len__ = __iter__ = __array__


def _node(graph: Graph, value: Any) -> int:
    if isinstance(value, Traced):
        return value.node
    if is_number(value) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return graph.constant(repr(value.item()) if isinstance(value, np.float64) else value)
    raise NotTraceableError(f"it computes with {type(value).__name__}")


def _square(graph: Graph, a: int) -> int:
    return graph.power(a, graph.constant(2))


_UFUNCS: dict[str, Callable[..., int]] = {
    "add": Graph.add,
    "subtract": Graph.subtract,
    "multiply": Graph.multiply,
    "divide": Graph.divide,
    "true_divide": Graph.divide,
    "power": Graph.power,
    "float_power": Graph.power,
    "negative": Graph.negate,
    "positive": lambda graph, a: a,
    "square": _square,
    "reciprocal": lambda graph, a: graph.divide(graph.constant(1), a),
    "exp2": lambda graph, a: graph.power(graph.constant(2), a),
    "log2": lambda graph, a: graph.divide(graph.call("log", a), graph.constant(np.log(np.longdouble(2)))),
    "log10": lambda graph, a: graph.divide(graph.call("log", a), graph.constant(np.log(np.longdouble(10)))),
    "absolute": lambda graph, a: graph.call("abs", a),
    "expit": lambda graph, a: graph.call("logistic", a),
    "less": lambda graph, a, b: graph.call("less", a, b),
    "less_equal": lambda graph, a, b: graph.call("less_equal", a, b),
    "greater": lambda graph, a, b: graph.call("less", b, a),
    "greater_equal": lambda graph, a, b: graph.call("less_equal", b, a),
    "logaddexp": lambda graph, a, b: graph.call("log", graph.add(graph.call("exp", a), graph.call("exp", b))),
    **{
        name: lambda graph, *operands, _name=name: graph.call(_name, *operands)
        for name in ("exp", "log", "sqrt", "expm1", "log1p", "tanh", "minimum", "maximum")
    },
}


def record(function: Callable[..., Any], graph: Graph, *, one: bool) -> int:
    """The result of ``function(x, *parameters)`` as a node.

    `x` is one column where `one`, else a tuple of all. ``NotTraceableError`` where the function looks at values or calls what a
    formula does not have.
    """
    columns = tuple(Traced(graph, graph.name(name)) for name in graph.inputs)
    parameters = (Traced(graph, graph.name(name)) for name in graph.parameters)
    try:
        result = function(columns[0] if one else columns, *parameters)
        return _node(graph, result)
    except NotTraceableError:
        raise
    except Exception as error:
        raise NotTraceableError(f"{type(error).__name__}: {error}") from error
