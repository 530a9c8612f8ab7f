# SPDX-License-Identifier: Apache-2.0
"""A fit as text and as plain data; the command line shows the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from offray._findings import name_direction
from offray._on_ray import FORMULA, PSI
from offray._text import aligned

if TYPE_CHECKING:
    from offray._result import Fit

HEADER = ("parameter", "estimate", "s.e.", "95 % interval")


def rows(fit: Fit) -> list[tuple[str, str, str, str]]:
    """One row per parameter: name, estimate, standard error, 95 % interval. On a ray psi comes first."""
    if fit.reduced is not None:
        unknown = [name for name in fit.law.parameters if name not in fit.reduced.law.parameters]
        return rows(fit.reduced) + [(name, "", "", "not determined") for name in unknown]
    out = []
    for name, free, stuck, value, se, (low, high) in zip(
        fit.law.parameters, fit._core.free, fit._core.at_bound, fit.theta, fit.se, fit.conf_int(), strict=True
    ):
        if not free:
            out.append((name, f"{value:.6g}", "fixed", ""))
        elif stuck:
            out.append((name, f"{value:.6g}", "", "at its bound"))
        elif not np.isfinite(se):
            out.append((name, f"{value:.6g}", "inf", "not determined"))
        else:
            out.append((name, f"{value:.6g}", f"{se:.2g}", f"{low:.5g} .. {high:.5g}"))
    return out


def facts(fit: Fit) -> list[tuple[str, str]]:
    """Figures on the fit as a whole."""
    shown = fit if fit.reduced is None else fit.reduced
    at = shown.conditioning
    space = "log loss" if fit.log_loss else "loss"
    law = (
        fit.law.name
        if fit.reduced is None
        else f"{fit.law.name}, on one ray: {FORMULA[fit.law.name]}, psi = {PSI[fit.law.name]}"
    )
    out = [
        ("law", law),
        ("runs", f"{len(fit.residuals)}{' weighted' if fit.weighted else ''} ({shown.degrees_of_freedom} degrees of freedom)"),
        ("objective", f"{_objective(shown)} on {space} = {shown.objective_value:.9g}, RSS = {shown.rss:.9g}"),
        ("status", f"{shown.status}. {shown.message}"),
        ("optimum", str(shown.certificate)),
        (
            "conditioning",
            f"kappa_2 = {at.kappa:.4g}, rank {at.rank} of {len(at.direction)}; least determined: {name_direction(shown)}",
        ),
    ]
    pair = fit.identifiability
    if pair.pair:
        text = f"{' and '.join(pair.pair)}: kappa_eq = {pair.kappa_eq:.4g}, intervals {pair.inflation:.3g} times wider for it"
        out.append(("terms", text))
    return out


def _objective(fit: Fit) -> str:
    return f"{fit.objective} (delta {fit.delta:.4g})" if np.isfinite(fit.delta) else fit.objective


def as_text(fit: Fit) -> str:
    """The fit as an aligned table."""
    lines = [f"{label + ':':14}{text}" for label, text in facts(fit)]
    lines += ["", aligned([HEADER, *rows(fit)])]
    lines += ["", *(f"warning: {message}" for message in fit.identifiability.warnings)]
    lines += [f"note: {message}" for message in fit.identifiability.notes]
    return "\n".join(lines).rstrip()


def as_data(fit: Fit) -> dict[str, Any]:
    """The fit as plain data for JSON; None stands for an infinite figure."""

    def plain(value: Any) -> float | None:
        return float(value) if np.isfinite(value) else None

    names = fit.law.parameters
    report = fit.identifiability
    return {
        "law": fit.law.name,
        "objective": fit.objective,
        "log_loss": fit.log_loss,
        "runs": len(fit.residuals),
        "weighted": fit.weighted,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "params": {n: plain(v) for n, v in fit.params.items()},
        "se": {n: plain(v) for n, v in zip(names, fit.se, strict=True)},
        "interval": {n: [plain(low), plain(high)] for n, (low, high) in zip(names, fit.conf_int(), strict=True)},
        "rss": plain(fit.rss),
        "objective_value": plain(fit.objective_value),
        "status": fit.status,
        "converged": fit.converged,
        "message": fit.message,
        "delta": plain(fit.delta),
        "limit": fit.certificate.limit,
        "basins": [plain(basin.objective_value) for basin in fit.certificate.basins],
        "kappa": plain(fit.conditioning.kappa),
        "rank": fit.conditioning.rank,
        "sloppy_direction": dict(fit.sloppy_direction),
        "identified": report.identified,
        "warnings": list(report.warnings),
        "notes": list(report.notes),
        "findings": list(report.findings),
        "identifiability": {
            "rank_against_noise": report.rank_against_noise,
            "kappa_relative": plain(report.kappa_relative),
            "singular_values": [plain(value) for value in report.singular_values],
            "pair": list(report.pair),
            "kappa_eq": plain(report.kappa_eq),
            "inflation": plain(report.inflation),
            "variance_inflation": {n: plain(v) for n, v in report.variance_inflation.items()},
            "determined": dict(report.determined),
        },
        "reduced": None if fit.reduced is None else as_data(fit.reduced),
    }
