# SPDX-License-Identifier: Apache-2.0
"""The command ``offray check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import offray
from offray.cli import options
from offray.cli.reading import FILE, Reading, reads_runs


@reads_runs
def check(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help=FILE)],
    law: Annotated[str, typer.Option(help=options.LAWS)] = "chinchilla",
    kappa_target: Annotated[float, typer.Option(help="For kappa_eq of the two terms.")] = 100.0,
    target: Annotated[str | None, typer.Option(metavar="N,D", help="Where the loss is to be predicted.")] = None,
    sigma: Annotated[float | None, typer.Option(help="Noise of a loss, nats per token. [default: 0.01]")] = None,
    *,
    reading: Reading,
) -> None:
    """Before training: what planned runs will determine. Exit codes: 0 fine, 2 bad input, 3 the plan does not pass."""
    try:
        runs = reading.read(plan, required=("params", "tokens"))
        result = offray.check(runs, law=law, kappa_target=kappa_target, target=options.target(target), sigma=sigma)
    except options.BAD_INPUT as error:
        options.fail(str(error))
    typer.echo(str(result))
    raise typer.Exit(options.Exit.FINE if result.passes else options.Exit.NOT_IDENTIFIED)
