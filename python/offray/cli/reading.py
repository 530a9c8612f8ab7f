# SPDX-License-Identifier: Apache-2.0
"""How a file of runs is read: the options of `offray.read`, the same for every command that takes a file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar, get_type_hints

import typer

import offray

FILE = "One run per row: CSV, TSV, JSON, JSON lines, Parquet or a spreadsheet, compressed or not; - is standard input."
_PANEL = "Reading the file"

Result = TypeVar("Result")


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

    def __bool__(self) -> bool:
        """Whether any option is given."""
        return bool(given(self))


def given(group: Any) -> list[str]:
    """The options of a group that are not at their defaults, as they are typed."""
    return [as_option(f.name) for f in fields(group) if getattr(group, f.name) != f.default]


def as_option(name: str) -> str:
    """A parameter's name as an option."""
    return f"--{name.replace('_', '-')}"


def reads_runs(command: Callable[..., Result]) -> Callable[..., Result]:
    """Gives a command the fields of its parameters that are groups of options, `Reading` among them, in their place."""
    own = inspect.signature(command).parameters
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hints[name] for name in own if is_dataclass(hints[name])}

    @wraps(command)
    def with_options(**given: Any) -> Result:
        of_groups = {name: group(**{f.name: given.pop(f.name) for f in fields(group)}) for name, group in groups.items()}
        return command(**given, **of_groups)

    parameters = [p.replace(annotation=hints[name]) for name, p in own.items() if name not in groups]
    for group in groups.values():
        types = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=types[f.name])
            for f in fields(group)
        ]
    with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    )
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


_NAMES = "|".join((*(field.name for field in fields(Reading)), "law", "objective", "delta", "method", "kind", "group"))
_GIVEN = re.compile(rf"""(?<![\w.])(?P<name>{_NAMES})=(?:(?P<value>"[^"]*")|'(?P<word>\w+)'|True|(?=[\s,;)]|$))""")
_OF_PYTHON = {
    "identify='force'": "--force",
    "(offray.compare)": "(offray compare)",
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
