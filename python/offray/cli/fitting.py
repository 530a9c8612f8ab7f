# SPDX-License-Identifier: Apache-2.0
"""A fit of the runs in a file, or a saved one, for every command that starts with one."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import offray
from offray.cli.options import LAWS, Exit, law_of, named_laws, number, pair, required, starting_with
from offray.cli.reading import FILE, Reading, as_typed, column_of, refuse

Runs: TypeAlias = Annotated[Path, typer.Argument(metavar="RUNS", help=FILE)]
RunsOrFit: TypeAlias = Annotated[Path, typer.Argument(metavar="RUNS", help=f"{FILE} Or what fit -o saved.")]
_PANEL = "Fitting"
_COUNTS = {"params": "params", "tokens": "tokens"}
_NO_LABELS = "--group is for a file of runs; {path} is a saved fit, without its labels"


def _option(*names: str, **how: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_PANEL, **how)


@dataclass(frozen=True)
class Fitting:
    """Options of a fit, by the names that they have on the command line."""

    law: Annotated[
        str,
        _option(
            help=f"{LAWS} Or power, outer_exponent, logistic, or a formula such as 'E + A*x**-alpha'.",
            autocompletion=named_laws,
        ),
    ] = "chinchilla"
    column: Annotated[
        list[str] | None, _option(metavar="INPUT=COLUMN", help="Column of an input of a formula, where names differ.")
    ] = None
    real: Annotated[
        list[str] | None, _option(metavar="NAME", help="A formula's parameter or input that may be zero or negative.")
    ] = None
    objective: Annotated[
        str, _option(help=f"One of: {', '.join(offray.OBJECTIVES)}.", autocompletion=starting_with(*offray.OBJECTIVES))
    ] = "squares"
    delta: Annotated[
        str | None, _option(help="Scale of a robust objective, in units of the residual, or 'mad'. [default: 0.001]")
    ] = None
    quantile: Annotated[float | None, _option(help="Level of the objective 'quantile'. [default: 0.5]")] = None
    log_loss: Annotated[bool, _option("--log-loss", help="Fit ln(loss).")] = False
    fix: Annotated[list[str] | None, _option(metavar="NAME=VALUE", help="Hold a parameter at a value.")] = None
    tie: Annotated[list[str] | None, _option(metavar="NAME=NAME", help="Let two parameters share a value.")] = None
    force: Annotated[
        bool, _option("--force", help="On one ray: the full law's figures, although the runs do not determine them.")
    ] = False

    def read(self, path: Path, reading: Reading, *, by: str | None = None) -> tuple[Any, offray.Law]:
        """The runs of a file, and the law."""
        inputs = dict(pair(text, "INPUT=COLUMN") for text in self.column or [])
        law = law_of(self.law, tuple(inputs), tuple(self.real or ()))
        further = {name: inputs.get(name, name) for name in law.further}
        table = reading.read(path, required=required(law), inputs=further, by=by)
        _tell_of_corpora(table, [*map(column_of, reading.where or ()), *([by] if by else [])])
        return table, law

    def options(self) -> dict[str, Any]:
        """What `offray.fit` and `offray.OnlineFit` take, but for the law."""
        return {
            "objective": self.objective,
            "delta": self.delta if self.delta in (None, "mad") else number("--delta", self.delta),
            "quantile": self.quantile,
            "log_loss": self.log_loss,
            "fixed": self.fixed(),
            "tied": [pair(text, "NAME=NAME") for text in self.tie or []],
            "identify": "force" if self.force else "auto",
        }

    def fixed(self) -> dict[str, float]:
        """Parameters held at values, of --fix."""
        pairs = [pair(text) for text in self.fix or []]
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"--fix: {name} is given more than once")
        return {name: number("--fix", value) for name, value in pairs}

    def of(self, table: Any, law: offray.Law) -> offray.Fit:
        """The fit of a table."""
        with quiet():
            out: offray.Fit = offray.fit(table, law=law, **self.options())
        return out

    def fit(self, path: Path, reading: Reading) -> offray.Fit:
        """The fit of a file of runs, or the one that was saved there."""
        return self.fit_and_groups(path, reading, None)[0]

    def fit_and_groups(self, path: Path, reading: Reading, group: str | None) -> tuple[offray.Fit, Any]:
        """The same, and the labels of its runs in a column, if one is named."""
        there: offray.Fit | None = saved(path, self, reading)
        if there is None:
            table, law = self.read(path, reading, by=group)
            return self.of(table, law), None if group is None else table[group].tolist()
        if group is not None:
            raise ValueError(_NO_LABELS.format(path=path))
        return there, None


def _tell_of_corpora(table: Any, named: Iterable[str]) -> None:
    """Says that several corpora are fitted as one, unless the column that tells them apart is named by an option."""
    known = {*map(_leaf, named)}
    for name, corpora in table.corpora.items():
        if corpora > 1 and _leaf(name) not in known:
            typer.echo(
                f"note: {corpora} corpora in {name!r} are fitted as one law; --where '{name}=...' takes one of them, "
                f"offray fit --by {name} with --share fits each its own",
                err=True,
            )


def _leaf(column: str) -> str:
    """A column's name without the folders it lies in, however it is spelt."""
    return re.sub(r"[^a-z0-9]+", "", re.split(r"[/.]", column)[-1].lower())


def runs(path: Path, reading: Reading, group: str | None = None, read: Mapping[str, str] = _COUNTS) -> Any:
    """The runs of a file as columns, or those of the fit that was saved there; `read` are the inputs and their columns."""
    there: offray.Fit | None = saved(path, reading)
    if there is None:
        counts = tuple(name for name in read if name in _COUNTS)
        further = {name: column for name, column in read.items() if name not in _COUNTS}
        return reading.read(path, by=group, required=(*counts, "loss"), inputs=further)
    if group is not None:
        raise ValueError(_NO_LABELS.format(path=path))
    return runs_of(there, path)


def runs_of(fit: offray.Fit, path: Path) -> dict[str, Any]:
    """The runs of a saved fit as columns, which must hold N and D."""
    require_counts(fit, path)
    of = fit.problem
    return {**of.columns, "loss": of.loss, **({"weight": of.weight} if of.weight.size else {})}


def require_counts(fit: offray.Fit, path: Path) -> None:
    """``ValueError`` for a saved fit whose law does not read N and D."""
    if not {"params", "tokens"} <= fit.problem.columns.keys():
        raise ValueError(f"{path}: a saved fit of {fit.law.name}, which reads {', '.join(fit.law.inputs)}; N and D are needed")


def saved(path: Path, *options: Any, kind: type | tuple[type, ...] = offray.Fit) -> Any:
    """The result saved in a file, None for any other file.

    ``ValueError`` where options of reading or fitting come with it, or where it is of another kind.
    """
    if not path.is_file():  # a pipe is read once
        return None
    try:
        with path.open("rb") as file:
            if not file.read(64).lstrip().startswith(b"{"):
                return None
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None  # no file, or JSON lines: what is wrong, if anything, the reader says
    if not str(data.get("schema", "")).startswith("offray."):
        return None
    for group in options:
        refuse(group, f"is for a file of runs; {path} is a saved fit, with its own law, runs and options")
    there = offray.load(path)
    if not isinstance(there, kind):
        of_one = " of one group of runs" if kind is offray.Fit else ""
        raise ValueError(f"{path}: a saved {type(there).__name__}; what is needed is a fit{of_one}")  # noqa: TRY004 (of a file)
    return there


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that a fit itself tells of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        warnings.simplefilter("ignore", offray.ConvergenceWarning)
        yield


@contextmanager
def told() -> Iterator[None]:
    """With warnings of what the runs do not determine on standard error afterwards, one line each, whatever else happens."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            warn(*dict.fromkeys(str(each.message) for each in caught))


def warn(*messages: str) -> None:
    """Warnings on standard error."""
    for message in messages:
        typer.echo(f"warning: {as_typed(message)}", err=True)


def code(fit: offray.Fit) -> Exit:
    """The exit code that a fit asks for."""
    if fit.identifiability.identified:
        return Exit.FINE
    # Runs that cannot determine the law often leave nothing to converge to: then that is the news.
    return Exit.NOT_IDENTIFIED if fit.identifiability.warnings else Exit.NO_CONVERGENCE


def laws(texts: Sequence[str] | None, inputs: Iterable[str] = ()) -> list[offray.Law] | None:
    """Laws by name or formula, several with commas between them; commas within parentheses belong to a formula. `inputs` are
    names that are inputs of those which have them."""
    if texts is None:
        return None
    out: list[str] = [""]
    depth = 0
    for letter in ",".join(texts):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            out.append("")
        else:
            out[-1] += letter
    words = [set(re.findall(r"[^\W\d]\w*", text)) for text in out]
    read = [
        () if text.strip().isidentifier() else tuple(n for n in inputs if n in has)
        for text, has in zip(out, words, strict=True)
    ]
    return [law_of(text.strip(), names, option="--laws") for text, names in zip(out, read, strict=True)]
