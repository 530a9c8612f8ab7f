# SPDX-License-Identifier: Apache-2.0
"""A fit of groups as plain data that keeps its bits and the types of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from offray._expression.written import law_as_plain, law_from
from offray._travel.document import digest, member
from offray._travel.plain import array_from, plain

if TYPE_CHECKING:
    from offray._grouped.result import GroupedFit

_LABELS = (str, int, float, bool)


def kept(fit: GroupedFit) -> dict[str, Any]:
    """The parts of a document that give the fit back; ``ValueError`` for labels that JSON has not."""
    for label in fit.groups:
        if not isinstance(label, _LABELS) or (isinstance(label, float) and not np.isfinite(label)):
            raise ValueError(f"group {label!r}: labels must be text or finite numbers to be written down")
        if any(str(label) == str(other) and label is not other for other in fit.groups):
            raise ValueError(f"group {label!r}: another label is written alike")
    parameters = fit.law.parameters
    state = {
        "law": law_as_plain(fit.law),
        "groups": list(fit.groups),
        "theta": [[plain(fit.params[label][name]) for name in parameters] for label in fit.groups],
        "se": [[plain(fit.se[label][name]) for name in parameters] for label in fit.groups],
        "cov": [plain(fit._cov[label]) for label in fit.groups],
        "objective_value": plain(fit.objective_value),
        "rss": plain(fit.rss),
        "residuals": plain(fit.residuals),
        "delta": plain(fit.delta),
        "noise_sd": plain(fit.noise_sd),
    }
    return {"state": state, "sha256": digest(state)}


def fields_from(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the fit that a document is of; ``ValueError`` for anything else."""
    state = member(data, "state")
    try:
        if member(data, "sha256", str) != digest(state):
            raise ValueError("its state was changed after it was written: the SHA-256 is another one")
        law, labels = law_from(state["law"]), tuple(member(state, "groups", list))
        theta, se, cov = (array_from(state[name]) for name in ("theta", "se", "cov"))
        return {
            "law": law,
            "groups": labels,
            "shared": tuple(member(data, "shared", list)),
            "params": _by_group(law.parameters, labels, theta),
            "se": _by_group(law.parameters, labels, se),
            "objective_value": float(state["objective_value"]),
            "rss": float(state["rss"]),
            "degrees_of_freedom": member(data, "degrees_of_freedom", int),
            "status": member(data, "status", str),
            "residuals": array_from(state["residuals"]),
            "log_loss": member(data, "log_loss", bool),
            "objective": member(data, "objective", str),
            "delta": float(state["delta"]),
            "noise_sd": float(state["noise_sd"]),
            "_cov": MappingProxyType(dict(zip(labels, cov, strict=True))),
        }
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"its state is none: {error}") from None


def _by_group(names: tuple[str, ...], labels: tuple[Any, ...], rows: Any) -> Mapping[Any, Mapping[str, Any]]:
    if np.shape(rows) != (len(labels), len(names)):
        raise ValueError(f"its figures have shape {np.shape(rows)}, not {(len(labels), len(names))}")
    return MappingProxyType(
        {label: MappingProxyType(dict(zip(names, row, strict=True))) for label, row in zip(labels, rows, strict=True)}
    )
