# SPDX-License-Identifier: Apache-2.0
"""The tables of a report: parameters, what the law says of larger budgets, the runs that fit worst."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import offray
from offray.report._answer import FLOPS_PER_TOKEN

_BUDGETS = (1.0, 10.0, 100.0)


class Table(NamedTuple):
    """Headings, rows of text, and what is to be said below."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    remarks: list[str]


def parameters(fit: offray.Fit) -> Table:
    """Estimates, standard errors and intervals, as ``print(fit)`` shows them."""
    head, *rows = fit.rows()
    return Table(head, list(rows), [])


def budgets(fit: offray.Fit) -> Table:
    """The compute-optimal point at the largest budget, ten and a hundred times as much; on a ray the loss along it."""
    if not {"params", "tokens"} <= fit.problem.columns.keys() or fit.law.further:
        return Table((), [], [f"Budgets are about N and D; the law {fit.law.name} reads {', '.join(fit.law.inputs)}."])
    C = FLOPS_PER_TOKEN * float((fit.problem.N * fit.problem.D).max()) * np.array(_BUDGETS)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", offray.IdentifiabilityWarning)
        try:
            best = fit.compute_optimal(C)
        except ValueError as refused:
            return _along(fit, C, str(refused))
    head = ("budget", "parameters N*", "tokens D*", "tokens per parameter", "loss, nats per token")
    rows = [
        (_flops(flops, times), *(_estimate(getattr(best, name), k) for name in ("N", "D", "TPP", "loss")))
        for k, (flops, times) in enumerate(zip(C, _BUDGETS, strict=True))
    ]
    remarks = ["In brackets 95 % intervals; that of the loss allows for what the law may be wrong by beyond the runs."]
    return Table(head, rows, [*(str(warning.message) for warning in told), *remarks])


def _along(fit: offray.Fit, C: Any, why: str) -> Table:
    """Losses at the tokens per parameter that all runs have, where there is no optimum to tell."""
    low, high = fit.tokens_per_parameter
    k = float(np.sqrt(low * high))
    N = np.sqrt(C / FLOPS_PER_TOKEN / k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        try:
            at = fit.predict(N, k * N)
        except ValueError as refused:
            return Table((), [], [why, str(refused)] if str(refused) != why else [why])
    head = ("budget", "parameters N", "tokens D", "tokens per parameter", "loss, nats per token")
    rows = [
        (_flops(flops, times), f"{n:.3g}", f"{k * n:.3g}", f"{k:.3g}, as all runs", _cell(value, *ends))
        for flops, times, n, value, ends in zip(C, _BUDGETS, N, at.value, at.interval, strict=True)
    ]
    return Table(head, rows, [f"No compute-optimal point: {why}"])


def worst(fit: offray.Fit) -> Table:
    """The runs furthest from the law."""
    return Table(("run", "observed less fitted, s.d."), [(row, f"{r:+.1f}") for row, r in fit.misfit.worst], [])


def plan(suggestion: offray.Suggestion) -> Table:
    """The runs that are suggested, and what they bring."""
    head = ("parameters N", "tokens D", "tokens per parameter", "FLOP", "times")
    rows = [
        (f"{r['N']:.3g}", f"{r['D']:.3g}", f"{r['TPP']:.3g}", f"{r['FLOPs']:.3g}", str(r["repeats"])) for r in suggestion.runs
    ]
    before, after = (suggestion.sd[name] for name in ("before", "suggested"))
    names = {"loss@target": "the loss at the target, compute-optimal at 100 times the largest run", "ln TPP*": "ln TPP* there"}
    gains = [
        f"Standard deviation of {text}: {_sd(before[key])} before, {_sd(after[key])} after." for key, text in names.items()
    ]
    assumed = [name for name in suggestion.theta if not name.startswith("axis ")]
    return Table(
        head, rows, [*gains, f"The figures assume {'the fitted parameters' if assumed == ['fitted'] else '; '.join(assumed)}."]
    )


def _sd(value: float) -> str:
    return f"{value:.2g}" if value < 100 else "not determined"


def _flops(flops: float, times: float) -> str:
    return f"{flops:.3g} FLOP, {'that of the largest run' if times == 1 else f'{times:g} times that'}"


def _estimate(at: offray.Estimate, k: int) -> str:
    return _cell(at.value[k], *at.interval[k])


def _cell(value: float, low: float, high: float) -> str:
    inside = f"{low:.4g} to {high:.4g}" if np.isfinite([low, high]).all() and high < 1e6 * value else "open"
    return f"{value:.4g} ({inside})"
