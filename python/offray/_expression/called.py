# SPDX-License-Identifier: Apache-2.0
"""A function that cannot be recorded, as the core calls it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from offray import _core
from offray._expression.formula_law import Bounds, FormulaLaw
from offray._expression.names import check_names, graph_of
from offray._expression.program import SLOTS
from offray._input.arrays import Array

_AGREE = 1e-5
"""Relative difference of complex steps and central differences, whose own error is about eps^(2/3) = 4e-11, up to which both
count as the derivative: a function that drops imaginary parts is off by all of it."""


class Called:
    """Values and derivatives of a function of columns and parameters; what it raises is kept, and NaN stands for its values."""

    def __init__(
        self,
        function: Callable[..., Any],
        jac: Callable[..., Any] | None,
        name: str,
        inputs: tuple[str, ...],
        positive: Iterable[str],
        apart: bool,
    ) -> None:
        self.function = function
        self.jac = jac
        self.name = name
        self.inputs = inputs
        self.positive = positive
        self.apart = apart
        self.failure: Exception | None = None
        self.complex_steps: bool | None = None

    def __call__(self, theta: Array, columns: list[Array], jacobian: bool) -> Array:
        shape = (len(columns[0]), len(theta)) if jacobian else (len(columns[0]),)
        N, D, *further = columns
        others = iter(further)
        given = tuple({"N": N, "D": D}[name] if name in SLOTS else next(others) for name in self.inputs)
        try:
            with np.errstate(all="ignore"):
                out = self._derivatives(given, theta) if jacobian else self._at(self.function, given, theta)
            return np.asfortranarray(np.broadcast_to(out, shape), theta.dtype)
        except Exception as error:  # it must not pass through the core; `check` raises it
            self.failure = error
            return np.full(shape, np.nan, theta.dtype)

    def check(self) -> None:
        """``ValueError`` with what the function raised since the last look, if it did."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise ValueError(f"the function {self.name} raised {type(failure).__name__}: {failure}") from failure

    def _at(self, function: Callable[..., Any], given: tuple[Array, ...], theta: Array) -> Any:
        if self.apart:
            return function(*given, *theta)
        return function(given[0] if len(given) == 1 else given, *theta)

    def _derivatives(self, given: tuple[Array, ...], theta: Array) -> Array:
        if self.jac is not None:
            return np.asarray(self._at(self.jac, given, theta))
        if self.complex_steps is None:
            self.complex_steps = self._agree(given, theta)
        return self._complex(given, theta) if self.complex_steps else self._central(given, theta)

    def _agree(self, given: tuple[Array, ...], theta: Array) -> bool:
        try:
            exact, near = self._complex(given, theta), self._central(given, theta)
        except Exception:  # no complex numbers, no complex steps
            return False
        size = np.abs(near).max(axis=0)
        return bool(np.isfinite(exact).all() and (np.abs(exact - near) <= _AGREE * size + 1e-300).all())

    def _complex(self, given: tuple[Array, ...], theta: Array) -> Array:
        out = []
        for j in range(len(theta)):
            moved = theta.astype(np.result_type(theta.dtype, np.complex128))
            step = theta.dtype.type(1e-30) * max(abs(theta[j]), 1)
            moved[j] += 1j * step
            out.append(np.imag(np.broadcast_to(self._at(self.function, given, moved), given[0].shape)) / step)
        return np.stack(out, axis=1)

    def _central(self, given: tuple[Array, ...], theta: Array) -> Array:
        out = []
        for j in range(len(theta)):
            step = np.cbrt(np.finfo(theta.dtype).eps) * max(abs(theta[j]), theta.dtype.type(1e-8))
            ends = []
            for sign in (1, -1):
                moved = theta.copy()
                moved[j] += sign * step
                ends.append(np.broadcast_to(self._at(self.function, given, moved), given[0].shape))
            out.append((ends[0] - ends[1]) / (2 * step))
        return np.stack(out, axis=1)


class CalledLaw(FormulaLaw):
    """A law whose function is called back."""

    __slots__ = ("_function",)

    def __init__(self, core: Any, function: Called, made_of: tuple[Any, ...], bounds: Bounds) -> None:
        super().__init__(core, function.name, function.inputs, function.positive, made_of, bounds)
        self._function = function

    @property
    def traced(self) -> bool:
        """No."""
        return False

    def check(self) -> None:
        """``ValueError`` with what the function raised, if it did."""
        self._function.check()

    def _evaluate(self, x: Any, theta: tuple[Any, ...], *, jacobian: bool) -> Array:
        out = super()._evaluate(x, theta, jacobian=jacobian)
        self.check()
        return out

    def __reduce__(self) -> tuple[Any, ...]:
        return called_back, self.made_of


def called_back(
    function: Callable[..., Any],
    jac: Callable[..., Any] | None,
    name: str,
    parameters: tuple[str, ...],
    inputs: tuple[str, ...],
    real: Iterable[str] | str,
    apart: bool = True,
    bounds: Bounds = (),
) -> CalledLaw:
    """The law of a function that cannot be recorded."""
    graph = graph_of(parameters, inputs, real)
    check_names(graph)
    signed = [p not in graph.positive for p in parameters]
    made = Called(function, jac, name, inputs, graph.positive, apart)
    core = _core.callback_law(
        name=name,
        formula=name,
        parameters=[(p, "real" if is_real else "positive", None) for p, is_real in zip(parameters, signed, strict=True)],
        inputs=[*(SLOTS[n][0] for n in inputs if n in SLOTS), *(n for n in inputs if n not in SLOTS)],
        function=made,
    )
    return CalledLaw(core, made, (function, jac, name, parameters, inputs, real, apart, bounds), bounds)
