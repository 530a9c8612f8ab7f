# SPDX-License-Identifier: Apache-2.0
"""IsoFLOP curves: parabola minima per budget (Approach 2) beside the optimum of a fitted law (Approach 3)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._drawn import Drawn
from offray._expression.known import any_law
from offray._fit import fit as fit_runs
from offray._input.arrays import DOUBLE, Array, frozen, positive, vector
from offray._input.rows import RowsNamed, Table
from offray._law import Law, require_N_and_D
from offray._plan.parabola import Parabola
from offray._plan.planning import FLOPS_PER_TOKEN
from offray._read.runs import run_columns
from offray._result import Fit
from offray._text import Sheet
from offray._travel.record import Record
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning

Rows: TypeAlias = npt.NDArray[np.intp]

_BIAS = 0.1
_FEWEST = 3
_ODD = 3.0
_ROUNDING = 1e-12  # a parabola is bent that rises over its sizes by more than this share of the losses


@dataclass(frozen=True, repr=False, eq=False)
class IsoFlop(Record, Drawn):
    """Approach 2 and Approach 3 on the same runs.

    Attributes
    ----------
    parabolas : tuple of Parabola
    fit : Fit or None
        Approach 3; None where the runs are too few for the law.
    left_out : tuple of int
        Rows that belong to no budget with runs of three sizes.
    exponent : float
        a of N* ~ C^a through the parabolas' minima; NaN for fewer than two.
    exponent_interval : (2,) ndarray
        From the scatter of the minima about the line, Student's t; infinite for fewer than three.
    law_exponent : float
        a of the fitted law.
    warnings : tuple of str
    """

    parabolas: tuple[Parabola, ...]
    fit: Fit | None
    left_out: tuple[int, ...]
    exponent: float
    exponent_interval: Array
    law_exponent: float
    warnings: tuple[str, ...]

    def _brief(self) -> str:
        return f"{len(self.parabolas)} budgets, a {self.exponent:.4f} from parabolas, {self.law_exponent:.4f} from the law"

    def _sheet(self) -> Sheet:
        head = ("C", "runs", "N* parabola", "interval", "N* law", "TPP* law", "bias")
        rows = [
            (
                f"{p.C:.3g}",
                str(p.runs),
                f"{p.N:.4g}",
                f"{p.interval[0]:.4g} .. {p.interval[1]:.4g}",
                f"{p.law_N:.4g}",
                f"{p.law_D / p.law_N if p.law_N else np.inf:.3g}",
                f"{100 * p.bias:.1f}%",
            )
            for p in self.parabolas
        ]
        low, high = self.exponent_interval
        of_minima = f"{self.exponent:.4f} ({low:.4f} .. {high:.4f}) from parabolas"
        tail = f"a of N* ~ C^a: {of_minima}, {self.law_exponent:.4f} from the law"
        out = [tail, *(f"warning: {text}" for text in self.warnings)]
        if self.left_out:
            out.append(f"left out: {len(self.left_out)} runs of budgets without three sizes, rows {_some(self.left_out)}")
        return Sheet([], [head, *rows], out)

    def __str__(self) -> str:
        return self._sheet().text()


def _some(rows: tuple[int, ...]) -> str:
    return ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")


def isoflop(
    N: Any,
    D: Any = None,
    loss: Any = None,
    *,
    flops: Any = None,
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
    flops : (n,) array_like or str, optional
        Compute C of each run, or the name of a table's column, from which N or D is taken where it has none. Default: 6 N D.
    budgets : (B,) array_like, optional
        Nominal budgets C; every run belongs to the nearest one within `tolerance`, or to none. Default: clusters of C, apart by
        more than `tolerance` and none wider than twice that.
    tolerance : float
        Of ln C.
    law : str or Law
        For Approach 3, where no fit is given. Also a formula as text.
    level : float
        Of the intervals.

    Raises
    ------
    ValueError
        For bad input, and where no budget has runs of three sizes.

    Warns
    -----
    IdentifiabilityWarning
        Where a minimum lies outside its runs, or the parabola is biased by more than 10 %: a wide or off-centre range of sizes
        with unequal exponents (Czech et al. 2026, arXiv:2603.22339).
    """
    if not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance must be positive and finite; got {tolerance}")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1); got {level}")
    the_fit, columns = _runs(N, D, loss, law, flops if isinstance(flops, str) else None)
    flops = columns.get("flops") if isinstance(flops, str) else flops
    size, tokens, losses = (np.asarray(columns[name], float) for name in ("N", "D", "loss"))
    compute = FLOPS_PER_TOKEN * size * tokens if flops is None else positive("flops", flops)
    if len(compute) != len(size):
        raise ValueError(f"flops has {len(compute)} values, but there are {len(size)} runs: one per run is needed")
    log_C = np.log(compute)
    curves = [rows for rows in _curves(log_C, budgets, tolerance) if len(np.unique(size[rows])) >= _FEWEST]
    if not curves:
        near = f"within tolerance = {tolerance:g} of ln C"
        raise ValueError(f"budgets: none has runs of {_FEWEST} sizes {near}, which a parabola needs")
    each = [_Curve(size[rows], tokens[rows], losses[rows], float(np.exp(log_C[rows].mean()))) for rows in curves]
    parabolas = tuple(_parabola(the_fit, curve, level) for curve in each)
    messages = tuple(text for p, curve in zip(parabolas, each, strict=True) if (text := _complaint(p, curve, the_fit)))
    a, interval = _line([p for p in parabolas if 0 < p.N < np.inf], level)
    share = float(np.exp(_optimal(the_fit, parabolas[0].C)[4])) if the_fit is not None else float("nan")
    for text in messages:
        warnings.warn(text, IdentifiabilityWarning, stacklevel=2)
    left = tuple(int(i) for i in np.setdiff1d(np.arange(len(size)), np.concatenate(curves)))
    return IsoFlop(parabolas, the_fit, left, a, frozen(interval), share, messages)


class _Curve(NamedTuple):
    """The runs of one budget."""

    N: Array
    D: Array
    loss: Array
    C: float

    @property
    def per_token(self) -> float:
        """C over N D: 6, or what the runs' own compute makes of it."""
        return float(self.C / np.exp(np.log(self.N * self.D).mean()))


def _runs(N: Any, D: Any, loss: Any, law: str | Law, flops: str | None) -> tuple[Fit | None, dict[str, Any]]:
    """The fit, if there can be one, and the runs."""
    if isinstance(N, Fit):
        return N, {"N": N.problem.N, "D": N.problem.D, "loss": N.problem.loss}
    the_law = any_law(law)
    require_N_and_D(the_law, "isoflop")
    columns = run_columns(the_law, N, D, loss, None, None, None, None, {}, flops=flops)
    with RowsNamed(columns if isinstance(columns, Table) else None):
        runs = {name: positive(name, columns[name]) for name in ("N", "D", "loss", *(["flops"] if flops else []))}
    size = runs["N"]
    return (_quiet_fit(runs, the_law) if len(size) >= len(the_law.parameters) else None), runs


def _quiet_fit(runs: dict[str, Any], law: Law) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit_runs(runs["N"], runs["D"], runs["loss"], law=law)


def _curves(log_C: Array, budgets: Any, tolerance: float) -> list[Rows]:
    if budgets is not None:
        nominal = vector("budgets", budgets, DOUBLE)
        if not (nominal > 0).all():
            raise ValueError(f"budgets must be positive; got {nominal.min()}")
        away = np.abs(log_C[:, None] - np.log(nominal))
        nearest = away.argmin(axis=1)
        return [np.flatnonzero((nearest == k) & (away[:, k] <= tolerance)) for k in range(len(nominal))]
    order = np.argsort(log_C, kind="stable")
    clusters = np.split(order, np.flatnonzero(np.diff(log_C[order]) > tolerance) + 1)
    return [part for cluster in clusters for part in _narrow(cluster, log_C, 2 * tolerance)]


def _narrow(rows: Rows, log_C: Array, widest: float) -> list[Rows]:
    """A cluster in order of compute, cut at its widest gaps until no part is wider than `widest`: a chain is no budget."""
    if log_C[rows[-1]] - log_C[rows[0]] <= widest:
        return [rows]
    cut = int(np.argmax(np.diff(log_C[rows]))) + 1
    return [*_narrow(rows[:cut], log_C, widest), *_narrow(rows[cut:], log_C, widest)]


def _vertex(x: Array, y: Array, noise: float = np.inf) -> tuple[float, float, float, Array, float]:
    """Minimum, value there, curvature, covariance of (1, x, x^2) about the mean of x, that mean; `noise` is the standard
    deviation where the runs leave nothing over."""
    middle = float(x.mean())
    M = np.stack([np.ones_like(x), x - middle, (x - middle) ** 2], axis=1)
    q, r = np.linalg.qr(M)
    c = np.linalg.solve(r, q.T @ y)
    residual = y - M @ c
    inverse = np.linalg.inv(r)
    dof = len(x) - 3
    variance = residual @ residual / dof if dof > 0 else noise**2
    covariance = inverse @ inverse.T * variance if np.isfinite(variance) else np.full((3, 3), np.inf)
    if not c[2] * np.ptp(x) ** 2 > _ROUNDING * np.abs(y).max():
        return np.nan, np.nan, float(c[2]), covariance, middle
    return float(middle - c[1] / (2 * c[2])), float(c[0] - c[1] ** 2 / (4 * c[2])), float(c[2]), covariance, middle


def _parabola(fit: Fit | None, curve: _Curve, level: float) -> Parabola:
    x = np.log(curve.N)
    spare = len(x) - 3
    noise = float(fit.noise_sd) if fit is not None else np.inf
    at, value, h, covariance, middle = _vertex(x, curve.loss, noise)
    gradient = np.array([0, -1 / (2 * h), -(at - middle) / h]) if h > 0 else np.full(3, np.nan)
    dof = spare if spare > 0 or fit is None else fit.degrees_of_freedom
    with np.errstate(invalid="ignore", over="ignore"):
        known = np.isfinite(at) and np.isfinite(covariance).all()
        spread = _core.student_t_half_width(level, dof) * np.sqrt(gradient @ covariance @ gradient) if known else np.inf
        ends = np.exp([at - spread, at + spread]) if np.isfinite(at) else np.array([0, np.inf])
    law_at = bias = float("nan")
    if fit is not None:
        law_at = float(_optimal(fit, curve.C, curve.per_token)[0])
        bias = _vertex(x, np.asarray(fit.law((curve.N, curve.D), *fit.theta), float))[0] - law_at
    log_ND = np.log(curve.C / curve.per_token)
    with np.errstate(over="ignore", under="ignore"):  # a hardly bent parabola, far outside
        N, D, law_N, law_D = (float(np.exp(x)) for x in (at, log_ND - at, law_at, log_ND - law_at))
    return Parabola(
        curve.C,
        len(x),
        N,
        D,
        frozen(ends),
        value,
        h,
        law_N,
        law_D,
        float(bias),
    )


def _odd_one(curve: _Curve) -> str:
    """The run without which the losses do bend upwards, if it lies far from the parabola of the others."""
    x = np.log(curve.N)
    for k in np.argsort(-curve.loss, kind="stable"):
        kept = np.arange(len(x)) != k
        if len(np.unique(x[kept])) < _FEWEST:
            continue
        at, value, h, _, _ = _vertex(x[kept], curve.loss[kept])
        miss = float(curve.loss[k] - (value + h * (x[k] - at) ** 2))
        if np.isfinite(at) and x.min() <= at <= x.max() and abs(miss) > _ODD * np.ptp(curve.loss[kept]):
            return (
                f" Without the run of {curve.N[k]:.4g} parameters they do, with a minimum at {np.exp(at):.4g} that this run "
                f"misses by {miss:.3g}: diverged, or unfinished?"
            )
    return ""


def _optimal(fit: Fit, C: float, per_token: float = FLOPS_PER_TOKEN) -> Array:
    return np.asarray(fit.law.core.optimal(np.asarray(fit.theta, float), np.array([C]), per_token, 0.0))


def _complaint(p: Parabola, curve: _Curve, fit: Fit | None) -> str:
    size = curve.N
    if not np.isfinite(p.N):
        around = f" Add sizes on both sides of {p.law_N:.3g}." if np.isfinite(p.law_N) else " Add sizes."
        return f"at {p.C:.3g} FLOP the losses do not bend upwards: no minimum.{_odd_one(curve) or around}"
    if not size.min() <= p.N <= size.max():
        return (
            f"at {p.C:.3g} FLOP the minimum N* = {p.N:.3g} lies outside the sizes {size.min():.3g} to {size.max():.3g}: an "
            "extrapolation. Add sizes around it."
        )
    if fit is not None and "lack_of_fit" in fit.findings and not p.interval[0] <= p.law_N * np.exp(p.bias) <= p.interval[1]:
        return (
            f"at {p.C:.3g} FLOP the parabola's minimum, N* = {p.N:.3g}, and the law's, {p.law_N:.3g}, differ by more than a "
            f"parabola's own bias, and the law {fit.law.name} does not follow these runs (residual s.d. "
            f"{100 * fit.misfit.relative_sd:.2g} % of the loss): believe the parabola, or compare laws (offray.compare)."
        )
    if abs(p.bias) > _BIAS:
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
