# SPDX-License-Identifier: Apache-2.0
"""A fit of the runs in a file, for every command that starts with one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import offray
from offray.cli.options import LAWS, law_of, number, pair, required

Runs: TypeAlias = Annotated[Path, typer.Argument(metavar="RUNS", help="CSV or Parquet file, one run per row.")]
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
Params: TypeAlias = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of model parameters N.")]
Tokens: TypeAlias = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of training tokens D.")]
Loss: TypeAlias = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of final losses.")]
UniqueTokens: TypeAlias = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of unique tokens U.")]
Weight: TypeAlias = Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of weights.")]
Force: TypeAlias = Annotated[
    bool, typer.Option("--force", help="On one ray: the full law's figures, although the runs do not determine them.")
]


def read(
    path: Path,
    law: str,
    *,
    column: Sequence[str] | None,
    real: Sequence[str] | None,
    roles: Mapping[str, str | None],
    also: tuple[str, ...] = (),
) -> tuple[Any, offray.Law, dict[str, str]]:
    """The table of a file, the law, and the columns of its further inputs."""
    inputs = dict(pair(text, "INPUT=COLUMN") for text in column or [])
    the_law = law_of(law, tuple(inputs), tuple(real or ()))
    inputs = {name: inputs.get(name, name) for name in the_law.further}
    table = offray.read(path, roles, required=required(the_law), also=(*inputs.values(), *also))
    return table, the_law, inputs


def fit(
    table: Any,
    law: offray.Law,
    inputs: Mapping[str, str],
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
            inputs=inputs,
            law=law,
            objective=objective,
            delta=delta if delta in (None, "mad") else number("--delta", delta),
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
