# SPDX-License-Identifier: Apache-2.0
"""The command line: ``offray fit RUNS.csv``. Needs the extra ``cli``; uses the public names of offray only."""

from __future__ import annotations

import os
import sys
from errno import EPIPE
from importlib import import_module
from typing import Annotated, Any

import offray

try:
    import typer
    from typer.core import TyperGroup
except ModuleNotFoundError as error:
    sys.exit(f"offray: the command line needs {error.name}; install it with: pip install 'offray[cli]'")

_OF_CLI = ("typer", "rich", "click", "pyarrow")
COMMANDS = (
    "fit",
    "predict",
    "optimal",
    "intervals",
    "compare",
    "isoflop",
    "check",
    "suggest",
    "online",
    "plot",
    "report",
    "laws",
    "datasets",
    "replicate",
)
_HELP = {"help_option_names": ["-h", "--help"]}
_STOPPED = 130
_UNWRITABLE = 2


class _OnDemand(TyperGroup):
    """A command's module is imported when the command is called: each needs packages that others do not."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        try:
            command = getattr(import_module(f"offray.cli.{cmd_name}"), cmd_name)
        except ModuleNotFoundError as error:
            if error.name in _OF_CLI:
                sys.exit(f"offray: {cmd_name} needs {error.name}; install it with: pip install 'offray[cli]'")
            sys.exit(f"offray: {cmd_name}: {error}")  # a message of our own names its extra
        alone = typer.Typer(add_completion=False, context_settings=_HELP)
        alone.command()(command)
        return typer.main.get_command(alone)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS)
            ctx.fail(f"No such command '{args[0]}'; {f'did you mean {near[0]}' if near else ', '.join(COMMANDS)}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            typer.echo(": ".join(["stopped", *filter(None, [str(stopped)])]), err=True)
            raise typer.Exit(_STOPPED) from None
        except OSError as error:
            if error.errno == EPIPE:
                raise
            typer.echo(f"error: {error.filename or 'standard output'}: {error.strerror}", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in its buffer has nowhere to go
            raise typer.Exit(_UNWRITABLE) from None


app = typer.Typer(cls=_OnDemand, no_args_is_help=True, context_settings=_HELP, pretty_exceptions_enable=False)


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
