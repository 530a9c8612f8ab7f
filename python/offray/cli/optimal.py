# SPDX-License-Identifier: Apache-2.0
"""The command ``offray optimal``."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import typer

import offray
from offray.cli import answer, fitting, intervals, output
from offray.cli.options import BAD_INPUT, Exit, fail, number, numbers
from offray.cli.reading import Reading, reads_runs


@reads_runs
def optimal(
    runs: fitting.RunsOrFit,
    compute: Annotated[str, typer.Option(metavar="C,C,...", help="Budgets in floating-point operations.")],
    inference_tokens: Annotated[
        str, typer.Option(metavar="T", help="Tokens that the model will serve, at 2 N operations each.")
    ] = "0",
    flops_per_token: Annotated[
        float, typer.Option(metavar="c", help="Operations per parameter and training token: C = c N D.")
    ] = 6.0,
    level: intervals.Level = 0.95,
    method: intervals.Method = "delta",
    n: intervals.Replicates = 1000,
    kind: intervals.Kind = "pairs",
    seed: intervals.Seed = 0,
    group: intervals.Group = None,
    as_json: output.AsJson = False,
    as_csv: output.AsCsv = False,
    *,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Model size, tokens and loss that are best for a budget, with intervals.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not determine the optimum.
    """
    try:
        output.chosen(as_json, as_csv)
        fit, labels = how.fit_and_groups(runs, reading, group)
        fitting.warn(*fit.identifiability.warnings)
        budgets = numbers("--compute", compute)
        served = number("--inference-tokens", inference_tokens)
        with fitting.told(), output.busy(method == "bootstrap"):
            if fit.identify != "force":
                warnings.filterwarnings("error", "the compute-optimal point is not determined")
            options: Any = {"level": level, "method": method, "n": n, "kind": kind, "seed": seed, "group": labels}
            result = fit.compute_optimal(budgets, c=flops_per_token, inference_tokens=served, **options)
    except (offray.NotIdentifiedError, offray.IdentifiabilityWarning) as why:
        fail(str(why), Exit.NOT_IDENTIFIED)
    except BAD_INPUT as error:
        fail(str(error))
    costs = {"flops_per_token": flops_per_token, "inference_tokens": served}
    output.show(
        "compute_optimal",
        text=lambda: typer.echo(_text(result)),
        data=lambda: {**result.to_dict(), **costs},
        rows=lambda: answer.rows(result),
        as_json=as_json,
        as_csv=as_csv,
    )


def _text(result: offray.ComputeOptimal) -> str:
    lines = [f"compute-optimal, {100 * result.level:g} % intervals ({result.method}):", answer.text(result)]
    if result.findings:
        lines.append(f"beyond the largest run {', '.join(f'{reach:.3g}' for reach in result.reach)} times in compute")
    return "\n".join(lines)
