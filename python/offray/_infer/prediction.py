# SPDX-License-Identifier: Apache-2.0
"""Predicted losses."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._infer.intervals import bootstrap_interval, bootstrap_theta, check_method, half_width
from offray._input.arrays import Array, frozen, numbers
from offray._law import Law
from offray._optimum import Optimum
from offray._warnings import IdentifiabilityWarning, NotIdentifiedError


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted loss.

    Attributes
    ----------
    value : ndarray
        Loss in nats per token.
    se : ndarray
        Standard error of the mean prediction, delta method, exact gradient; infinite where the runs do not determine it.
    interval : ndarray, shape (..., 2)
        For the mean: value -/+ t se with Student's t on n - p degrees of freedom, or by `method`.
    prediction_interval : ndarray, shape (..., 2)
        For the loss of one new run of unit weight: value -/+ t sqrt(se^2 + s^2), s being ``fit.noise_sd``. With `log_loss` on
        the logarithm, since that is where the noise was taken to be alike.
    level : float
        Level of both intervals.
    method : str
        How `interval` was made.
    """

    value: Array
    se: Array
    interval: Array
    prediction_interval: Array
    level: float
    method: str


def predict(
    fit: Optimum,
    N: Any,
    D: Any,
    unique_tokens: Any,
    further: Mapping[str, Any],
    level: float,
    method: str,
    n: int,
    kind: str,
    seed: int,
    group: Any,
) -> Prediction:
    """What `Fit.predict` does."""
    check_method(method, group)
    dtype = fit.theta.dtype
    given = _where(fit.law, N, D, unique_tokens, further)
    inputs = np.broadcast_arrays(*(numbers(_NAMES.get(name, name), v, dtype) for name, v in given.items()))
    shape = inputs[0].shape
    flat = [np.ascontiguousarray(a).ravel() for a in inputs]
    columns = dict(zip(given, flat, strict=True))
    value, se = fit.core.predict(fit.law.core_columns(columns))
    if fit.law.of_N_and_D or fit.law.on_one_ray:
        _check_ratio(fit, columns["tokens"] / columns["params"])
    if method == "profile" and not fit.law.built_in:
        raise ValueError("method 'profile' of a prediction is for built-in laws; 'delta' and 'bootstrap' are for any")
    t = half_width(fit, level)
    half = t * se
    interval = np.stack([value - half, value + half], axis=-1)
    if method == "profile":
        interval = np.array([_profile(fit, level, *(a[i : i + 1] for a in flat)) for i in range(len(value))], dtype)
    elif method == "bootstrap":
        theta = bootstrap_theta(fit, n, kind, seed, group)
        drawn = np.array([fit.law(flat, *row) for row in theta]).reshape(len(theta), len(value))
        interval = bootstrap_interval(fit, drawn, level)
    # A quantile other than the median is not where new runs are centred.
    shift = np.median(fit.residuals) if fit.objective == "quantile" else 0
    with np.errstate(over="ignore"):  # an infinite interval
        if fit.log_loss:
            spread = t * np.hypot(se / value, fit.noise_sd)
            new = np.stack([value * np.exp(-spread), value * np.exp(spread)], axis=-1) * np.exp(-shift)
        else:
            spread = t * np.hypot(se, fit.noise_sd)
            new = np.stack([value - spread, value + spread], axis=-1) - shift
    return Prediction(
        frozen(value.reshape(shape)),
        frozen(se.reshape(shape)),
        frozen(interval.reshape(*shape, 2)),
        frozen(new.reshape(*shape, 2)),
        level,
        method,
    )


_NAMES = {"params": "N", "tokens": "D"}


def _where(law: Law, N: Any, D: Any, unique_tokens: Any, further: Mapping[str, Any]) -> dict[str, Any]:
    """The law's inputs by column."""
    if set(further) != set(law.further):
        expected = f"inputs with {', '.join(law.further)}" if law.further else "N and D alone"
        raise ValueError(f"the law {law.name} reads {expected}; got {', '.join(further) or 'none'}")
    given = {"params": N, "tokens": D, "unique_tokens": unique_tokens}
    needed = ("params", "tokens") if law.built_in else law.inputs
    for name in needed:
        if name in _NAMES and given[name] is None:
            raise TypeError(f"predict needs {_NAMES[name]} for the law {law.name}")
    if law.built_in:
        return {name: value for name, value in given.items() if value is not None}
    return {name: given[name] if name in _NAMES else further[name] for name in needed}


def _profile(fit: Optimum, level: float, *where: Array) -> tuple[Any, Any]:
    low, high = _core.profile(fit.core, "loss", np.concatenate(where), level)
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


def _range(low: Any, high: Any) -> str:
    return f"{low:.4g}" if high < low * 1.001 else f"{low:.4g} to {high:.4g}"
