# SPDX-License-Identifier: Apache-2.0
"""The command ``offray fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import offray
from offray.cli import answer, fitting, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, Exit, fail
from offray.cli.reading import Reading, as_typed, refuse

_OF_GROUPS = ("--law", "--column", "--real", "--fix", "--log-loss", "--objective", "--delta")


@option_groups
def fit(
    runs: fitting.RunsOrFit,
    save: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Save the fit, for the other commands.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of groups, fitted as one law with shared parameters.")
    ] = None,
    share: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="The parameters that the groups share.")] = None,
    *,
    form: output.Form,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Fit a scaling law to a table of training runs.

    Columns are recognised by name (params or N, tokens or D, loss, unique_tokens, weight) or given by option. In a formula
    N, D, U, C, x and the inputs of --column are inputs, every other name is a parameter.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not identify the law, 4 no convergence.
    """
    try:
        result: Any
        result = _single(runs, how, reading) if by is None and share is None else _grouped(runs, by, share, how, reading)
        if save is not None:
            result.save(save)
        single = isinstance(result, offray.Fit)
        best = answer.at_the_largest(result) if single else None
    except BAD_INPUT as error:
        fail(str(error))
    form.show(
        "fit" if single else "grouped_fit",
        text=lambda: _show(result, best) if single else typer.echo(str(result)),
        data=lambda: result.to_dict() | ({"optimal": best and best.data} if single else {}),
        rows=lambda: _parameters(result) if single else _of_groups(result),
    )
    raise typer.Exit(fitting.code(result) if single else _code(result))


def _single(runs: Path, how: fitting.Fitting, reading: Reading) -> offray.Fit | offray.GroupedFit:
    there: offray.Fit | offray.GroupedFit | None = fitting.saved(runs, how, reading, kind=(offray.Fit, offray.GroupedFit))
    return how.of(*how.read(runs, reading)) if there is None else there


def _grouped(runs: Path, by: str | None, share: str | None, how: fitting.Fitting, reading: Reading) -> offray.GroupedFit:
    if by is None or share is None:
        raise ValueError("--by and --share go together: the column of groups, and the parameters that they share")
    refuse(how, "does not go with --by: groups take --objective, --delta, --fix and --log-loss", but=_OF_GROUPS)
    table, law = how.read(runs, reading, by=by)
    shared = [name.strip() for name in share.split(",")]
    asked = {name: value for name, value in how.options().items() if name in ("objective", "delta", "fixed")}
    with fitting.quiet():
        grouped: offray.GroupedFit = offray.fit(table, by=by, shared=shared, law=law, log_loss=how.log_loss, **asked)
    return grouped


def _code(result: offray.GroupedFit) -> Exit:
    codes = {"converged": Exit.FINE, "rank_deficient": Exit.NOT_IDENTIFIED}
    return codes.get(result.status, Exit.NO_CONVERGENCE)


def _parameters(result: offray.Fit) -> output.Rows:
    ends = result.conf_int()
    return [
        {"parameter": name, "estimate": value, "se": se, "low": low, "high": high}
        for (name, value), se, (low, high) in zip(result.params.items(), result.se, ends, strict=True)
    ]


def _of_groups(result: offray.GroupedFit) -> output.Rows:
    ends = result.conf_int()
    return [
        {
            "group": group,
            "parameter": name,
            "estimate": value,
            "se": result.se[group][name],
            "low": ends[group][name][0],
            "high": ends[group][name][1],
        }
        for group in result.groups
        for name, value in result.params[group].items()
    ]


def _show(result: offray.Fit, best: answer.Answer | None) -> None:
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
        console.print(f"[yellow]warning:[/yellow] {escape(as_typed(message))}", highlight=False, soft_wrap=True)
    for message in result.notes():
        console.print(f"[cyan]note:[/cyan] {escape(as_typed(message))}", highlight=False, soft_wrap=True)
    if best is not None:
        console.print(f"\n{escape(as_typed(best.text))}", highlight=False, soft_wrap=True)
