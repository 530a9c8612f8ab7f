# SPDX-License-Identifier: Apache-2.0
"""How a file of runs is read: the options of `offray.read`, the same for every command that takes a file."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

import offray

FILE = "One run per row: CSV, TSV, JSON, JSON lines, Parquet or a spreadsheet, compressed or not; - is standard input."
_PANEL = "Reading the file"


def _option(help: str, metavar: str = "COLUMN") -> Any:  # noqa: A002
    return typer.Option(help=help, metavar=metavar, rich_help_panel=_PANEL)


@dataclass(frozen=True)
class Reading:
    """Options of a command line, by the names that they have in `offray.read`."""

    params: Annotated[str | None, _option("Column of model parameters N.")] = None
    tokens: Annotated[str | None, _option("Column of training tokens D.")] = None
    loss: Annotated[str | None, _option("Column of final losses.")] = None
    unique_tokens: Annotated[str | None, _option("Column of unique tokens U.")] = None
    weight: Annotated[str | None, _option("Column of weights.")] = None
    flops: Annotated[str | None, _option("Column of compute C; N or D is taken from C = 6 N D where it has no column.")] = None
    steps: Annotated[str | None, _option("Steps: tokens are steps x batch x length.", "COLUMN|NUMBER")] = None
    batch: Annotated[str | None, _option("Sequences per step; tokens per step without --length.", "COLUMN|NUMBER")] = None
    length: Annotated[str | None, _option("Tokens per sequence.", "COLUMN|NUMBER")] = None
    loss_unit: Annotated[str | None, _option("Of the losses; they become nats per token.", "nats|bits|perplexity")] = None
    bytes_per_token: Annotated[str | None, _option("For losses in bits per byte.", "COLUMN|NUMBER")] = None
    decimal: Annotated[str | None, _option("Decimal sign, where the cells do not tell it.", ".|,")] = None
    where: Annotated[
        list[str] | None, _option("Rows to use, such as 'State=finished' or 'step>0'; all of several.", "CONDITION")
    ] = None
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out rows without a number in a column.", rich_help_panel=_PANEL)
    ] = False
    last: Annotated[str | None, _option("Use the last step of each run; the column tells runs apart.", "RUNCOLUMN")] = None
    best: Annotated[str | None, _option("Use the lowest loss of each (N, D).", "min")] = None

    def read(self, source: Path | BinaryIO, *, silent: bool = False, **wanted: Any) -> Any:
        """The runs of a file, as `offray.read` returns them; what it decided goes to standard error."""
        table = offray.read(source, **{**asdict(self), "where": self.where or ()}, **wanted)
        for note in () if silent else table.notes:
            typer.echo(f"note: {as_typed(note)}", err=True)
        return table


def given(group: Any) -> list[str]:
    """The options of a group that are not at their defaults, as they are typed."""
    return [as_option(f.name) for f in fields(group) if getattr(group, f.name) != f.default]


def refuse(group: Any, why: str, *, but: Container[str] = ()) -> None:
    """``ValueError`` that names an option of a group that is given, other than these: what asked for it does not use it."""
    for option in given(group):
        if option not in but:
            raise ValueError(f"{option} {why}")


def column_of(condition: str) -> str:
    """The column that a condition of --where is on."""
    return re.split("[!<>=]", condition, maxsplit=1)[0].strip()


def as_option(name: str) -> str:
    """A parameter's name as an option."""
    return f"--{name.replace('_', '-')}"


_NAMES = "|".join((*(field.name for field in fields(Reading)), "law", "objective", "delta", "method", "kind", "group"))
_GIVEN = re.compile(rf"""(?<![\w.])(?P<name>{_NAMES})=(?:(?P<value>"[^"]*")|'(?P<word>\w+)'|True|(?=[\s,;)]|$))""")
_OF_PYTHON = {
    "identify='force'": "--force",
    "(fixed=)": "(--fix)",
    "(offray.compare)": "(offray compare)",
    ": offray.load reads it": "; a command that takes saved fits takes it as a file",
    "within tolerance = ": "within --budget-tolerance ",
    "(fit.misfit.rolling)": "(misfit.rolling of fit --json)",
    "fit.identifiability says": "the warnings say",
    "to covariance, conf_int and bootstrap": "to offray intervals, predict and optimal",
    "pandas: drop_duplicates, polars: unique": "--best min",
}


def as_typed(message: str) -> str:
    """A message with what it says of Python as it is typed: drop_missing=True is --drop-missing."""
    for python, typed in _OF_PYTHON.items():
        message = message.replace(python, typed)

    def option(given: re.Match[str]) -> str:
        value = given["value"] or given["word"]
        return f"{as_option(given['name'])}{f' {value}' if value else ''}"

    return _GIVEN.sub(option, message)
