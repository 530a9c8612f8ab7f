# SPDX-License-Identifier: Apache-2.0
"""The command ``offray intervals``, and the options of intervals for all."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

import offray
from offray.cli import fitting, output
from offray.cli.options import BAD_INPUT, fail, starting_with
from offray.cli.reading import Reading, reads_runs

_METHODS = ("delta", "sandwich", "profile", "bootstrap")
_KINDS = ("pairs", "residual", "wild")
_PANEL = "Intervals"

Level: TypeAlias = Annotated[float, typer.Option(help="Of the intervals.", rich_help_panel=_PANEL)]
Method: TypeAlias = Annotated[
    str,
    typer.Option(
        help=f"How intervals are made: {', '.join(_METHODS)}.",
        autocompletion=starting_with(*_METHODS),
        rich_help_panel=_PANEL,
    ),
]
Replicates: TypeAlias = Annotated[int, typer.Option("--n", help="Refits of a bootstrap.", rich_help_panel=_PANEL)]
Kind: TypeAlias = Annotated[
    str,
    typer.Option(
        "--kind",
        help=f"Of the bootstrap: {', '.join(_KINDS)}.",
        autocompletion=starting_with(*_KINDS),
        rich_help_panel=_PANEL,
    ),
]
Group: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Runs with noise in common, such as checkpoints of one; for sandwich and bootstrap.",
        rich_help_panel=_PANEL,
    ),
]
Seed: TypeAlias = Annotated[int, typer.Option(help="Of the bootstrap.", rich_help_panel=_PANEL)]


@reads_runs
def intervals(
    runs: fitting.RunsOrFit,
    methods: Annotated[
        str, typer.Option(metavar="METHOD,...", help=f"Of auto, {', '.join(_METHODS)}.")
    ] = "delta,profile,bootstrap",
    level: Level = 0.95,
    n: Replicates = 1000,
    kind: Kind = "pairs",
    seed: Seed = 0,
    group: Group = None,
    as_json: output.AsJson = False,
    as_csv: output.AsCsv = False,
    *,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Confidence intervals of the parameters by several methods, side by side.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not identify the law, 4 no convergence.
    """
    try:
        output.chosen(as_json, as_csv)
        fit, labels = how.fit_and_groups(runs, reading, group)
        fitting.warn(*fit.identifiability.warnings)
        names = [name.strip() for name in methods.split(",")]
        with fitting.told(), output.busy("bootstrap" in names):
            options: Any = {"methods": names, "level": level, "n": n, "kind": kind, "seed": seed, "group": labels}
            result = fit.intervals(**options)
    except BAD_INPUT as error:
        fail(str(error))
    output.show(
        "intervals",
        text=lambda: typer.echo(_text(result)),
        data=result.to_dict,
        rows=lambda: _rows(result),
        as_json=as_json,
        as_csv=as_csv,
    )
    raise typer.Exit(fitting.code(fit))


def _rows(result: offray.Intervals) -> output.Rows:
    return [
        {"parameter": name, "estimate": estimate, "method": method, "low": low, "high": high}
        for name, estimate, ends in zip(result.parameters, result.estimate, result.bounds, strict=True)
        for method, (low, high) in zip(result.methods, ends, strict=True)
    ]


def _text(result: offray.Intervals) -> str:
    """Methods side by side where they fit into 80 columns, else one after the other."""
    wide = str(result)
    if max(map(len, wide.splitlines())) <= 80:
        return wide
    rows = [["parameter", "estimate", "method", f"{100 * result.level:g} % interval"]]
    for row in _rows(result):
        first = row["method"] == result.methods[0]
        name, value = (row["parameter"], f"{row['estimate']:.6g}") if first else ("", "")
        rows.append([name, value, row["method"], f"{row['low']:.5g} .. {row['high']:.5g}"])
    return output.aligned(rows)
