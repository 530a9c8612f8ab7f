# SPDX-License-Identifier: Apache-2.0
"""The command ``offray isoflop``."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer

import offray
from offray.cli import fitting, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, LAWS, Exit, fail, law_of, named_laws, numbers
from offray.cli.reading import Reading


@option_groups
def isoflop(
    runs: fitting.RunsOrFit,
    budgets: Annotated[
        str | None, typer.Option(metavar="C,C,...", help="Nominal budgets. [default: clusters of the runs' compute]")
    ] = None,
    budget_tolerance: Annotated[float, typer.Option(help="How far a run may be from its budget, of ln C.")] = 0.1,
    law: Annotated[
        str | None, typer.Option(help=f"To compare with. {LAWS} [default: chinchilla]", autocompletion=named_laws)
    ] = None,
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    *,
    form: output.Form,
    reading: Reading,
) -> None:
    """IsoFLOP curves: the best size of each budget by a parabola, beside the optimum of a law fitted to the same runs.

    With --flops the budgets are the compute of that column, else 6 N D.

    Exit codes: 0 fine, 2 bad input, 3 no budget has a minimum.
    """
    try:
        there: offray.Fit | None = fitting.saved(runs, reading)
        how: dict[str, Any] = {
            "budgets": None if budgets is None else numbers("--budgets", budgets),
            "tolerance": budget_tolerance,
            "level": level,
        }
        with fitting.quiet():
            if there is None:
                table = reading.read(runs)
                columns = [table[name] for name in ("params", "tokens", "loss")]
                result = offray.isoflop(*columns, flops=table.get("flops"), law=law_of(law or "chinchilla"), **how)
            elif law is not None:
                raise ValueError(f"--law is for a file of runs; {runs} is a saved fit, with its own law")
            else:
                fitting.require_counts(there, runs)
                result = offray.isoflop(there, **how)
    except BAD_INPUT as error:
        fail(str(error))
    places = None if there else table
    form.show(
        "iso_flop",
        text=lambda: typer.echo(_text(result, places)),
        data=lambda: {**result.to_dict(), "left_out_rows": [_place(places, row) for row in result.left_out]},
        rows=lambda: _rows(result),
    )
    raise typer.Exit(Exit.FINE if any(np.isfinite(p.N) for p in result.parabolas) else Exit.NOT_IDENTIFIED)


def _rows(result: offray.IsoFlop) -> output.Rows:
    return [
        {
            "flops": p.C,
            "runs": p.runs,
            "params": p.N,
            "params_low": p.interval[0],
            "params_high": p.interval[1],
            "tokens": p.D,
            "loss": p.loss,
            "curvature": p.curvature,
            "law_params": p.law_N,
            "law_tokens": p.law_D,
            "bias": p.bias,
        }
        for p in result.parabolas
    ]


def _place(table: Any, row: int) -> str:
    """A row as the file has it."""
    return f"row {row}" if table is None or table.row_name is None else str(table.row_name(row))


def _text(result: offray.IsoFlop, table: Any) -> str:
    rows = [["C", "runs", "N*", "interval", "N* of law", "TPP* of law", "bias"]]
    rows += [
        [
            f"{p.C:.3g}",
            f"{p.runs}",
            output.count(p.N) if np.isfinite(p.N) else "none",
            " .. ".join(map(output.count, p.interval)),
            output.count(p.law_N),
            f"{p.law_D / p.law_N:.3g}" if p.law_N else "none",
            f"{100 * p.bias:.1f}%",
        ]
        for p in result.parabolas
    ]
    lines = [output.aligned(rows)]
    if np.isfinite(result.exponent):
        low, high = result.exponent_interval
        law = f", {result.law_exponent:.4f} from the law" if np.isfinite(result.law_exponent) else ""
        lines.append(f"a of N* ~ C^a: {result.exponent:.4f} ({low:.4f} .. {high:.4f}) from parabolas{law}")
    lines += [f"warning: {message}" for message in result.warnings]
    if result.left_out:
        places = ", ".join(_place(table, row) for row in result.left_out[:_SHOWN])
        more = ", ..." if len(result.left_out) > _SHOWN else ""
        lines.append(f"left out, of budgets without three sizes: {len(result.left_out)} runs, {places}{more}")
    return "\n".join(lines)


_SHOWN = 6
