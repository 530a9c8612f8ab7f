# SPDX-License-Identifier: Apache-2.0
"""What checks and suggestions share: the assumed theta, planned runs as fits, predicted standard deviations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from offray import _core
from offray._input.arrays import DOUBLE, Array, vector
from offray._law import Law
from offray._plan.places import Places, by_name, labels_of, of_N_and_D, points

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
    entries = list(theta.values() if isinstance(theta, Mapping) else theta)
    if all(np.ndim(entry) == 0 and not isinstance(entry, Mapping) for entry in entries):  # numbers: one theta
        theta = [theta]
    items = theta.items() if isinstance(theta, Mapping) else ((f"theta {k + 1}", values) for k, values in enumerate(theta))
    out = {}
    for name, values in items:
        if isinstance(values, Mapping):
            if set(values) != set(law.parameters):
                raise ValueError(f"theta must give {', '.join(law.parameters)}; got {', '.join(map(str, values))}")
            values = [values[parameter] for parameter in law.parameters]
        out[str(name)] = _checked(law, vector("theta", values, DOUBLE))
    return out


def _checked(law: Law, theta: Array) -> Array:
    """theta; ``ValueError`` for one that is none of the law."""
    if len(theta) != len(law.parameters):
        names = ", ".join(law.parameters)
        raise ValueError(f"theta has {len(theta)} values, but {law.name} has {len(law.parameters)} parameters: {names}")
    for (name, role, _), value in zip(law.roles, theta, strict=True):
        if not np.isfinite(value) or (role != "real" and value <= 0):
            kind = "finite" if role == "real" else "positive and finite"
            raise ValueError(f"theta: {name} = {value:g}; it must be {kind}")
    return theta


def targets(thetas: dict[str, Array], law: Law, target: Any, flops: float) -> dict[str, Array]:
    """Where the loss is to be predicted, by theta, (t, k): as given for all or for each, or where each is best for `flops`."""
    if isinstance(target, Mapping) and set(target) & set(thetas):
        if missing := [name for name in thetas if name not in target]:
            raise ValueError(f"target: none is given for theta {', '.join(map(repr, missing))}")
        return {name: points("target", law, target[name]) for name in thetas}
    if target is not None:
        return dict.fromkeys(thetas, points("target", law, target))
    if not of_N_and_D(law):
        raise ValueError(f"target: where is the loss to be predicted? Give {', '.join(labels_of(law))}")
    budget = np.array([flops])
    return {name: np.exp(law.core.optimal(theta, budget, FLOPS_PER_TOKEN, 0.0)[:2])[None] for name, theta in thetas.items()}


def planned(law: Law, places: Places, theta: Array, unique_tokens: Array | None = None, sigma: float = 0.0) -> Any:
    """Planned runs as a fit of the core, theta known or as well as noise of `sigma` allows."""
    columns = by_name(law, places)
    if unique_tokens is not None and unique_tokens.size:
        columns["unique_tokens"] = unique_tokens
    return _core.planned(law.core, dict(law.core_columns(columns)), theta, sigma)


def predicted_sd(core: Any, law: Law, sigma: float, where: Array, flops: float) -> dict[str, float]:
    """Standard deviations that a design leaves: ln of every parameter (a parameter of either sign itself), the loss at each
    target (root mean square), and, of a law of N and D, ln TPP*."""
    variance = sigma**2
    out = {}
    for j, (name, role, _) in enumerate(law.roles):
        if role == "real":
            out[name] = sigma * np.sqrt(core.unit_covariance()[j, j])
        else:
            out[f"ln {name}"] = _core.delta_method(core, "parameter", [np.array([j], float)], variance)[1][0]
    places = by_name(law, tuple(np.ascontiguousarray(column) for column in where.T))
    _, se = core.predict(dict(law.core_columns(places)), None, variance)
    out["loss@target"] = np.sqrt(np.mean(se**2))
    if of_N_and_D(law):
        cost = np.array([flops, FLOPS_PER_TOKEN, 0.0])
        out["ln TPP*"] = _core.delta_method(core, "optimal TPP", [cost], variance)[1][0]
    return {name: float(value) for name, value in out.items()}
