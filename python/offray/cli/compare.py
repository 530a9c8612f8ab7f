# SPDX-License-Identifier: Apache-2.0
"""The command ``offray compare``."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

import offray
from offray.cli import fitting, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, fail, named_laws, pair
from offray.cli.reading import Reading


@option_groups
def compare(
    runs: fitting.RunsOrFit,
    laws: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAW,LAW,...",
            help="Names of laws, or formulas. [default: chinchilla, kaplan, droppo_elibol]",
            autocompletion=named_laws,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="INPUT=COLUMN", help="An input of formulas beside N, D, U, C, x, and its column."),
    ] = None,
    log_loss: Annotated[bool, typer.Option("--log-loss", help="Fit ln(loss).")] = False,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Runs that are left out together. [default: those of one size]")
    ] = None,
    *,
    form: output.Form,
    reading: Reading,
) -> None:
    """Laws on the same runs: information criteria, what each foretells of runs held out, what the runs determine of it.

    Exit codes: 0 fine, 2 bad input.
    """
    try:
        own = dict(pair(text, "INPUT=COLUMN") for text in column or [])
        chosen = fitting.laws(laws, own)
        places = [name for law in chosen or [offray.laws.chinchilla] for name in law.place]
        table = fitting.runs(runs, reading, group, {name: own.get(name, name) for name in places})
        labels = None if group is None else table[group]
        with fitting.quiet(), output.busy(True, "comparing laws"):
            result = offray.compare(table, laws=chosen, log_loss=log_loss, group=labels)
    except BAD_INPUT as error:
        fail(str(error))
    form.show(
        "comparison",
        text=lambda: typer.echo(_text(result)),
        data=result.to_dict,
        rows=lambda: [{**row, "findings": " ".join(row["findings"])} for row in _rows(result)],
    )


def _rows(result: offray.Comparison) -> output.Rows:
    return [
        {
            "law": score.law.name,
            "parameters": len(score.law.parameters),
            "rss": score.rss,
            "aicc": score.AICc,
            "bic": score.BIC,
            "leave_group_out": score.leave_group_out,
            **{f"held_out_{name.replace(' ', '_').replace('-', '_')}": value for name, value in score.held_out.items()},
            "kappa": score.identifiability.kappa,
            "status": score.fit.status,
            "identified": score.identifiability.identified,
            "findings": score.identifiability.findings,
        }
        for score in result.scores
    ]


def _text(result: offray.Comparison) -> str:
    """Two tables of the comparison's one: it is wider than a terminal."""
    least = min(score.AICc for score in result.scores), min(score.BIC for score in result.scores)
    held = list(result.scores[0].held_out)
    fits = [["law", "p", "RSS", "dAICc", "dBIC", "kappa_2", "identified"]]
    errors = [["errors of", "groups left out", *held]]
    for score in result.scores:
        fits.append(
            [
                score.law.name,
                f"{len(score.law.parameters)}",
                f"{score.rss:.5g}",
                *(f"{x - y:.2f}" if np.isfinite(x) else "inf" for x, y in zip((score.AICc, score.BIC), least, strict=True)),
                f"{score.identifiability.kappa:.3g}",
                "yes" if score.identifiability.identified else "no",
            ]
        )
        errors.append([score.law.name, f"{score.leave_group_out:.4g}", *(f"{score.held_out[name]:.4g}" for name in held)])
    lines = [output.aligned(fits), "", output.aligned(errors)]
    lines.append(f"root mean squares of {'ln L' if result.log_loss else 'L'}; held out: a fifth of the runs")
    for score in result.scores:
        report = score.identifiability
        if report.findings or not report.identified:
            lines.append(f"{score.law.name}: {', '.join(report.findings) or score.fit.status}")
    return "\n".join(lines)
