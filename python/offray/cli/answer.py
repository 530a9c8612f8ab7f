# SPDX-License-Identifier: Apache-2.0
"""What people fit for: N, D and the loss that are best for a budget."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

import offray
from offray.cli.options import FLOPS_PER_TOKEN
from offray.cli.output import aligned, count

BEYOND = (1, 10, 100)
"""Times the largest compute of the runs."""
_BEYOND = "at the largest run's C, 10 and 100 times it (95 % intervals):"
_ACROSS = 3
_FIELDS = ("N", "D", "TPP", "loss")


class Answer(NamedTuple):
    """As text, and as plain data."""

    text: str
    data: Mapping[str, Any]


def at_the_largest(fit: offray.Fit) -> Answer | None:
    """At the largest compute of the runs and beyond it; None for a law that has no such point."""
    if not fit.law.further and ({"params", "tokens"} <= {*fit.law.inputs} or fit.law.built_in):
        if "implausible_units" in fit.findings:
            why = "counts in units that look wrong, as the warning says, give no such point"
            return Answer(f"no N* and D*: {why}", {"refused": why})
        largest = float((FLOPS_PER_TOKEN * fit.problem.N * fit.problem.D).max())
        try:
            with warnings.catch_warnings():
                open_is_an_error()
                best = fit.compute_optimal(largest * np.array(BEYOND))
        except (offray.NotIdentifiedError, offray.IdentifiabilityWarning) as why:
            return Answer(f"no N* and D*: {why}", {"refused": str(why)})
        return Answer(f"compute-optimal {_BEYOND}\n{text(best)}", data(best))
    if tuple(fit.law.inputs) == ("C",):
        C = float(np.max(fit.problem.columns["C"])) * np.array(BEYOND)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
            loss = fit.predict(inputs={"C": C})
        cells = [_cell(v, ends, loss=True) for v, ends in zip(loss.value, loss.interval, strict=True)]
        found = {"C": C, "loss": {"value": loss.value, "interval": loss.interval}, "level": loss.level}
        return Answer(f"loss {_BEYOND}\n{aligned([['', *_heads(C)], ['loss', *cells]])}", found)
    return None


def open_is_an_error() -> None:
    """Has an optimum that the runs do not determine raised in place of warned of, within ``warnings.catch_warnings``.

    By its text: what else is said of an optimum, such as of its bootstrap, is of the same category and stays a warning.
    """
    warnings.filterwarnings("error", "the compute-optimal point is not determined", offray.IdentifiabilityWarning)


def text(best: offray.ComputeOptimal) -> str:
    """Budgets side by side, three in a block."""
    budgets = np.atleast_1d(best.C)
    blocks = []
    for first in range(0, len(budgets), _ACROSS):
        here = slice(first, first + _ACROSS)
        rows = [["", *_heads(budgets[here])]]
        for name in _FIELDS:
            values, ends = _flat(getattr(best, name))
            rows.append([_label(name), *map(_cell, values[here], ends[here], [name == "loss"] * _ACROSS)])
        blocks.append(aligned(rows))
    return "\n\n".join(blocks)


def data(best: offray.ComputeOptimal) -> dict[str, Any]:
    """The same as plain data: lists with a value for each budget."""
    out: dict[str, Any] = {"C": np.atleast_1d(best.C), "level": best.level, "method": best.method}
    for name in (*_FIELDS, "a", "b", "elasticity"):
        values, ends = _flat(getattr(best, name))
        out[name] = {"value": values, "interval": ends}
    return out | {"reach": np.atleast_1d(best.reach), "findings": best.findings}


def rows(best: offray.ComputeOptimal) -> list[dict[str, Any]]:
    """The same with a row for each budget."""
    out: list[dict[str, Any]] = [{"flops": C} for C in np.atleast_1d(best.C)]
    for name, column in zip(_FIELDS, ("params", "tokens", "tpp", "loss"), strict=True):
        for row, value, (low, high) in zip(out, *_flat(getattr(best, name)), strict=True):
            row |= {column: value, f"{column}_low": low, f"{column}_high": high}
    return out


def _flat(of: offray.Estimate) -> tuple[Any, Any]:
    return np.atleast_1d(of.value), of.interval.reshape(-1, 2)


def _label(name: str) -> str:
    return name if name == "loss" else f"{name}*"


def _heads(budgets: Iterable[float]) -> list[str]:
    return [f"C = {C:.4g}" for C in budgets]


def _cell(value: Any, ends: Any, loss: bool) -> str:
    if not np.isfinite(value):
        return "not determined"
    shown = _nats if loss else count
    return f"{shown(value)} ({shown(ends[0])} .. {shown(ends[1])})"


def _nats(x: float) -> str:
    return f"{x:.3f}" if 0.1 <= abs(x) < 100 else f"{x:.4g}"
