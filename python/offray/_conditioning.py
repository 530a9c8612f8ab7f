# SPDX-License-Identifier: Apache-2.0
"""Conditioning of a Jacobian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from offray import _core
from offray._input.arrays import Array, choose_dtype, frozen, numbers
from offray._travel.record import Record


@dataclass(frozen=True, repr=False, eq=False)
class Conditioning(Record):
    """What a Jacobian can determine.

    Attributes
    ----------
    kappa : floating
        kappa_2 = sigma_1 / sigma_p, from the singular values of J itself, never from J'J. Infinite where J is exactly singular
        or has fewer rows than columns.
    rank : int
        Number of singular values of at least 1e-8 sigma_1 (double) or 4.9e-12 sigma_1 (80-bit long double): those that still
        carry six digits. Beyond that, neither the smallest singular values nor `kappa` are to be trusted.
    singular_values : (min(n, p),) ndarray
        In descending order.
    direction : (p,) ndarray
        Sloppy direction: the unit vector, in scaled columns, that changes the predictions least.
    variance_inflation : (p,) ndarray
        (J'J)^-1_jj (J'J)_jj: how much larger the variance of a parameter is than if its column were orthogonal to the others.
        Infinite where `rank` leaves it undetermined.
    """

    kappa: np.floating[Any]
    rank: int
    singular_values: Array
    direction: Array
    variance_inflation: Array

    def _brief(self) -> str:
        return f"kappa {self.kappa:.4g}, rank {self.rank} of {len(self.direction)}"

    @classmethod
    def from_core(cls, core: Any) -> Conditioning:
        """From the core's object."""
        return cls(
            core.kappa[()], core.rank, frozen(core.singular_values), frozen(core.direction), frozen(core.variance_inflation)
        )


def condition(J: Any, columns: Literal["unit", "raw"] = "unit") -> Conditioning:
    """Condition a Jacobian: rank, singular values, kappa_2 and sloppy direction.

    By column-pivoted QR and the singular values of the small factor, in the precision of `J`.

    Parameters
    ----------
    J : (n, p) array_like
        Any Jacobian; double, or long double for 3 to 4 more digits. Finite.
    columns : {"unit", "raw"}
        Divide every column by its 2-norm first, which frees the result of the parameters' units, or take J as it is.

    Raises
    ------
    ValueError
        For an empty, non-finite or not two-dimensional `J`, or an unknown `columns`.

    Examples
    --------
    >>> import numpy as np, offray
    >>> N = np.geomspace(5.04e6, 76.5e6, 14)
    >>> J = offray.laws.chinchilla.jacobian((N, 20 * N), 1.69, 406.4, 410.7, 0.34, 0.28)
    >>> bool(offray.condition(J).kappa > 1e6)  # one ray: not five parameters
    True
    """
    if columns not in ("unit", "raw"):
        raise ValueError(f"columns must be 'unit' or 'raw'; got {columns!r}")
    matrix = numbers("J", J, choose_dtype(None, np.asarray(J)))
    if matrix.ndim != 2:
        raise ValueError(f"J must be two-dimensional, (n, p); got shape {matrix.shape}")
    return Conditioning.from_core(_core.condition(np.asfortranarray(matrix), columns))
