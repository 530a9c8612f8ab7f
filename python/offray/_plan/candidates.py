# SPDX-License-Identifier: Apache-2.0
"""Runs to choose from, and runs that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from offray._input.arrays import DOUBLE, Array, vector
from offray._law import Law
from offray._plan.places import Places, in_order, is_positive, labels_of, places_of

_MOST_LEVELS = 20
_MOST_PLACES = 4096

Bounds = dict[str, tuple[float, float]]
"""By input, as people write it."""


def candidate_runs(law: Law, region: Any, levels: Mapping[str, Any], given: Any) -> tuple[Places, Bounds]:
    """The runs to choose from, and the ranges of the law's inputs. `levels`: by input, those that can be run."""
    labels = labels_of(law)
    if given is not None:
        places = places_of("candidates", law, given)
        return places, {label: (float(a.min()), float(a.max())) for label, a in zip(labels, places, strict=True)}
    bounds = _bounds(law, region)
    count = min(_MOST_LEVELS, int(_MOST_PLACES ** (1 / len(labels)) + 1e-9))
    axes: list[Array] = []
    for label, name in zip(labels, law.place, strict=True):
        low, high = bounds[label]
        if levels.get(label) is None:
            spaced = np.geomspace if is_positive(law, name) else np.linspace
            axes.append(np.asarray(spaced(low, high, count)))
            continue
        called = {"N": "sizes", "D": "tokens"}.get(label, label)
        axis = vector(called, levels[label], DOUBLE)
        inside = axis[(axis >= low - 1e-12 * abs(low)) & (axis <= high + 1e-12 * abs(high))]
        if inside.size == 0:
            raise ValueError(f"{called}: none lies in the region's {label}, {low:g} to {high:g}")
        axes.append(inside)
    return tuple(a.ravel() for a in np.meshgrid(*axes, indexing="ij")), bounds


def _bounds(law: Law, region: Any) -> Bounds:
    labels = labels_of(law)
    if not isinstance(region, Mapping):
        if np.ndim(region) == 0 or len(region) != len(labels):
            raise ValueError(f"region must give {', '.join(labels)}, each as (least, most); got {region!r}")
        region = dict(zip(labels, region, strict=True))
    missing = dict.fromkeys(label for name, label in zip(law.place, labels, strict=True) if not {name, label} & set(region))
    out = {}
    for label, name, ends in zip(labels, law.place, in_order("region", law, {**region, **missing}), strict=True):
        positive = is_positive(law, name)
        numbers = np.shape(ends) == (2,) and all(isinstance(end, int | float | np.number) for end in ends)
        if not numbers or not (0 if positive else -np.inf) < ends[0] < ends[1] < np.inf:
            kind = "positive" if positive else "finite"
            raise ValueError(f"region must give {label} as (least, most), two {kind} numbers, the smaller first; got {ends}")
        out[label] = (float(ends[0]), float(ends[1]))
    return out


def existing_runs(law: Law, existing: Any) -> Places:
    """Runs that there are, arrays in the law's order or a table; none for None."""
    if existing is None:
        return tuple(np.empty(0) for _ in law.place)
    return places_of("existing", law, existing)
