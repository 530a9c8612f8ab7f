# SPDX-License-Identifier: Apache-2.0
"""The law that a formula is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from offray import _core
from offray._expression.graph import Graph, Node
from offray._expression.program import SLOTS, program
from offray._expression.structure import structure
from offray._input.arrays import Array
from offray._law import Law

_COUNTS = ("params", "tokens")

Bounds = tuple[tuple[str, float, float], ...]
"""Parameter, least, most."""


class CannotRecordError(ValueError):
    """A function that does something that a formula cannot."""


class FormulaLaw(Law):
    """A law made by `offray.law`.

    Attributes
    ----------
    text : str
        The formula, or the name of the function that it was recorded from.
    """

    __slots__ = ("_bounds", "_columns", "_lone", "_positive", "made_of", "text")

    text: str

    def __init__(
        self,
        core: Any,
        text: str,
        inputs: Iterable[str],
        positive: Iterable[str],
        made_of: tuple[Any, ...],
        bounds: Bounds,
    ) -> None:
        super().__init__(core)
        self.text = text
        self._bounds = bounds
        self.made_of = made_of
        self._columns = tuple(core.inputs)
        self._positive = frozenset(positive)
        self.inputs = tuple(SLOTS[name][0] if name in SLOTS else name for name in inputs)
        self._lone = self.inputs[0] if len(self.inputs) == 1 else None

    @property
    def built_in(self) -> bool:
        """No."""
        return False

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Where a fit keeps the parameters unless it is told otherwise."""
        return {name: (low, high) for name, low, high in self._bounds}

    @property
    def on_one_ray(self) -> bool:
        """No."""
        return False

    @property
    def on_ray(self) -> Law | None:
        """None: what is left of it on a ray is not worked out."""
        return None

    @property
    def formula(self) -> str:
        """The law as it was given."""
        return self.text

    @property
    def positive_inputs(self) -> frozenset[str]:
        """The columns whose values must be above zero."""
        return frozenset(SLOTS[name][0] if name in SLOTS else name for name in self._positive)

    def core_columns(self, columns: Mapping[str, Array]) -> Mapping[str, Array]:
        """Columns as the core takes them, logarithms of the law's own inputs among them.

        Raises
        ------
        ValueError
            For a value that is not finite, or not positive though the law takes it to be.
        """
        out: dict[str, Array] = {}
        for name in self._columns:
            if name in _COUNTS and name not in columns and self._lone is not None:
                out[name] = self._checked(self._lone, columns[self._lone])
            elif name in columns:
                out[name] = columns[name] if name in _COUNTS else self._checked(name, columns[name])
            else:
                out[name] = np.log(self._checked(name.removeprefix("ln "), columns[name.removeprefix("ln ")]))
        return out

    def _checked(self, name: str, values: Array) -> Array:
        good = np.isfinite(values)
        if name in self._positive:
            good &= values > 0
        if not good.all():
            row = int(np.argmin(good))
            kind = "positive and finite" if name in self._positive else "finite"
            raise ValueError(f"{name}[{row}] = {values[row]}: every value must be {kind}")
        return values

    def _evaluate(self, x: Any, theta: tuple[Any, ...], *, jacobian: bool) -> Array:
        if len(theta) != len(self.parameters):
            expected = ", ".join(self.parameters)
            raise TypeError(f"{self.name} takes {len(self.parameters)} parameters ({expected}); got {len(theta)}")
        if isinstance(x, Mapping):
            x = tuple(x[name] for name in self.inputs)
        elif len(self.inputs) == 1 and not (isinstance(x, tuple) and len(x) == 1):
            x = (x,)
        if len(x) != len(self.inputs):
            raise ValueError(f"x must be ({', '.join(self.inputs)}); got {len(x)} items")
        return self._at(dict(zip(self.inputs, x, strict=True)), theta, jacobian=jacobian)

    def __repr__(self) -> str:
        return f"offray.law({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, self.made_of


@lru_cache(maxsize=256)
def restore(
    name: str,
    text: str,
    parameters: tuple[str, ...],
    inputs: tuple[str, ...],
    positive: tuple[str, ...],
    nodes: tuple[Node, ...],
    result: int,
    bounds: Bounds = (),
) -> FormulaLaw:
    """The law of a graph's parts, which is how one travels between processes."""
    graph = Graph(parameters, inputs, frozenset(positive), list(nodes))
    found, made = structure(graph, result), program(graph, result)
    core = _core.tape_law(
        name=name,
        formula=text,
        parameters=[(p, *role) for p, role in zip(parameters, found.roles, strict=True)],
        inputs=list(made.columns),
        program=made.steps,
        constants=made.constants,
        power_sum=found.power_sum,
        of_sum=found.of_sum,
        linear=list(found.linear),
        ranges=found.ranges_in(graph, made),
    )
    return FormulaLaw(core, text, inputs, positive, (name, text, parameters, inputs, positive, nodes, result, bounds), bounds)
