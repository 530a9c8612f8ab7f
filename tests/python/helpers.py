# SPDX-License-Identifier: Apache-2.0
"""Reference values, laws, simulated losses and the command line, for all tests; none reads anything outside of the project."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import offray
from truths import HOFFMANN

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


GRID = tuple(a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 8), np.geomspace(2e8, 3e10, 7)))
"""N and D of a study of sizes and token counts, (56,) each."""


def losses(N, D, power=1.0, theta=HOFFMANN):
    """Chinchilla's law under an outer power."""
    E, A, B, alpha, beta = theta
    return E + (A * N**-alpha + B * D**-beta) ** power


def noisy(N, D, sigma=0.003, seed=0, **options):
    """The same with noise."""
    return losses(N, D, **options) * np.exp(sigma * np.random.default_rng(seed).normal(size=np.size(N)))
