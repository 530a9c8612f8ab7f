# SPDX-License-Identifier: Apache-2.0
"""What goes to standard output: text, or JSON and CSV for programs. Everything else goes to standard error."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import typer

Rows: TypeAlias = Sequence[Mapping[str, Any]]

VERSION = 1
"""Of every document; it changes when a key goes or changes its meaning, not when one comes."""


@dataclass(frozen=True)
class Form:
    """Options of the form of a result: text, if no other is asked for."""

    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False

    def __post_init__(self) -> None:
        if self.as_json and self.as_csv:
            raise ValueError("--json and --csv are two forms of the same; choose one")

    def show(
        self,
        schema: str,
        *,
        text: Callable[[], None],
        data: Callable[[], Mapping[str, Any]],
        rows: Callable[[], Rows],
    ) -> None:
        """Prints a result."""
        if self.as_json:
            typer.echo(document(schema, data()))
        elif self.as_csv:
            typer.echo(table(rows()), nl=False)
        else:
            text()


def document(schema: str, data: Mapping[str, Any]) -> str:
    """Strict JSON that says what it is; null stands for what is not finite, unless a result has made it text."""
    return json.dumps(plain({"schema": f"offray.{schema}", "version": VERSION, **data}), indent=2, allow_nan=False)


def line(schema: str, data: Mapping[str, Any]) -> str:
    """The same on one line."""
    return json.dumps(plain({"schema": f"offray.{schema}", "version": VERSION, **data}), allow_nan=False)


def table(rows: Rows, *, header: bool = True) -> str:
    """CSV with a header; an empty cell stands for what is not finite."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = list(rows[0]) if rows else []
    if header:
        writer.writerow(names)
    writer.writerows([[_cell(plain(row[name])) for name in names] for row in rows])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def plain(value: Any) -> Any:
    """Numbers, texts, lists and mappings as JSON knows them; arrays become lists."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value) if math.isfinite(value) else None


def count(value: float) -> str:
    """A count to three digits, as the reader takes it: 70B."""
    value = float(f"{value:.3g}")
    if not 1e3 <= value < 1e15:
        return f"{value:.3g}"
    power = int(f"{value:.2e}".partition("e")[2]) // 3
    return f"{value / 1000**power:.3g}{' KMBT'[power]}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns two blanks apart, the first to the left and all others to the right."""
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, width, strict=True))).rstrip()
        for row in rows
    )


@contextmanager
def busy(long: bool, what: str = "refitting resampled runs") -> Iterator[None]:
    """A sign of life on standard error, if that is a terminal, for what may take more than a second."""
    if not long:
        yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield
