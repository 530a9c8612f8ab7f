# SPDX-License-Identifier: Apache-2.0
"""The command ``offray replicate``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from offray._interrupted import Interrupted
from offray._sweeps import read_sweeps
from offray.experiment import Setup, on_real_runs
from offray.experiment import replicate as replicate_paper

_FAMILIES = ("isoflop", "fit182")


def replicate(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Real runs, not simulated ones: CSV or Parquet files, one per sweep."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Simulated data sets per corpus, law and number of epochs.")] = 30,
    sigma: Annotated[float, typer.Option(help="Noise of a simulated loss, nats per token.")] = 0.005,
    grid_tokens: Annotated[str, typer.Option(metavar="D0,D1", help="Range of the grid's 12 token counts.")] = "5.04e6,3e8",
    draws: Annotated[int, typer.Option(help="Spread designs drawn from each sweep of real runs.")] = 200,
    law: Annotated[list[str] | None, typer.Option(help="Fitted to real runs. [default: chinchilla]")] = None,
    ray: Annotated[float, typer.Option(help="Tokens per parameter of the near-ray design of real runs.")] = 20.0,
    min_tpp: Annotated[float, typer.Option(help="Leave out real runs with fewer tokens per parameter.")] = 0.0,
    family: Annotated[
        list[str] | None,
        typer.Option(help=f"Use these rows of a column 'family', where a file has them. [default: {', '.join(_FAMILIES)}]"),
    ] = None,
    budgets: Annotated[
        list[str] | None, typer.Option(metavar="FILE=C,C,...", help="Nominal budgets of a file, by its name without ending.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep finished comparisons in this Parquet file, and go on from it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Rerun the experiment of arXiv:2605.08541: collinear against spread designs, simulated or cut from real runs.

    Exit codes: 0 fine, 2 bad input, 130 stopped by Ctrl-C.
    """
    try:
        with _progress() as shown:
            if data is None:
                low, high = _values("--grid-tokens", grid_tokens)[:2]
                result: Any = replicate_paper(Setup(seeds, sigma, (low, high)), store=store, progress=shown)
                text, plain = str(result), result.as_data
            else:
                given = dict(_budgets(entry) for entry in budgets or ())
                sweeps = read_sweeps(data, family or _FAMILIES, min_tpp, given)
                result = on_real_runs(sweeps, laws=law or ("chinchilla",), draws=draws, ray=ray, store=store, progress=shown)
                text, plain = str(result), lambda: {"rows": list(result.rows), "left out": result.left_out}
    except (ValueError, ModuleNotFoundError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except Interrupted as stopped:
        typer.echo(f"stopped: {stopped}", err=True)
        raise typer.Exit(130) from None
    typer.echo(json.dumps(_finite(plain()), indent=2) if as_json else text)


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar on standard error, with the time left."""
    columns = (TextColumn("comparisons"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _values(option: str, text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{option}: {text!r} must be numbers with commas between them") from None
    if len(values) < 2 or not all(0 < value < np.inf for value in values):
        raise ValueError(f"{option}: {text!r} must be two or more positive numbers")
    return values


def _budgets(entry: str) -> tuple[str, tuple[float, ...]]:
    name, equals, values = entry.partition("=")
    if not (name and equals):
        raise ValueError(f"--budgets: {entry!r} must have the form FILE=C,C,...")
    return name, _values("--budgets", values)


def _finite(data: Any) -> Any:
    """JSON knows no NaN: null."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not np.isfinite(data) else data
