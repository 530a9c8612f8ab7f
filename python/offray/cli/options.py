# SPDX-License-Identifier: Apache-2.0
"""What the commands share: exit codes, options that are read in one way."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

import typer

import offray
from offray.cli.reading import as_typed

LAWS = f"One of: {', '.join(dir(offray.laws))}."


BAD_INPUT = (ValueError, ModuleNotFoundError)
"""What a command says in one line: input that cannot be used, and a package that a format of file needs."""


class Exit(IntEnum):
    """Exit codes."""

    FINE = 0
    BAD_INPUT = 2
    NOT_IDENTIFIED = 3
    NO_CONVERGENCE = 4


def law_of(text: str, inputs: tuple[str, ...] = (), real: tuple[str, ...] = ()) -> offray.Law:
    """A law by its name, or out of a formula."""
    if text.isidentifier():
        try:
            law: offray.Law = getattr(offray.laws, text)
        except AttributeError as error:
            raise ValueError(f"--law: {error}") from None
        if inputs and set(inputs) != set(law.further):
            raise ValueError(f"--column: {law.name} reads {', '.join(law.further) or 'no further inputs'}")
        return law
    return offray.law(text, inputs=[name for name in inputs if name not in ("N", "D", "U", "C", "x")], real=real)


def required(law: offray.Law) -> tuple[str, ...]:
    """The columns that a file must have for a law, beside its further inputs."""
    return (*(name for name in ("params", "tokens") if law.built_in or law.reads(name)), "loss")


def target(text: str | None) -> tuple[float, float] | None:
    """Where a loss is to be predicted."""
    return None if text is None else numbers("--target", text)


def numbers(option: str, text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    first, comma, second = text.partition(",")
    if not comma:
        raise ValueError(f"{option}: {text!r} must be two numbers with a comma between them")
    return number(option, first), number(option, second)


def pair(text: str, form: str = "NAME=VALUE") -> tuple[str, str]:
    """The two sides of NAME=VALUE."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ValueError(f"{text!r} must have the form {form}")
    return name, value


def number(option: str, text: str) -> float:
    """A number, or an error that names the option."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{option}: {text!r} is not a number") from None


def fail(message: str) -> NoReturn:
    """Ends with an error message and the exit code for bad input."""
    typer.echo(f"error: {as_typed(message)}", err=True)
    raise typer.Exit(Exit.BAD_INPUT)
