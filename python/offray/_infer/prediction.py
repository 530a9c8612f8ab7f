# SPDX-License-Identifier: Apache-2.0
"""Predicted losses."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._infer.intervals import bootstrap_interval, bootstrap_theta, spanned
from offray._infer.misfit import misfit
from offray._infer.reach import LABELS, Reach, reach_of
from offray._infer.request import Request
from offray._input.arrays import Array, frozen, numbers
from offray._law import Law
from offray._optimum import Optimum
from offray._planes import off
from offray._text import Sheet, rounded, two_digits
from offray._travel.record import Record
from offray._warnings import IdentifiabilityWarning, NotIdentifiedError


@dataclass(frozen=True, repr=False, eq=False)
class Prediction(Record):
    """Predicted loss; ``print`` shows it.

    Attributes
    ----------
    value : ndarray
        Loss in nats per token.
    se : ndarray
        Standard error of the mean prediction, delta method, exact gradient; infinite where the runs do not determine it.
    statistical : ndarray, shape (..., 2)
        Interval of the mean if the law is true: value -/+ t se with Student's t on n - rank degrees of freedom, or by `method`.
        Where the runs do not tell between optima (`rivals`), from the lowest end to the highest.
    model : ndarray
        Half-width, in nats, for what the law may be wrong by beyond the largest compute of the runs: 1.25 t times
        ``fit.misfit.rolling.slope`` times ln(compute / largest), times the value. Nothing within the runs, or where the law
        forecasts their larger ones from the smaller ones as well as noise allows. The factor was set on twelve public sweeps,
        whose top budgets, held back, 86 % of the intervals for a new run then cover, 62 % without.
    interval : ndarray, shape (..., 2)
        For the mean, statistical and model error together, as roots of sums of squares.
    prediction_interval : ndarray, shape (..., 2)
        The same for the loss of one new run of unit weight, whose noise s is ``fit.noise_sd``. With `log_loss` on the
        logarithm, since that is where the noise was taken to be alike.
    reach : Reach
        How far beyond the runs this is.
    level : float
        Level of the intervals.
    method : str
        How `statistical` was made.
    """

    value: Array
    se: Array
    statistical: Array
    model: Array
    interval: Array
    prediction_interval: Array
    reach: Reach
    level: float
    method: str

    @property
    def findings(self) -> tuple[str, ...]:
        """``extrapolates`` beyond the runs' compute, N, D or tokens per parameter."""
        return ("extrapolates",) if self.reach.beyond else ()

    def _brief(self) -> str:
        if self.value.size == 1:
            return f"loss {rounded(self.value.item(), self.se.item())}, s.e. {two_digits(self.se.item())}, {self.reach}"
        return f"{self.value.size} losses, {self.reach}"

    def _sheet(self) -> Sheet:
        level = f"{100 * self.level:g} %"
        head = ("loss", "s.e.", f"mean, {level}", f"new run, {level}", "law's error")
        rows = [
            (rounded(v, s), two_digits(s), _ends(mean, s), _ends(new, s), f"{m:.2g}")
            for v, s, mean, new, m in zip(
                self.value.ravel(),
                self.se.ravel(),
                self.interval.reshape(-1, 2),
                self.prediction_interval.reshape(-1, 2),
                self.model.ravel(),
                strict=True,
            )
        ]
        return Sheet([], [head, *rows], [str(self.reach)])

    def __str__(self) -> str:
        if self.value.size != 1:
            return self._sheet().text()
        level, se = f"{100 * self.level:g} %", self.se.item()
        lines = [
            f"loss {rounded(self.value.item(), se)}, s.e. {two_digits(se)}",
            f"{level} interval of the mean {_ends(self.interval.reshape(2), se)}, of a new run "
            f"{_ends(self.prediction_interval.reshape(2), se)} ({self.method})",
        ]
        if self.model.item() > 0:
            ends = _ends(self.statistical.reshape(2), se)
            lines.append(f"of the mean, {ends} if the law is true; the rest is what it misses of the larger runs")
        return "\n".join([*lines, str(self.reach)])


def _ends(interval: Array, se: Any) -> str:
    return f"{rounded(interval[0], se)} .. {rounded(interval[1], se)}"


MODEL = 1.25
"""Model error in units of the rolling slope times the horizon; see `Prediction.model`."""


def predict(
    fit: Optimum,
    N: Any,
    D: Any,
    unique_tokens: Any,
    further: Mapping[str, Any],
    asked: Request,
) -> Prediction:
    """What `Fit.predict` does."""
    dtype = fit.theta.dtype
    given = _where(fit.law, N, D, unique_tokens, further)
    inputs = np.broadcast_arrays(*(numbers(LABELS.get(name, name), v, dtype) for name, v in given.items()))
    shape = inputs[0].shape
    flat = [np.ascontiguousarray(a).ravel() for a in inputs]
    columns = dict(zip(given, flat, strict=True))
    to = fit.problem.reduction
    if to is not None and to.where != "one_ray":
        columns = to.columns(columns)
        flat = list(columns.values())
    _check_planes(fit, columns)
    if (to is None or to.where == "one_ray") and (fit.law.of_N_and_D or fit.law.on_one_ray):
        _check_ratio(fit, columns["tokens"] / columns["params"])
    if fit.blended:
        fit = fit.forced  # along the ray, which was checked
    value, se = _mean(fit, columns, asked)
    if asked.method == "profile" and not (fit.law.traced and (value > 0).all()):
        raise ValueError("method 'profile' of a prediction is for positive losses of laws that the core computes")
    reach, horizon = reach_of(fit, columns)
    reach = reach.reshaped(shape)
    # The forecasts of the larger runs are fits of their own: none for a prediction within the runs.
    slope = misfit(fit).rolling.slope if (horizon > 0).any() else 0.0
    t = asked.half_width(fit)
    model = MODEL * t * slope * horizon * value if slope else np.zeros_like(value)
    means, news = [], []
    for at in (fit, *fit.rivals):
        centre, spread = (value, se) if at is fit else _mean(at, columns, asked)
        mean = _statistical(at, columns, flat, centre, spread, asked)
        means.append(mean)
        news.append(_of_a_new_run(at, centre, spread, model, t))
    statistical = spanned(means)
    interval = widened(value, statistical, model) if slope else statistical
    return Prediction(
        frozen(value.reshape(shape)),
        frozen(se.reshape(shape)),
        frozen(statistical.reshape(*shape, 2)),
        frozen(model.reshape(shape)),
        frozen(interval.reshape(*shape, 2)),
        frozen(spanned(news).reshape(*shape, 2)),
        reach,
        asked.level,
        asked.method,
    )


def widened(value: Array, statistical: Array, model: Array) -> Array:
    """An interval with a further half-width, in squares."""
    low, high = (np.hypot(np.abs(statistical[..., k] - value), model) for k in (0, 1))
    return np.stack([value - low, value + high], axis=-1)


def _mean(fit: Optimum, columns: dict[str, Array], asked: Request) -> tuple[Array, Array]:
    """Predicted losses and their standard errors."""
    value, se = fit.core.predict(fit.law.core_columns(columns), asked.sandwich(fit))
    return value, se


def _statistical(fit: Optimum, columns: dict[str, Array], flat: list[Array], value: Array, se: Array, asked: Request) -> Array:
    """The interval of the mean at one optimum, (n, 2)."""
    if asked.method == "profile":
        rows = ({name: a[i : i + 1] for name, a in columns.items()} for i in range(len(value)))
        return np.array([_profile(fit, asked.level, row) for row in rows], value.dtype)
    if asked.method == "bootstrap":
        theta = bootstrap_theta(fit, asked)
        drawn = np.array([fit.law(columns if fit.law.further else flat, *row) for row in theta]).reshape(len(theta), len(value))
        return bootstrap_interval(fit, drawn, asked.level)
    t = asked.half_width(fit)
    return np.stack([value - t * se, value + t * se], axis=-1)


def _of_a_new_run(fit: Optimum, value: Array, se: Array, model: Array, t: float) -> Array:
    """The interval of one new run at one optimum, (n, 2)."""
    # A quantile other than the median is not where new runs are centred.
    shift = fit.theta.dtype.type(np.median(fit.residuals) if fit.objective == "quantile" else 0)
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite interval
        if fit.log_loss:
            spread = np.hypot(t * np.hypot(se / value, fit.noise_sd), model / value)
            ends: Array = np.stack([value * np.exp(-spread), value * np.exp(spread)], axis=-1) * np.exp(-shift)
            return ends
        spread = np.hypot(t * np.hypot(se, fit.noise_sd), model)
        plain: Array = np.stack([value - spread, value + spread], axis=-1) - shift
        return plain


def _where(law: Law, N: Any, D: Any, unique_tokens: Any, further: Mapping[str, Any]) -> dict[str, Any]:
    """The law's inputs by column."""
    if set(further) != set(law.further):
        expected = f"inputs with {', '.join(law.further)}" if law.further else "N and D alone"
        raise ValueError(f"the law {law.name} reads {expected}; got {', '.join(further) or 'none'}")
    given = {"params": N, "tokens": D, "unique_tokens": unique_tokens}
    needed = law.place
    for name in needed:
        if name in LABELS and given[name] is None:
            raise TypeError(f"predict needs {LABELS[name]} for the law {law.name}")
    if law.built_in:
        return {name: value for name, value in given.items() if value is not None}
    return {name: given[name] if name in LABELS else further[name] for name in needed}


def _profile(fit: Optimum, level: float, place: dict[str, Array]) -> tuple[Any, Any]:
    low, high = _core.profile_loss(fit.core, fit.law.core_columns(place), level)
    with np.errstate(over="ignore"):  # open at the top
        return np.exp(low[()]), np.exp(high[()])


def _check_ratio(fit: Optimum, k: Array) -> None:
    """Refuses what lies off the ray of a law on one ray; warns of ratios that no run has come near."""
    low, high = fit.tokens_per_parameter
    if fit.law.on_one_ray or (fit.on_ray and fit.identify == "auto"):
        for row, ratio in enumerate(k):
            if max(ratio, high) / min(ratio, low) >= _core.ONE_RAY:
                raise NotIdentifiedError(
                    f"D[{row}] / N[{row}] = {ratio:.4g} tokens per parameter: all runs have {_range(low, high)}, and off "
                    "that ray they do not determine the loss. Add runs at another ratio; identify='force' gives the full "
                    "law's figures."
                )
        return
    outside = (k < low / _core.ONE_RAY) | (k > high * _core.ONE_RAY)
    if outside.any():
        row = int(np.argmax(outside))
        warnings.warn(
            f"D[{row}] / N[{row}] = {k[row]:.4g} tokens per parameter lies outside the runs' range, {_range(low, high)}: the "
            "standard error holds only if the law does out there. A run at that ratio would tell.",
            IdentifiabilityWarning,
            stacklevel=4,
        )


def _check_planes(fit: Optimum, columns: Mapping[str, Array]) -> None:
    """Refuses what lies off what the runs' inputs have in common."""
    for plane in fit.confined_to:
        row = off(plane, columns)
        if row is not None:
            at = ", ".join(f"{LABELS.get(name, name)}[{row}] = {columns[name][row]:.4g}" for name in plane.powers)
            raise NotIdentifiedError(
                f"{at}: all runs have {plane}, and elsewhere they do not determine the loss. Add runs with another "
                f"{plane.what}; identify='force' gives the full law's figures."
            )


def _range(low: Any, high: Any) -> str:
    return f"{low:.4g}" if high < low * 1.001 else f"{low:.4g} to {high:.4g}"
