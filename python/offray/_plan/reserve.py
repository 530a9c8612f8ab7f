# SPDX-License-Identifier: Apache-2.0
"""Runs that are set aside to test the law and to measure the noise, which no optimal design makes of its own accord."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offray._input.arrays import Array

Counts = npt.NDArray[np.int64]


def with_lack_of_fit(count: Counts, places: Array, existing: Array, cost: Array, left: float, wanted: int) -> Counts:
    """`wanted` more places, each as far as possible from all others that are run, of those whose cost leaves enough for
    the rest.

    Parameters
    ----------
    count : (m,) ndarray of int
        How often each candidate is run.
    places, existing : (m, k), (e, k) ndarray
        Their coordinates, of N and D the logarithms.
    cost : (m,) ndarray
    left : float
        What they may cost together.

    Raises
    ------
    ValueError
        Where no candidate is left that is new and affordable.
    """
    out = count.copy()
    taken = np.concatenate([existing, places[count > 0]])
    for k in range(wanted):
        distance = np.full(len(places), np.inf) if not len(taken) else _nearest(places, taken)
        distance[(cost > left / (wanted - k)) | (distance < 1e-9)] = -1
        best = int(np.argmax(distance))
        if distance[best] < 0:
            raise ValueError(f"lack_of_fit: of {wanted} runs away from all others, {k} are affordable; allow a larger budget")
        out[best] += 1
        left -= float(cost[best])
        taken = np.concatenate([taken, places[best : best + 1]])
    return out


def with_replicates(count: Counts, cost: Array, left: float, wanted: int) -> Counts:
    """`wanted` copies of runs that are made, the cheapest first, each as often as the others; ``ValueError`` where they cost
    more than what is left."""
    out = count.copy()
    made = np.flatnonzero(count)
    cheapest = made[np.argsort(cost[made], kind="stable")]
    for k in range(wanted):
        # One of each that is affordable, then another of each: the noise may depend on the size.
        at = cheapest[k % len(cheapest)]
        if cost[at] > left:
            at = cheapest[0]
        if cost[at] > left:
            raise ValueError(f"replicates: of {wanted} repeated runs, {k} are affordable; allow a larger budget")
        out[at] += 1
        left -= float(cost[at])
    return out


def _nearest(places: Array, taken: Array) -> Array:
    """The distance of each place to the nearest one that is taken."""
    return np.asarray(np.sqrt(((places[:, None] - taken[None]) ** 2).sum(axis=2)).min(axis=1))
