# SPDX-License-Identifier: Apache-2.0
"""Where runs are made or planned: the inputs that a law reads, without losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offray._infer.reach import LABELS
from offray._input.arrays import DOUBLE, Array, numbers, vector
from offray._law import Law
from offray._read.runs import is_table, places_in

Places = tuple[Array, ...]
"""One array for each input, in the order of `Law.place`."""


def labels_of(law: Law) -> tuple[str, ...]:
    """What places of a law are made of, as people write it: N and D."""
    return tuple(LABELS.get(name, name) for name in law.place)


def of_N_and_D(law: Law) -> bool:
    """Whether places are N and D, and nothing else."""
    return law.place == ("params", "tokens")


def by_name(law: Law, places: Places) -> dict[str, Array]:
    """Places as columns."""
    return dict(zip(law.place, places, strict=True))


def places_of(what: str, law: Law, given: Any) -> Places:
    """Places given as a table, as a mapping from inputs to values, or as arrays in the law's order; validated."""
    labels = labels_of(law)
    if isinstance(given, Mapping) and set(given) <= {*labels, *law.place}:
        given = in_order(what, law, given)
    elif is_table(given):
        given = places_in(given, law)
    elif len(labels) == 1 and not (isinstance(given, tuple | list) and len(given) == 1 and np.ndim(given[0]) == 1):
        given = (given,)
    if len(given) != len(labels):
        raise ValueError(f"{what} must give {', '.join(labels)}; got {len(given)} of them")
    out = tuple(vector(label, values, DOUBLE) for label, values in zip(labels, given, strict=True))
    check_places(law, out, what)
    return out


def points(what: str, law: Law, given: Any) -> Array:
    """One place or several, (t, k), a column for each input."""
    labels = labels_of(law)
    if isinstance(given, Mapping):
        each = [numbers(what, values, DOUBLE) for values in in_order(what, law, given)]
        if len({np.size(values) for values in each if np.ndim(values)}) > 1:
            counts = ", ".join(f"{np.size(values)} of {label}" for label, values in zip(labels, each, strict=True))
            raise ValueError(f"{what}: as many values of each input, or one, are needed; got {counts}")
        columns = np.broadcast_arrays(*each)
        where = np.stack([np.atleast_1d(column) for column in columns], axis=-1)
    else:
        where = numbers(what, given, DOUBLE)
        where = np.atleast_1d(where)[:, None] if len(labels) == 1 and where.ndim < 2 else np.atleast_2d(where)
    if where.ndim != 2 or where.shape[1] != len(labels):
        place = f"({', '.join(labels)})"
        such = "such pairs" if len(labels) == 2 else "such places"
        raise ValueError(f"{what} must be {place} or a list of {such}; got shape {np.shape(given)}")
    for name, label, column in zip(law.place, labels, where.T, strict=True):
        good, kind = _good(law, name, column)
        if not good.all():
            raise ValueError(f"{what}: every {label} must be {kind}; got {column.tolist()}")
    return where


def check_places(law: Law, places: Places, what: str) -> None:
    """``ValueError`` for no places, arrays of different lengths, or a value that the law cannot take."""
    names, labels = law.place, labels_of(law)
    if not len(places[0]):
        raise ValueError(f"{what}: {labels[0]} is empty: there are no runs")
    for name, label, column in zip(names, labels, places, strict=True):
        if len(column) != len(places[0]):
            raise ValueError(
                f"{what}: {label} has {len(column)} values, but {labels[0]} has {len(places[0])}: one each is needed"
            )
        good, kind = _good(law, name, column)
        if not good.all():
            row = int(np.argmin(good))
            raise ValueError(f"{label}[{row}] = {column[row]}: every value must be {kind}")


class OfInputs:
    """What has runs by input, and N and D where these are among them."""

    inputs: dict[str, Array]

    @property
    def N(self) -> Array:
        """Model parameters; ``AttributeError`` for runs of other inputs."""
        return self._column("params")

    @property
    def D(self) -> Array:
        """Training tokens; ``AttributeError`` for runs of other inputs."""
        return self._column("tokens")

    def _column(self, name: str) -> Array:
        if name not in self.inputs:
            raise AttributeError(f"these runs are given by {', '.join(self.inputs)}, not by {LABELS[name]}: see `inputs`")
        return self.inputs[name]


def coordinates(law: Law, places: Places) -> Array:
    """Places in a space where distance means something, (n, k): logarithms of what is positive, the rest as it is."""
    named = zip(law.place, places, strict=True)
    return np.stack([np.log(a) if is_positive(law, name) else a for name, a in named], axis=1)


def is_positive(law: Law, name: str) -> bool:
    """Whether values of an input must be above zero."""
    return law.built_in or name in law.positive_inputs


def _good(law: Law, name: str, column: Array) -> tuple[npt.NDArray[np.bool_], str]:
    """Which values an input can take, and what they must be."""
    if is_positive(law, name):
        return np.isfinite(column) & (column > 0), "positive and finite"
    return np.isfinite(column), "finite"


def in_order(what: str, law: Law, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of a mapping in the law's order, under either name."""
    labels, names = labels_of(law), law.place
    if unknown := [str(name) for name in given if name not in (*labels, *names)]:
        raise ValueError(f"{what}: the law {law.name} does not read {', '.join(unknown)}; it reads {', '.join(labels)}")
    if doubled := [label for name, label in zip(names, labels, strict=True) if name != label and {name, label} <= set(given)]:
        raise ValueError(f"{what} gives {', '.join(doubled)} under two names")
    if missing := [label for name, label in zip(names, labels, strict=True) if not {name, label} & set(given)]:
        raise ValueError(f"{what} must give {', '.join(labels)}; {', '.join(missing)} is missing")
    return tuple(given[label] if label in given else given[name] for name, label in zip(names, labels, strict=True))
