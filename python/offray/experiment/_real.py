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
from offray.experiment._compare import UNION, collect
from offray.experiment._comparisons import Comparisons, aligned
from offray.experiment._cut import NEAR, RAY, by_budget, cells, draw
from offray.experiment._judge import Row, Runs, on_held_out, on_training, optima
from offray.experiment._run import Progress
from offray.experiment._splits import off_ray

Array = npt.NDArray[Any]

IN_RANGE, EXTRAPOLATION = "in range", "extrapolation"
_OPTIONS = {"log_loss": True}
_TOP_BUDGETS = 2


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
    """

    name: str
    N: Any
    D: Any
    loss: Any
    flops: Any = None
    budgets: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("N", "D", "loss", "flops"):
            given = getattr(self, name)
            if given is None:
                continue
            column = np.array(given, float)
            if column.ndim != 1 or len(column) != np.size(self.N):
                raise ValueError(f"{self.name}: {name} must hold one number per run; got shape {column.shape}")
            for row in np.flatnonzero(~((column > 0) & (column < np.inf))):
                raise ValueError(f"{self.name}: {name}[{row}] = {column[row]}: every value must be positive and finite")
            object.__setattr__(self, name, column)


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
                    "objective": "squares",
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

    def __str__(self) -> str:
        lines = []
        if self.rows:
            cell = [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()] for row in self.rows]
            lines = [aligned([list(self.rows[0]), *cell])]
        lines += [f"{name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def _medians(rows: list[Row]) -> Row:
    def middle(name: str) -> float:
        return float(np.median([row[name] for row in rows]))

    def ratio(scale: str) -> float:
        return float(np.median([row[f"sd_scale_{scale}_base"] / row[f"sd_scale_{scale}_design"] for row in rows]))

    return {
        "runs": rows[0]["runs"],
        "held out": int(middle("held_out")),
        "draws": len(rows),
        "spread wins": float(np.mean([row["win"] for row in rows])),
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
    tokens per parameter. Judged in range, on the other runs of these budgets; and in extrapolation, where both designs are cut
    from all but the two largest budgets, on those two. Squares on log loss.

    Parameters
    ----------
    sweeps : iterable of Sweep
    laws : iterable of str
    draws : int
        Spread designs per sweep.
    ray : float
        Tokens per parameter.
    store, executor, threads, progress
        As for `compare`.

    Raises
    ------
    ValueError
        For bad arguments; a sweep that cannot be cut is named in `RealComparison.left_out` instead.
    Interrupted
        On Ctrl-C, with the comparisons that were done.
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1; got {draws}")
    if not 0 < ray < np.inf:
        raise ValueError(f"ray must be positive and finite; got {ray}")
    work: list[RealDraws] = []
    left_out: dict[str, str] = {}
    for sweep in sweeps:
        budgets = by_budget(sweep.N, sweep.D, sweep.budgets, sweep.flops)
        for law in laws:
            for split in (IN_RANGE, EXTRAPOLATION):
                block = _block(sweep, law, split, budgets, draws, ray)
                if isinstance(block, RealDraws):
                    work.append(block)
                else:
                    left_out.setdefault(sweep.name, f"{split}: {block}" if split == EXTRAPOLATION else block)
    return RealComparison(collect(work, store, executor, threads, progress), left_out)


def _block(sweep: Sweep, law: str, split: str, budgets: list[Array], draws: int, ray: float) -> RealDraws | str:
    """The work, or why there is none."""
    if law not in dir(known_laws) or law == "repeated_data":
        raise ValueError(f"laws: {law!r} is none of chinchilla, kaplan, droppo_elibol")
    if not any(map(len, budgets)):
        return "no three runs of one budget"
    if not off_ray(sweep.N, sweep.D, ray, NEAR).any():
        return f"all runs are near {ray:g} tokens per parameter: nothing to spread"
    fitted = budgets if split == IN_RANGE else budgets[:-_TOP_BUDGETS]
    cut = cells(sweep.N, sweep.D, fitted, ray)
    held_out = budgets if split == IN_RANGE else budgets[-_TOP_BUDGETS:]
    least = len(getattr(known_laws, law).parameters) + 1
    count = sum(len(cell.near) for cell in cut)
    if count < least:
        return f"{count} runs near {ray:g} tokens per parameter; {law} needs {least}"
    rng = np.random.default_rng(0)
    drawn = np.array([draw(cut, rng) for _ in range(draws)])
    near = np.concatenate([cell.near for cell in cut])
    rest = np.concatenate(held_out)
    if np.setdiff1d(rest, np.concatenate([near, *drawn[:1]])).size == 0:
        return "no run is left to hold out"
    return RealDraws(sweep.name, law, split, sweep.N, sweep.D, sweep.loss, near, drawn, rest)
