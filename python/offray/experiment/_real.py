# SPDX-License-Identifier: Apache-2.0
"""Collinear against spread on real runs."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offray import laws as known_laws
from offray.datasets import load
from offray.datasets import names as dataset_names
from offray.experiment._arguments import column, count, distinct, names
from offray.experiment._compare import UNION, collect
from offray.experiment._comparisons import Comparisons
from offray.experiment._cut import NEAR, RAY, WITHIN, by_budget, cells, draw
from offray.experiment._judge import Row, Runs, on_held_out, on_training, optima
from offray.experiment._run import Progress
from offray.experiment._splits import off_ray
from offray.experiment._text import aligned

Array = npt.NDArray[Any]

IN_RANGE, EXTRAPOLATION, AS_DESIGNED = "in range", "extrapolation", "as designed"
COLLINEAR, SPREAD, HELD_OUT = "collinear", "spread", "held out"
ONE_EPOCH = tuple(name for name in dir(known_laws) if not getattr(known_laws, name).reads("unique_tokens"))
_OPTIONS = {"log_loss": True}
_OF_PAPER = "paper_"
_TOP_BUDGETS = 2
_FEWEST_HELD_OUT = 3


@dataclass(frozen=True, eq=False)
class Sweep:
    """Real runs of one corpus.

    Attributes
    ----------
    name : str
    N, D, loss : (n,) array_like
    flops : (n,) array_like, optional
        Nominal compute; runs of one value are one budget.
    budgets : tuple of float, optional
        Nominal budgets C = 6 N D, where the runs do not say: each has the runs within 10 %.
    design : (n,) array_like of str, optional
        Which runs are "collinear", "spread" or "held out", where they were made so: then nothing is cut.
    """

    name: str
    N: Any
    D: Any
    loss: Any
    flops: Any = None
    budgets: tuple[float, ...] | None = None
    design: Any = None

    def __post_init__(self) -> None:
        for name in ("N", "D", "loss", "flops"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, column(f"{self.name}: {name}", getattr(self, name)))
                if len(getattr(self, name)) != len(self.N):
                    raise ValueError(f"{self.name}: {name} has {len(getattr(self, name))} numbers for {len(self.N)} runs")
        if self.design is not None and len(self.design) != len(self.N):
            raise ValueError(f"{self.name}: design has {len(self.design)} labels for {len(self.N)} runs")
        if self.budgets is not None and _closest(self.budgets) < 2 * WITHIN:
            raise ValueError(f"{self.name}: budgets must be more than 20 % apart, or a run belongs to two; got {self.budgets}")

    @classmethod
    def from_dataset(cls, name: str) -> Sweep:
        """The rows to fit of a set of `offray.datasets`."""
        data = load(name)
        flops = None if data.flops is None else data.flops[data.fit_rows]
        return cls(name, data.runs["params"], data.runs["tokens"], data.runs["loss"], flops, data.budgets)

    @classmethod
    def of_paper(cls) -> list[Sweep]:
        """The public tables of arXiv:2605.08541, one sweep per corpus and epoch, with the paper's designs and hold-out."""
        out = []
        for data in (load(name) for name in dataset_names() if name.startswith(_OF_PAPER)):
            unique: Any = data.unique_tokens
            epochs = np.rint(data.tokens / unique)
            for epoch in np.unique(epochs):
                rows = epochs == epoch
                name = f"{data.name.removeprefix(_OF_PAPER)}, epoch {epoch:.0f}"
                design = data["family"][rows]
                out.append(cls(name, data.params[rows], data.tokens[rows], data.loss[rows], design=design))
        return out


def _closest(budgets: Any) -> float:
    return float(np.diff(np.log(np.sort(column("budgets", budgets)))).min(initial=1))


@dataclass(frozen=True, eq=False)
class RealDraws:
    """One sweep, law and kind of hold-out: the near-ray runs against spread draws."""

    sweep: str
    law: str
    split: str
    N: Array
    D: Array
    loss: Array
    near: Array
    drawn: Array
    held_out: Array

    def __len__(self) -> int:
        return len(self.drawn)

    def __call__(self, threads: int | None) -> list[Row]:
        """One row per draw."""
        base, *others = (self._runs(rows) for rows in (self.near, *self.drawn))
        theta, status = optima(self.law, [base, *others], _OPTIONS, threads)
        near = on_training(self.law, theta[0], status[0], base, _OPTIONS)
        out = []
        for k, (rows, runs) in enumerate(zip(self.drawn, others, strict=True)):
            rest = {UNION: self._runs(np.setdiff1d(self.held_out, np.concatenate([self.near, rows])))}
            spread = on_training(self.law, theta[k + 1], status[k + 1], runs, _OPTIONS)
            sides = {
                "base": near | on_held_out(self.law, theta[0], rest, _OPTIONS),
                "design": spread | on_held_out(self.law, theta[k + 1], rest, _OPTIONS),
            }
            out.append(
                {
                    "corpus": self.sweep,
                    "law": self.law,
                    "precision": "double",
                    "objective": "squares on log loss",
                    "seed": k,
                    "data_set": self.sweep,
                    "base": "near ray",
                    "design": "spread",
                    "split": self.split,
                    "runs": len(rows),
                    "held_out": len(rest[UNION].N),
                    "flops_ratio": float(np.sum(runs.N * runs.D) / np.sum(base.N * base.D)),
                    "win": sides["design"][f"rmse_{UNION}"] < sides["base"][f"rmse_{UNION}"],
                    **{f"{key}_{side}": value for side, row in sides.items() for key, value in row.items()},
                }
            )
        return out

    def _runs(self, rows: Array) -> Runs:
        return Runs(self.N[rows], self.D[rows], self.loss[rows])


@dataclass(frozen=True, eq=False)
class RealComparison:
    """Near-ray against spread runs of real sweeps; ``print`` shows the table.

    Attributes
    ----------
    comparisons : Comparisons
        One row per sweep, split and draw, with the further columns split ("in range", "extrapolation"), runs (in each design),
        held_out, and flops_ratio (spread over near-ray). Draws of one sweep share its runs: they are no independent data sets.
    left_out : dict of str to str
        Sweeps that no such designs can be cut from, and why.
    """

    comparisons: Comparisons
    left_out: dict[str, str]

    @property
    def rows(self) -> tuple[Row, ...]:
        """One per sweep, law and split: number of runs and draws, share of draws that spread wins, medians."""
        groups: dict[tuple[str, str, str], list[Row]] = {}
        for row in self.comparisons.rows:
            groups.setdefault((row["corpus"], row["law"], row["split"]), []).append(row)
        return tuple({"sweep": s, "law": law, "split": split, **_medians(g)} for (s, law, split), g in groups.items())

    def as_data(self) -> dict[str, Any]:
        """All figures as plain data, for JSON."""
        return {"rows": list(self.rows), "left out": self.left_out}

    def __str__(self) -> str:
        lines = []
        if self.rows:
            cell = [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()] for row in self.rows]
            lines = [aligned([list(self.rows[0]), *cell])]
        designed = [row["spread wins"] for row in self.rows if row["split"] == AS_DESIGNED]
        if designed:
            lines.append(f"as designed: spread is better in {sum(designed):.0f} of {len(designed)} comparisons")
        lines += [f"{name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def _medians(rows: list[Row]) -> Row:
    def middle(name: str) -> float:
        return float(np.median([row[name] for row in rows]))

    def ratio(scale: str) -> float:
        """Infinite where most near-ray fits leave it undetermined; NaN where any spread fit does."""
        near, spread = np.array([(row[f"sd_scale_{scale}_base"], row[f"sd_scale_{scale}_design"]) for row in rows]).T
        return float(np.median(near / spread)) if np.isfinite(spread).all() else np.nan

    def converged(side: str) -> float:
        return float(np.mean([row[f"status_{side}"] == "converged" for row in rows]))

    return {
        "runs": rows[0]["runs"],
        "held out": int(middle("held_out")),
        "draws": len(rows),
        "spread wins": float(np.mean([row["win"] for row in rows])),
        "converged near": converged("base"),
        "converged spread": converged("design"),
        "RMSE near": middle("rmse_H_base"),
        "RMSE spread": middle("rmse_H_design"),
        "kappa near": middle("kappa_base"),
        "kappa spread": middle("kappa_design"),
        "width ratio N": ratio("N"),
        "width ratio D": ratio("D"),
        "FLOPs ratio": middle("flops_ratio"),
    }


def on_real_runs(
    sweeps: Iterable[Sweep],
    *,
    laws: Iterable[str] = ("chinchilla",),
    draws: int = 200,
    ray: float = RAY,
    store: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> RealComparison:
    """Cut near-ray and spread designs of equal compute from real sweeps, and compare what their fits predict.

    Per budget the (up to) two runs nearest the ray, within 35 %, against as many drawn from the low and the high half of its
    tokens per parameter. Judged in range, on the other runs of the same budgets; and in extrapolation, where both designs are
    cut from all but the two largest budgets, on those two. Or, of a sweep with designs of its own, these as they are, judged on
    what it holds out. Squares on log loss.

    Parameters
    ----------
    sweeps : iterable of Sweep
    laws : str or iterable of str
        Of one epoch.
    draws : int
        Spread designs per sweep.
    ray : float
        Tokens per parameter.
    store, executor, threads, progress
        As for `compare`.

    Raises
    ------
    ValueError
        For bad arguments, and budgets without a run; a sweep that cannot be cut is named in `RealComparison.left_out`.
    Interrupted
        On Ctrl-C, with the comparisons that were done.
    """
    count("draws", draws)
    sweeps, chosen = tuple(sweeps), names("laws", laws, ONE_EPOCH)
    distinct("sweeps", tuple(sweep.name for sweep in sweeps))
    if not 0 < ray < np.inf:
        raise ValueError(f"ray must be positive and finite; got {ray}")
    work: list[RealDraws] = []
    left_out: dict[str, list[str]] = {}
    for sweep in sweeps:
        for block in _blocks(sweep, chosen, draws, ray):
            if isinstance(block, RealDraws):
                work.append(block)
            else:
                left_out.setdefault(sweep.name, []).append(block)
    reasons = {name: "; ".join(dict.fromkeys(reason)) for name, reason in left_out.items()}
    return RealComparison(collect(work, store, executor, threads, progress), reasons)


def _blocks(sweep: Sweep, laws: Iterable[str], draws: int, ray: float) -> list[RealDraws | str]:
    """The work of a sweep: by law, and by what is held out."""
    if sweep.design is not None:
        return [_as_designed(sweep, law) for law in laws]
    budgets = by_budget(sweep.N, sweep.D, sweep.budgets, sweep.flops)
    return [_block(sweep, law, split, budgets, draws, ray) for law in laws for split in (IN_RANGE, EXTRAPOLATION)]


def _as_designed(sweep: Sweep, law: str) -> RealDraws | str:
    """One comparison of a sweep's own designs, or why there is none."""
    rows = {label: np.flatnonzero(np.asarray(sweep.design) == label) for label in (COLLINEAR, SPREAD, HELD_OUT)}
    least = len(getattr(known_laws, law).parameters) + 1
    for label, needed in ((COLLINEAR, least), (SPREAD, least), (HELD_OUT, _FEWEST_HELD_OUT)):
        if len(rows[label]) < needed:
            return f"{law} needs {needed} {label} runs, there are {len(rows[label])}"
    drawn = rows[SPREAD][None]
    return RealDraws(sweep.name, law, AS_DESIGNED, sweep.N, sweep.D, sweep.loss, rows[COLLINEAR], drawn, rows[HELD_OUT])


def _block(sweep: Sweep, law: str, split: str, budgets: list[Array], draws: int, ray: float) -> RealDraws | str:
    """The work, or why there is none."""
    if not any(map(len, budgets)):
        return "no three runs of one budget"
    if not off_ray(sweep.N, sweep.D, ray, NEAR).any():
        return f"all runs are near {ray:g} tokens per parameter: nothing to spread"
    cut = cells(sweep.N, sweep.D, budgets if split == IN_RANGE else budgets[:-_TOP_BUDGETS], ray)
    least = len(getattr(known_laws, law).parameters) + 1
    near = np.concatenate([cell.near for cell in cut]) if cut else np.empty(0, int)
    if len(near) < least:
        return f"{split}, {law} needs {least} runs near {ray:g} tokens per parameter, there are {len(near)}"
    rng = np.random.default_rng(0)
    drawn = np.array([draw(cut, rng) for _ in range(draws)])
    held_out = np.concatenate([cell.rows for cell in cut] if split == IN_RANGE else budgets[-_TOP_BUDGETS:])
    if min(len(np.setdiff1d(held_out, np.concatenate([near, rows]))) for rows in drawn) < _FEWEST_HELD_OUT:
        return f"{split}, fewer than {_FEWEST_HELD_OUT} runs are left to hold out"
    return RealDraws(sweep.name, law, split, sweep.N, sweep.D, sweep.loss, near, drawn, held_out)
