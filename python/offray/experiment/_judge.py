# SPDX-License-Identifier: Apache-2.0
"""Fits of training sets, and how well they do there and on runs held out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from offray import ConvergenceWarning, IdentifiabilityWarning, Law, condition, fit, fit_many, laws

Array = npt.NDArray[Any]
Row = dict[str, Any]

SCALES = {
    "chinchilla": ("A", "B"),
    "kaplan": ("N_c", "D_c"),
    "droppo_elibol": ("N_C", "D_C"),
    "repeated_data": ("A", "B"),
}
"""The scale coefficients of the terms in N and in D."""


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
    fits = fit_many(**columns, law=name, threads=threads, **options)
    return fits.theta, fits.status


def on_training(name: str, theta: Any, status: str, runs: Runs, options: Mapping[str, Any]) -> Row:
    """One side of a comparison, but for the runs held out.

    ``kappa`` is kappa_2 of the Jacobian in the law's own parameters, columns of unit length; ``sd_scale_N`` and ``sd_scale_D``
    are the standard deviations of the logarithms of the scale coefficients, infinite on one ray. Errors are of the fitted
    quantity, loss or log loss.
    """
    law: Law = getattr(laws, name)
    rmse, r2 = _errors(law, theta, runs, bool(options.get("log_loss")))
    J = law.jacobian(runs.where, *theta)
    if options.get("log_loss"):
        J = J / law(runs.where, *theta)[:, None]
    sd_N, sd_D = _sd(law, theta, runs, options)
    return {
        "status": str(status),
        "theta": [float(x) for x in theta],
        "rmse_train": rmse,
        "r2_train": r2,
        "kappa": float(condition(J).kappa) if np.isfinite(J).all() else np.inf,
        "sd_scale_N": sd_N,
        "sd_scale_D": sd_D,
    }


def on_held_out(name: str, theta: Any, parts: Mapping[str, Runs], options: Mapping[str, Any]) -> Row:
    """Errors on the runs held out, by part."""
    row = {}
    for part, runs in parts.items():
        row[f"rmse_{part}"], row[f"r2_{part}"] = _errors(getattr(laws, name), theta, runs, bool(options.get("log_loss")))
    return row


def _sd(law: Law, theta: Any, training: Runs, options: Mapping[str, Any]) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        at = fit(*training[:3], unique_tokens=training.unique_tokens, law=law, start=theta, **options)
    which = [law.parameters.index(parameter) for parameter in SCALES[law.name]]
    return [float(at.se[j] / at.theta[j]) for j in which]


def predicted_sd(name: str, theta: Any, where: tuple[Array, ...]) -> list[float]:
    """What `on_training` calls sd_scale_N and sd_scale_D, as the design and the truth predict them for noise 1."""
    law: Law = getattr(laws, name)
    J = law.jacobian(where, *theta) * np.asarray(theta)
    rows = np.linalg.inv(np.linalg.qr(J, mode="r"))
    sd = np.sqrt((rows**2).sum(axis=1))
    return [float(sd[law.parameters.index(parameter)]) for parameter in SCALES[name]]


def _errors(law: Law, theta: Any, runs: Runs, log_loss: bool) -> tuple[float, float]:
    """Root mean square error and R^2."""
    predicted, seen = np.asarray(law(runs.where, *theta), float), runs.loss
    if log_loss:
        predicted, seen = np.log(predicted), np.log(seen)
    squares = float(((predicted - seen) ** 2).sum())
    return float(np.sqrt(squares / len(seen))), 1 - squares / float(((seen - seen.mean()) ** 2).sum())
