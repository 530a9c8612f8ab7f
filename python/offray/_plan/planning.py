# SPDX-License-Identifier: Apache-2.0
"""What checks and suggestions share: the assumed theta, planned runs as fits, predicted standard deviations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from offray import _core
from offray._input.arrays import DOUBLE, Array, numbers, vector
from offray._law import Law, require_N_and_D

FLOPS_PER_TOKEN = 6.0
"""Of training, per parameter and token."""

SIGMA = 0.01
"""Typical noise of a final loss, nats per token: replicates of published runs scatter by 0.001 to 0.02."""


def assumed(law: Law, theta: Any) -> dict[str, Array]:
    """The theta to plan with, by name: those given, or published fits."""
    if theta is None:
        if not law.published:
            raise ValueError(f"theta: no published fit of {law.name} is known; give {', '.join(law.parameters)}")
        return {name: np.array(values) for name, values in law.published.items()}
    if len(theta) == 0:
        raise ValueError("theta is empty; give at least one")
    if (isinstance(theta, Mapping) and set(theta) == set(law.parameters)) or (
        not isinstance(theta, Mapping) and np.ndim(theta[0]) == 0 and not isinstance(theta[0], Mapping)
    ):
        theta = [theta]
    items = theta.items() if isinstance(theta, Mapping) else ((f"theta {k + 1}", values) for k, values in enumerate(theta))
    out = {}
    for name, values in items:
        if isinstance(values, Mapping):
            if set(values) != set(law.parameters):
                raise ValueError(f"theta must give {', '.join(law.parameters)}; got {', '.join(map(str, values))}")
            values = [values[parameter] for parameter in law.parameters]
        out[str(name)] = vector("theta", values, DOUBLE)
    return out


def targets(thetas: dict[str, Array], law: Law, target: Any, flops: float) -> dict[str, Array]:
    """Where the loss is to be predicted, by theta, (t, 2): as given for all or for each, or where each is best for `flops`."""
    if isinstance(target, Mapping):
        return {name: points("target", target[name]) for name in thetas}
    if target is not None:
        where = points("target", target)
        return dict.fromkeys(thetas, where)
    budget = np.array([flops])
    return {name: np.exp(law.core.optimal(theta, budget, FLOPS_PER_TOKEN, 0.0)[:2])[None] for name, theta in thetas.items()}


def points(name: str, target: Any) -> Array:
    """Targets (N, D), one or several, as an array (t, 2)."""
    where = np.atleast_2d(numbers(name, target, DOUBLE))
    if where.ndim != 2 or where.shape[1] != 2:
        raise ValueError(f"{name} must be (N, D) or a list of such pairs; got shape {np.shape(target)}")
    if not ((where > 0) & np.isfinite(where)).all():
        raise ValueError(f"{name}: every N and D must be positive and finite; got {where.tolist()}")
    return where


def planned(law: Law, N: Array, D: Array, theta: Array, unique_tokens: Array | None = None) -> Any:
    """Planned runs as a fit of the core."""
    require_N_and_D(law, "planning runs")
    columns = {"params": N, "tokens": D}
    if unique_tokens is not None and unique_tokens.size:
        columns["unique_tokens"] = unique_tokens
    return _core.planned(law.core, columns, theta)


def predicted_sd(core: Any, law: Law, sigma: float, where: Array, flops: float) -> dict[str, float]:
    """Standard deviations that a design leaves: ln of every parameter, the loss at each target (root mean square), ln TPP*."""
    variance = sigma**2
    out = {}
    for j, name in enumerate(law.parameters):
        out[f"ln {name}"] = _core.delta_method(core, "parameter", [np.array([j], float)], variance)[1][0]
    log, se = _core.delta_method(core, "loss", list(where), variance)
    out["loss@target"] = np.sqrt(np.mean((np.exp(log) * se) ** 2))
    cost = np.array([flops, FLOPS_PER_TOKEN, 0.0])
    out["ln TPP*"] = _core.delta_method(core, "optimal TPP", [cost], variance)[1][0]
    return {name: float(value) for name, value in out.items()}
