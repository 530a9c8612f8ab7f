# SPDX-License-Identifier: Apache-2.0
"""Sentences on runs that do not spread: one size, one token count, one ray, nearly one."""

from __future__ import annotations

import numpy as np

from offray import _core
from offray._identify.facts import Facts, is_determined, known_values
from offray._optimum import Optimum

KAPPA_TARGET = 100.0
"""kappa_eq that a remedy aims at: intervals 5 times wider than with orthogonal columns."""


def one_size(facts: Facts) -> str:
    return _constant_term(facts, "N", "parameters", "models of other sizes")


def one_token_count(facts: Facts) -> str:
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


def one_ray(facts: Facts) -> str:
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
    if not is_determined(facts, left.problem.reduction.shared.get(exponent[0], exponent[0])):
        return ""
    value, se = (at[left.law.parameters.index(psi)] for at in (left.theta, left.se))
    return f" What is known is {psi} = {parts} = {value:.5g} +- {se:.2g}, taking the exponents to be equal."


def confined_inputs(facts: Facts) -> str:
    fit = facts.fit
    said = " and ".join(str(plane) for plane in fit.confined_to)
    other = " and ".join(plane.what for plane in fit.confined_to)
    return (
        f"all runs have {said}: what differs elsewhere cannot be told apart, and elsewhere the loss is not known."
        f"{known_values(facts)} Add runs with another {other}."
    )


def parallel_terms(facts: Facts) -> str:
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
    step = _core.least_ratio(min(max(_data_exponent(fit), 0.1), 1.5), KAPPA_TARGET)
    low, high = fit.tokens_per_parameter
    middle = np.sqrt(low * high)
    return (
        f"Add runs at {middle * step:.3g} tokens per parameter or more, or at {middle / step:.3g} or fewer: rays a factor "
        f"{step:.3g} apart bring kappa_eq to {KAPPA_TARGET:g}."
    )


def _data_exponent(fit: Optimum) -> float:
    """The exponent of D within the power sum; on a ray that of N stands for it."""
    left = fit.reduced if fit.on_ray else None
    if left is None:
        return fit.law.inner_data_exponent(dict(zip(fit.law.parameters, fit.theta, strict=True)))
    assert left.problem.reduction is not None
    shared, own = left.problem.reduction.shared, zip(left.law.parameters, left.theta, strict=True)
    return fit.law.inner_data_exponent({shared[name]: value for name, value in own if name in shared})
