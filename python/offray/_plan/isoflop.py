# SPDX-License-Identifier: Apache-2.0
"""IsoFLOP curves: parabola minima per budget (Approach 2) beside the optimum of a fitted law (Approach 3)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._fit import fit as fit_runs
from offray._input.arrays import DOUBLE, Array, frozen, vector
from offray._input.columns import run_columns
from offray._law import Law, find_law, require_N_and_D
from offray._plan.planning import FLOPS_PER_TOKEN
from offray._result import Fit
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning

_BIAS = 0.1
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class Parabola:
    """One isoFLOP curve: L = L* + h (ln N - ln N*)^2.

    Attributes
    ----------
    C : float
        Geometric mean of 6 N D.
    runs : int
    N, D : float
        The minimum, N* and D* = C / (6 N*). NaN where the parabola opens downwards.
    interval : (2,) ndarray
        Of N*, delta method on ln N*, Student's t.
    loss : float
    curvature : float
        h.
    law_N : float
        N* of the fitted law at this budget.
    bias : float
        ln of what the same parabola makes of the fitted law's own losses at these sizes, over `law_N`: its own bias.
    """

    C: float
    runs: int
    N: float
    D: float
    interval: Array
    loss: float
    curvature: float
    law_N: float  # noqa: N815 - the symbols of the field
    bias: float


@dataclass(frozen=True, eq=False)
class IsoFlop:
    """Approach 2 and Approach 3 on the same runs.

    Attributes
    ----------
    parabolas : tuple of Parabola
    fit : Fit
        Approach 3.
    exponent : float
        a of N* ~ C^a through the parabolas' minima; NaN for fewer than two.
    exponent_interval : (2,) ndarray
        From the scatter of the minima about the line, Student's t; infinite for fewer than three.
    law_exponent : float
        a of the fitted law.
    warnings : tuple of str
    """

    parabolas: tuple[Parabola, ...]
    fit: Fit
    exponent: float
    exponent_interval: Array
    law_exponent: float
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{'C':>10}{'runs':>6}{'N* parabola':>14}{'interval':>26}{'N* law':>12}{'TPP* law':>10}{'bias':>8}"
        lines = [
            f"{p.C:10.3g}{p.runs:6d}{p.N:14.4g}{f'{p.interval[0]:.4g} .. {p.interval[1]:.4g}':>26}{p.law_N:12.4g}"
            f"{p.C / (6 * p.law_N**2):10.3g}{100 * p.bias:7.1f}%"
            for p in self.parabolas
        ]
        low, high = self.exponent_interval
        tail = (
            f"a of N* ~ C^a: {self.exponent:.4f} ({low:.4f} .. {high:.4f}) from parabolas, {self.law_exponent:.4f} from the law"
        )
        return "\n".join([head, *lines, tail, *(f"warning: {text}" for text in self.warnings)])


def isoflop(
    N: Any,
    D: Any = None,
    loss: Any = None,
    *,
    budgets: Any = None,
    tolerance: float = 0.1,
    law: str | Law = "chinchilla",
    level: float = 0.95,
) -> IsoFlop:
    """Minima of isoFLOP curves by parabolas, their bias, and the optimum of a law fitted to the same runs.

    Parameters
    ----------
    N : Fit, (n,) array_like or table
        A fit, or runs as for `fit`.
    D, loss : (n,) array_like, optional
    budgets : (B,) array_like, optional
        Nominal budgets C = 6 N D; every run belongs to the nearest one within `tolerance`, or to none. Default: clusters of 6
        N D that are further apart than `tolerance`.
    tolerance : float
        Of ln C.
    law : str or Law
        For Approach 3, where no fit is given.
    level : float
        Of the intervals.

    Raises
    ------
    ValueError
        For bad input, and where no budget has four runs.

    Warns
    -----
    IdentifiabilityWarning
        Where a minimum lies outside its runs, or the parabola is biased by more than 10 %: a wide or off-centre range of sizes
        with unequal exponents (Czech et al. 2026, arXiv:2603.22339).
    """
    the_fit = N if isinstance(N, Fit) else _quiet_fit(N, D, loss, law)
    size, tokens, losses = (np.asarray(a, float) for a in (the_fit.problem.N, the_fit.problem.D, the_fit.problem.loss))
    if not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance must be positive and finite; got {tolerance}")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1); got {level}")
    log_C = np.log(6 * size * tokens)
    curves = [rows for rows in _curves(log_C, budgets, tolerance) if len(np.unique(size[rows])) >= _FEWEST]
    if not curves:
        raise ValueError(f"budgets: none has runs of {_FEWEST} sizes, which a parabola needs")
    parabolas = tuple(_parabola(the_fit, size[rows], losses[rows], float(np.exp(log_C[rows].mean())), level) for rows in curves)
    messages = tuple(text for p, rows in zip(parabolas, curves, strict=True) if (text := _complaint(p, size[rows])))
    a, interval = _line([p for p in parabolas if np.isfinite(p.N)], level)
    share = float(np.exp(_optimal(the_fit, parabolas[0].C)[4]))
    for text in messages:
        warnings.warn(text, IdentifiabilityWarning, stacklevel=2)
    return IsoFlop(parabolas, the_fit, a, frozen(interval), share, messages)


def _quiet_fit(N: Any, D: Any, loss: Any, law: str | Law) -> Fit:
    the_law = find_law(law)
    require_N_and_D(the_law, "isoflop")
    columns = run_columns(the_law, N, D, loss, None, None, None, None, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit_runs(columns["N"], columns["D"], columns["loss"], law=the_law)


def _curves(log_C: Array, budgets: Any, tolerance: float) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    if budgets is not None:
        nominal = vector("budgets", budgets, DOUBLE)
        if not (nominal > 0).all():
            raise ValueError(f"budgets must be positive; got {nominal.min()}")
        away = np.abs(log_C[:, None] - np.log(nominal))
        nearest = away.argmin(axis=1)
        return [np.flatnonzero((nearest == k) & (away[:, k] <= tolerance)) for k in range(len(nominal))]
    order = np.argsort(log_C, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(log_C[order]) > tolerance) + 1)


def _vertex(x: Array, y: Array) -> tuple[float, float, float, Array, float]:
    """Minimum, value there, curvature, covariance of (1, x, x^2) about the mean of x, that mean."""
    middle = float(x.mean())
    M = np.stack([np.ones_like(x), x - middle, (x - middle) ** 2], axis=1)
    q, r = np.linalg.qr(M)
    c = np.linalg.solve(r, q.T @ y)
    residual = y - M @ c
    inverse = np.linalg.inv(r)
    dof = len(x) - 3
    covariance = inverse @ inverse.T * (residual @ residual / dof if dof > 0 else np.inf)
    if not c[2] > 0:
        return np.nan, np.nan, float(c[2]), covariance, middle
    return float(middle - c[1] / (2 * c[2])), float(c[0] - c[1] ** 2 / (4 * c[2])), float(c[2]), covariance, middle


def _parabola(fit: Fit, size: Array, loss: Array, C: float, level: float) -> Parabola:
    x = np.log(size)
    at, value, h, covariance, middle = _vertex(x, loss)
    gradient = np.array([0, -1 / (2 * h), -(at - middle) / h])
    half = _core.student_t_half_width(level, len(x) - 3)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = half * np.sqrt(gradient @ covariance @ gradient) if len(x) > 3 and np.isfinite(at) else np.inf
        ends = np.exp([at - spread, at + spread]) if np.isfinite(at) else np.array([0, np.inf])
    law_N = float(np.exp(_optimal(fit, C)[0]))
    model = _vertex(x, np.asarray(fit.law((size, C / (6 * size)), *fit.theta), float))[0]
    N = float(np.exp(at))
    return Parabola(C, len(x), N, C / (6 * N), frozen(ends), value, h, law_N, float(model - np.log(law_N)))


def _optimal(fit: Fit, C: float) -> Array:
    return np.asarray(fit.law.core.optimal(np.asarray(fit.theta, float), np.array([C]), FLOPS_PER_TOKEN, 0.0))


def _complaint(p: Parabola, size: Array) -> str:
    if not np.isfinite(p.N):
        return f"at {p.C:.3g} FLOP the losses do not bend upwards: no minimum. Add sizes on both sides of {p.law_N:.3g}."
    if not size.min() <= p.N <= size.max():
        return (
            f"at {p.C:.3g} FLOP the minimum N* = {p.N:.3g} lies outside the sizes {size.min():.3g} to {size.max():.3g}: an "
            "extrapolation. Add sizes around it."
        )
    if not abs(p.bias) <= _BIAS:
        return (
            f"at {p.C:.3g} FLOP a parabola through the fitted law's own losses misses its optimum by {100 * p.bias:+.3g} % "
            f"in N: the sizes {size.min():.3g} to {size.max():.3g} are too wide or off-centre about {p.law_N:.3g}. Use the "
            "law's optimum."
        )
    return ""


def _line(parabolas: list[Parabola], level: float) -> tuple[float, Array]:
    everything = np.array([-np.inf, np.inf])
    if len(parabolas) < 2:
        return np.nan, everything
    x = np.log([p.C for p in parabolas])
    y = np.log([p.N for p in parabolas])
    x = x - x.mean()
    a = float(x @ y / (x @ x))
    if len(x) < 3:
        return a, everything
    residual = y - y.mean() - a * x
    half = _core.student_t_half_width(level, len(x) - 2) * np.sqrt(residual @ residual / (len(x) - 2) / (x @ x))
    return a, np.array([a - half, a + half])
