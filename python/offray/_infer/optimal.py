# SPDX-License-Identifier: Apache-2.0
"""The compute-optimal model size and token count."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._drawn import Drawn
from offray._infer.intervals import bootstrap_interval, bootstrap_theta, spanned
from offray._infer.misfit import misfit
from offray._infer.prediction import MODEL, widened
from offray._infer.request import Request
from offray._input.arrays import Array, frozen, numbers
from offray._optimum import Optimum
from offray._text import Sheet, rounded
from offray._travel.record import Record
from offray._warnings import IdentifiabilityWarning, NotIdentifiedError

_FACTOR = np.log(10)
FIELDS: tuple[str, ...] = _core.OPTIMALS


@dataclass(frozen=True, repr=False, eq=False)
class Estimate(Record):
    """A positive quantity, its standard error and its interval.

    Attributes
    ----------
    value, se : ndarray
        In the shape of the budget.
    interval : ndarray, shape (..., 2)
        By ``method="delta"`` on the logarithm, exp(ln value -/+ t se / value); of a and b on the logit. Where the runs do not
        tell between optima, from the lowest end to the highest. That of the loss allows for the law's error beyond the runs,
        as `Prediction.interval` does.
    statistical : ndarray, shape (..., 2)
        The same if the law is true.
    """

    value: Array
    se: Array
    interval: Array
    statistical: Array

    def _cells(self, k: int) -> tuple[str, str]:
        """The k-th value and its interval, to the digits of its standard error."""
        se, (low, high) = self.se.ravel()[k], self.interval.reshape(-1, 2)[k]
        return rounded(self.value.ravel()[k], se), f"{rounded(low, se)} .. {rounded(high, se)}"

    def __float__(self) -> float:
        return float(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype, copy=copy)

    def __str__(self) -> str:
        if self.value.ndim:
            return f"{self.value}"
        value, interval = self._cells(0)
        return f"{value} ({interval})"


@dataclass(frozen=True, repr=False, eq=False)
class ComputeOptimal(Record, Drawn):
    """Where a law is least for a budget C = c N D + 2 N T.

    Attributes
    ----------
    C : ndarray
        The budget, floating-point operations.
    N, D, TPP : Estimate
        Model parameters, training tokens, their ratio.
    loss : Estimate
        Nats per token there.
    a, b : Estimate
        N* ~ C^a and D* ~ C^b for T = 0: a = beta / (alpha + beta) for Chinchilla, b = 1 - a.
    elasticity : Estimate
        The reducible loss falls as C^-elasticity along the optimum, for T = 0: alpha beta / (alpha + beta) for Chinchilla; for
        Droppo-Elibol, whose floor is inside the power, as C grows.
    level : float
    method : str
    reach : ndarray
        N* D* over N D of the largest run, at least 1.
    """

    C: Array
    N: Estimate
    D: Estimate
    TPP: Estimate
    loss: Estimate
    a: Estimate
    b: Estimate
    elasticity: Estimate
    level: float
    method: str
    reach: Array

    def _brief(self) -> str:
        if not self.C.size:
            return "no budgets"
        if self.C.ndim:
            return f"{self.C.size} budgets, {self.C.min():.4g} to {self.C.max():.4g} FLOP"
        return f"{self.C:.4g} FLOP, " + ", ".join(
            f"{name} {rounded(at.value, at.se)}" for name, at in self._each("N", "D", "TPP")
        )

    def _each(self, *names: str) -> list[tuple[str, Estimate]]:
        return [(name, getattr(self, name)) for name in names]

    def _sheet(self) -> Sheet:
        if self.C.ndim:
            head = ("C", *(part for name in FIELDS for part in (name, "")))
            rows = [
                (f"{C:.4g}", *(part for _, at in self._each(*FIELDS) for part in at._cells(k)))
                for k, C in enumerate(self.C.ravel())
            ]
            return Sheet([f"compute-optimal, {100 * self.level:g} % intervals ({self.method})"], [head, *rows])
        return Sheet(
            [str(self).splitlines()[0]],
            [("", "estimate", "interval"), *((name, *at._cells(0)) for name, at in self._each(*FIELDS))],
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """``extrapolates`` for a budget beyond the runs'."""
        return ("extrapolates",) if bool((self.reach > _core.ONE_RAY).any()) else ()

    def __str__(self) -> str:
        head = (
            f"compute-optimal at {self.C:.4g} FLOP, {100 * self.level:g} % intervals ({self.method}):"
            if not self.C.ndim
            else ""
        )
        tail = f"  beyond the runs {self.reach:.3g} times in compute" if not self.C.ndim and self.findings else ""
        return "\n".join([head, *(f"  {name:11}{getattr(self, name)}" for name in FIELDS), tail]).strip("\n")


def compute_optimal(
    fit: Optimum,
    C: Any,
    c: float,
    inference_tokens: float,
    asked: Request,
) -> ComputeOptimal:
    """What `Fit.compute_optimal` does."""
    dtype = fit.theta.dtype
    budget = numbers("C", C, dtype)
    for row, flops in enumerate(budget.ravel()):
        if not 0 < flops < np.inf:
            raise ValueError(f"C[{row}] = {flops}: a budget must be positive and finite")
    if not 0 < c < np.inf:
        raise ValueError(f"c must be positive and finite; got {c}")
    if not 0 <= inference_tokens < np.inf:
        raise ValueError(f"inference_tokens must be non-negative and finite; got {inference_tokens}")
    costs = [np.array([flops, c, inference_tokens], dtype) for flops in budget.ravel()]
    if costs:
        _refuse(fit, costs[0])
    each = [_ends(at, costs, asked) for at in (fit, *fit.rivals)]
    ends = {name: spanned([of[name] for of in each]) for name in FIELDS}
    log = {name: _log(fit, name, costs, asked) for name in FIELDS}
    with np.errstate(over="ignore"):
        largest = (fit.problem.N * fit.problem.D).max()
        reach = np.maximum(np.exp(log["N"][0] + log["D"][0]) / largest, 1).reshape(budget.shape)
    slope = misfit(fit).rolling.slope if (reach > 1).any() else 0.0
    fields = {}
    for name in FIELDS:
        with np.errstate(over="ignore"):  # an end that is open
            value, interval = np.exp(log[name][0]).reshape(budget.shape), np.exp(ends[name])
        statistical = interval = interval.reshape(*budget.shape, 2)
        if name == "loss" and slope:
            model = MODEL * asked.half_width(fit) * slope * np.log(reach) * value
            interval = widened(value, statistical, model)
        se = value * log[name][1].reshape(budget.shape)
        fields[name] = Estimate(frozen(value), frozen(se), frozen(interval), frozen(statistical))
    return ComputeOptimal(C=frozen(budget.copy()), level=asked.level, method=asked.method, reach=frozen(reach), **fields)


def _log(fit: Optimum, name: str, costs: list[Array], asked: Request) -> tuple[Array, Array]:
    """Logarithms of a field and their standard errors, one per budget."""
    return _core.delta_method(fit.core, f"optimal {name}", costs, sandwich=asked.sandwich(fit))


def _ends(fit: Optimum, costs: list[Array], asked: Request) -> dict[str, Array]:
    """Logarithms of the ends of every field's interval at one optimum, (budgets, 2) each."""
    drawn = _drawn(fit, costs, asked) if asked.method == "bootstrap" else None
    out = {}
    for which, name in enumerate(FIELDS):
        if drawn is not None:
            ends = bootstrap_interval(fit, drawn[:, :, which], asked.level)
        elif asked.method == "profile":
            pairs = [[end[()] for end in _core.profile(fit.core, f"optimal {name}", cost, asked.level)] for cost in costs]
            ends = np.array(pairs, fit.theta.dtype).reshape(len(costs), 2)
        else:
            ends = _delta(fit, name, costs, asked)
        out[name] = np.minimum(ends, 0) if name in ("a", "b") else ends
    return out


def _delta(fit: Optimum, name: str, costs: list[Array], asked: Request) -> Array:
    t = asked.half_width(fit)
    log, spread = _log(fit, name, costs, asked)
    if name not in ("a", "b"):
        return np.stack([log - t * spread, log + t * spread], axis=-1)
    # In (0, 1): on the logit, d logit = d ln / (1 - value).
    rest = -np.expm1(log)
    logit = np.log(np.exp(log) / rest)
    with np.errstate(over="ignore"):  # an end at 0
        ends: Array = -np.log1p(np.exp(-np.stack([logit - t * spread / rest, logit + t * spread / rest], axis=-1)))
    return ends


def _drawn(fit: Optimum, costs: list[Array], asked: Request) -> Array:
    """ln of every field for every replicate and budget, (replicates, budgets, fields)."""
    theta = bootstrap_theta(fit, asked)
    drawn = [[fit.law.core.optimal(row, cost[:1], float(cost[1]), float(cost[2])) for cost in costs] for row in theta]
    return np.array(drawn).reshape(len(theta), len(costs), len(FIELDS))


def _refuse(fit: Optimum, cost: Array) -> None:
    if not (fit.law.of_N_and_D or fit.law.on_one_ray) or fit.law.further:
        raise ValueError(
            f"the compute-optimal point is about N and D; the law {fit.law.name} reads {', '.join(fit.law.inputs)}"
        )
    if fit.reduced is not None and not fit.on_ray:
        raise NotIdentifiedError(
            "the compute-optimal point weighs the term in N against that in D, of which all runs see one as a constant. "
            "fit.identifiability says what would tell; identify='force' gives the full law's figures."
        )
    if fit.law.on_one_ray or (fit.on_ray and fit.identify == "auto"):
        low, _ = fit.tokens_per_parameter
        raise NotIdentifiedError(
            f"the compute-optimal point compares tokens-per-parameter ratios, but all runs have {low:.4g}: along one ray "
            "the terms in N and in D cannot be told apart. Add runs at another ratio; identify='force' gives the full "
            "law's figures."
        )
    if fit.confined_to:
        raise NotIdentifiedError(
            f"the compute-optimal point is looked for at other N and D than all runs have, {fit.confined_to[0]}, and there "
            f"they do not determine the loss. Add runs with another {fit.confined_to[0].what}; identify='force' gives the full "
            "law's figures."
        )
    ratio_se = _core.delta_method(fit.core, "optimal TPP", [cost])[1][0]
    if fit.identify == "auto" and not np.isfinite(ratio_se):
        raise NotIdentifiedError(
            "the compute-optimal point follows from parameters that the runs do not determine; fit.identifiability says "
            "which and why. identify='force' gives the full law's figures."
        )
    t = _core.student_t_half_width(0.95, fit.degrees_of_freedom)
    if not t * ratio_se < _FACTOR or not fit.converged:
        warnings.warn(
            f"the compute-optimal point is not determined: ln TPP* has a standard error of {ratio_se:.2g}, status "
            f"{fit.status}. Runs on both sides of the optimum, at several budgets, would tell.",
            IdentifiabilityWarning,
            stacklevel=4,
        )
