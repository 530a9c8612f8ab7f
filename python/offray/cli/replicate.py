# SPDX-License-Identifier: Apache-2.0
"""The command ``offray replicate``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from offray.cli import output
from offray.cli.fitting import warn
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, Exit, fail, numbers
from offray.cli.reading import Reading, refuse
from offray.cli.sweeps import read_sweeps
from offray.datasets import names
from offray.experiment import RealComparison, Replication, Setup, Sweep, on_real_runs
from offray.experiment import replicate as replicate_paper


@option_groups
def replicate(
    data: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Real runs, not simulated ones: a file, or a directory with one per sweep."),
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"Real runs of a public set: {', '.join(names())}; or paper.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Simulated data sets per corpus, law and epochs. [default: 30]")] = None,
    sigma: Annotated[float | None, typer.Option(help="Noise of a simulated loss, nats per token. [default: 0.005]")] = None,
    grid_tokens: Annotated[
        str | None, typer.Option(metavar="D0,D1", help="Range of the grid's 12 token counts. [default: 5.04e6,3e8]")
    ] = None,
    draws: Annotated[int | None, typer.Option(help="Spread designs drawn from each real sweep. [default: 200]")] = None,
    law: Annotated[list[str] | None, typer.Option(help="Fitted to real runs. [default: chinchilla]")] = None,
    ray: Annotated[float | None, typer.Option(help="Tokens per parameter to take real runs near. [default: 20]")] = None,
    min_tpp: Annotated[float | None, typer.Option(help="With --data: leave out runs with fewer tokens per parameter.")] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help="With --data: rows of a column 'family' to use, where a file has them. [default: isoflop, fit182]"),
    ] = None,
    budgets: Annotated[
        list[str] | None, typer.Option(metavar="FILE=C,C,...", help="Nominal budgets of a file, by its name without ending.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep finished comparisons in this Parquet file, and go on from it.")
    ] = None,
    *,
    form: output.Form,
    reading: Reading,
) -> None:
    """Rerun the experiment of arXiv:2605.08541: collinear against spread designs, simulated or cut from real runs.

    Exit codes: 0 fine, 2 bad input, or no sweep that designs can be cut from, 130 stopped by Ctrl-C.
    """
    simulated = {"--seeds": seeds, "--sigma": sigma, "--grid-tokens": grid_tokens}
    of_real_runs = {"--draws": draws, "--law": law, "--ray": ray}
    of_files = {"--min-tpp": min_tpp, "--family": family, "--budgets": budgets}
    real = data is not None or bool(dataset)
    try:
        _refuse(simulated if real else of_real_runs, f"is for {'simulated' if real else 'real'} runs")
        _refuse({} if data is not None else of_files, "needs --data")
        if data is None:
            refuse(reading, "needs --data")
        with _progress() as shown:
            result: Any
            if real:
                sweeps = [sweep for name in dataset or () for sweep in _public(name)]
                empty: dict[str, str] = {}
                if data is not None:
                    read, empty = read_sweeps(data, family, min_tpp or 0.0, dict(map(_budgets, budgets or ())), reading)
                    sweeps += read
                result = on_real_runs(sweeps, store=store, progress=shown, **_given(draws=draws, laws=law, ray=ray))
                result = replace(result, left_out={**empty, **result.left_out})
            else:
                tokens = None if grid_tokens is None else numbers("--grid-tokens", grid_tokens)
                setup = Setup(**_given(seeds=seeds, sigma=sigma, grid_tokens=tokens))
                result = replicate_paper(setup, store=store, progress=shown)
    except BAD_INPUT as error:
        fail(str(error))
    form.show(
        "replication",
        text=lambda: typer.echo(str(result)),
        data=result.as_data,
        rows=lambda: _of_sweeps(result) if real else _of_scenarios(result),
    )
    if real and not result.rows:
        raise typer.Exit(Exit.BAD_INPUT)


def _of_sweeps(result: RealComparison) -> output.Rows:
    """The figures of each sweep; those that are left out have no row, so that standard error tells of them."""
    warn(*(f"{name}: {why}" for name, why in result.left_out.items()))
    return result.rows


def _of_scenarios(result: Replication) -> output.Rows:
    """The comparisons of each scenario by the law that was fitted."""
    return [{"scenario": name, **row} for name, each in result.scenarios.items() for row in each.summary("law").rows]


def _public(name: str) -> list[Sweep]:
    """The sweeps of a public set; "paper" stands for the tables of arXiv:2605.08541, designs and all."""
    return Sweep.of_paper() if name == "paper" else [Sweep.from_dataset(name)]


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _refuse(options: dict[str, Any], why: str) -> None:
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{name} {why}")


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar on standard error, with the time left."""
    columns = (TextColumn("comparisons"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _budgets(entry: str) -> tuple[str, tuple[float, ...]]:
    name, equals, values = entry.partition("=")
    if not (name and equals):
        raise ValueError(f"--budgets: {entry!r} must have the form FILE=C,C,...")
    return name, numbers("--budgets", values)
