# SPDX-License-Identifier: Apache-2.0
"""`offray.law`: a law from a formula."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from offray._expression.called import called_back
from offray._expression.formula_law import Bounds, CannotRecordError, FormulaLaw, restore
from offray._expression.graph import FUNCTIONS, Graph
from offray._expression.names import USUAL_INPUTS, check_names, graph_of
from offray._expression.parse import build, names_in, parsed
from offray._expression.trace import NotTraceableError, record
from offray._law import Law


def law(
    formula: str | Callable[..., Any],
    *,
    inputs: Iterable[str] | str = (),
    parameters: Iterable[str] | None = None,
    real: Iterable[str] | str = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    name: str | None = None,
    jac: Callable[..., Any] | None = None,
) -> Law:
    """A law of your own, from a formula or a Python function, with exact derivatives; or a known one by its name.

    Parameters
    ----------
    formula : str or callable
        ``"E + (A*N**-alpha + B*D**-beta)**q"``: numbers, names, ``+ - * / **``, ``exp log sqrt expm1 log1p tanh logistic
        minimum maximum abs`` and ``where(x < 3, a, b)``. Or a function of inputs and parameters,
        ``def f(x, E, A, alpha): return E + A * x**-alpha``, which is called once with arrays that record what is done to them.
        Or a name of `offray.laws.NAMES`, alone: ``offray.law("chinchilla") is offray.laws.chinchilla``.
    inputs : str or iterable of str
        What the law reads, beside ``N, D, U, C, x``, which are inputs wherever they appear. Of a function: the names of its
        leading arguments, or of the columns of its first one.
    parameters : iterable of str, optional
        The order of `theta`; default: as they appear. Names given here are no inputs.
    real : iterable of str, or "all"
        Parameters that may be zero or negative. The others are positive, and are searched as logarithms.
    bounds : mapping of str to (lower, upper), optional
        Where every fit keeps these parameters, unless its own `bounds`, `fixed` or `tied` are about them.
    name : str, optional
        Default: the formula, or the function's name.
    jac : callable, optional
        Derivatives of a function that cannot be recorded, (n, p), with the same arguments. Default: complex steps where they
        agree with differences, else central differences.

    Returns
    -------
    Law
        For ``offray.fit(..., law=...)`` and every other call; itself a function ``law(x, *theta)`` with a ``jacobian``.

    Raises
    ------
    ValueError
        For a formula that cannot be read, a name of no law, or more than 10 parameters or none.
    TypeError
        For options beside the name of a known law, and `jac` beside a formula.

    Notes
    -----
    A function that looks at values or calls what a formula does not have cannot be recorded. It is called back, over all runs
    at once: slower, and ``law.traced`` is False.

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
        return _from_function(formula, given, real, name, jac, bounds)
    if isinstance(formula, str) and formula.isidentifier():
        return _known(formula, alone=not (given or parameters is not None or real or bounds or name or jac))
    if jac is not None:
        raise TypeError("jac belongs to a function; the derivatives of a formula are exact")
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
    graph = graph_of(held or unknown, read, real)
    try:
        result = build(graph, tree)
    except RecursionError:
        raise ValueError("the formula is nested too deeply") from None
    return _made(graph, result, name or formula, formula, _ranges(bounds, graph))


def _known(name: str, *, alone: bool) -> Law:
    """A law by its name; no formula is a name alone, which would lack a parameter or an input."""
    from offray._expression.known import any_law  # which makes its laws here

    found = any_law(name)
    if not alone:
        raise TypeError(f"{name} is a known law; inputs, parameters, real, bounds, name and jac are for laws of your own")
    return found


def _from_function(
    function: Callable[..., Any],
    given: tuple[str, ...],
    real: Iterable[str] | str,
    name: str | None,
    jac: Callable[..., Any] | None,
    bounds: Mapping[str, tuple[float, float]] | None,
) -> FormulaLaw:
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
    try:
        return traced(function, tuple(names), read, real, called, apart=apart, bounds=bounds)
    except CannotRecordError:
        ranges = _ranges(bounds, graph_of(tuple(names), read, real))
        return called_back(function, jac, called, tuple(names), read, real, apart, ranges)


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
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> FormulaLaw:
    """The law of a function of columns (each an argument of its own where `apart`) and parameters.

    A single column is given as it is, or `as_rows` as a tuple of one; `positive` are the inputs known to be, all by default.

    Raises
    ------
    CannotRecordError
        Where it cannot be recorded.
    """
    graph = graph_of(parameters, inputs, real)
    if positive is not None:
        graph.positive = frozenset({*graph.positive} - set(inputs) | set(positive))
    whole = (lambda x, *theta: function(*x, *theta)) if apart else function
    try:
        result = record(whole, graph, one=not apart and not as_rows and len(inputs) == 1)
    except NotTraceableError as error:
        raise CannotRecordError(
            f"{name} cannot be recorded as a formula: {error}. It may compute with its arguments, numbers and "
            f"{', '.join(FUNCTIONS)}"
        ) from error
    return _made(graph, result, name, name, _ranges(bounds, graph))


def _arguments(function: Callable[..., Any]) -> list[str]:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ValueError(f"{function!r} has no signature to read parameters from") from None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.KEYWORD_ONLY) for p in found):
        raise ValueError("a law's function names its parameters one by one: no *args, **kwargs or keyword-only ones")
    return [p.name for p in found]


def _ranges(bounds: Mapping[str, tuple[float, float]] | None, graph: Graph) -> Bounds:
    """Bounds as a law keeps them."""
    out = []
    for name, ends in (bounds or {}).items():
        if name not in graph.parameters:
            raise ValueError(f"bounds: unknown parameter {name}; the law has {', '.join(graph.parameters)}")
        if np.shape(ends) != (2,):
            raise ValueError(f"bounds: every parameter needs a pair (lower, upper); got {ends!r} for {name}")
        low, high = map(float, ends)
        least = 0.0 if name in graph.positive else -np.inf
        if not least <= low <= high:
            raise ValueError(f"bounds: {name} needs {least:g} <= lower <= upper; got ({low:g}, {high:g})")
        out.append((name, low, high))
    return tuple(out)


def _made(graph: Graph, result: int, name: str, text: str, bounds: Bounds) -> FormulaLaw:
    check_names(graph)
    below = graph.below(result)
    used = {graph.parameters[graph.nodes[k].a] for k in below if graph.nodes[k].op == "parameter"}
    if idle := [p for p in graph.parameters if p not in used]:
        raise ValueError(f"the formula does not depend on {', '.join(idle)}")
    if not any(graph.nodes[k].op == "input" for k in below):
        raise ValueError("the formula does not depend on its inputs")
    positive = tuple(sorted(graph.positive))
    return restore(name, text, graph.parameters, graph.inputs, positive, tuple(graph.nodes), result, bounds)
