# SPDX-License-Identifier: Apache-2.0
"""Why runs leave something open, as far as they show it, and what would help."""

from __future__ import annotations

import numpy as np

from offray._identify.remarks import ROBUST, misses
from offray._infer.misfit import misfit
from offray._infer.reach import LABELS
from offray._input.arrays import Array
from offray._optimum import Optimum

_COLLAPSED = 0.05
_LEVELS = 2
_AT = 1e-6
_RISING = 0.3
_PLACES, _WIDE, _VANISHED, _SHORT = 8, 2.0, 1e-8, 1e-10
"""Inputs for each parameter, how far they go in units of ln x or of the range, a coefficient that is none, a lost direction."""


def missing_level(fit: Optimum) -> str:
    """The design change that a short rank asks for."""
    if not fit.law.of_N_and_D:
        return spread_apart(fit)
    for x, one, many in ((fit.problem.N, "model size", "sizes"), (fit.problem.D, "token count", "token counts")):
        levels = len(np.unique(x))
        if levels <= _LEVELS:
            there, add = ("are", f"a third {one}") if levels > 1 else ("is", f"two more {many}")
            return (
                f"There {there} {levels} {many if levels > 1 else one}: a power and a constant need three. "
                f"Add runs of {add}, far from the present; other ratios of tokens to parameters would not help."
            )
    return spread_apart(fit)


def spread_apart(fit: Optimum) -> str:
    """What tells terms apart that the runs hardly do, unless the law itself cannot."""
    law = fit.law
    if not law.built_in and _is_redundant(fit):
        return (
            "The law itself does not tell them apart, whatever the runs: write one parameter in their place, or hold one at a "
            "value (fixed=)."
        )
    if law.of_N_and_D and not law.further:
        return "Add runs whose tokens per parameter differ by a large factor from the present ones."
    names = [LABELS.get(name, name) for name in law.inputs]
    if len(names) == 1:
        return f"Add runs over a wider range of {names[0]}."
    every = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Add runs that spread {every} over wider ranges, each at small and large values of the others."


def _is_redundant(fit: Optimum) -> bool:
    """Whether the Jacobian is short of rank at inputs far and wide too, as of E + F + A x^-a, and no term has vanished."""
    law, count = fit.law, _PLACES * len(fit.law.parameters)
    rng = np.random.default_rng(0)
    columns = {}
    for name, x in fit.problem.columns.items():
        if name in law.positive_inputs:
            columns[name] = np.exp(np.log(x).mean() + rng.uniform(-_WIDE, _WIDE, count))
        else:
            columns[name] = x.mean() + (np.ptp(x) or 1) * rng.uniform(-_WIDE, _WIDE, count)
    theta = np.where(np.abs(fit.theta) > _VANISHED, fit.theta, 1)
    with np.errstate(all="ignore"):
        J = law.core.evaluate(theta, law.core_columns({name: x.astype(theta.dtype) for name, x in columns.items()}), True)
    J = np.asarray(J, float)[:, fit.core.free]
    size = np.linalg.norm(J, axis=0)
    if not np.isfinite(size).all() or not size.all():
        return False
    return bool(np.linalg.matrix_rank(J / size, tol=_SHORT) < J.shape[1])


def _own_bounds(fit: Optimum, names: list[str]) -> str:
    """The ends of the user's own ranges that parameters sit at."""
    limits = fit.problem.limits
    said = []
    for name in names if limits is not None else ():
        low, high = limits.bounds.get(name, (0.0, np.inf)) if limits is not None else (0.0, np.inf)
        value = fit.params[name]
        if low > 0 and value <= low * (1 + _AT):
            said.append(f"{name} >= {low:.4g} is a bound of yours and the best value lies below")
        elif high < np.inf and value >= high * (1 - _AT):
            said.append(f"{name} <= {high:.4g} is a bound of yours and the best value lies above")
    return " and ".join(said)


def _rises(fit: Optimum) -> bool:
    """Whether the losses go up where the inputs do: rank correlation with each that varies."""
    ranks = _ranks(fit.problem.loss)
    columns = [x for name, x in fit.problem.columns.items() if fit.law.reads(name) and np.ptp(x) > 0]
    return bool(columns) and all(np.corrcoef(_ranks(x), ranks)[0, 1] > _RISING for x in columns)


def _ranks(x: Array) -> Array:
    return np.asarray(np.unique(x, return_inverse=True)[1], float)


def why_at_bound(fit: Optimum, names: list[str]) -> str:
    """The cause, where the runs show one, else what would help."""
    law, at, loss = fit.law, misfit(fit), fit.problem.loss
    floor = law.floor
    own = _own_bounds(fit, names)
    if own:
        return f"{own}: widen the bounds, or leave them out."
    if _rises(fit):
        return (
            "The values rise with every input, as accuracies do, and no term of this law rises. Fit law='logistic', or a "
            "formula with a parameter that may be negative (offray.law(..., real=...))."
        )
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
