# SPDX-License-Identifier: Apache-2.0
"""What arithmetic and objective do to a condition number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._input.arrays import DOUBLE, LONG_DOUBLE, Array, numbers, vector
from offray._input.objective import check_objective
from offray._law import Law, find_law
from offray._optimum import Optimum
from offray._problem import DEFAULT_DELTA
from offray._travel.record import Record


@dataclass(frozen=True, repr=False)
class WeightedConditioning(Record):
    """Conditioning of a fit's Jacobian under the weights of an objective.

    Attributes
    ----------
    kappa : floating
        kappa(J'J), columns of unit length, N and D in units of their geometric means.
    kappa_weighted : floating
        kappa(J'WJ), W = diag(w psi(r) / r) at the optimum.
    kappa_weights : floating
        kappa(W), the largest weight over the smallest: kappa_weighted / kappa lies between 1 / kappa_weights and kappa_weights.
    """

    kappa: Any
    kappa_weighted: Any
    kappa_weights: Any

    def _brief(self) -> str:
        return f"kappa {self.kappa:.4g}, weighted {self.kappa_weighted:.4g}"


def weighted_conditioning(fit: Optimum, objective: str, delta: float | None, quantile: float | None) -> WeightedConditioning:
    """What `Fit.conditioning_under` does."""
    check_objective(objective, delta, quantile)
    if isinstance(delta, str):
        raise TypeError("delta must be a number here; fit.delta holds an estimated one")
    for name, value, most in (("delta", delta, np.inf), ("quantile", quantile, 1)):
        if value is not None and not 0 < value < most:
            raise ValueError(f"{name} must be in (0, {most}); got {value}")
    figures = _core.conditioning_under(
        fit.core,
        objective,
        DEFAULT_DELTA if delta is None else float(delta),
        0.5 if quantile is None else float(quantile),
    )
    return WeightedConditioning(*(figure[()] for figure in figures))


@dataclass(frozen=True, repr=False)
class PrecisionReport(Record):
    """kappa_2 of one Jacobian, computed four ways; ``print`` shows the digits that each loses.

    The best of the four, singular values in long double, is the yardstick. A perturbation of relative size eps in J moves the
    smallest singular value by eps sigma_1 and so kappa_2 by about kappa_2 eps, relatively; in J'J it moves the eigenvalue
    sigma_p^2 by eps sigma_1^2, and kappa_2 by about kappa_2^2 eps: the normal equations lose twice the digits.

    Attributes
    ----------
    svd, eigenvalues : float
        In double: from the singular values of J, and as the square root of the condition number of J'J, NaN where its
        smallest eigenvalue comes out negative.
    svd_long, eigenvalues_long : numpy.longdouble
        The same in long double.
    """

    svd: Any
    eigenvalues: Any
    svd_long: Any
    eigenvalues_long: Any

    def _brief(self) -> str:
        return f"kappa_2 {self.svd_long:.6g}"

    def digits(self) -> dict[str, float]:
        """Digits of kappa_2 that each way leaves: -log10 of its relative deviation from `svd_long`."""
        out = {}
        for name, scalar in (("svd", np.float64), ("eigenvalues", np.float64), ("eigenvalues_long", np.longdouble)):
            ratio = getattr(self, name) / self.svd_long - 1
            most = -np.log10(float(np.finfo(scalar).eps))
            error = abs(float(ratio))
            out[name] = 0.0 if not error < 1 else min(most, -np.log10(error)) if error else most
        return {name: float(value) for name, value in out.items()}

    def __str__(self) -> str:
        left = self.digits()
        head = f"{'kappa_2 from':34}{'double':>14}{'digits left':>13}{'long double':>14}{'digits left':>13}"
        rows = (
            ("singular values of J", self.svd, left["svd"], self.svd_long, None),
            ("eigenvalues of J'J", self.eigenvalues, left["eigenvalues"], self.eigenvalues_long, left["eigenvalues_long"]),
        )
        lines = [
            f"{label:34}{value:14.6g}{digits:13.1f}{wide:14.6g}{'yardstick' if more is None else f'{more:.1f}':>13}"
            for label, value, digits, wide, more in rows
        ]
        return "\n".join([head, *lines])


def precision_report(
    N: Any, D: Any, law: str | Law = "chinchilla", theta: Any = None, *, unique_tokens: Any = None, centred: bool = True
) -> PrecisionReport:
    """The condition number of a law's Jacobian in double and long double, from J and from J'J.

    Parameters
    ----------
    N, D : (n,) array_like
        Model parameters and training tokens of a design, trained or planned.
    law : str or Law
    theta : (p,) array_like or mapping
        Parameter values, natural units.
    unique_tokens : (n,) array_like, optional
    centred : bool
        Count N and D in units of their geometric means, as the figures of a fit do; else as they are. Columns have unit length.

    Raises
    ------
    ValueError
        For bad input, naming the argument and its value.

    Examples
    --------
    >>> import numpy as np, offray
    >>> N = np.geomspace(5.04e6, 76.5e6, 14)
    >>> report = offray.precision_report(N, 20 * N, theta=[1.69, 406.4, 410.7, 0.34, 0.28])
    >>> report.digits()["svd"] > 8 > 5 > report.digits()["eigenvalues"]
    True
    """
    the_law = find_law(law)
    if theta is None:
        raise ValueError(f"theta must give {', '.join(the_law.parameters)}")
    if hasattr(theta, "keys"):
        if set(theta) != set(the_law.parameters):
            raise ValueError(f"theta must give {', '.join(the_law.parameters)}; got {', '.join(map(str, theta))}")
        theta = [theta[name] for name in the_law.parameters]
    figures = []
    for dtype in (DOUBLE, LONG_DOUBLE):
        x = [vector(name, v, dtype) for name, v in (("N", N), ("D", D), ("unique_tokens", unique_tokens)) if v is not None]
        values = numbers("theta", theta, dtype)
        if values.shape != (len(the_law.parameters),):
            raise ValueError(f"theta has shape {values.shape}; {the_law.name} has {len(the_law.parameters)} parameters")
        if not ((values > 0) & np.isfinite(values)).all():
            raise ValueError(f"theta: every value must be positive and finite; got {values.tolist()}")
        J = the_law.jacobian(tuple(x), *values)
        if centred:
            J = in_centred_units(the_law, J, values, x)
        figures += [figure[()] for figure in _core.precision_report(np.asfortranarray(J))]
    return PrecisionReport(*figures)


def in_centred_units(law: Law, J: Array, theta: Array, x: list[Array]) -> Array:
    """Moves to units of the geometric means: with A' = A N0^-alpha held instead of A, dL/dalpha gains A ln(N0) dL/dA."""
    J = J.copy()
    for name, role, axis in law.roles:
        if role != "coefficient" or not law.named("exponent", axis=axis):
            continue
        a, e = law.parameters.index(name), law.parameters.index(law.named("exponent", axis=axis)[0])
        J[:, e] += theta[a] * np.log(x["ND".index(str(axis))]).mean() * J[:, a]
    return J
