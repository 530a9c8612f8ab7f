# SPDX-License-Identifier: Apache-2.0
"""What is assumed of runs that are planned: the law, its parameters, where the loss is to be predicted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import options
from offray.cli.reading import Reading

_PANEL = "What is assumed"
_COLUMNS = {"N": "params", "D": "tokens", "U": "unique_tokens"}


def _option(help: str, metavar: str | None = None, **how: Any) -> Any:  # noqa: A002
    return typer.Option(help=help, metavar=metavar, rich_help_panel=_PANEL, **how)


@dataclass(frozen=True)
class Planning:
    """Options of planned runs, by the names that they have on the command line."""

    law: Annotated[
        str | None,
        _option(f"{options.LAWS} Or a formula, with --theta. [default: chinchilla]", autocompletion=options.named_laws),
    ] = None
    column: Annotated[
        list[str] | None, _option("An input of a formula beside N, D, U, C, x, and its column.", "INPUT=COLUMN")
    ] = None
    real: Annotated[list[str] | None, _option("A formula's parameter or input that may be zero or negative.", "NAME")] = None
    theta: Annotated[str | None, _option("Parameters to plan with. [default: those of published fits]", "NAME=VALUE,...")] = (
        None
    )
    target: Annotated[
        str | None,
        _option("Where the loss is to be predicted: N,D, or C=1e24 of a law that reads others.", "N,D|NAME=VALUE,..."),
    ] = None
    sigma: Annotated[float | None, _option("Noise of a loss, nats per token. [default: 0.01]")] = None

    def the_law(self) -> offray.Law:
        """The law that is named, or the default."""
        return options.law_of(self.law or "chinchilla", tuple(self.columns()), tuple(self.real or ()))

    def read(self, path: Path, reading: Reading, law: offray.Law) -> Any:
        """Runs in a file, with or without losses."""
        own = self.columns()
        return reading.read(
            path, required=options.required(law, loss=False), inputs={name: own.get(name, name) for name in law.further}
        )

    def assumed(self) -> dict[str, float] | None:
        """Of --theta."""
        return None if self.theta is None else _values("--theta", self.theta)

    def where(self, law: offray.Law) -> Any:
        """Of --target."""
        if self.target is None:
            return None
        if "=" in self.target:
            return _values("--target", self.target)
        inputs, values = tuple(inputs_of(law)), options.numbers("--target", self.target)
        if len(values) != len(inputs):
            raise ValueError(f"--target: {self.target!r} must be {','.join(inputs)}, a number for each")
        return dict(zip(inputs, values, strict=True))

    def columns(self) -> dict[str, str]:
        """The file's columns of inputs, by input."""
        return dict(options.pair(text, "INPUT=COLUMN") for text in self.column or [])


def inputs_of(law: offray.Law) -> dict[str, str]:
    """What planned runs consist of, as people write it, and the columns."""
    short = {column: name for name, column in _COLUMNS.items()}
    return {short.get(name, name): name for name in law.place}


def _values(option: str, text: str) -> dict[str, float]:
    out: dict[str, float] = {}
    for part in text.split(","):
        try:
            name, value = options.pair(part)
        except ValueError as error:
            raise ValueError(f"{option}: {error}") from None
        if name in out:
            raise ValueError(f"{option}: {name} is given more than once")
        out[name] = options.number(option, value)
    return out
