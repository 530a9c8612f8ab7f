# SPDX-License-Identifier: Apache-2.0
"""The command ``offray fit``."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import offray
from offray.cli.options import BAD_INPUT, LAWS, Exit, fail, law_of, number, pair, required
from offray.cli.reading import FILE, Reading, reads_runs


@reads_runs
def fit(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help=FILE)],
    law: Annotated[
        str, typer.Option(help=f"{LAWS} Or power, outer_exponent, logistic, or a formula such as 'E + A*x**-alpha'.")
    ] = "chinchilla",
    column: Annotated[
        list[str] | None, typer.Option(metavar="INPUT=COLUMN", help="Column of an input of a formula, where names differ.")
    ] = None,
    real: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A formula's parameter or input that may be zero or negative.")
    ] = None,
    objective: Annotated[str, typer.Option(help=f"One of: {', '.join(offray.OBJECTIVES)}.")] = "squares",
    delta: Annotated[
        str | None, typer.Option(help="Scale of a robust objective, in units of the residual, or 'mad'. [default: 0.001]")
    ] = None,
    quantile: Annotated[float | None, typer.Option(help="Level of the objective 'quantile'. [default: 0.5]")] = None,
    log_loss: Annotated[bool, typer.Option("--log-loss", help="Fit ln(loss).")] = False,
    fix: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Hold a parameter at a value.")] = None,
    tie: Annotated[list[str] | None, typer.Option(metavar="NAME=NAME", help="Let two parameters share a value.")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of groups, fitted as one law with shared parameters.")
    ] = None,
    share: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="The parameters that the groups share.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="On one ray: the full law's figures, although the runs do not determine them.")
    ] = False,
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
        inputs = dict(pair(text, "INPUT=COLUMN") for text in column or [])
        the_law = law_of(law, tuple(inputs), tuple(real or ()))
        inputs = {name: inputs.get(name, name) for name in the_law.further}
        table = reading.read(runs, required=required(the_law), inputs=inputs, by=by)
        with warnings.catch_warnings():
            # Both are part of the report below.
            warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
            warnings.simplefilter("ignore", offray.ConvergenceWarning)
            if by is not None or share is not None:
                _grouped(table, by, share, as_json, law=the_law, log_loss=log_loss, fixed=_fixed(fix or []))
            result = offray.fit(
                table,
                law=the_law,
                objective=objective,
                delta=delta if delta in (None, "mad") else number("--delta", delta),
                quantile=quantile,
                log_loss=log_loss,
                fixed=_fixed(fix or []),
                tied=[pair(text, "NAME=NAME") for text in tie or []],
                identify="force" if force else "auto",
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


def _fixed(options: list[str]) -> dict[str, float]:
    pairs = [pair(text) for text in options]
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--fix: {name} is given more than once")
    return {name: number("--fix", value) for name, value in pairs}
