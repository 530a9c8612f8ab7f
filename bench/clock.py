# SPDX-License-Identifier: Apache-2.0
"""Times on a machine that others use too."""

from __future__ import annotations

import gc
import time

import numpy as np


def median_seconds(call, budget=0.2, least=5):
    """Median over repeated calls, for about `budget` seconds, at least `least` calls; and the last result."""
    times = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(times) < least:
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def interleaved(calls, rounds, budget=0.004):
    """Median seconds of each call by name. All take turns, so that a slow spell of the machine hits them alike."""
    times = {name: [] for name in calls}
    gc.disable()
    try:
        for _ in range(rounds):
            for name, call in calls.items():
                call()  # the others have emptied the caches
                times[name].append(median_seconds(call, budget, least=1)[0])
    finally:
        gc.enable()
    return {name: float(np.median(t)) for name, t in times.items()}
