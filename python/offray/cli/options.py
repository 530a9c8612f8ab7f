# SPDX-License-Identifier: Apache-2.0
"""What the commands share: exit codes, options that are read in one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn

import typer

import offray
from offray.cli.reading import as_typed

FLOPS_PER_TOKEN = 6.0
"""For each parameter, where nothing else is said: C = 6 N D."""
LAWS = f"One of: {', '.join(dir(offray.laws))}."


BAD_INPUT = (ValueError, ModuleNotFoundError, OSError)
"""What a command says in one line: input that cannot be used, a package that a format needs, a file that cannot be written."""


_OF_A_FILE = re.compile(r"\[Errno \d+\] (?P<why>[^:]+): ['\"](?P<path>.*)['\"]")
"""How Python words an error of a file."""


class Exit(IntEnum):
    """Exit codes."""

    FINE = 0
    BAD_INPUT = 2
    NOT_IDENTIFIED = 3
    NO_CONVERGENCE = 4


def law_of(text: str, inputs: tuple[str, ...] = (), real: tuple[str, ...] = (), option: str = "--law") -> offray.Law:
    """A law by its name, or out of a formula."""
    if text.isidentifier():
        try:
            law: offray.Law = getattr(offray.laws, text)
        except AttributeError as error:
            raise ValueError(f"{option}: {error}") from None
        if inputs and set(inputs) != set(law.further):
            raise ValueError(f"--column: {law.name} reads {', '.join(law.further) or 'no further inputs'}")
        return law
    return offray.law(text, inputs=[name for name in inputs if name not in ("N", "D", "U", "C", "x")], real=real)


def required(law: offray.Law, *, loss: bool = True) -> tuple[str, ...]:
    """The columns that a file must have for a law, beside its further inputs."""
    counts = [name for name in law.place if name in ("params", "tokens")]
    return (*counts, "loss") if loss else tuple(counts)


def two(option: str, text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    first, comma, second = text.partition(",")
    if not comma:
        raise ValueError(f"{option}: {text!r} must be two numbers with a comma between them")
    return number(option, first), number(option, second)


def numbers(option: str, text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    return tuple(number(option, part) for part in text.split(","))


def pair(text: str, form: str = "NAME=VALUE") -> tuple[str, str]:
    """The two sides of NAME=VALUE."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise ValueError(f"{text!r} must have the form {form}")
    return name, value


def number(option: str, text: str) -> float:
    """A number, written as a file may write it: 1.4e12 or 1.4T; or an error that names the option."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(offray.read([{"x": text.strip()}], required=(), inputs={"x": "x"})["x"][0])
    except ValueError:
        raise ValueError(f"{option}: {text!r} is not a number") from None


def starting_with(*words: str) -> Callable[[str], list[str]]:
    """What a shell completes an option with."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def named_laws(incomplete: str) -> list[str]:
    """Names of laws, for the shell."""
    return starting_with(*offray.laws.NAMES)(incomplete)


def fail(message: str, code: Exit = Exit.BAD_INPUT) -> NoReturn:
    """Ends with an error message, and the exit code for bad input if no other."""
    if of_a_file := _OF_A_FILE.fullmatch(message):
        message = f"{of_a_file['path']}: {of_a_file['why']}"
    typer.echo(f"error: {as_typed(message)}", err=True)
    raise typer.Exit(code)
