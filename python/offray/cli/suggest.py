# SPDX-License-Identifier: Apache-2.0
"""The command ``offray suggest``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer

import offray
from offray.cli import fitting, options, output
from offray.cli.groups import option_groups
from offray.cli.planning import Planning, inputs_of
from offray.cli.reading import Reading, refuse

_LARGE = 1e4


@option_groups
def suggest(
    budget: Annotated[float, typer.Option(help="FLOP for the new runs, at 6 N D each, or what --cost is in.")],
    max_runs: Annotated[int, typer.Option(help="The most runs.")],
    sizes: Annotated[str | None, typer.Option(metavar="N0,N1", help="Range of model parameters.")] = None,
    tokens_range: Annotated[
        str | None, typer.Option("--tokens-range", metavar="D0,D1", help="Range of training tokens.")
    ] = None,
    ranges: Annotated[
        list[str] | None, typer.Option("--range", metavar="INPUT=LEAST,MOST", help="Range of what else a formula reads.")
    ] = None,
    existing: Annotated[
        Path | None,
        typer.Option(
            metavar="RUNS|FIT", help="File of runs that there are, whose losses are used if given; or what fit -o saved."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the plan as CSV, as --csv prints it.")
    ] = None,
    criterion: Annotated[str, typer.Option(help="I: the predicted loss at the target; D: all parameters.")] = "I",
    tpp: Annotated[str | None, typer.Option(metavar="LEAST,MOST", help="Tokens per parameter that a run may have.")] = None,
    cost: Annotated[
        str | None,
        typer.Option(metavar="FORMULA", help='Of a run, by its inputs, such as "6*N*D + 2*N*1e12"; in units of --budget.'),
    ] = None,
    replicates: Annotated[int, typer.Option(help="How many runs to keep for repeats, which measure the noise.")] = 0,
    lack_of_fit: Annotated[int, typer.Option(help="How many runs to keep away from all others, where a wrong law shows.")] = 0,
    until: Annotated[str | None, typer.Option(help="Stop at the cheapest budget with, say, 'sd(loss@target) < 0.01'.")] = None,
    *,
    form: output.Form,
    how: Planning,
    reading: Reading,
) -> None:
    """The next runs to train under a FLOP budget.

    The plan as CSV has a row for each run, the existing ones first. check reads it, and so does fit --drop-missing once its
    column of losses is filled in.

    Exit codes: 0 fine, 2 bad input, or nothing within the limits will do.
    """
    try:
        if existing is None:
            refuse(reading, "needs --existing")
        table, fitted, the_law = (None, None, how.the_law()) if existing is None else _there(existing, how, reading)
        result = offray.suggest(
            None if table is None else tuple(table[name] for name in inputs_of(the_law).values()),
            budget,
            _region(the_law, sizes, tokens_range, ranges),
            max_runs,
            cast("Any", criterion),  # checked at run time
            target=how.where(the_law),
            theta=how.assumed(),
            law=the_law,
            fit=fitted,
            sigma=how.sigma,
            tpp=None if tpp is None else options.two("--tpp", tpp),
            until=until,
            cost=cost,
            replicates=replicates,
            lack_of_fit=lack_of_fit,
        )
        rows = _plan(result, table, how.columns())
        if save is not None:
            save.write_text(output.table(rows), encoding="utf-8")
    except options.BAD_INPUT as error:
        options.fail(str(error))
    form.show(
        "suggestion",
        text=lambda: typer.echo(str(result)),
        data=lambda: {**result.to_dict(), "verdict": result.check().verdict},
        rows=lambda: rows,
    )


def _region(law: offray.Law, sizes: str | None, tokens: str | None, ranges: list[str] | None) -> dict[str, tuple[float, float]]:
    """The ranges of all inputs."""
    out = {
        name: options.two(option, text)
        for name, option, text in (("N", "--sizes", sizes), ("D", "--tokens-range", tokens))
        if text
    }
    for name, text in (options.pair(text, "INPUT=LEAST,MOST") for text in ranges or []):
        if name in out:
            raise ValueError(f"--range: {name} is given more than once")
        out[name] = options.two("--range", text)
    known, options_of = inputs_of(law), {"N": "--sizes N0,N1", "D": "--tokens-range D0,D1"}
    for name in out:
        if name not in known:
            option = options_of[name].split()[0] if (name == "N" and sizes) or (name == "D" and tokens) else "--range"
            raise ValueError(f"{option}: the law {law.name} does not read {name}; it reads {', '.join(known)}")
    if missing := [options_of.get(name, f"--range {name}=LEAST,MOST") for name in known if name not in out]:
        raise ValueError(f"{', '.join(missing)}: without ranges the best plan is thousands of tiny runs")
    return out


def _there(path: Path, how: Planning, reading: Reading) -> tuple[Any, offray.Fit | None, offray.Law]:
    """Runs that there are, where their losses identify the law the fit whose theta and noise are then assumed, and the law."""
    saved: offray.Fit | None = fitting.saved(path, reading)
    if saved is not None:
        refuse(how, f"is for a file of runs; {path} is a saved fit, with its own law", but=("--target", "--sigma", "--theta"))
        return {**saved.problem.columns, "loss": saved.problem.loss}, _determined(saved), saved.law
    the_law = how.the_law()
    table = how.read(path, reading, the_law)
    inputs = tuple(inputs_of(the_law).values())
    done = np.isfinite(table["loss"]) if "loss" in table else np.zeros(len(table[inputs[0]]), bool)
    if done.sum() <= len(the_law.parameters) or how.theta is not None:
        return table, None, the_law
    if left := int((~done).sum()):
        typer.echo(f"note: {left} runs without a loss count as made", err=True)
    finished = {name: table[name][done] for name in (*inputs, "loss", "weight") if name in table}
    with fitting.quiet():
        fit = offray.fit(finished, law=the_law)
    return table, _determined(fit), the_law


def _determined(fit: offray.Fit) -> offray.Fit | None:
    """The fit, with its warnings, unless its runs leave the parameters open that would be assumed."""
    fitting.warn(*fit.identifiability.warnings)
    return fit if fit.identifiability.identified else None


def _plan(result: offray.Suggestion, table: Any, columns: dict[str, str]) -> output.Rows:
    """One row for each run, with a column for its loss, by the user's columns; large counts of new ones are whole."""
    names, plain = tuple(result.inputs), set(result.inputs) == {"params", "tokens"}
    there = {} if table is None else {name: table[name] for name in (*names, "loss") if name in table}
    existing = [dict(zip(there, row, strict=True)) for row in zip(*there.values(), strict=True)]
    new = [{**run, **_counts(run)} for run in result.to_dict()["runs"]]

    def price(row: dict[str, Any]) -> dict[str, Any]:
        return (
            {"flops": options.FLOPS_PER_TOKEN * row["params"] * row["tokens"]} if plain else {"cost": row.get("cost", np.nan)}
        )

    return [
        {
            "run": state,
            **{columns.get(name, name): row[name] for name in names},
            **price(row),
            "loss": row.get("loss", np.nan),
        }
        for state, rows in (("existing", existing), ("planned", new))
        for row in rows
    ]


def _counts(run: dict[str, Any]) -> dict[str, Any]:
    """N and D without what follows the point, where that hardly changes them."""
    return {name: round(run[name]) for name in ("params", "tokens") if run.get(name, 0) >= _LARGE}
