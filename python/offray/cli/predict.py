# SPDX-License-Identifier: Apache-2.0
"""The command ``offray predict``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import offray
from offray.cli import fitting, intervals, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, Exit, fail, numbers, pair, required, two
from offray.cli.reading import Reading

_NAMES = {"N": "params", "D": "tokens", "U": "unique_tokens"}


@option_groups
def predict(
    runs: fitting.RunsOrFit,
    at: Annotated[list[str] | None, typer.Option(metavar="N,D", help="Where; may be given again, and like 70B,1.4T.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="POINTS", help="A file of places: params and tokens.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE,...", help="What else the law reads: U, or the inputs of a formula."),
    ] = None,
    method: intervals.Method = "delta",
    *,
    drawn: intervals.Resampled,
    form: output.Form,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """The loss of runs that have not been made, with intervals for the mean and for one new run.

    Exit codes: 0 fine, 2 bad input, 3 the runs do not determine the loss there.
    """
    try:
        fit, labels = how.fit_and_groups(runs, reading, drawn.group)
        fitting.warn(*fit.identifiability.warnings)
        where = _places(fit.law, at, file, given)
        inputs = {name: values for name, values in where.items() if name not in _NAMES}
        counts = [where.get(name) for name in _NAMES]
        with fitting.told(), output.busy(method == "bootstrap"):
            result = fit.predict(*counts, inputs=inputs, **drawn.options(labels, method=method))
    except offray.NotIdentifiedError as why:
        fail(str(why), Exit.NOT_IDENTIFIED)
    except (*BAD_INPUT, TypeError) as error:
        fail(str(error))
    rows = _rows(where, result)
    form.show(
        "prediction",
        text=lambda: typer.echo(f"{_text(rows, result)}\n{result.reach}"),
        data=lambda: {**result.to_dict(), "inputs": {_NAMES.get(name, name): values for name, values in where.items()}},
        rows=lambda: rows,
    )
    raise typer.Exit(Exit.FINE if np.isfinite(result.se).all() else Exit.NOT_IDENTIFIED)


def _places(law: offray.Law, at: Sequence[str] | None, file: Path | None, given: Sequence[str] | None) -> dict[str, Any]:
    """The law's inputs by its own names, one value for each place."""
    if at and file:
        raise ValueError("--at and --file are two ways to give places; choose one")
    out: dict[str, Any] = {}
    if at:
        N, D = zip(*(two("--at", text) for text in at), strict=True)
        out = {"N": np.array(N), "D": np.array(D)}
    elif file:
        own = {name: name for name in law.further}
        table = offray.read(file, required=required(law, loss=False), inputs=own)
        out = {name: table[column] for name, column in {**_NAMES, **own}.items() if column in table}
        if not law.reads("unique_tokens"):
            out.pop("U", None)
    for name, text in map(pair, given or []):
        if name in out:
            raise ValueError(f"--input: {name} is given more than once")
        out[name] = np.array(numbers("--input", text))
    if not out:
        what = "--at N,D or --file" if required(law, loss=False) else f"--input {law.inputs[0]}=VALUE"
        raise ValueError(f"{what} is needed: where the loss is to be predicted")
    try:
        return dict(zip(out, np.broadcast_arrays(*out.values()), strict=True))
    except ValueError:
        lengths = ", ".join(f"{len(values)} of {name}" for name, values in out.items())
        raise ValueError(f"--input: as many values as places, or one, are needed; got {lengths}") from None


def _rows(where: dict[str, Any], at: offray.Prediction) -> list[dict[str, Any]]:
    columns = {_NAMES.get(name, name): values.ravel() for name, values in where.items()}
    (low, high), (new_low, new_high) = (ends.reshape(-1, 2).T for ends in (at.interval, at.prediction_interval))
    known = np.where(np.isfinite(at.se), at.value, np.nan)  # what is not determined is no figure
    columns |= {"loss": known.ravel(), "se": at.se.ravel(), "low": low, "high": high}
    columns |= {"new_low": new_low, "new_high": new_high, "model": at.model.ravel()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _text(rows: list[dict[str, Any]], at: offray.Prediction) -> str:
    level = f"{100 * at.level:g} %"
    names = list(rows[0])[: list(rows[0]).index("loss")]
    short = {column: name for name, column in _NAMES.items()}
    head = [*(short.get(name, name) for name in names), "loss", "s.e.", f"mean, {level}", f"a new run, {level}"]
    lines = [
        [
            *(output.count(row[name]) for name in names),
            *_known(row),
        ]
        for row in rows
    ]
    return output.aligned([head, *lines])


def _known(row: dict[str, Any]) -> list[str]:
    if not np.isfinite(row["se"]):
        return ["not determined", "", "", ""]
    ends = (f"{row[f'{of}low']:.4g} .. {row[f'{of}high']:.4g}" for of in ("", "new_"))
    return [f"{row['loss']:.5g}", f"{row['se']:.2g}", *ends]
