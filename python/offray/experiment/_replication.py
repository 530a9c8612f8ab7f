# SPDX-License-Identifier: Apache-2.0
"""The paper's experiment, its figures beside ours."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from offray.experiment import _paper
from offray.experiment._compare import Simulated, collect
from offray.experiment._comparisons import Comparisons, Row, aligned, summarise
from offray.experiment._corpus import ShortRunExcess
from offray.experiment._judge import predicted_sd
from offray.experiment._paper import Scenario, Setup
from offray.experiment._run import Progress

EARLY, LATER = ShortRunExcess(0.08, 1e7), ShortRunExcess(0.08, 3e7)

MAIN: dict[str, Scenario] = {
    "each law true": _paper.each_law_true,
    "Chinchilla true": _paper.chinchilla_true,
    "short runs high, to 10M": _paper.short_runs_high(EARLY),
    "short runs high, to 30M": _paper.short_runs_high(LATER),
}
"""All 1500 comparisons: nothing misspecified; Kaplan's law without a floor; losses that no law follows."""

VARIANTS: dict[str, Scenario] = {
    "single ray": _paper.single_ray,
    "high-TPP fan": _paper.high_fan,
    "high-TPP fan, same hold-out": _paper.high_fan_same_runs,
    **{f"{name} losses": _paper.precision(name) for name in ("bfloat16", "float32")},
    "double": _paper.precision("double"),
    "long double": _paper.precision("longdouble"),
}
"""Every law true, one epoch: 450 comparisons each."""

PRINTED = {"all": "0.973 (0.964 .. 0.980)", "kaplan": "0.956", "repeated_data": "1"}
PRINTED_R2 = {"R2 H, base": "0.837", "R2 H, design": "0.932", "R2 train, base": "0.985", "R2 train, design": "0.953"}
PRINTED_VARIANTS = {"high-TPP fan": "0.633", "bfloat16 losses": "0.987 (trained in bf16)"}
"""Figures of arXiv:2605.08541."""


@dataclass(frozen=True, eq=False)
class Replication:
    """The simulated experiment; ``print`` shows the paper's figures beside these.

    Attributes
    ----------
    setup : Setup
    scenarios : dict of str to Comparisons
        See `replicate`.
    width_ratios : tuple of dict
        Per law, with each law true: the mean ratio (geometric) of the interval widths of its scale coefficients, CO over NC,
        and what the designs and the true parameters predict.
    """

    setup: Setup
    scenarios: dict[str, Comparisons]
    width_ratios: tuple[Row, ...]

    def as_data(self) -> dict[str, Any]:
        """All figures as plain data, for JSON."""
        return {
            "setup": asdict(self.setup),
            "scenarios": {
                name: {"all": summarise(c.rows), "by law": list(c.summary("law").rows)} for name, c in self.scenarios.items()
            },
            "width ratios": list(self.width_ratios),
            "paper": {
                "win rate": {"all": 0.973, "low": 0.964, "high": 0.980, "kaplan": 0.956, "repeated_data": 1.0},
                "R2": {name: float(value) for name, value in PRINTED_R2.items()},
                "win rate, high-TPP fan": 0.633,
                "win rate, bfloat16 training": 0.987,
            },
        }

    def __str__(self) -> str:
        count = len(self.scenarios["each law true"])
        return "\n\n".join(
            [
                f"CO, 12 rays, against NC, a grid; 14 sizes; {count} comparisons per column; sigma {self.setup.sigma:g}",
                self._main(),
                f"One epoch, every law true, {len(self.scenarios['double'])} comparisons per row",
                self._variants(),
                "Interval widths of the scale coefficients, CO over NC, each law true: mean ratio, and as predicted",
                self._widths(),
                self.reading,
            ]
        )

    @property
    def reading(self) -> str:
        """What the differences to the paper say."""
        of = {name: _percent(summarise(c.rows)["win rate"]) for name, c in self.scenarios.items()}
        return (
            f"Where each law is true, spread wins {of['each law true']} of the comparisons with the fan, whose 12 rays are no "
            f"single ray: against that, {of['single ray']}. What a law misses is the same for every seed, and decides most "
            f"comparisons one way or the other: {of['Chinchilla true']} where Kaplan's law lacks the floor, "
            f"{of['short runs high, to 10M']} where runs below 10M tokens lie up to 8 % above the law, "
            f"{of['short runs high, to 30M']} where runs below 30M do. Precision: {of['bfloat16 losses']} with losses in "
            f"bfloat16, {of['float32 losses']} in float32, {of['double']} in double, {of['long double']} with long double fits."
        )

    def _main(self) -> str:
        head = ["", "paper", *MAIN]
        every = [self.scenarios[name].rows for name in MAIN]
        rows = [["NC better on H", PRINTED["all"], *(_rate(summarise(group)) for group in every)]]
        for law in dict.fromkeys(row["law"] for row in every[0]):
            of_law = [[row for row in group if row["law"] == law] for group in every]
            rows.append([f"  {law}", PRINTED.get(law, ""), *(_rate(summarise(group)) for group in of_law)])
        for name, printed in PRINTED_R2.items():
            label = name.replace("base", "CO").replace("design", "NC")
            rows.append([label, printed, *(f"{summarise(group)[name]:.4f}" for group in every)])
        for name in ("RMSE H, base", "RMSE H, design", "kappa, base", "kappa, design"):
            label = "median " + name.replace("base", "CO").replace("design", "NC")
            rows.append([label, "", *(f"{summarise(group)[name]:.4g}" for group in every)])
        return aligned([head, *rows])

    def _variants(self) -> str:
        head = ["", "paper", "NC better on H"]
        body = [[name, PRINTED_VARIANTS.get(name, ""), _rate(summarise(self.scenarios[name].rows))] for name in VARIANTS]
        return aligned([head, *body])

    def _widths(self) -> str:
        head = ["law", "N: mean", "predicted", "D: mean", "predicted"]
        body = [[row["law"], *(f"{row[name]:.3f}" for name in _WIDTHS)] for row in self.width_ratios]
        return aligned([head, *body])


_WIDTHS = ("N", "N predicted", "D", "D predicted")


def replicate(
    setup: Setup | None = None,
    *,
    store: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Replication:
    """Rerun the experiment of arXiv:2605.08541 in simulation.

    Five corpora, four laws, a fan of 12 rays (CO) against a grid of as many runs (NC), judged on five rays above the fan and on
    more tokens than the grid. Columns: each law true; Chinchilla true and all laws fitted; short runs above the law. Further
    rows: a single ray, a fan at 10 to 15 tokens per parameter, losses rounded to bfloat16 and float32, fits in long double.

    Parameters
    ----------
    setup : Setup, optional
        What the paper leaves open, with defaults.
    store, executor, threads, progress
        As for `compare`.

    Raises
    ------
    Interrupted
        On Ctrl-C, with the comparisons that were done.
    """
    setup = setup or Setup()
    work = {name: scenario(setup) for name, scenario in (MAIN | VARIANTS).items()}
    rows = iter(collect([block for part in work.values() for block in part], store, executor, threads, progress).rows)
    found = {name: Comparisons(tuple(next(rows) for _ in range(sum(map(len, part))))) for name, part in work.items()}
    return Replication(setup, found, _width_ratios(work["each law true"], found["each law true"]))


def _width_ratios(work: Iterable[Simulated], found: Comparisons) -> tuple[Row, ...]:
    predicted: dict[str, list[Any]] = {}
    for block in work:
        (_, base), (_, design) = block.designs
        sides = [predicted_sd(block.law, block.corpus.theta, block.corpus.seen(side)) for side in (base, design)]
        predicted.setdefault(block.law, []).extend([np.log(sides[0]) - np.log(sides[1])] * len(block))
    out = []
    for row in found.summary("law").rows:
        N, D = np.exp(np.mean(predicted[row["law"]], axis=0))
        values = (row["width ratio N"], float(N), row["width ratio D"], float(D))
        out.append({"law": row["law"], **dict(zip(_WIDTHS, values, strict=True))})
    return tuple(out)


def _rate(summary: Row) -> str:
    return f"{summary['win rate']:.3f} ({summary['low']:.3f} .. {summary['high']:.3f})"


def _percent(x: float) -> str:
    return f"{100 * x:.0f} %"
