# SPDX-License-Identifier: Apache-2.0
"""The command line: ``offray fit RUNS.csv``. Needs the extra ``cli``."""

from __future__ import annotations

import json
import sys
import warnings
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

try:
    import typer
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from offray._cli_replicate import replicate
    from offray._table import read_runs
except ModuleNotFoundError as error:
    sys.exit(f"offray: the command line needs {error.name}; install it with: pip install 'offray[cli]'")

from offray import __version__
from offray._core import OBJECTIVES
from offray._fit import fit as fit_runs
from offray._laws import LAWS
from offray._report import HEADER, as_data, facts, rows
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning

if TYPE_CHECKING:
    from offray._result import Fit


class Exit(IntEnum):
    """Exit codes."""

    FINE = 0
    BAD_INPUT = 2
    NOT_IDENTIFIED = 3
    NO_CONVERGENCE = 4


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(replicate)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"offray {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Fit neural scaling laws, and know what the training runs determine."""


@app.command()
def fit(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="CSV or Parquet file, one run per row.")],
    law: Annotated[str, typer.Option(help=f"One of: {', '.join(LAWS)}.")] = "chinchilla",
    objective: Annotated[str, typer.Option(help=f"One of: {', '.join(OBJECTIVES)}.")] = "squares",
    delta: Annotated[
        str | None, typer.Option(help="Scale of a robust objective, in units of the residual, or 'mad'. [default: 0.001]")
    ] = None,
    quantile: Annotated[float | None, typer.Option(help="Level of the objective 'quantile'. [default: 0.5]")] = None,
    log_loss: Annotated[bool, typer.Option("--log-loss", help="Fit ln(loss).")] = False,
    fix: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Hold a parameter at a value.")] = None,
    tie: Annotated[list[str] | None, typer.Option(metavar="NAME=NAME", help="Let two parameters share a value.")] = None,
    params: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of model parameters N.")] = None,
    tokens: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of training tokens D.")] = None,
    loss: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of final losses.")] = None,
    unique_tokens: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of unique tokens U.")] = None,
    weight: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of weights.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="On one ray: the full law's figures, although the runs do not determine them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Fit a scaling law to a table of training runs.

    Columns are recognised by name (params or N, tokens or D, loss, unique_tokens, weight) or given by option.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not identify the law, 4 no convergence.
    """
    roles = {"params": params, "tokens": tokens, "loss": loss, "unique_tokens": unique_tokens, "weight": weight}
    try:
        table = read_runs(runs, roles)
        with warnings.catch_warnings():
            # Both are part of the report below.
            warnings.simplefilter("ignore", IdentifiabilityWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            result = fit_runs(
                table,
                law=law,
                objective=objective,
                delta=delta if delta in (None, "mad") else _number("--delta", delta),
                quantile=quantile,
                log_loss=log_loss,
                fixed=_fixed(fix or []),
                tied=[_pair(text, "NAME=NAME") for text in tie or []],
                identify="force" if force else "auto",
            )
    except ValueError as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps(as_data(result), indent=2, allow_nan=False))
    else:
        _show(result)
    raise typer.Exit(_exit_code(result))


@app.command()
def check(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="CSV or Parquet file, one planned run per row: params, tokens.")],
    law: Annotated[str, typer.Option(help=f"One of: {', '.join(LAWS)}.")] = "chinchilla",
    kappa_target: Annotated[float, typer.Option(help="For kappa_eq of the two terms.")] = 100.0,
    target: Annotated[str | None, typer.Option(metavar="N,D", help="Where the loss is to be predicted.")] = None,
    sigma: Annotated[float | None, typer.Option(help="Noise of a loss, nats per token. [default: 0.01]")] = None,
    params: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of model parameters N.")] = None,
    tokens: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of training tokens D.")] = None,
) -> None:
    """Before training: what planned runs will determine. Exit codes: 0 fine, 2 bad input, 3 the plan does not pass."""
    from offray._check import check as check_design

    try:
        N, D = _plan(plan, params, tokens)
        result = check_design(N, D, law=law, kappa_target=kappa_target, target=_target(target), sigma=sigma)
    except ValueError as error:
        _fail(str(error))
    typer.echo(str(result))
    raise typer.Exit(Exit.FINE if result.passes else Exit.NOT_IDENTIFIED)


@app.command()
def suggest(
    budget: Annotated[float, typer.Option(help="FLOP for the new runs, at 6 N D each.")],
    max_runs: Annotated[int, typer.Option(help="The most runs.")],
    sizes: Annotated[str, typer.Option(metavar="N0,N1", help="Range of model parameters.")],
    tokens_range: Annotated[str, typer.Option("--tokens-range", metavar="D0,D1", help="Range of training tokens.")],
    existing: Annotated[Path | None, typer.Option(help="CSV or Parquet file of runs that there are.")] = None,
    criterion: Annotated[str, typer.Option(help="I: the predicted loss at the target; D: all parameters.")] = "I",
    target: Annotated[str | None, typer.Option(metavar="N,D", help="Where the loss is to be predicted.")] = None,
    law: Annotated[str, typer.Option(help=f"One of: {', '.join(LAWS)}.")] = "chinchilla",
    sigma: Annotated[float | None, typer.Option(help="Noise of a loss, nats per token. [default: 0.01]")] = None,
    until: Annotated[str | None, typer.Option(help="Stop at the cheapest budget with, say, 'sd(loss@target) < 0.01'.")] = None,
) -> None:
    """The next runs to train under a FLOP budget. Exit codes: 0 fine, 2 bad input, or nothing within the limits will do."""
    from offray._suggest import suggest as suggest_runs

    try:
        runs = None if existing is None else _plan(existing, None, None)
        region = {"N": _numbers("--sizes", sizes), "D": _numbers("--tokens-range", tokens_range)}
        result = suggest_runs(
            runs, budget, region, max_runs, criterion, target=_target(target), law=law, sigma=sigma, until=until
        )
    except ValueError as error:
        _fail(str(error))
    typer.echo(str(result))


def _plan(path: Path, params: str | None, tokens: str | None) -> tuple[Any, Any]:
    table = read_runs(path, {"params": params, "tokens": tokens}, required=("params", "tokens"))
    return table["params"], table["tokens"]


def _target(text: str | None) -> tuple[float, float] | None:
    return None if text is None else _numbers("--target", text)


def _numbers(option: str, text: str) -> tuple[float, float]:
    first, comma, second = text.partition(",")
    if not comma:
        raise ValueError(f"{option}: {text!r} must be two numbers with a comma between them")
    return _number(option, first), _number(option, second)


def _exit_code(result: Fit) -> Exit:
    if result.identifiability.identified:
        return Exit.FINE
    # Runs that cannot determine the law often leave nothing to converge to: then that is the news.
    return Exit.NOT_IDENTIFIED if result.identifiability.warnings else Exit.NO_CONVERGENCE


def _show(result: Fit) -> None:
    console = Console()
    for label, text in facts(result):
        console.print(f"[bold]{label + ':':14}[/bold]{escape(text)}", highlight=False, soft_wrap=True)
    table = Table()
    for heading in HEADER:
        table.add_column(heading, no_wrap=True)
    for row in rows(result):
        table.add_row(*row)
    console.print(table)
    for message in result.identifiability.warnings:
        console.print(f"[yellow]warning:[/yellow] {escape(message)}", highlight=False, soft_wrap=True)
    for message in result.identifiability.notes:
        console.print(f"[cyan]note:[/cyan] {escape(message)}", highlight=False, soft_wrap=True)


def _pair(text: str, form: str = "NAME=VALUE") -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ValueError(f"{text!r} must have the form {form}")
    return name, value


def _fixed(options: list[str]) -> dict[str, float]:
    pairs = [_pair(text) for text in options]
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--fix: {name} is given more than once")
    return {name: _number("--fix", value) for name, value in pairs}


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{option}: {text!r} is not a number") from None


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(Exit.BAD_INPUT)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
