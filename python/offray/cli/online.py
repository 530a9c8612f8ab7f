# SPDX-License-Identifier: Apache-2.0
"""The command ``offray online``."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import offray
from offray.cli import fitting, output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, Exit, fail, law_of, two
from offray.cli.reading import Reading, given, refuse

_LINE = re.compile(r"\bline \d+")
_OF_A_WHOLE_FILE = ("where", "last", "best")


@option_groups
def online(
    runs: fitting.Runs,
    at: Annotated[str, typer.Option(metavar="N,D", help="Where the loss is to be foretold, such as 70B,1.4T.")],
    every: Annotated[int, typer.Option(min=1, help="Print after every so many runs.")] = 1,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on from this file where it exists, and keep it up to date.")
    ] = None,
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    *,
    form: output.Form,
    how: fitting.Fitting,
    reading: Reading,
) -> None:
    """Follow runs as they come: after each, the loss foretold for a larger one, and what is known by then.

    A file is read at once; standard input (-) line by line, as CSV with a header or as JSON lines; --drop-missing then leaves
    out, with a note, every line that cannot be used. With --json a document stands on each line. Runs that --state knows
    already are not counted again.

    Exit codes: 0 fine, 2 bad input, 3 the runs that came do not identify the law.
    """
    try:
        where = two("--at", at)
        fit = _begun(state, how)
        known = _counted(fit)
        came, again, said = 0, 0, None
        for run in _runs(runs, fit.law, reading):
            if known[this := _key(run)] > 0:
                known[this] -= 1
                again += 1
                continue
            fit.add(**run)
            came += 1
            if came % every == 0:
                _say(_row(fit, where, level), form, header=said is None)
                said = came
                _keep(fit, state)
        if said != came:
            _say(_row(fit, where, level), form, header=said is None)
        _keep(fit, state)
        if again:
            typer.echo(f"note: {again} runs are in {state} already, and were not counted again", err=True)
    except BAD_INPUT as error:
        fail(str(error))
    raise typer.Exit(Exit.FINE if _identified(fit) else Exit.NOT_IDENTIFIED)


def _begun(state: Path | None, how: fitting.Fitting) -> offray.OnlineFit:
    if how.column is not None:
        raise ValueError("--column does not go with online: the runs that it follows are N, D and loss")
    if state is None or not state.exists():
        return offray.OnlineFit(law_of(how.law, real=tuple(how.real or ())), **how.options())
    refuse(how, f"is for a new fit; {state} goes on with its own options", but=("--law", "--real"))
    named = None if "--law" not in given(how) else law_of(how.law, real=tuple(how.real or ()))
    try:
        return offray.OnlineFit.load(state, law=named)
    except ValueError as error:
        raise ValueError(f"--state: {error}") from None


def _key(run: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float(run[name]) for name in ("N", "D", "loss"))


def _counted(fit: offray.OnlineFit) -> Counter[tuple[float, ...]]:
    """How often a run is there."""
    columns = fit.runs
    return Counter(zip(*(columns[name].astype(float).tolist() for name in ("N", "D", "loss")), strict=True))


def _keep(fit: offray.OnlineFit, state: Path | None) -> None:
    if state is not None:
        fit.save(state)


def _runs(path: Path, law: offray.Law, reading: Reading) -> Iterator[dict[str, Any]]:
    """Arguments of `OnlineFit.add`, one run after the other."""
    for table in _lines(reading) if str(path) == "-" else [reading.read(path)]:
        names = {"N": "params", "D": "tokens", "loss": "loss", "weight": "weight"}
        if law.reads("unique_tokens"):
            names["unique_tokens"] = "unique_tokens"
        columns = {name: table[column] for name, column in names.items() if column in table}
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(columns, row, strict=True))


def _lines(reading: Reading) -> Iterator[Any]:
    """A table for each line of standard input as it comes."""
    for option in _OF_A_WHOLE_FILE:
        if getattr(reading, option):
            raise ValueError(f"--{option.replace('_', '-')} needs a file: lines that come one by one are taken as they are")
    strict = replace(reading, drop_missing=False)  # so that it says what is wrong with a line
    header, told = b"", False
    for number, line in enumerate(sys.stdin.buffer, start=1):
        if not line.strip() or line.startswith(b"#"):
            continue
        if not header and not line.lstrip().startswith(b"{"):
            header = line
            continue
        content = io.BytesIO(header + line)
        content.name = "standard input"
        try:
            table = strict.read(content, silent=told)
        except ValueError as error:
            said = _LINE.sub(f"line {number}", str(error), count=1)
            if reading.drop_missing and _LINE.search(said):  # what is wrong with all lines is wrong with none in particular
                typer.echo(f"note: left out: {said.partition('; read with ')[0]}", err=True)
                continue
            raise ValueError(said) from None
        told = True
        yield table


def _row(fit: offray.OnlineFit, where: tuple[float, float], level: float) -> dict[str, Any]:
    out: dict[str, Any] = {"runs": len(fit), "params": where[0], "tokens": where[1]}
    out |= dict.fromkeys(("loss", "se", "low", "high", "new_low", "new_high"), np.nan)
    out["identified"] = _identified(fit)
    out["known"] = _known(fit)
    if len(fit) < len(fit.law.parameters):
        return out
    try:
        with fitting.quiet():
            said = fit.predict(*where, level=level)
    except offray.NotIdentifiedError:
        return out
    if not np.isfinite(said.se):
        return out
    (low, high), (new_low, new_high) = said.interval, said.prediction_interval
    return out | {"loss": said.value, "se": said.se, "low": low, "high": high, "new_low": new_low, "new_high": new_high}


def _identified(fit: offray.OnlineFit) -> bool:
    with fitting.quiet():
        return len(fit) >= len(fit.law.parameters) and fit.identifiability.identified


def _known(fit: offray.OnlineFit) -> str:
    """What the runs determine, in a few words."""
    wanted = len(fit.law.parameters)
    if len(fit) < wanted:
        missing = wanted - len(fit)
        return f"{missing} more {'run' if missing == 1 else 'runs'} needed"
    found = fit.identifiability
    if found.identified:
        return "identified"
    return f"not identified: {', '.join(found.findings) or fit.fit.status}"


def _say(row: dict[str, Any], form: output.Form, *, header: bool) -> None:
    if form.as_json:
        typer.echo(output.line("online", row))
    elif form.as_csv:
        typer.echo(output.table([row], header=header), nl=False)
    elif np.isfinite(row["se"]):
        typer.echo(
            f"{row['runs']:5d} runs  {row['loss']:.5g} ({row['low']:.4g} .. {row['high']:.4g}), "
            f"a new run {row['new_low']:.4g} .. {row['new_high']:.4g}  {row['known']}"
        )
    else:
        typer.echo(f"{row['runs']:5d} runs  {row['known']}")
    sys.stdout.flush()
