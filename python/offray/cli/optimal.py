# SPDX-License-Identifier: Apache-2.0
"""The command ``offray optimal``."""

from __future__ import annotations

from typing import Annotated

import typer

import offray
from offray.cli import answer, fitting, intervals, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, FLOPS_PER_TOKEN, Exit, fail, number, numbers
from offray.cli.reading import Reading


@option_groups
def optimal(
    runs: fitting.RunsOrFit,
    compute: Annotated[str, typer.Option(metavar="C,C,...", help="Budgets in floating-point operations.")],
    inference_tokens: Annotated[
        str, typer.Option(metavar="T", help="Tokens that the model will serve, at 2 N operations each.")
    ] = "0",
    flops_per_token: Annotated[
        float, typer.Option(metavar="c", help="Operations per parameter and training token: C = c N D.")
    ] = FLOPS_PER_TOKEN,
    method: intervals.Method = "delta",
    *,
    drawn: intervals.Resampled,
    form: output.Form,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Model size, tokens and loss that are best for a budget, with intervals.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not determine the optimum.
    """
    try:
        fit, labels = how.fit_and_groups(runs, reading, drawn.group)
        fitting.warn(*fit.identifiability.warnings)
        budgets = numbers("--compute", compute)
        served = number("--inference-tokens", inference_tokens)
        with fitting.told(), output.busy(method == "bootstrap"):
            if fit.identify != "force":
                answer.open_is_an_error()
            asked = drawn.options(labels, method=method)
            result = fit.compute_optimal(budgets, c=flops_per_token, inference_tokens=served, **asked)
    except (offray.NotIdentifiedError, offray.IdentifiabilityWarning) as why:
        fail(str(why), Exit.NOT_IDENTIFIED)
    except BAD_INPUT as error:
        fail(str(error))
    costs = {"flops_per_token": flops_per_token, "inference_tokens": served}
    form.show(
        "compute_optimal",
        text=lambda: typer.echo(_text(result)),
        data=lambda: {**result.to_dict(), **costs},
        rows=lambda: answer.rows(result),
    )


def _text(result: offray.ComputeOptimal) -> str:
    lines = [f"compute-optimal, {100 * result.level:g} % intervals ({result.method}):", answer.text(result)]
    if result.findings:
        lines.append(f"beyond the largest run {', '.join(f'{reach:.3g}' for reach in result.reach)} times in compute")
    return "\n".join(lines)
