# SPDX-License-Identifier: Apache-2.0
"""Why runs leave something open, as far as they show it, and what would help."""

from __future__ import annotations

import numpy as np

from offray._identify.remarks import ROBUST, misses
from offray._infer.misfit import misfit
from offray._optimum import Optimum

SPREAD_APART = "Add runs whose tokens per parameter differ by a large factor from the present ones."
_COLLAPSED = 0.05
_LEVELS = 2


def missing_level(fit: Optimum) -> str:
    """The design change that a short rank asks for."""
    if not fit.law.of_N_and_D:
        return "Add runs at other inputs."
    for x, one, many in ((fit.problem.N, "model size", "sizes"), (fit.problem.D, "token count", "token counts")):
        levels = len(np.unique(x))
        if levels <= _LEVELS:
            there, add = ("are", f"a third {one}") if levels > 1 else ("is", f"two more {many}")
            return (
                f"There {there} {levels} {many if levels > 1 else one}: a power and a constant need three. "
                f"Add runs of {add}, far from the present; other ratios of tokens to parameters would not help."
            )
    return SPREAD_APART


def why_at_bound(fit: Optimum, names: list[str]) -> str:
    """The cause, where the runs show one, else what would help."""
    law, at, loss = fit.law, misfit(fit), fit.problem.loss
    floor = law.floor
    if floor is not None and not fit.core.free[law.parameters.index(floor)] and fit.params[floor] >= loss.min():
        return f"{floor} is held at {fit.params[floor]:.4g}, the lowest loss is {loss.min():.4g}: no term can be negative."
    if fit.confined_to:
        return "Its term cannot be told from the others (see above)."
    if at.outliers:
        far = f"the {len(at.outliers)} runs that lie far off the law (see below)"
        return f"The cause may be {far}: leave them out, or fit with {ROBUST}."
    if loss.min() < _COLLAPSED * loss.max():
        return (
            f"The losses fall from {loss.max():.3g} to {loss.min():.3g}: a transition, or data learnt by heart, and no power "
            "law. No value to fix it at and no larger run would help; fit the runs on one side of the transition."
        )
    if misses(fit, at):
        return "The law does not follow these runs (see below): no value to fix it at and no larger run would mend that."
    more = "larger runs, whose loss is nearer the floor" if names[0] == floor else f"runs where the term of {names[0]} matters"
    return f"Add {more}, or fix {' and '.join(names)} at a value known from elsewhere."
