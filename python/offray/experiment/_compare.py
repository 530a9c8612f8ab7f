# SPDX-License-Identifier: Apache-2.0
"""Designs against each other, on simulated losses."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offray import Interrupted
from offray import laws as known_laws
from offray.experiment._arguments import distinct, names
from offray.experiment._arguments import seeds as seeds_of
from offray.experiment._comparisons import Comparisons
from offray.experiment._corpus import Corpus
from offray.experiment._design import Design
from offray.experiment._judge import Row, Runs, joined, on_held_out, on_training, optima
from offray.experiment._precision import PRECISIONS, rounded, scalar
from offray.experiment._run import Progress, Stopped, run
from offray.experiment._splits import beyond

_SEEDS_PER_BLOCK = 10
UNION = "H"
"""All held-out runs together: what decides a win."""
_RESERVED = (UNION, "train")


@dataclass(frozen=True)
class Simulated:
    """A few seeds of one corpus, law, precision and objective."""

    corpus: Corpus
    law: str
    precision: str
    objective: str
    options: tuple[tuple[str, Any], ...]
    designs: tuple[tuple[str, Design], ...]
    held_out: tuple[tuple[str, Design], ...]
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.seeds) * (len(self.designs) - 1)

    def __call__(self, threads: int | None) -> list[Row]:
        """Rows by seed, then design."""
        options = {**dict(self.options), "dtype": scalar(self.precision)}
        pairs = list(itertools.product(self.seeds, self.designs))
        sets = [self._measured(design, seed, name) for seed, (name, design) in pairs]
        theta, status = optima(self.law, sets, options, threads)
        held_out = {seed: self._held_out(seed) for seed in self.seeds}
        sides: dict[tuple[int, str], Row] = {}
        for k, (seed, (name, _)) in enumerate(pairs):
            training = on_training(self.law, theta[k], status[k], sets[k], options)
            sides[seed, name] = training | on_held_out(self.law, theta[k], held_out[seed], options)
        (base, _), *others = self.designs
        return [self._row(seed, name, sides[seed, base], sides[seed, name]) for seed in self.seeds for name, _ in others]

    def _measured(self, design: Design, seed: int, part: str) -> Runs:
        loss = rounded(self.corpus.losses(design, seed, part), self.precision)
        return Runs(design.N, design.D, loss, design.unique_tokens)

    def _held_out(self, seed: int) -> dict[str, Runs]:
        # Other noise than a design of the same name.
        parts = {name: self._measured(design, seed, f"held out: {name}") for name, design in self.held_out}
        return {UNION: joined(list(parts.values())), **parts}

    def _row(self, seed: int, name: str, base: Row, side: Row) -> Row:
        return {
            "corpus": self.corpus.name,
            "law": self.law,
            "precision": self.precision,
            "objective": self.objective,
            "seed": seed,
            "data_set": f"{self.corpus.name} / {seed}",
            "base": self.designs[0][0],
            "design": name,
            "win": side[f"rmse_{UNION}"] < base[f"rmse_{UNION}"],
            **{f"{key}_base": value for key, value in base.items()},
            **{f"{key}_design": value for key, value in side.items()},
        }


def blocks(
    designs: Mapping[str, Design],
    corpora: Iterable[Corpus],
    held_out: Mapping[str, Design],
    laws: Iterable[str] | None = None,
    precisions: Iterable[str] = ("double",),
    objectives: Iterable[str] | Mapping[str, Mapping[str, Any]] = ("squares",),
    seeds: Iterable[int] | int = 30,
) -> list[Simulated]:
    """The work of `compare`, with its arguments."""
    _check_designs("designs", designs, 2)
    _check_designs("held_out", held_out, 1)
    every = {**designs, **held_out}
    repeating = [name for name, design in every.items() if design.unique_tokens is not None]
    if len(repeating) not in (0, len(every)):
        raise ValueError(f"unique_tokens: of the designs only {', '.join(repeating)} have them")
    corpora = tuple(corpora)
    for corpus in corpora:
        if not isinstance(corpus, Corpus):
            raise TypeError(f"corpora: {corpus!r} is no Corpus")
    distinct("corpora", tuple(corpus.name for corpus in corpora))
    chosen = None if laws is None else names("laws", laws, dir(known_laws))
    for law in chosen or {corpus.law for corpus in corpora}:
        parameters = len(getattr(known_laws, law).parameters)
        for name, design in designs.items():
            if len(design) < parameters:
                raise ValueError(f"designs: {name!r} has {len(design)} runs; {law} has {parameters} parameters")
    modes, numbers = names("precisions", precisions, PRECISIONS), seeds_of(seeds)
    if isinstance(objectives, Mapping):
        options = {name: dict(given) for name, given in objectives.items()}
    else:
        options = {name: {"objective": name} for name in names("objectives", objectives)}
    distinct("objectives", tuple(options))
    return [
        Simulated(
            corpus,
            law,
            precision,
            objective,
            tuple(options[objective].items()),
            tuple(designs.items()),
            tuple(held_out.items()),
            numbers[first : first + _SEEDS_PER_BLOCK],
        )
        for corpus in corpora
        for law in ((corpus.law,) if chosen is None else chosen)
        for precision in modes
        for objective in options
        for first in range(0, len(numbers), _SEEDS_PER_BLOCK)
    ]


def _check_designs(argument: str, given: Any, least: int) -> None:
    if not isinstance(given, Mapping) or len(given) < least:
        raise ValueError(f"{argument} must name {'two or more designs' if least > 1 else 'at least one design'}; got {given!r}")
    for name, design in given.items():
        if not isinstance(design, Design):
            raise TypeError(f"{argument}: {name!r} is no Design but {design!r}")
        if name in _RESERVED or not isinstance(name, str) or ":" in name:
            raise ValueError(
                f"{argument}: {name!r} is not free: H stands for all held-out runs, train for the others; no colon"
            )


def compare(
    designs: Mapping[str, Design],
    corpora: Iterable[Corpus],
    held_out: Mapping[str, Design] | None = None,
    *,
    laws: Iterable[str] | None = None,
    precisions: Iterable[str] = ("double",),
    objectives: Iterable[str] | Mapping[str, Mapping[str, Any]] = ("squares",),
    seeds: Iterable[int] | int = 30,
    store: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Comparisons:
    """Compare designs by what fits of their runs predict.

    For every corpus and seed each design is measured with noise, each law fitted (the global optimum), and the held-out runs
    predicted; a design wins where its root mean square error on all of them is below that of the first design.

    Parameters
    ----------
    designs : mapping of str to Design
        The first is the base that the others are compared with.
    corpora : iterable of Corpus
    held_out : mapping of str to Design, optional
        Runs to predict, in parts; "H" is all of them. Default: `beyond` of the designs, where tokens are seen once.
    laws : str or iterable of str, optional
        Default: the law of each corpus, so that nothing is misspecified.
    precisions : str or iterable of str
        See `PRECISIONS`.
    objectives : str or iterable of str, or mapping of str to mapping
        Objectives of `offray.fit`, or names with the options ``objective``, ``delta``, ``quantile``, ``log_loss``.
    seeds : iterable of int, or int
        One data set per corpus and seed; a number stands for 0, 1, ...
    store : path, optional
        Parquet file of finished rows, for one process at a time. What it holds of this comparison is not done again, unless
        offray or numpy changed; it is written about once a second, and at the end, also after Ctrl-C. Needs pyarrow.
    executor : concurrent.futures.Executor, optional
        Where to do the work, in blocks of ten seeds: a process pool, or ``client.get_executor()`` of dask.distributed. Default:
        here, on threads.
    threads : int, optional
        Without an executor; default: one per processor.
    progress : callable, optional
        Called as ``progress(done, total)`` after each block.

    Returns
    -------
    Comparisons
        The same bit for bit whatever the threads, the interruptions and the executor; its workers have to run offray on the
        same instructions (`offray.simd`), and numpy on the same kind of processor.

    Raises
    ------
    ValueError
        For bad arguments, and a `store` that is something else.
    Interrupted
        On Ctrl-C, with the comparisons that were done.

    Examples
    --------
    >>> import numpy as np
    >>> from offray.experiment import Corpus, Design, compare
    >>> sizes = np.geomspace(5e6, 8e7, 8)
    >>> corpus = Corpus("mine", "chinchilla", (1.69, 406.4, 410.7, 0.34, 0.28))
    >>> designs = {"ray": Design.ray(20, sizes).repeated(5), "grid": Design.grid(sizes, np.geomspace(2e7, 2e9, 5))}
    >>> compared = compare(designs, [corpus], {"far": Design.fan([10, 40], 4 * sizes)}, seeds=20)
    >>> print(len(compared), compared.summary().rows[0]["win rate"])
    20 1.0
    """
    _check_designs("designs", designs, 2)
    work = blocks(designs, corpora, beyond(designs) if held_out is None else held_out, laws, precisions, objectives, seeds)
    return collect(work, store, executor, threads, progress)


def collect(
    work: Sequence[Any],
    store: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Comparisons:
    """Do the blocks; Ctrl-C raises `Interrupted` with what there is."""
    try:
        return Comparisons(tuple(run(work, store, executor, threads, progress)))
    except Stopped as stopped:
        kept = "; the same call with this store goes on from here" if store is not None else ""
        raise Interrupted(f"{stopped}{kept}", Comparisons(tuple(stopped.rows))) from None
