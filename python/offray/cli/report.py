# SPDX-License-Identifier: Apache-2.0
"""The command ``offray report``. Needs the extra ``report`` too."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import fitting
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, fail
from offray.cli.output import busy
from offray.cli.reading import Reading, as_option


@option_groups
def report(
    runs: fitting.RunsOrFit,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The HTML file.")],
    title: Annotated[str, typer.Option(help="Of the page. [default: the name of the runs' file]")] = "",
    *,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Write a report on a fit: one HTML file, the answer first, for screens, phones and paper.

    Exit codes: 0 fine, 2 bad input.
    """
    try:
        if output.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"-o: a report is one HTML file; got {output}")
        reports = offray.report
        fit = how.fit(runs, reading)
        origin = reports.of_file(runs, _command(runs, output, title, how, reading))
        with busy(True, "writing the report"):
            reports.write(fit, output, title=title or runs.stem, origin=origin)
    except BAD_INPUT as error:
        fail(str(error))


def _command(runs: Path, output: Path, title: str, *groups: Any) -> str:
    """The line that makes the report again: options that differ from their defaults."""
    words = ["offray", "report", str(runs), "-o", str(output), *(["--title", title] if title else [])]
    for group in groups:
        for field in fields(group):
            value, option = getattr(group, field.name), as_option(field.name)
            if value is True:
                words.append(option)
            elif value != field.default:
                words += [word for one in (value if isinstance(value, list) else [value]) for word in (option, str(one))]
    return shlex.join(words)
