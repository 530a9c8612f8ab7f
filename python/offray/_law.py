# SPDX-License-Identifier: Apache-2.0
"""The law objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from offray import _core
from offray._input.arrays import Array, choose_dtype, numbers

if TYPE_CHECKING:
    import inspect


class Parameter(NamedTuple):
    """A parameter of a law: its name, what it does, and the input it belongs to.

    Attributes
    ----------
    name : str
    role : {"floor", "coefficient", "scale", "exponent", "outer", "decay"}
        The loss that no run goes below; what multiplies a power of N or D; a number that N or D is compared with; a power of N
        or D; the power of a sum of terms; how fast repeated tokens or excess parameters lose their worth.
    axis : {"N", "D"} or None
    """

    name: str
    role: str
    axis: str | None


class Law:
    """A scaling law: a plain callable ``law((N, D), *theta)`` with an analytic Jacobian.

    The same object works as `f` of ``scipy.optimize.curve_fit`` and as `law` of `offray.fit`.

    Attributes
    ----------
    name : str
        As in ``offray.laws``.
    parameters : tuple of str
        Parameter names, in the order of `theta`.
    roles : tuple of Parameter
        The same with what each does.
    inputs : tuple of str
        The columns that the law reads: params, tokens, unique_tokens, and any others of a law made by `offray.law`.
    floor : str or None
        The loss that no run goes below; None where the law has none.
    coefficients : tuple of str
        What sizes the terms in N and in D: A and B, or N_c and D_c.
    exponents : tuple of str
        Powers of N, of D, and of sums.
    """

    __slots__ = ("coefficients", "core", "exponents", "floor", "inputs", "name", "parameters", "roles")

    core: Any
    inputs: tuple[str, ...]
    name: str
    parameters: tuple[str, ...]
    roles: tuple[Parameter, ...]
    floor: str | None
    coefficients: tuple[str, ...]
    exponents: tuple[str, ...]

    def __init__(self, core: Any) -> None:
        self.core = core
        self.inputs = tuple(core.inputs)
        self.name = core.name
        self.roles = tuple(Parameter(*role) for role in core.roles)
        self.parameters = tuple(parameter.name for parameter in self.roles)
        self.floor = next(iter(self.named("floor")), None)
        self.coefficients = self.named("coefficient", "scale")
        self.exponents = self.named("exponent", "outer")

    @property
    def formula(self) -> str:
        """The loss as text."""
        return f"L = {self.core.formula}"

    @property
    def reference(self) -> str:
        """Where the law was published."""
        return str(self.core.reference)

    @property
    def published(self) -> dict[str, tuple[float, ...]]:
        """Published fits, by source."""
        return {source: tuple(theta) for source, theta in self.core.published.items()}

    @property
    def psi(self) -> str:
        """Of a law on one ray: what the parameter of its merged term is made of, in parameters of the full law."""
        return str(self.core.psi)

    def reads(self, column: str) -> bool:
        """Whether the law reads a column: ``law.reads("unique_tokens")``."""
        return column in self.inputs

    @property
    def place(self) -> tuple[str, ...]:
        """The columns that say where a run was made, in the order in which the law is called; unique tokens of a law of
        `offray.laws` may be left out, since every token is fresh then."""
        return _COLUMNS[:2] if self.built_in else self.inputs

    @property
    def further(self) -> tuple[str, ...]:
        """The columns beside params, tokens and unique_tokens that the law reads."""
        return tuple(name for name in self.inputs if name not in _COLUMNS)

    @property
    def built_in(self) -> bool:
        """Whether the law is one of `offray.laws`, which are given N and D, or what is left of one on a ray."""
        return self.name in _ALL

    @property
    def positive_inputs(self) -> frozenset[str]:
        """The columns whose values must be above zero."""
        return frozenset(self.inputs)

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Where a fit keeps the parameters unless it is told otherwise; none for the laws of `offray.laws`."""
        return {}

    @property
    def traced(self) -> bool:
        """Whether the core computes the law, rather than call a function of yours."""
        return True

    @property
    def of_N_and_D(self) -> bool:
        """Whether the law reads both parameters and tokens, so that tokens per parameter mean something."""
        return self.reads("params") and self.reads("tokens")

    def core_columns(self, columns: Mapping[str, Array]) -> Mapping[str, Array]:
        """Columns as the core takes them."""
        return columns

    def check(self) -> None:
        """Raises what a law that is called back has raised; the core cannot."""

    def named(self, *roles: str, axis: str | None = None) -> tuple[str, ...]:
        """The parameters of these roles, of one axis or of any."""
        return tuple(p.name for p in self.roles if p.role in roles and axis in (None, p.axis))

    @property
    def has_data_exponent(self) -> bool:
        """Whether D has an exponent of its own, which the figures of rays need."""
        return bool(self.named("exponent", axis="D") or self.named("outer", axis="D"))

    def data_exponent(self, theta: Iterable[Any]) -> float:
        """The exponent b of D in the paper's V_K: beta, alpha_D for Kaplan, alpha_D / alpha for Droppo-Elibol."""
        values = dict(zip(self.parameters, map(float, theta), strict=True))
        outer, own = () if self.core.of_sum else self.named("outer"), self.named("exponent", axis="D")
        if not own:
            own, outer = self.named("outer", axis="D"), ()
        if not own:
            raise ValueError(f"law: {self.name} has no exponent of its own for D, which the figures of its rays need")
        return values[own[0]] / (values[outer[0]] if outer else 1.0)

    def inner_data_exponent(self, values: Mapping[str, Any]) -> float:
        """The exponent of D within the sum of terms: 1 for Kaplan; of a law on one ray, or where D's is not among the values,
        that of N stands for it."""
        outer = () if self.core.of_sum else self.named("outer")
        own = self.named("exponent", axis="D")
        if not own and self.named("coefficient", "scale", axis="D"):
            return 1.0
        known = [name for name in (*own, *self.named("exponent", axis="N")) if name in values]
        return float(values[known[0]]) / (float(values[outer[0]]) if outer else 1.0) if known else 1.0

    @property
    def on_one_ray(self) -> bool:
        """Whether this is what is left of a law on one ray."""
        return self.name in _REDUCED

    @property
    def on_ray(self) -> Law | None:
        """What is left of the law where all runs have one number of tokens per parameter; None where it has no such form.

        ``chinchilla``: L = E + psi N^-alpha. ``kaplan``: L = (psi / N)^alpha_N. ``droppo_elibol``:
        L = [L_inf^(1/alpha) + (psi / N)^(alpha_N/alpha)]^alpha. ``kaplan_floor``: L = E + (psi / N)^alpha_N. See `Fit.reduced`.
        """
        return _ON_RAY.get(self.name)

    def __repr__(self) -> str:
        return f"offray.laws.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return find_law, (self.name,)

    def __call__(self, x: Any, *theta: Any) -> Array:
        """Loss in nats per token.

        Parameters
        ----------
        x : (N, D) or (N, D, U)
            Model parameters, training tokens and unique tokens, each scalar or array_like; broadcast together. Positive and
            finite.
        *theta : scalars
            One value per parameter, natural units. Outside the law's domain (a logarithm of a negative number) the result is
            NaN, which optimisers take as an infeasible trial point.

        Returns
        -------
        ndarray
            In the broadcast shape of `x`.

        Raises
        ------
        ValueError
            For an input that is not positive and finite, naming it.
        TypeError
            For the wrong number of parameters.
        """
        return self._evaluate(x, theta, jacobian=False)

    def jacobian(self, x: Any, *theta: Any) -> Array:
        """Derivatives dL/dtheta, shape (n, p), natural units; arguments as for a call."""
        return self._evaluate(x, theta, jacobian=True)

    @property
    def __signature__(self) -> inspect.Signature:
        # scipy.optimize.curve_fit counts a function's arguments to know how many parameters to fit.
        import inspect

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(n, kind) for n in ("x", *self.parameters)])

    def _evaluate(self, x: Any, theta: tuple[Any, ...], *, jacobian: bool) -> Array:
        if len(theta) != len(self.parameters):
            expected = ", ".join(self.parameters)
            raise TypeError(f"{self.name} takes {len(self.parameters)} parameters ({expected}); got {len(theta)}")
        if len(x) not in (2, 3):
            raise ValueError(f"x must be (N, D) or (N, D, U); got {len(x)} items")
        return self._at(dict(zip(_COLUMNS, x, strict=False)), theta, jacobian=jacobian)

    def _at(self, inputs: Mapping[str, Any], theta: tuple[Any, ...], *, jacobian: bool) -> Array:
        dtype = choose_dtype(None, *inputs.values(), *theta)
        names = {"params": "N", "tokens": "D"}
        arrays = np.broadcast_arrays(*(numbers(names.get(key, key), v, dtype) for key, v in inputs.items()))
        shape = arrays[0].shape
        columns = {key: np.ascontiguousarray(a).ravel() for key, a in zip(inputs, arrays, strict=True)}
        values = np.array([numbers(name, v, dtype) for name, v in zip(self.parameters, theta, strict=True)], dtype)
        if values.ndim != 1:
            raise ValueError(f"every parameter of {self.name} must be a scalar")
        out: Array = self.core.evaluate(values, self.core_columns(columns), jacobian)
        return out.reshape(*shape, len(values)) if jacobian else out.reshape(shape)


_COLUMNS = ("params", "tokens", "unique_tokens")

LAWS: dict[str, Law] = {core.name: Law(core) for core in _core.LAWS}
_ON_RAY: dict[str, Law] = {name: Law(law.core.on_ray) for name, law in LAWS.items() if law.core.on_ray is not None}
_REDUCED = frozenset(law.name for law in _ON_RAY.values())
_ALL = LAWS | {law.name: law for law in _ON_RAY.values()}


def require_N_and_D(law: Law, call: str) -> None:
    """``ValueError`` for a law with other inputs, where a call is about parameters and tokens."""
    if not law.built_in and (not law.of_N_and_D or law.further):
        raise ValueError(f"{call} is about N and D; the law {law.name} reads {', '.join(law.inputs)}")


def find_law(law: str | Law) -> Law:
    """The law of this name; ``ValueError`` lists the known ones."""
    if isinstance(law, Law):
        return law
    if not isinstance(law, str) or law not in _ALL:
        raise ValueError(f"unknown law {law!r}; known laws: {', '.join(LAWS)}")
    return _ALL[law]
