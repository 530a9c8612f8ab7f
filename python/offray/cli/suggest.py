# SPDX-License-Identifier: Apache-2.0
"""The command ``offray suggest``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import offray
from offray.cli import options
from offray.cli.reading import Reading, reads_runs


@reads_runs
def suggest(
    budget: Annotated[float, typer.Option(help="FLOP for the new runs, at 6 N D each, or what --cost is in.")],
    max_runs: Annotated[int, typer.Option(help="The most runs.")],
    sizes: Annotated[str, typer.Option(metavar="N0,N1", help="Range of model parameters.")],
    tokens_range: Annotated[str, typer.Option("--tokens-range", metavar="D0,D1", help="Range of training tokens.")],
    existing: Annotated[Path | None, typer.Option(help="File of runs that there are; their losses are used if given.")] = None,
    criterion: Annotated[str, typer.Option(help="I: the predicted loss at the target; D: all parameters.")] = "I",
    target: Annotated[str | None, typer.Option(metavar="N,D", help="Where the loss is to be predicted.")] = None,
    tpp: Annotated[str | None, typer.Option(metavar="LEAST,MOST", help="Tokens per parameter that a run may have.")] = None,
    law: Annotated[str, typer.Option(help=options.LAWS)] = "chinchilla",
    sigma: Annotated[float | None, typer.Option(help="Noise of a loss, nats per token. [default: 0.01]")] = None,
    cost: Annotated[
        str | None,
        typer.Option(metavar="FORMULA", help='Of a run, in N and D, such as "6*N*D + 2*N*1e12"; in units of --budget.'),
    ] = None,
    replicates: Annotated[int, typer.Option(help="How many runs to keep for repeats, which measure the noise.")] = 0,
    lack_of_fit: Annotated[int, typer.Option(help="How many runs to keep away from all others, where a wrong law shows.")] = 0,
    until: Annotated[str | None, typer.Option(help="Stop at the cheapest budget with, say, 'sd(loss@target) < 0.01'.")] = None,
    *,
    reading: Reading,
) -> None:
    """The next runs to train under a FLOP budget. Exit codes: 0 fine, 2 bad input, or nothing within the limits will do."""
    try:
        if existing is None and reading:
            raise ValueError("options of reading a file need --existing")
        runs, fitted = (None, None) if existing is None else _of_file(existing, law, reading)
        region = {"N": options.numbers("--sizes", sizes), "D": options.numbers("--tokens-range", tokens_range)}
        result = offray.suggest(
            runs,
            budget,
            region,
            max_runs,
            cast("Any", criterion),  # checked at run time
            target=options.target(target),
            law=law,
            fit=fitted,
            sigma=sigma,
            tpp=None if tpp is None else options.numbers("--tpp", tpp),
            until=until,
            cost=cost,
            replicates=replicates,
            lack_of_fit=lack_of_fit,
        )
    except options.BAD_INPUT as error:
        options.fail(str(error))
    typer.echo(str(result))


def _of_file(path: Path, law: str, reading: Reading) -> tuple[Any, offray.Fit | None]:
    """Runs of a file, and, where their losses identify the law, the fit whose theta and noise are then assumed."""
    table = reading.read(path, required=("params", "tokens"))
    runs = table["params"], table["tokens"]
    if "loss" not in table or len(table["loss"]) <= len(getattr(offray.laws, law).parameters):
        return runs, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(table, law=law)
    return runs, fit if fit.identifiability.identified else None
