# SPDX-License-Identifier: Apache-2.0
"""The command ``offray report``. Needs the extra ``report`` too."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import fitting
from offray.cli.options import BAD_INPUT, Exit, fail
from offray.cli.reading import Reading, reads_runs


@reads_runs
def report(
    runs: fitting.Runs,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The HTML file.")],
    title: Annotated[str, typer.Option(help="Of the page. [default: the name of the runs' file]")] = "",
    law: fitting.Law = "chinchilla",
    column: fitting.Column = None,
    real: fitting.Real = None,
    objective: fitting.Objective = "squares",
    delta: fitting.Delta = None,
    quantile: fitting.Quantile = None,
    log_loss: fitting.LogLoss = False,
    fix: fitting.Fix = None,
    tie: fitting.Tie = None,
    force: fitting.Force = False,
    *,
    reading: Reading,
) -> None:
    """Write a report on a fit: one HTML file, the answer first, for screens, phones and paper.

    Exit codes: 0 fine, 2 bad input.
    """
    try:
        reports = offray.report
    except ModuleNotFoundError as missing:
        fail(str(missing))
    how: dict[str, Any] = {
        "objective": objective,
        "delta": delta,
        "quantile": quantile,
        "log_loss": log_loss,
        "fix": fix,
        "tie": tie,
        "force": force,
    }
    try:
        table, the_law = fitting.read(runs, law, reading, column=column, real=real)
        fit = fitting.fit(table, the_law, **how)
        given = {"title": title, "law": law, "column": column, "real": real, **asdict(reading), **how}
        origin = reports.of_file(runs, _command(runs, output, given))
        reports.write(fit, output, title=title or runs.stem, origin=origin)
    except (*BAD_INPUT, OSError) as error:
        fail(str(error))
    raise typer.Exit(Exit.FINE)


_DEFAULTS = {"law": "chinchilla", "objective": "squares"}


def _command(runs: Path, output: Path, given: Mapping[str, Any]) -> str:
    """The line that makes the report again: options that differ from their defaults."""
    words = ["offray", "report", str(runs), "-o", str(output)]
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            words += [word for one in value for word in (option, str(one))]
        elif value is True:
            words.append(option)
        elif value not in (None, False, "", _DEFAULTS.get(name)):
            words += [option, str(value)]
    return shlex.join(words)
