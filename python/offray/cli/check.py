# SPDX-License-Identifier: Apache-2.0
"""The command ``offray check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import fitting, options, output
from offray.cli.groups import option_groups
from offray.cli.planning import Planning
from offray.cli.reading import FILE, Reading, refuse


@option_groups
def check(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help=FILE)],
    kappa_target: Annotated[float, typer.Option(help="For kappa_eq of the two terms.")] = 100.0,
    assumed: Annotated[
        Path | None, typer.Option("--fit", metavar="FILE", help="A saved fit, whose law, parameters and noise are assumed.")
    ] = None,
    *,
    form: output.Form,
    how: Planning,
    reading: Reading,
) -> None:
    """Before training: what planned runs will determine.

    Exit codes: 0 fine, 2 bad input, 3 the plan does not pass, or the parameters of --fit are not determined.
    """
    try:
        the_law, theta, sigma = (how.the_law(), how.assumed(), how.sigma) if assumed is None else _of_fit(assumed, how)
        runs = how.read(plan, reading, the_law)
        result = offray.check(runs, law=the_law, theta=theta, kappa_target=kappa_target, target=how.where(the_law), sigma=sigma)
    except options.BAD_INPUT as error:
        options.fail(str(error))
    form.show(
        "design_check",
        text=lambda: typer.echo(str(result)),
        data=lambda: {**result.to_dict(), "passes": result.passes, "verdict": result.verdict},
        rows=lambda: [
            {**row, **{f"sd_{name}": value for name, value in result.figures[row["theta"]].sd.items()}} for row in _rows(result)
        ],
    )
    raise typer.Exit(options.Exit.FINE if result.passes else options.Exit.NOT_IDENTIFIED)


def _of_fit(path: Path, how: Planning) -> tuple[offray.Law, Any, float]:
    """The law, parameters and noise of a saved fit."""
    fit: offray.Fit | None = fitting.saved(path)
    if fit is None:
        raise ValueError(f"--fit: {path} is no saved fit")
    refuse(how, f"does not go with --fit: {path} has a law and parameters of its own", but=("--target", "--sigma", "--column"))
    if not fit.identifiability.identified:
        why = "its runs do not determine the parameters that would be assumed"
        options.fail(f"--fit: {path}: {why}", options.Exit.NOT_IDENTIFIED)
    return fit.law, {"fitted": fit.theta}, float(fit.noise_sd) if how.sigma is None else how.sigma


def _rows(result: offray.DesignCheck) -> list[dict[str, Any]]:
    return [
        {
            "theta": name,
            "kappa_eq": at.kappa_eq,
            "inflation": at.inflation,
            "r_min": at.r_min,
            "kappa_2": at.kappa_2,
            "kappa_relative": at.kappa_relative,
            **{key: getattr(at.diversity, key, None) for key in ("V_K", "tau_K")},
        }
        for name, at in result.figures.items()
    ]
