# SPDX-License-Identifier: Apache-2.0
"""Sentences on what the runs behind a fit leave open: the figure, what is known, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._identify.causes import SPREAD_APART, missing_level, why_at_bound
from offray._identify.rivals import rival_optimum
from offray._infer.misfit import misfit
from offray._optimum import Optimum

KAPPA_TARGET = 100.0
"""kappa_eq that a remedy aims at: intervals 5 times wider than with orthogonal columns."""

_FACTOR = np.log(10)
_LOOSE = 0.1
_FEW = 2
SHAPES = ("exponent", "outer", "decay")
_MORE_OF_IT = "Add runs over a wider range of what it depends on, or fix it at a known value."


@dataclass(frozen=True)
class Facts:
    """The figures of one fit that the sentences are made of."""

    fit: Optimum
    pair: tuple[str, ...]
    kappa: Any
    rank: int
    kappa_eq: Any
    relative_se: Mapping[str, Any]


def pair_of(fit: Optimum) -> tuple[str, ...]:
    """The coefficients of the two terms, where both are unknowns of their own."""
    free = [p for p, is_free in zip(fit.law.parameters, fit.core.free, strict=True) if is_free and p in fit.law.coefficients]
    return tuple(free) if len(free) == 2 and all(name in fit.sloppy_direction for name in free) else ()


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
    return f"{values}: open by a factor of {np.e:.2g} or more, so the runs hardly tell that term. {_MORE_OF_IT}"


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


def determined(facts: Facts) -> dict[str, bool]:
    """Per parameter and derived quantity: whether its interval says something."""
    fit = facts.fit
    t = _core.student_t_half_width(0.95, (fit.reduced or fit).degrees_of_freedom)

    def good(name: str, se: Any) -> bool:
        if se == 0:  # fixed
            return True
        if fit.on_ray and fit.reduced is None and name != fit.law.floor:
            return False
        if fit.blended:  # the reduced law is rejected, with all that it has
            return False
        return bool(np.isfinite(t) and t * se < (_FACTOR if name in fit.law.coefficients else 1))

    out = {name: good(name, se) for name, se in facts.relative_se.items()}
    out["loss"] = bool(np.isfinite(t) and (fit.reduced or fit).converged)
    if fit.on_ray:
        out["loss off the ray"] = False
    elif fit.reduced is not None:
        out["loss elsewhere"] = False
    out["compute-optimal"] = not fit.on_ray and fit.reduced is None and fit.converged and bool(t * _ratio_se(fit) < _FACTOR)
    return out


def _ratio_se(fit: Optimum) -> float:
    """Standard error of ln TPP* at the largest budget of the runs."""
    if not fit.law.of_N_and_D or fit.law.further:
        return float("inf")
    budget = 6 * (fit.problem.N * fit.problem.D).max()
    cost = np.array([budget, 6, 0], fit.theta.dtype)
    try:
        return float(_core.delta_method(fit.core, "optimal TPP", [cost])[1][0])
    except ValueError:  # a law of one's own may have no optimum
        return float("inf")


def _one_size(facts: Facts) -> str:
    return _constant_term(facts, "N", "parameters", "models of other sizes")


def _one_token_count(facts: Facts) -> str:
    return _constant_term(facts, "D", "tokens", "runs on other numbers of tokens")


def _constant_term(facts: Facts, axis: str, unit: str, remedy: str) -> str:
    fit = facts.fit
    x = fit.problem.N if axis == "N" else fit.problem.D
    floor = fit.law.floor
    swallowed = f"which {floor} swallows" if floor else "which the other term swallows"
    said = f"all runs have {np.exp(np.log(x).mean()):.3g} {unit}: the term in {axis} is a constant, {swallowed}"
    left = fit.reduced
    if left is None or fit.on_ray or left.problem.reduction is None:
        return f"{said}, and nothing in it is determined. Add {remedy}."
    names = {**left.problem.reduction.shared, **left.problem.reduction.merged}
    known = ", ".join(
        f"{names[n]} = {v:.4g} +- {s:.2g}" for n, v, s in zip(left.law.parameters, left.theta, left.se, strict=True)
    )
    return f"{said}. What the runs tell is {known}. Add {remedy}."


def _one_ray(facts: Facts) -> str:
    fit = facts.fit
    low, high = fit.tokens_per_parameter
    where = f"{np.sqrt(low * high):.4g}" + (f" within a factor {high / low:.3g}" if high > low * 1.001 else "")
    exchange = f"{' and '.join(facts.pair)} exchange, and neither is determined, " if facts.pair else ""
    return (
        f"all runs lie on one ray, tokens per parameter {where}: along it the terms in N and in D cannot be told apart; "
        f"{exchange}whatever a fit of the full law says.{_known_on_ray(facts)} {_ratios(fit)}"
    )


def _known_on_ray(facts: Facts) -> str:
    fit, left = facts.fit, facts.fit.reduced
    if left is None or left.problem.reduction is None:
        return ""
    if fit.blended:
        names = " and ".join(fit.law.named("exponent"))
        return (
            f" The runs reject equal exponents (F test at 5 %): the one of the reduced law is a blend of {names}, and neither "
            "is known; along the ray the full law predicts."
        )
    psi, parts = next(iter(left.problem.reduction.merged.items()))
    exponent = left.law.named("exponent") or left.law.exponents
    if not determined(facts)[left.problem.reduction.shared.get(exponent[0], exponent[0])]:
        return ""
    value, se = (at[left.law.parameters.index(psi)] for at in (left.theta, left.se))
    return f" What is known is {psi} = {parts} = {value:.5g} +- {se:.2g}, taking the exponents to be equal."


def _parallel_terms(facts: Facts) -> str:
    fit = facts.fit
    vague = max(fit.law.exponents, key=lambda n: facts.relative_se[n])
    if facts.relative_se[vague] == 0:  # the exponents are fixed
        vague = max(facts.pair, key=lambda n: facts.relative_se[n])
    inflation = _core.interval_inflation(float(facts.kappa_eq))
    low, high = fit.tokens_per_parameter
    return (
        f"{' and '.join(facts.pair)} nearly exchange: kappa_eq = {facts.kappa_eq:.3g}, which makes their intervals "
        f"{inflation:.3g} times wider than orthogonal terms would, and {vague} has a standard error of "
        f"{100 * facts.relative_se[vague]:.3g} %. What is known is their sum, {_centre(fit)}. The runs have {low:.3g} to "
        f"{high:.3g} tokens per parameter. {_ratios(fit)}"
    )


def _centre(fit: Optimum) -> str:
    """The predicted loss at the runs' geometric mean: what the terms make together."""
    N, D = (np.exp(np.log(a).mean()) for a in (fit.problem.N, fit.problem.D))
    log, se = _core.delta_method(fit.core, "loss", [np.array([N, D])])
    value = np.exp(log[0])
    return f"L = {value:.4g} +- {value * se[0]:.2g} at N = {N:.3g}, D = {D:.3g}"


def _ratios(fit: Optimum) -> str:
    """Where further runs would tell the terms apart."""
    step = _core.least_ratio(float(np.clip(_data_exponent(fit), 0.1, 1.5)), KAPPA_TARGET)
    low, high = fit.tokens_per_parameter
    middle = np.sqrt(low * high)
    return (
        f"Add runs at {middle * step:.3g} tokens per parameter or more, or at {middle / step:.3g} or fewer: rays a factor "
        f"{step:.3g} apart bring kappa_eq to {KAPPA_TARGET:g}."
    )


def _data_exponent(fit: Optimum) -> float:
    """The exponent of D within the power sum; on a ray that of N stands for it."""
    theta: Mapping[str, Any] = dict(zip(fit.law.parameters, fit.theta, strict=True))
    if fit.reduced is not None and fit.on_ray:
        theta = {name: value for name, value in fit.params.items() if np.isfinite(value)}
    return fit.law.inner_data_exponent(theta)


def _ill_conditioned(facts: Facts) -> str:
    fit = facts.fit
    size = len(fit.conditioning.direction)
    if facts.rank >= size:
        return (
            f"kappa_2 = {facts.kappa:.3g} (collinear): the runs barely notice a change along ({name_direction(fit)}) in unit "
            f"columns. {SPREAD_APART}"
        )
    known = [
        name for name, good in determined(facts).items() if good and name in fit.law.parameters and facts.relative_se[name] > 0
    ]
    values = ", ".join(
        f"{name} = {fit.params[name]:.4g} +- {abs(fit.params[name]) * facts.relative_se[name]:.2g}" for name in known
    )
    return (
        f"rank {facts.rank} of {size}: the runs do not notice a change along ({name_direction(fit)}) in unit columns. What "
        f"they determine is {values or 'no single parameter'}. {missing_level(fit)}"
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
    "one_size": _one_size,
    "one_token_count": _one_token_count,
    "one_ray": _one_ray,
    "parallel_terms": _parallel_terms,
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
