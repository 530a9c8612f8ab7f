# SPDX-License-Identifier: Apache-2.0
"""A fit as text and as plain data; the command line shows the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from offray._identify.certificate import certify
from offray._identify.findings import name_direction
from offray._identify.report import Identifiability, assess
from offray._infer.intervals import conf_int
from offray._infer.misfit import misfit
from offray._infer.request import METHODS, Request
from offray._input.arrays import Array
from offray._optimum import Optimum
from offray._text import Sheet, rounded, two_digits

_TREND = 0.05
"""Level of the test for a curve in the residuals, for the line that describes them; findings are stricter."""

HEADER = ("parameter", "estimate", "s.e.", "95 % interval")


def rows(fit: Optimum) -> list[tuple[str, str, str, str]]:
    """One row per parameter: name, estimate, standard error, 95 % interval. On a ray psi comes first."""
    if fit.reduced is not None:
        to = fit.reduced.problem.reduction
        assert to is not None
        known = [(to.label(name), *cells) for name, *cells in rows(fit.reduced)]
        if fit.blended:  # the reduced law is rejected
            known = [(name, value, se, "of a law that the runs reject") for name, value, se, _ in known]
        lost = [name for name in fit.law.parameters if name not in to.shared.values()]
        return [(name, value, se, ends) for name, value, se, ends in known] + [
            (name, "", "", "not determined") for name in lost
        ]
    out = []
    for name, free, stuck, value, se, (low, high) in zip(
        fit.law.parameters, fit.core.free, fit.core.at_bound, fit.theta, fit.se, _intervals(fit), strict=True
    ):
        if not free:
            out.append((name, f"{value:.6g}", "fixed", ""))
        elif stuck:
            side = f", below {high:.5g}" if value < high < np.inf else f", above {low:.5g}" if 0 < low < value else ""
            out.append((name, f"{value:.6g}", "", f"at its bound{side}"))
        elif not np.isfinite(se):
            out.append((name, f"{value:.6g}", "inf", "not determined"))
        else:
            out.append((name, rounded(value, se), two_digits(se), f"{rounded(low, se)} .. {rounded(high, se)}"))
    return out


def estimates(fit: Optimum) -> str:
    """The parameters in one line, to the digits that the runs determine."""
    return ", ".join(f"{name}={rounded(value, se)}" for (name, value), se in zip(fit.params.items(), fit.se, strict=True))


def facts(fit: Optimum, report: Identifiability) -> list[tuple[str, str]]:
    """Figures on the fit as a whole."""
    shown = fit if fit.reduced is None else fit.reduced
    at = shown.conditioning
    space = "log loss" if fit.log_loss else "loss"
    to = shown.problem.reduction
    law = fit.law.name if to is None or fit.reduced is None else f"{fit.law.name}, {to.text}"
    out = [
        ("law", law),
        ("runs", f"{len(fit.residuals)}{' weighted' if fit.weighted else ''} ({shown.degrees_of_freedom} degrees of freedom)"),
        ("objective", f"{_objective(shown)} on {space} = {shown.objective_value:.9g}, RSS = {shown.rss:.9g}"),
        ("residuals", _residuals(shown)),
        ("status", f"{shown.status}. {shown.message}"),
        ("optimum", str(certify(shown))),
        (
            "conditioning",
            f"kappa_2 = {at.kappa:.4g}, rank {at.rank} of {len(at.direction)}; least determined: {name_direction(shown)}",
        ),
    ]
    if report.pair and fit.reduced is None:
        pair = " and ".join(report.pair)
        text = f"{pair}: kappa_eq = {report.kappa_eq:.4g}, intervals {report.inflation:.3g} times wider for it"
        out.append(("terms", text))
    return out


def _intervals(fit: Optimum) -> Array:
    return conf_int(fit, Request(method="auto", known=METHODS))


def _residuals(fit: Optimum) -> str:
    at = misfit(fit)
    if not np.isfinite(at.residual_sd):
        return "as many free parameters as runs: none"
    unit = "of ln L" if fit.log_loss else "nats"
    text = f"s.d. {at.residual_sd:.3g} {unit}, {100 * at.relative_sd:.2g} % of the loss"
    if at.pure_error_dof:
        text += f"; {at.pure_error:.3g} among repeated runs"
    if at.trend.p < _TREND:
        text += f"; a curve of {at.pattern:.2g} that the law cannot follow, p = {at.trend.p:.2g}"
    elif at.trend.F == at.trend.F:
        text += f"; no curve that the law cannot follow (p = {at.trend.p:.2g})"
    return text


def _objective(fit: Optimum) -> str:
    return f"{fit.objective} (delta {fit.delta:.4g})" if np.isfinite(fit.delta) else fit.objective


def sheet(fit: Optimum, report: Identifiability, law_matters: tuple[str, ...]) -> Sheet:
    """The fit as a table."""
    said = [f"warning: {message}" for message in report.warnings]
    said += [f"note: {message}" for message in (*report.notes, *law_matters)]
    above = [f"{label + ':':14}{text}" for label, text in facts(fit, report)]
    return Sheet([*above, ""], [HEADER, *rows(fit)], ["", *said] if said else [])


def finite(value: Any) -> float | None:
    """A figure for JSON."""
    return float(value) if np.isfinite(value) else None


def as_data(fit: Optimum, report: Identifiability, law_matters: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fit as plain data for JSON; None stands for an infinite figure."""
    names = fit.law.parameters
    certificate = certify(fit)
    return {
        "law": fit.law.name,
        "objective": fit.objective,
        "log_loss": fit.log_loss,
        "runs": len(fit.residuals),
        "weighted": fit.weighted,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "params": {n: finite(v) for n, v in fit.params.items()},
        "se": {n: finite(v) for n, v in zip(names, fit.se, strict=True)},
        "interval": {n: [finite(low), finite(high)] for n, (low, high) in zip(names, _intervals(fit), strict=True)},
        "rss": finite(fit.rss),
        "objective_value": finite(fit.objective_value),
        "status": fit.status,
        "converged": fit.converged,
        "message": fit.message,
        "delta": finite(fit.delta),
        "limit": certificate.limit,
        "basins": [finite(basin.objective_value) for basin in certificate.basins],
        "kappa": finite(fit.conditioning.kappa),
        "rank": fit.conditioning.rank,
        "sloppy_direction": dict(fit.sloppy_direction),
        "misfit": misfit(fit.reduced or fit).to_dict(),
        "identified": report.identified,
        "warnings": list(report.warnings),
        "notes": [*report.notes, *law_matters],
        "findings": [*report.findings, *(["law_matters"] if law_matters else [])],
        "identifiability": {
            "rank_against_noise": report.rank_against_noise,
            "kappa_relative": finite(report.kappa_relative),
            "singular_values": [finite(value) for value in report.singular_values],
            "pair": list(report.pair),
            "kappa_eq": finite(report.kappa_eq),
            "inflation": finite(report.inflation),
            "variance_inflation": {n: finite(v) for n, v in report.variance_inflation.items()},
            "determined": dict(report.determined),
        },
        "reduced": None if fit.reduced is None else as_data(fit.reduced, assess(fit.reduced)),
    }
