# SPDX-License-Identifier: Apache-2.0
"""The command ``offray plot``. Needs the extra ``plot`` too."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import fitting
from offray.cli.options import Exit, fail

_KINDS = "runs, uncertainty, residuals, optimal, likelihood, profile, conditioning, kappa, isoflop, compare"


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
    params: fitting.Params = None,
    tokens: fitting.Tokens = None,
    loss: fitting.Loss = None,
    unique_tokens: fitting.UniqueTokens = None,
    weight: fitting.Weight = None,
    force: fitting.Force = False,
) -> None:
    """Draw a fit of a table of training runs; what the runs do not determine is hatched or left blank.

    Exit codes: 0 fine, 2 bad input.
    """
    try:
        pictures = offray.plot
    except ModuleNotFoundError as missing:
        fail(str(missing))
    roles = {"params": params, "tokens": tokens, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    try:
        table, the_law, inputs = fitting.read(runs, law, column=column, real=real, roles=roles)
        of: Any
        if kind == "compare":
            of = offray.compare(table, log_loss=log_loss)
        else:
            of = fitting.fit(
                table,
                the_law,
                inputs,
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
    except (ValueError, OSError) as error:
        fail(str(error))
    raise typer.Exit(Exit.FINE)
