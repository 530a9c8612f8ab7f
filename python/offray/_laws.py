# SPDX-License-Identifier: Apache-2.0
"""The law objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from offray import _core
from offray._arrays import Array, choose_dtype, numbers

if TYPE_CHECKING:
    import inspect


class Law:
    """A scaling law: a plain callable ``law((N, D), *theta)`` with an analytic Jacobian.

    The same object works as `f` of ``scipy.optimize.curve_fit`` and as `law` of `offray.fit`.

    Attributes
    ----------
    name : str
        As in ``offray.laws``.
    parameters : tuple of str
        Parameter names, in the order of `theta`.
    """

    __slots__ = ("_index", "name", "parameters")

    name: str
    parameters: tuple[str, ...]

    def __init__(self, index: int, name: str, parameters: tuple[str, ...]) -> None:
        self._index = index
        self.name = name
        self.parameters = parameters

    @property
    def on_ray(self) -> Law | None:
        """What is left of the law where all runs have one number of tokens per parameter; None where it has no such form.

        ``chinchilla``: L = E + psi N^-alpha. ``kaplan``: L = (psi / N)^alpha_N. ``droppo_elibol``:
        L = [L_inf^(1/alpha) + (psi / N)^(alpha_N/alpha)]^alpha. See `Fit.reduced`.
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
        from inspect import Parameter, Signature

        return Signature([Parameter(n, Parameter.POSITIONAL_OR_KEYWORD) for n in ("x", *self.parameters)])

    def _evaluate(self, x: Any, theta: tuple[Any, ...], *, jacobian: bool) -> Array:
        if len(theta) != len(self.parameters):
            expected = ", ".join(self.parameters)
            raise TypeError(f"{self.name} takes {len(self.parameters)} parameters ({expected}); got {len(theta)}")
        if len(x) not in (2, 3):
            raise ValueError(f"x must be (N, D) or (N, D, U); got {len(x)} items")
        dtype = choose_dtype(None, x, *x, *theta)
        names = ("N", "D", "unique_tokens")
        inputs = np.broadcast_arrays(*(numbers(name, v, dtype) for name, v in zip(names, x, strict=False)))
        shape = inputs[0].shape
        N, D, *rest = (np.ascontiguousarray(a).ravel() for a in inputs)
        U = rest[0] if rest else np.empty(0, dtype)
        values = np.array([numbers(name, v, dtype) for name, v in zip(self.parameters, theta, strict=True)], dtype)
        if values.ndim != 1:
            raise ValueError(f"every parameter of {self.name} must be a scalar")
        out = _core.evaluate(self._index, values, N, D, U, jacobian)
        return out.reshape(*shape, len(values)) if jacobian else out.reshape(shape)


LAWS: dict[str, Law] = {name: Law(index, name, parameters) for index, (name, parameters) in enumerate(_core.LAWS)}
_ON_RAY: dict[str, Law] = {
    name: Law(len(LAWS) + index, *reduced)
    for index, (name, reduced) in enumerate(zip(LAWS, _core.LAWS_ON_RAY, strict=True))
    if reduced is not None
}
_ALL = LAWS | {law.name: law for law in _ON_RAY.values()}


def find_law(law: str | Law) -> Law:
    """The law of this name; ``ValueError`` lists the known ones."""
    if isinstance(law, Law):
        return law
    if not isinstance(law, str) or law not in _ALL:
        raise ValueError(f"unknown law {law!r}; known laws: {', '.join(LAWS)}")
    return _ALL[law]
