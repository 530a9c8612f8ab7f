# SPDX-License-Identifier: Apache-2.0
"""offray.compute_optimal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._expression.known import any_law
from offray._input.arrays import Array, choose_dtype, numbers
from offray._law import Law, require_N_and_D
from offray._travel.record import Record


@dataclass(frozen=True, repr=False, eq=False)
class OptimalPoint(Record):
    """Where a law with given parameters is least for a budget; arrays in the shape of `C`.

    Attributes
    ----------
    C : ndarray
        The budget, floating-point operations.
    N, D, TPP : ndarray
        Model parameters, training tokens, and tokens per parameter.
    loss : ndarray
        The loss there, nats per token.
    a, b : ndarray
        d ln N* / d ln C and d ln D* / d ln C.
    elasticity : ndarray
        -d ln L / d ln C of the loss above its floor.
    """

    C: Array
    N: Array
    D: Array
    TPP: Array
    loss: Array
    a: Array
    b: Array
    elasticity: Array

    def _brief(self) -> str:
        return f"C {self.C!s:.30}, N {self.N!s:.30}, D {self.D!s:.30}, loss {self.loss!s:.30}"


def compute_optimal(
    law: str | Law, theta: Mapping[str, Any] | Any, C: Any, *, c: float = 6.0, inference_tokens: float = 0.0
) -> OptimalPoint:
    """The compute-optimal point of a law whose parameters are known, such as published ones: no runs are needed.

    Parameters
    ----------
    law : str or Law
        A law of N and D.
    theta : mapping of str to float, or (p,) array_like
        Its parameters, natural units, by name or in the order of ``law.parameters``.
    C : array_like
        Budgets in floating-point operations, C = c N D + 2 N T with T the `inference_tokens`.

    Returns
    -------
    OptimalPoint

    Raises
    ------
    ValueError
        For a law of other inputs, parameters or budgets that are not positive and finite, or a law without an optimum.

    Examples
    --------
    >>> import offray
    >>> theta = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
    >>> point = offray.compute_optimal("chinchilla", theta, 5.76e23)
    >>> f"{point.N:.4g} {point.D:.4g}"
    '3.219e+10 2.982e+12'
    """
    the_law = any_law(law)
    require_N_and_D(the_law, "the compute-optimal point")
    if isinstance(theta, Mapping):
        if set(theta) != set(the_law.parameters):
            raise ValueError(f"theta must give {', '.join(the_law.parameters)}; got {', '.join(map(str, theta))}")
        theta = [theta[name] for name in the_law.parameters]
    dtype = choose_dtype(None, theta, C)
    values, budgets = numbers("theta", theta, dtype), numbers("C", C, dtype)
    if values.shape != (len(the_law.parameters),):
        raise ValueError(
            f"theta must have {len(the_law.parameters)} values: {', '.join(the_law.parameters)}; got {values.shape}"
        )
    for role, value in zip(the_law.roles, values, strict=True):
        if not np.isfinite(value) or (value <= 0 and role.role != "real"):
            raise ValueError(f"theta: {role.name} = {value} must be positive and finite")
    for name, given in (("C", budgets), ("c", np.array([c]))):
        if not ((given > 0) & np.isfinite(given)).all():
            raise ValueError(f"{name}: every value must be positive and finite")
    if not 0 <= inference_tokens < np.inf:
        raise ValueError(f"inference_tokens must be finite and not negative; got {inference_tokens}")
    logs = [the_law.core.optimal(values, np.array([one], dtype), float(c), float(inference_tokens)) for one in budgets.ravel()]
    found = np.exp(np.array(logs, dtype).reshape(*budgets.shape, len(_core.OPTIMALS)))
    return OptimalPoint(budgets, **{name: found[..., k] for k, name in enumerate(_core.OPTIMALS)})
