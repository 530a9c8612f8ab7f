# SPDX-License-Identifier: Apache-2.0
"""The command ``offray intervals``, and the options of intervals for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
import typer

import offray
from offray.cli import fitting, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, fail, starting_with
from offray.cli.reading import Reading

_METHODS = ("delta", "sandwich", "profile", "bootstrap")
_KINDS = ("pairs", "residual", "wild")
_PANEL = "Intervals"


def _option(*names: str, **how: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_PANEL, **how)


Method: TypeAlias = Annotated[
    str,
    _option(help=f"How intervals are made: {', '.join(_METHODS)}.", autocompletion=starting_with(*_METHODS)),
]


@dataclass(frozen=True)
class Resampled:
    """Options of intervals by any method."""

    level: Annotated[float, _option(help="Of the intervals.")] = 0.95
    n: Annotated[int, _option("--n", help="Refits of a bootstrap.")] = 1000
    kind: Annotated[
        str, _option("--kind", help=f"Of the bootstrap: {', '.join(_KINDS)}.", autocompletion=starting_with(*_KINDS))
    ] = "pairs"
    seed: Annotated[int, _option(help="Of the bootstrap.")] = 0
    group: Annotated[
        str | None,
        _option(metavar="COLUMN", help="Runs with noise in common, such as checkpoints of one; for sandwich and bootstrap."),
    ] = None

    def options(self, labels: Any, **how: Any) -> dict[str, Any]:
        """What the methods of a `Fit` take, with the labels of the runs in the column that is named, and how."""
        return {"level": self.level, "n": self.n, "kind": self.kind, "seed": self.seed, "group": labels, **how}


@option_groups
def intervals(
    runs: fitting.RunsOrFit,
    methods: Annotated[
        str, typer.Option(metavar="METHOD,...", help=f"Of auto, {', '.join(_METHODS)}.")
    ] = "delta,profile,bootstrap",
    *,
    drawn: Resampled,
    form: output.Form,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Confidence intervals of the parameters by several methods, side by side.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not identify the law, 4 no convergence.
    """
    try:
        fit, labels = how.fit_and_groups(runs, reading, drawn.group)
        fitting.warn(*fit.identifiability.warnings)
        names = [name.strip() for name in methods.split(",")]
        with fitting.told(), output.busy("bootstrap" in names):
            result = fit.intervals(**drawn.options(labels, methods=names))
    except BAD_INPUT as error:
        fail(str(error))
    form.show(
        "intervals",
        text=lambda: typer.echo(_text(result)),
        data=result.to_dict,
        rows=lambda: _rows(result),
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
    if np.isfinite(result.estimate).all() and max(map(len, wide.splitlines())) <= 80:
        return wide
    rows = [["parameter", "estimate", "method", f"{100 * result.level:g} % interval"]]
    for row in _rows(result):
        first = row["method"] == result.methods[0]
        known = np.isfinite(row["estimate"])
        name, value = (row["parameter"], f"{row['estimate']:.6g}" if known else "") if first else ("", "")
        rows.append([name, value, row["method"], f"{row['low']:.5g} .. {row['high']:.5g}" if known else "not determined"])
    return output.aligned(rows)
