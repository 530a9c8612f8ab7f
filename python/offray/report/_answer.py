# SPDX-License-Identifier: Apache-2.0
"""The answer that a report begins with: what the law is, what is known, what is not, what to run next."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import offray

FLOPS_PER_TOKEN = 6.0
_NEXT_RUNS = 4
_WIDER = 3.0
_NOISE = 0.01
"""Of a loss, nats per token, where the runs do not tell theirs."""
_AHEAD = 10.0
_RATIOS = (1.0, 1000.0)


@dataclass(frozen=True)
class Answer:
    """In sentences.

    Attributes
    ----------
    verdict : str
        One sentence.
    good : bool
        Whether the runs determine the law, and nothing speaks against it.
    formula : str
        The law, or what is left of it.
    known, unknown : tuple of str
        Names of what is determined and of what is not.
    warnings, notes : tuple of str
        Those of the fit.
    """

    verdict: str
    good: bool
    formula: str
    known: tuple[str, ...]
    unknown: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def answer(fit: offray.Fit) -> Answer:
    """What a fit says."""
    report = fit.identifiability
    runs = f"{len(fit.residuals)} runs"
    if not report.identified:
        verdict = f"These {runs} do not determine the law {fit.law.name}: {_reason(fit)}."
    elif report.warnings:
        verdict = (
            f"These {runs} determine the parameters of {fit.law.name}, but speak against the law or are no runs of their own."
        )
    else:
        verdict = f"These {runs} determine the law {fit.law.name}."
    known, unknown = ([name for name, good in report.determined.items() if good is which] for which in (True, False))
    left = fit.reduced
    formula = fit.law.formula if left is None else next(text for label, text in fit.facts() if label == "law").split(": ", 1)[1]
    told = [_told(fit, name) for name in known]
    return Answer(
        verdict, report.identified and not report.warnings, formula, tuple(told), tuple(unknown), report.warnings, fit.notes()
    )


def _told(fit: offray.Fit, name: str) -> str:
    """Something that is known, with its value where it is a parameter."""
    equal = fit.identifiability.equal
    if name == "compute-optimal":
        return _ahead(fit)
    if name not in fit.law.parameters:
        return name
    value = f"{name} = {float(fit.params[name]):.4g}"
    return f"{value} (if {' = '.join(equal)})" if name in equal else value


def _ahead(fit: offray.Fit) -> str:
    """What people fit for: the best model at a larger compute than that of the runs."""
    N, D = (np.asarray(fit.problem.columns[name], float) for name in ("params", "tokens"))
    C = _AHEAD * FLOPS_PER_TOKEN * float((N * D).max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report says how far it reaches
        best = fit.compute_optimal(C)
    return f"at {C:.3g} FLOP, {_AHEAD:g} times the largest run, N* = {best.N}, D* = {best.D}, loss {best.loss}"


def _reason(fit: offray.Fit) -> str:
    """Why not, in words."""
    said = {
        "one_ray": "all lie on one ray, so that the terms in N and in D cannot be told apart",
        "one_size": "all have one size",
        "one_token_count": "all have one number of tokens",
        "at_bound": "a parameter sits at its bound",
        "few_runs": "they are too few",
        "rival_optimum": "two optima are equally good",
        "floor_unknown": "the floor of the loss is open",
        "exponent_unknown": "an exponent is open",
    }
    found = [said[key] for key in fit.identifiability.findings if key in said]
    if found:
        return found[0]
    return "too many directions are open" if fit.identifiability.findings else fit.status.replace("_", " ")


def next_runs(fit: offray.Fit) -> tuple[offray.Suggestion | None, str]:
    """The most useful runs that together cost as much as the largest so far, near the present ones; or why there are none."""
    columns = fit.problem.columns
    if not {"params", "tokens"} <= columns.keys() or fit.law.further:
        return (
            None,
            "A plan over other inputs than N and D needs their ranges and what a run costs: offray suggest --range --cost.",
        )
    N, D = (np.asarray(columns[name], float) for name in ("params", "tokens"))
    budget = FLOPS_PER_TOKEN * float((N * D).max())
    region = {"N": (float(N.min()), _WIDER * float(N.max())), "D": (float(D.min()) / _WIDER, _WIDER * float(D.max()))}
    noise = None if np.isfinite(fit.noise_sd) else _NOISE
    ratios = _ratios(N, D)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            plan = offray.suggest(fit=fit, sigma=noise, budget=budget, region=region, max_runs=_NEXT_RUNS, tpp=ratios)
        except ValueError as refused:
            return None, f"No plan: {refused}."
    return plan, ""


def _ratios(N: Any, D: Any) -> tuple[float, float]:
    """Tokens per parameter worth training at: those of the runs, and what is usual."""
    k = D / N
    return min(_RATIOS[0], float(k.min())), max(_RATIOS[1], float(k.max()))
