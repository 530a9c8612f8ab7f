# SPDX-License-Identifier: Apache-2.0
"""What a formula is about: parameters, inputs, and which of them are positive."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from offray import _core
from offray._expression.graph import FUNCTIONS, Graph

USUAL_INPUTS = ("N", "D", "U", "C", "x")
"""Names that are inputs unless they are said to be parameters."""


def graph_of(parameters: tuple[str, ...], inputs: tuple[str, ...], real: Iterable[str] | str) -> Graph:
    """An empty graph; `real` are the parameters and inputs that may be zero or negative, or "all" parameters."""
    signed = set(parameters) if real == "all" else {real} if isinstance(real, str) else set(real)
    if unknown := sorted(signed - {*parameters, *inputs}):
        raise ValueError(f"real: unknown parameter {', '.join(unknown)}; the formula has {', '.join(parameters)}")
    return Graph(parameters, inputs, frozenset({*parameters, *inputs} - signed))


def check_names(graph: Graph) -> None:
    """``ValueError`` for too many names, none, or ones that mean something else."""
    most, parameters = _core.MOST_PARAMETERS, graph.parameters
    if not 1 <= len(parameters) <= most:
        names = ", ".join(parameters[:20]) or "none"
        raise ValueError(f"a law has 1 to {most} parameters; the formula has {len(parameters)}: {names}")
    if not graph.inputs:
        raise ValueError(f"the formula reads no input: {', '.join(USUAL_INPUTS)}, or name them in `inputs`")
    for name in (*parameters, *graph.inputs):
        if not name.isidentifier() or keyword.iskeyword(name) or name in FUNCTIONS:
            raise ValueError(f"{name!r} cannot be the name of a parameter or an input")
