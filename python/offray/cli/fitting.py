# SPDX-License-Identifier: Apache-2.0
"""A fit of the runs in a file, for every command that starts with one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias, cast

import typer

import offray
from offray.cli.options import LAWS, law_of, number, pair, required
from offray.cli.reading import FILE, Reading

Runs: TypeAlias = Annotated[Path, typer.Argument(metavar="RUNS", help=FILE)]
Law: TypeAlias = Annotated[
    str, typer.Option(help=f"{LAWS} Or power, outer_exponent, logistic, or a formula such as 'E + A*x**-alpha'.")
]
Column: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="INPUT=COLUMN", help="Column of an input of a formula, where names differ.")
]
Real: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="A formula's parameter or input that may be zero or negative.")
]
Objective: TypeAlias = Annotated[str, typer.Option(help=f"One of: {', '.join(offray.OBJECTIVES)}.")]
Delta: TypeAlias = Annotated[
    str | None, typer.Option(help="Scale of a robust objective, in units of the residual, or 'mad'. [default: 0.001]")
]
Quantile: TypeAlias = Annotated[float | None, typer.Option(help="Level of the objective 'quantile'. [default: 0.5]")]
LogLoss: TypeAlias = Annotated[bool, typer.Option("--log-loss", help="Fit ln(loss).")]
Fix: TypeAlias = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Hold a parameter at a value.")]
Tie: TypeAlias = Annotated[list[str] | None, typer.Option(metavar="NAME=NAME", help="Let two parameters share a value.")]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="On one ray: the full law's figures, although the runs do not determine them.")
]


def read(
    path: Path, law: str, reading: Reading, *, column: Sequence[str] | None, real: Sequence[str] | None, by: str | None = None
) -> tuple[Any, offray.Law]:
    """The runs of a file, and the law."""
    inputs = dict(pair(text, "INPUT=COLUMN") for text in column or [])
    the_law = law_of(law, tuple(inputs), tuple(real or ()))
    inputs = {name: inputs.get(name, name) for name in the_law.further}
    return reading.read(path, required=required(the_law), inputs=inputs, by=by), the_law


def fit(
    table: Any,
    law: offray.Law,
    *,
    objective: str,
    delta: str | None,
    quantile: float | None,
    log_loss: bool,
    fix: Sequence[str] | None,
    tie: Sequence[str] | None,
    force: bool,
) -> offray.Fit:
    """The fit, without the warnings that it itself tells of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        warnings.simplefilter("ignore", offray.ConvergenceWarning)
        return offray.fit(
            table,
            law=law,
            objective=cast("Any", objective),  # checked at run time, like delta
            delta=None if delta is None else "mad" if delta == "mad" else number("--delta", delta),
            quantile=quantile,
            log_loss=log_loss,
            fixed=fixed(fix or []),
            tied=[pair(text, "NAME=NAME") for text in tie or []],
            identify="force" if force else "auto",
        )


def fixed(options: Sequence[str]) -> dict[str, float]:
    """Parameters held at values, of --fix."""
    pairs = [pair(text) for text in options]
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--fix: {name} is given more than once")
    return {name: number("--fix", value) for name, value in pairs}
