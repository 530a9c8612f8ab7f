# SPDX-License-Identifier: Apache-2.0
"""The command ``offray fit``."""

from __future__ import annotations

import json
import warnings
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import offray
from offray.cli import fitting
from offray.cli.options import BAD_INPUT, Exit, fail
from offray.cli.reading import Reading, reads_runs


@reads_runs
def fit(
    runs: fitting.Runs,
    law: fitting.Law = "chinchilla",
    column: fitting.Column = None,
    real: fitting.Real = None,
    objective: fitting.Objective = "squares",
    delta: fitting.Delta = None,
    quantile: fitting.Quantile = None,
    log_loss: fitting.LogLoss = False,
    fix: fitting.Fix = None,
    tie: fitting.Tie = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of groups, fitted as one law with shared parameters.")
    ] = None,
    share: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="The parameters that the groups share.")] = None,
    force: fitting.Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    *,
    reading: Reading,
) -> None:
    """Fit a scaling law to a table of training runs.

    Columns are recognised by name (params or N, tokens or D, loss, unique_tokens, weight) or given by option. In a formula
    N, D, U, C, x and the inputs of --column are inputs, every other name is a parameter.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not identify the law, 4 no convergence.
    """
    try:
        table, the_law = fitting.read(runs, law, reading, column=column, real=real, by=by)
        if by is not None or share is not None:
            _grouped(table, by, share, as_json, law=the_law, log_loss=log_loss, fixed=fitting.fixed(fix or []))
        result = fitting.fit(
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
    except BAD_INPUT as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False))
    else:
        _show(result)
    raise typer.Exit(_exit_code(result))


def _grouped(table: Any, by: str | None, share: str | None, as_json: bool, **options: Any) -> NoReturn:
    if by is None or share is None:
        raise ValueError("--by and --share go together: the column of groups, and the parameters that they share")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # both are part of what is shown
        warnings.simplefilter("ignore", offray.ConvergenceWarning)
        result = offray.fit(table, by=by, shared=[name.strip() for name in share.split(",")], **options)
    typer.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False) if as_json else str(result))
    codes = {"converged": Exit.FINE, "rank_deficient": Exit.NOT_IDENTIFIED}
    raise typer.Exit(codes.get(result.status, Exit.NO_CONVERGENCE))


def _exit_code(result: offray.Fit) -> Exit:
    if result.identifiability.identified:
        return Exit.FINE
    # Runs that cannot determine the law often leave nothing to converge to: then that is the news.
    return Exit.NOT_IDENTIFIED if result.identifiability.warnings else Exit.NO_CONVERGENCE


def _show(result: offray.Fit) -> None:
    console = Console()
    for label, text in result.facts():
        console.print(f"[bold]{label + ':':14}[/bold]{escape(text)}", highlight=False, soft_wrap=True)
    table = Table()
    headings, *rows = result.rows()
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for message in result.identifiability.warnings:
        console.print(f"[yellow]warning:[/yellow] {escape(message)}", highlight=False, soft_wrap=True)
    for message in result.notes():
        console.print(f"[cyan]note:[/cyan] {escape(message)}", highlight=False, soft_wrap=True)
