# SPDX-License-Identifier: Apache-2.0
"""The command ``offray plot``. Needs the extra ``plot`` too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import offray
from offray.cli import fitting, options
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, fail
from offray.cli.output import busy
from offray.cli.reading import Reading, refuse

_KINDS = ("runs", "uncertainty", "residuals", "optimal", "likelihood", "profile", "conditioning", "kappa", "isoflop", "compare")
_PLANS = ("design",)


@option_groups
def plot(
    runs: fitting.RunsOrFit,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="A png, svg or pdf file.")],
    kind: Annotated[
        str,
        typer.Option(
            help=f"Of a fit: {', '.join(_KINDS)}. Of a plan, such as suggest -o writes: {', '.join(_PLANS)}.",
            autocompletion=options.starting_with(*_KINDS, *_PLANS),
        ),
    ] = "runs",
    columns: Annotated[int, typer.Option(help="Panels side by side, where there are several; 1 for a narrow page.")] = 2,
    *,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Draw a fit of a table of training runs, or a plan; what the runs do not determine is hatched or left blank.

    Exit codes: 0 fine, 2 bad input.
    """
    try:
        if kind not in (*_KINDS, *_PLANS):
            raise ValueError(f"--kind must be one of {', '.join((*_KINDS, *_PLANS))}; got {kind!r}")
        pictures = offray.plot
        with fitting.quiet(), busy(True, "drawing"):  # what warnings say the picture shows
            pictures.save(pictures.figure(_of(kind, runs, how, reading), kind, columns=columns), output)
    except BAD_INPUT as error:
        fail(str(error))


def _of(kind: str, runs: Path, how: fitting.Fitting, reading: Reading) -> Any:
    """What a picture is of."""
    if kind in _PLANS:
        refuse(how, f"does not go with --kind {kind}: a plan is checked for its --law", but=("--law",))
        plan = reading.read(runs, required=("params", "tokens"))
        return offray.check(plan, law=options.law_of(how.law))
    if kind == "compare":
        refuse(how, "does not go with --kind compare: laws are compared as offray compare does", but=("--log-loss",))
        return offray.compare(fitting.runs(runs, reading), log_loss=how.log_loss)
    return how.fit(runs, reading)
