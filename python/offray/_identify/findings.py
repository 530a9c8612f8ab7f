# SPDX-License-Identifier: Apache-2.0
"""Sentences on what the runs behind a fit leave open: the figure, what is known, and what would help."""

from __future__ import annotations

from typing import Any

import numpy as np

from offray import _core
from offray._identify.causes import missing_level, spread_apart, why_at_bound
from offray._identify.confinement import confined_inputs, one_ray, one_size, one_token_count, parallel_terms
from offray._identify.facts import Facts, determined, known_values
from offray._identify.rivals import rival_optimum
from offray._infer.misfit import misfit
from offray._optimum import Optimum

_LOOSE = 0.1
_FEW = 2
SHAPES = ("exponent", "outer", "decay")
_MORE_OF_IT = "Add runs over a wider range of what it depends on, or fix it at a known value."


def warning(key: str, facts: Facts) -> str:
    """The sentences on one finding."""
    return _WARNINGS[key](facts)


def _rival_optimum(facts: Facts) -> str:
    return rival_optimum(facts.fit)


def _exponent_unknown(facts: Facts) -> str:
    fit = facts.fit
    t = _core.student_t_half_width(0.95, fit.degrees_of_freedom)
    vague = [p.name for p in fit.law.roles if p.role in SHAPES and t * facts.relative_se[p.name] >= 1]
    values = ", ".join(
        f"{name} = {fit.params[name]:.3g} +- {abs(fit.params[name]) * facts.relative_se[name]:.2g}" for name in vague
    )
    return f"{values}: open by a factor of {np.exp(1):.2g} or more, so the runs hardly tell that term. {_MORE_OF_IT}"


def notes(facts: Facts, kappa_relative: Any) -> tuple[str, ...]:
    """What is determined but loose, or only jointly."""
    out = []
    known = determined(facts)
    law = facts.fit.law
    for name, se in facts.relative_se.items():
        if name == law.floor and se > _LOOSE and np.isfinite(se):
            value = facts.fit.params[name]
            out.append(
                f"{name} = {value:.3g} +- {value * se:.2g} is loose: the runs hardly tell the floor from slowly falling "
                "terms. Larger runs, or a wider range of sizes, would."
            )
    lost = [name for name in facts.relative_se if name not in (*law.coefficients, law.floor) and not known[name]]
    if lost:
        values = ", ".join(
            f"{name} = {facts.fit.params[name]:.3g} +- {abs(facts.fit.params[name]) * facts.relative_se[name]:.2g}"
            for name in lost
        )
        out.append(f"{values}: the 95 % interval reaches zero. More runs, or runs where that term weighs more, would tell.")
    if not known["compute-optimal"] and facts.pair:
        out.append("the compute-optimal tokens per parameter are not known within a factor of 10.")
    vague = [name for name in facts.relative_se if name in law.coefficients and not known[name]]
    if vague:
        se = ", ".join(f"ln {name} +- {facts.relative_se[name]:.2g}" for name in vague)
        out.append(f"{' and '.join(vague)} cannot be told from the exponent in the same term ({se}): use the term as a whole.")
    if kappa_relative > 3:
        out.append(
            f"kappa_2 is {kappa_relative:.3g} times that of a 3 x 3 factorial over the same ranges: the same runs, better "
            "spread in N and D, would tell more."
        )
    return tuple(out)


def _ill_conditioned(facts: Facts) -> str:
    fit = facts.fit
    size = len(fit.conditioning.direction)
    if facts.rank >= size:
        return (
            f"kappa_2 = {facts.kappa:.3g} (collinear): the runs barely notice a change along ({name_direction(fit)}) in unit "
            f"columns. {spread_apart(fit)}"
        )
    return (
        f"rank {facts.rank} of {size}: the runs do not notice a change along ({name_direction(fit)}) in unit columns."
        f"{known_values(facts)} {missing_level(fit)}"
    )


def name_direction(fit: Optimum) -> str:
    """The sloppy direction in parameters, components under a tenth of the largest left out."""
    direction = fit.sloppy_direction
    largest = max(map(abs, direction.values()))
    return ", ".join(f"{name} {value:+.2f}" for name, value in direction.items() if abs(value) >= 0.1 * largest)


def _at_bound(facts: Facts) -> str:
    fit = facts.fit
    stuck = [j for j, side in enumerate(fit.core.at_bound) if side] or [max(fit.core.limit_parameter, 0)]
    names = [fit.law.parameters[j] for j in stuck]
    values = ", ".join(f"{fit.law.parameters[j]} = {fit.theta[j]:.3g}" for j in stuck)
    verb, them = ("sits at its bound", "it") if len(stuck) == 1 else ("sit at their bounds", "them")
    said = f"{values} {verb}: these runs prefer values beyond, so they do not determine {them}."
    return f"{said} {why_at_bound(fit, names)}"


def _floor_unknown(facts: Facts) -> str:
    name = facts.fit.law.floor or ""
    value, se = facts.fit.params[name], facts.relative_se[name]
    return (
        f"{name} = {value:.3g} +- {value * se:.2g}: the interval of the loss floor reaches zero, so the runs do not tell "
        f"it from slowly falling terms. Add larger runs, or fix {name} at a known value."
    )


def _few_runs(facts: Facts) -> str:
    dof = facts.fit.degrees_of_freedom
    runs = len(facts.fit.residuals)
    distinct = misfit(facts.fit).distinct
    if dof > _FEW and distinct <= facts.rank:
        return (
            f"{runs} runs at {distinct} different inputs for {facts.rank} free parameters: repeats measure the noise, but "
            "nothing is left that would test the law, and another optimum may fit as well. Add runs elsewhere, or fix a "
            "parameter."
        )
    if dof == 0:
        return (
            f"{runs} runs for as many free parameters: the noise has no estimate, so every standard error is infinite. Add "
            "runs, or fix a parameter."
        )
    t = _core.student_t_half_width(0.95, dof)
    return (
        f"{runs} runs leave {dof} degree{'s' if dof > 1 else ''} of freedom: Student's t is {t:.3g}, so every interval is "
        f"{t / 1.96:.2g} times as wide as with many runs. Add runs, or fix a parameter."
    )


def _no_repetition(facts: Facts) -> str:
    (decay,) = facts.fit.law.named("decay", axis="D")
    given = facts.fit.problem.columns.get("unique_tokens")
    if given is None or not given.size:
        return (
            f"unique tokens are not given, so each counts as fresh and {decay} is not determined. Give unique_tokens= (a "
            "column of that name, or --unique-tokens its name), or fit the law chinchilla."
        )
    return f"no run repeats a token, so {decay} is not determined. Add runs of several epochs, or fit the law chinchilla."


def _one_epoch_count(facts: Facts) -> str:
    law, D = facts.fit.law, facts.fit.problem.D
    U = facts.fit.problem.columns.get("unique_tokens", D)
    epochs = float(np.median(D / np.minimum(U, D)))
    (decay,), (coefficient,) = law.named("decay", axis="D"), law.named("coefficient", axis="D")
    return (
        f"all runs make {epochs:.3g} epochs, so that {decay} and {coefficient} exchange. Add runs with another number of "
        "epochs, such as single passes over the same tokens."
    )


def _no_excess(facts: Facts) -> str:
    (decay,) = facts.fit.law.named("decay", axis="N")
    return (
        f"no run has more parameters than its unique tokens are worth (N <= N_opt everywhere), so {decay} is not determined. "
        f"Add larger models on the same unique tokens, or fix {decay}."
    )


def _excess_everywhere(facts: Facts) -> str:
    (name,) = facts.fit.law.named("coefficient", axis="N")
    return (
        f"every run has more than ten times N_opt parameters, where the model term no longer depends on N: {name} is not "
        f"determined, ln {name} +- {facts.relative_se[name]:.2g}. Add smaller models on the same unique tokens."
    )


_WARNINGS = {
    "one_size": one_size,
    "one_token_count": one_token_count,
    "one_ray": one_ray,
    "confined_inputs": confined_inputs,
    "parallel_terms": parallel_terms,
    "ill_conditioned": _ill_conditioned,
    "at_bound": _at_bound,
    "floor_unknown": _floor_unknown,
    "few_runs": _few_runs,
    "no_repetition": _no_repetition,
    "one_epoch_count": _one_epoch_count,
    "no_excess": _no_excess,
    "excess_everywhere": _excess_everywhere,
    "exponent_unknown": _exponent_unknown,
    "rival_optimum": _rival_optimum,
}
