# SPDX-License-Identifier: Apache-2.0
"""Fits of training sets, and how well they do there and on runs held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from offray import Law, condition, fit_many, laws

Array = npt.NDArray[Any]
Row = dict[str, Any]


class Runs(NamedTuple):
    """Runs with their losses."""

    N: Array
    D: Array
    loss: Array
    unique_tokens: Array | None = None

    @property
    def where(self) -> tuple[Array, ...]:
        """What a law is called with."""
        return (self.N, self.D) if self.unique_tokens is None else (self.N, self.D, self.unique_tokens)


def joined(parts: Sequence[Runs]) -> Runs:
    """All runs of several sets."""
    columns: Any = [None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)]
    return Runs(*columns)


def optima(name: str, sets: Sequence[Runs], options: Mapping[str, Any], threads: int | None) -> tuple[Any, Any]:
    """The global optimum of every training set, and the status of each fit."""
    columns: Any = {name: [getattr(runs, name) for runs in sets] for name in Runs._fields if getattr(sets[0], name) is not None}
    fits = fit_many(**columns, law=name, identify="force", threads=threads, **options)
    return fits.theta, fits.status


def on_training(name: str, theta: Any, status: str, runs: Runs, options: Mapping[str, Any]) -> Row:
    """One side of a comparison, but for the runs held out.

    ``kappa`` is kappa_2 of the Jacobian in the law's own parameters, columns of unit length; ``sd_scale_N`` and ``sd_scale_D``
    are the standard deviations of the logarithms of the scale coefficients: infinite where not determined, NaN for objectives
    other than squares. Errors are of the fitted quantity, loss or log loss.
    """
    law: Law = getattr(laws, name)
    rmse, r2 = _errors(law, theta, runs, bool(options.get("log_loss")))
    J = law.jacobian(runs.where, *theta)
    if options.get("log_loss"):
        J = J / law(runs.where, *theta)[:, None]
    sd = [np.nan, np.nan]
    degrees = len(runs.N) - len(law.parameters)
    if options.get("objective", "squares") == "squares" and degrees > 0:
        sd = [rmse * np.sqrt(len(runs.N) / degrees) * one for one in sd_of_scales(law, theta, J, runs.where)]
    return {
        "status": str(status),
        "theta": [float(x) for x in theta],
        "rmse_train": rmse,
        "r2_train": r2,
        "kappa": float(condition(J).kappa) if np.isfinite(J).all() else np.inf,
        "sd_scale_N": float(sd[0]),
        "sd_scale_D": float(sd[1]),
    }


def on_held_out(name: str, theta: Any, parts: Mapping[str, Runs], options: Mapping[str, Any]) -> Row:
    """Errors on the runs held out, by part."""
    row = {}
    for part, runs in parts.items():
        row[f"rmse_{part}"], row[f"r2_{part}"] = _errors(getattr(laws, name), theta, runs, bool(options.get("log_loss")))
    return row


def sd_of_scales(law: Law, theta: Any, J: Array, where: tuple[Array, ...]) -> list[float]:
    """Standard deviations of the logarithms of the scale coefficients for noise 1, from the QR factors of J.

    Infinite on one ray (tokens per parameter within 10 %) and where J has not full rank; without terms that vanish at theta.
    """
    k = where[1] / where[0]
    of_logs = np.asarray(J * theta, float)
    length = np.linalg.norm(of_logs, axis=0)
    there = length > _VANISHED * length.max()
    sd = np.full(len(length), np.inf)
    if np.isfinite(length).all() and k.max() > _ONE_RAY * k.min() and condition(of_logs[:, there]).rank == there.sum():
        rows = np.linalg.inv(np.linalg.qr(of_logs[:, there] / length[there], mode="r"))
        sd[there] = np.sqrt((rows**2).sum(axis=1)) / length[there]
    return [float(sd[law.parameters.index(parameter)]) for parameter in law.coefficients]


_ONE_RAY = 1.1
_VANISHED = 1e-10


def _errors(law: Law, theta: Any, runs: Runs, log_loss: bool) -> tuple[float, float]:
    """Root mean square error and R^2, NaN where all runs have one loss."""
    predicted, seen = np.asarray(law(runs.where, *theta), float), runs.loss
    if log_loss:
        predicted, seen = np.log(predicted), np.log(seen)
    squares = float(((predicted - seen) ** 2).sum())
    total = float(((seen - seen.mean()) ** 2).sum())
    return float(np.sqrt(squares / len(seen))), 1 - squares / total if total > 0 else np.nan
