# SPDX-License-Identifier: Apache-2.0
"""Reference values, laws and the command line, for all tests; none reads anything outside of the project."""

import json
from dataclasses import dataclass
from pathlib import Path

import offray

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference"

LAW_NAMES = dir(offray.laws)
LAW_OF_REFERENCE = {"repeated": "repeated_data"}


def reference(name):
    return json.loads((REFERENCE / f"{name}.json").read_text())


def law_of(name):
    return getattr(offray.laws, LAW_OF_REFERENCE.get(name, name))


@dataclass(frozen=True)
class Shown:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def run_cli(*arguments, stdin=None):
    """The command line, in this process: starting Python anew takes a second."""
    from offray.cli import app
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Shown(result.exit_code, result.stdout, result.stderr)
