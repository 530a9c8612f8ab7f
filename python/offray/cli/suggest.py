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
from offray.cli.reading import Reading, refuse


@option_groups
def suggest(
    budget: Annotated[float, typer.Option(help="FLOP for the new runs, at 6 N D each, or what --cost is in.")],
    max_runs: Annotated[int, typer.Option(help="The most runs.")],
    sizes: Annotated[str, typer.Option(metavar="N0,N1", help="Range of model parameters.")],
    tokens_range: Annotated[str, typer.Option("--tokens-range", metavar="D0,D1", help="Range of training tokens.")],
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
    target: Annotated[str | None, typer.Option(metavar="N,D", help="Where the loss is to be predicted.")] = None,
    tpp: Annotated[str | None, typer.Option(metavar="LEAST,MOST", help="Tokens per parameter that a run may have.")] = None,
    law: Annotated[
        str | None, typer.Option(help=f"{options.LAWS} [default: chinchilla]", autocompletion=options.named_laws)
    ] = None,
    sigma: Annotated[float | None, typer.Option(help="Noise of a loss, nats per token. [default: 0.01]")] = None,
    cost: Annotated[
        str | None,
        typer.Option(metavar="FORMULA", help='Of a run, in N and D, such as "6*N*D + 2*N*1e12"; in units of --budget.'),
    ] = None,
    replicates: Annotated[int, typer.Option(help="How many runs to keep for repeats, which measure the noise.")] = 0,
    lack_of_fit: Annotated[int, typer.Option(help="How many runs to keep away from all others, where a wrong law shows.")] = 0,
    until: Annotated[str | None, typer.Option(help="Stop at the cheapest budget with, say, 'sd(loss@target) < 0.01'.")] = None,
    *,
    form: output.Form,
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
        table, fitted, the_law = (None, None, None) if existing is None else _there(existing, law, reading)
        region = {"N": options.two("--sizes", sizes), "D": options.two("--tokens-range", tokens_range)}
        result = offray.suggest(
            None if table is None else (table["params"], table["tokens"]),
            budget,
            region,
            max_runs,
            cast("Any", criterion),  # checked at run time
            target=options.target(target),
            law=the_law or options.law_of(law or "chinchilla"),
            fit=fitted,
            sigma=sigma,
            tpp=None if tpp is None else options.two("--tpp", tpp),
            until=until,
            cost=cost,
            replicates=replicates,
            lack_of_fit=lack_of_fit,
        )
        rows = _plan(result, table)
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


def _there(path: Path, law: str | None, reading: Reading) -> tuple[Any, offray.Fit | None, offray.Law]:
    """Runs that there are, where their losses identify the law the fit whose theta and noise are then assumed, and the law."""
    saved: offray.Fit | None = fitting.saved(path, reading)
    if saved is not None:
        if law is not None:
            raise ValueError(f"--law is for a file of runs; {path} is a saved fit, with its own law")
        return fitting.runs_of(saved, path), _determined(saved), saved.law
    table = reading.read(path, required=("params", "tokens"))
    the_law = options.law_of(law or "chinchilla")
    done = np.isfinite(table["loss"]) if "loss" in table else np.zeros(len(table["params"]), bool)
    if done.sum() <= len(the_law.parameters):
        return table, None, the_law
    if left := int((~done).sum()):
        typer.echo(f"note: {left} runs without a loss count as made", err=True)
    finished = {name: table[name][done] for name in ("params", "tokens", "loss", "weight") if name in table}
    with fitting.quiet():
        fit = offray.fit(finished, law=the_law)
    return table, _determined(fit), the_law


def _determined(fit: offray.Fit) -> offray.Fit | None:
    """The fit, with its warnings, unless its runs leave the parameters open that would be assumed."""
    fitting.warn(*fit.identifiability.warnings)
    return fit if fit.identifiability.identified else None


def _plan(result: offray.Suggestion, table: Any) -> output.Rows:
    """One row for each run, with a column for its loss; counts of new ones are whole."""
    there = {} if table is None else {name: table[name] for name in ("params", "tokens", "loss") if name in table}
    existing = [dict(zip(there, row, strict=True)) for row in zip(*there.values(), strict=True)]
    new = [{name: round(run[name]) for name in ("params", "tokens")} for run in result.to_dict()["runs"]]
    return [
        {
            "run": state,
            "params": row["params"],
            "tokens": row["tokens"],
            "flops": options.FLOPS_PER_TOKEN * row["params"] * row["tokens"],
            "loss": row.get("loss", np.nan),
        }
        for state, rows in (("existing", existing), ("planned", new))
        for row in rows
    ]
