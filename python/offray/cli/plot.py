# SPDX-License-Identifier: Apache-2.0
"""The command ``offray plot``. Needs the extra ``plot`` too."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import fitting
from offray.cli.options import BAD_INPUT, Exit, fail
from offray.cli.reading import Reading, reads_runs

_KINDS = "runs, uncertainty, residuals, optimal, likelihood, profile, conditioning, kappa, isoflop, compare"


@reads_runs
def plot(
    runs: fitting.Runs,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="A png, svg or pdf file.")],
    kind: Annotated[str, typer.Option(help=f"One of: {_KINDS}.")] = "runs",
    columns: Annotated[int, typer.Option(help="Panels side by side, where there are several; 1 for a narrow page.")] = 2,
    law: fitting.Law = "chinchilla",
    column: fitting.Column = None,
    real: fitting.Real = None,
    objective: fitting.Objective = "squares",
    delta: fitting.Delta = None,
    quantile: fitting.Quantile = None,
    log_loss: fitting.LogLoss = False,
    fix: fitting.Fix = None,
    tie: fitting.Tie = None,
    force: fitting.Force = False,
    *,
    reading: Reading,
) -> None:
    """Draw a fit of a table of training runs; what the runs do not determine is hatched or left blank.

    Exit codes: 0 fine, 2 bad input.
    """
    try:
        pictures = offray.plot
    except ModuleNotFoundError as missing:
        fail(str(missing))
    try:
        table, the_law = fitting.read(runs, law, reading, column=column, real=real)
        of: Any
        if kind == "compare":
            of = offray.compare(table, log_loss=log_loss)
        else:
            of = fitting.fit(
                table,
                the_law,
                objective=objective,
                delta=delta,
                quantile=quantile,
                log_loss=log_loss,
                fix=fix,
                tie=tie,
                force=force,
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # the picture shows it
            pictures.save(pictures.figure(of, kind, columns=columns), output)
    except (*BAD_INPUT, OSError) as error:
        fail(str(error))
    raise typer.Exit(Exit.FINE)
