# SPDX-License-Identifier: Apache-2.0
"""offray, as a user calls it."""

from __future__ import annotations

import offray


def prepare(problem, *, from_start):
    """The call that is timed; its result has theta and evaluations."""
    options = {"law": problem.law, "unique_tokens": problem.x[2] if len(problem.x) == 3 else None}
    if problem.delta is not None:
        options |= {"objective": "huber", "delta": problem.delta, "log_loss": True}
    if from_start:
        options["start"] = problem.start
    N, D = problem.x[:2]
    return lambda: offray.fit(N, D, problem.loss, **options)
