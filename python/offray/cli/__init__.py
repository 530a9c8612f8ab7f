# SPDX-License-Identifier: Apache-2.0
"""The command line: ``offray fit RUNS.csv``. Needs the extra ``cli``; uses the public names of offray only."""

from __future__ import annotations

import sys
from typing import Annotated

import offray

try:
    import typer

    from offray.cli.check import check
    from offray.cli.fit import fit
    from offray.cli.laws import laws
    from offray.cli.plot import plot
    from offray.cli.replicate import replicate
    from offray.cli.report import report
    from offray.cli.suggest import suggest
except ModuleNotFoundError as error:
    sys.exit(f"offray: the command line needs {error.name}; install it with: pip install 'offray[cli]'")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in (replicate, fit, plot, report, laws, check, suggest):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"offray {offray.__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Fit neural scaling laws, and know what the training runs determine."""


def main() -> None:
    """Entry point."""
    app()
