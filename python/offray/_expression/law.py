# SPDX-License-Identifier: Apache-2.0
"""`offray.law`: a law from a formula."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from offray import _core
from offray._expression.graph import FUNCTIONS, Graph, Node
from offray._expression.parse import build, names_in, parsed
from offray._expression.program import SLOTS, program
from offray._expression.structure import structure
from offray._expression.trace import NotTraceableError, record
from offray._input.arrays import Array
from offray._law import Law

USUAL_INPUTS = ("N", "D", "U", "C", "x")
"""Names that are inputs unless they are said to be parameters."""
_COUNTS = ("params", "tokens")


class FormulaLaw(Law):
    """A law made by `offray.law`.

    Attributes
    ----------
    text : str
        The formula, or the name of the function that it was recorded from.
    """

    __slots__ = ("_columns", "_made_of", "_positive", "text")

    text: str

    def __init__(self, core: Any, text: str, made_of: tuple[Any, ...]) -> None:
        super().__init__(core)
        self.text = text
        self._made_of = made_of
        _, _, _, inputs, positive, _, _ = made_of
        self._columns = tuple(core.inputs)
        self._positive = frozenset(positive)
        self.inputs = tuple(SLOTS[name][0] if name in SLOTS else name for name in inputs)

    @property
    def built_in(self) -> bool:
        """No."""
        return False

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

    def core_columns(self, columns: Mapping[str, Array]) -> Mapping[str, Array]:
        """Columns as the core takes them, logarithms of the law's own inputs among them.

        Raises
        ------
        ValueError
            For a value that is not finite, or not positive though the law takes it to be.
        """
        out: dict[str, Array] = {}
        for name in self._columns:
            if name in columns:
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
        return _restore, self._made_of


def law(
    formula: str | Callable[..., Any],
    *,
    inputs: Iterable[str] | str = (),
    parameters: Iterable[str] | None = None,
    real: Iterable[str] | str = (),
    name: str | None = None,
) -> Law:
    """A law of your own, from a formula or a Python function, with exact derivatives.

    Parameters
    ----------
    formula : str or callable
        ``"E + (A*N**-alpha + B*D**-beta)**q"``: numbers, names, ``+ - * / **``, ``exp log sqrt expm1 log1p tanh logistic
        minimum maximum abs`` and ``where(x < 3, a, b)``. Or a function of inputs and parameters,
        ``def f(x, E, A, alpha): return E + A * x**-alpha``, which is called once with arrays that record what is done to them.
    inputs : str or iterable of str
        What the law reads, beside ``N, D, U, C, x``, which are inputs wherever they appear. Of a function: the names of its
        leading arguments, or of the columns of its first one.
    parameters : iterable of str, optional
        The order of `theta`; default: as they appear. Names given here are no inputs.
    real : iterable of str, or "all"
        Parameters that may be zero or negative. The others are positive, and are searched as logarithms.
    name : str, optional
        Default: the formula, or the function's name.

    Returns
    -------
    Law
        For ``offray.fit(..., law=...)`` and every other call; itself a function ``law(x, *theta)`` with a ``jacobian``.

    Raises
    ------
    ValueError
        For a formula that cannot be read, more than 10 parameters or none, or a function that cannot be recorded because it
        looks at values or calls what a formula does not have.

    Examples
    --------
    >>> import offray
    >>> power = offray.law("E + A*C**-alpha")
    >>> power.parameters
    ('E', 'A', 'alpha')
    >>> float(power(1e20, 1.7, 1e3, 0.2))
    1.8
    """
    given = (inputs,) if isinstance(inputs, str) else tuple(inputs)
    if callable(formula):
        return _from_function(formula, given, real, name)
    if not isinstance(formula, str):
        raise TypeError(f"formula must be text or a function; got {formula!r}")
    tree = parsed(formula)
    found = names_in(tree)
    held = tuple(parameters) if parameters is not None else ()
    read = tuple(n for n in found if n not in held and (n in given or n in USUAL_INPUTS))
    unknown = tuple(n for n in found if n not in read)
    if parameters is not None and set(held) != set(unknown):
        raise ValueError(f"parameters are {', '.join(held)}, but the formula has {', '.join(unknown) or 'none'}")
    if unread := [n for n in given if n not in found]:
        raise ValueError(f"inputs: the formula does not read {', '.join(unread)}")
    graph = _graph(held or unknown, read, real)
    try:
        result = build(graph, tree)
    except RecursionError:
        raise ValueError("the formula is nested too deeply") from None
    return _made(graph, result, name or formula, formula)


def _from_function(function: Callable[..., Any], given: tuple[str, ...], real: Iterable[str] | str, name: str | None) -> Law:
    called = name or str(getattr(function, "__name__", "law"))
    arguments = _arguments(function)
    leading = [a for a in arguments if a in (given or USUAL_INPUTS)]
    if given and not leading:  # the columns of its first argument
        names, apart = arguments[1:], False
        read = given
    elif leading:
        read, names, apart = tuple(leading), [a for a in arguments if a not in leading], True
        if arguments[: len(leading)] != leading:
            raise ValueError(f"the inputs {', '.join(leading)} must be the first arguments of {called}")
    else:
        read, names, apart = (arguments[0],), arguments[1:], True
    return traced(function, tuple(names), read, real, called, apart=apart)


def traced(
    function: Callable[..., Any],
    parameters: tuple[str, ...],
    inputs: tuple[str, ...],
    real: Iterable[str] | str,
    name: str,
    *,
    apart: bool = False,
    as_rows: bool = False,
    positive: tuple[str, ...] | None = None,
) -> Law:
    """The law of a function of columns (each an argument of its own where `apart`) and parameters.

    A single column is given as it is, or `as_rows` as a tuple of one; `positive` are the inputs known to be, all by default.

    Raises
    ------
    ValueError
        Where it cannot be recorded.
    """
    graph = _graph(parameters, inputs, real)
    if positive is not None:
        graph.positive = frozenset({*graph.positive} - set(inputs) | set(positive))
    whole = (lambda x, *theta: function(*x, *theta)) if apart else function
    try:
        result = record(whole, graph, one=not apart and not as_rows and len(inputs) == 1)
    except NotTraceableError as error:
        raise ValueError(
            f"{name} cannot be recorded as a formula: {error}. It may compute with its arguments, numbers and "
            f"{', '.join(FUNCTIONS)}"
        ) from error
    return _made(graph, result, name, name)


def _arguments(function: Callable[..., Any]) -> list[str]:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ValueError(f"{function!r} has no signature to read parameters from") from None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.KEYWORD_ONLY) for p in found):
        raise ValueError("a law's function names its parameters one by one: no *args, **kwargs or keyword-only ones")
    return [p.name for p in found]


def _graph(parameters: tuple[str, ...], inputs: tuple[str, ...], real: Iterable[str] | str) -> Graph:
    signed = set(parameters) if real == "all" else {real} if isinstance(real, str) else set(real)
    if unknown := sorted(signed - {*parameters, *inputs}):
        raise ValueError(f"real: unknown parameter {', '.join(unknown)}; the formula has {', '.join(parameters)}")
    return Graph(parameters, inputs, frozenset({*parameters, *inputs} - signed))


def _check_names(graph: Graph) -> None:
    most, parameters = _core.MOST_PARAMETERS, graph.parameters
    if not 1 <= len(parameters) <= most:
        names = ", ".join(parameters[:20]) or "none"
        raise ValueError(f"a law has 1 to {most} parameters; the formula has {len(parameters)}: {names}")
    if not graph.inputs:
        raise ValueError(f"the formula reads no input: {', '.join(USUAL_INPUTS)}, or name them in `inputs`")
    for name in (*parameters, *graph.inputs):
        if not name.isidentifier() or keyword.iskeyword(name) or name in FUNCTIONS:
            raise ValueError(f"{name!r} cannot be the name of a parameter or an input")


def _made(graph: Graph, result: int, name: str, text: str) -> Law:
    _check_names(graph)
    below = graph.below(result)
    used = {graph.parameters[graph.nodes[k].a] for k in below if graph.nodes[k].op == "parameter"}
    if idle := [p for p in graph.parameters if p not in used]:
        raise ValueError(f"the formula does not depend on {', '.join(idle)}")
    if not any(graph.nodes[k].op == "input" for k in below):
        raise ValueError("the formula does not depend on its inputs")
    return _restore(name, text, graph.parameters, graph.inputs, tuple(sorted(graph.positive)), tuple(graph.nodes), result)


def _restore(
    name: str,
    text: str,
    parameters: tuple[str, ...],
    inputs: tuple[str, ...],
    positive: tuple[str, ...],
    nodes: tuple[Node, ...],
    result: int,
) -> Law:
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
        linear=[] if found.power_sum else list(found.linear),
    )
    return FormulaLaw(core, text, (name, text, parameters, inputs, positive, nodes, result))
