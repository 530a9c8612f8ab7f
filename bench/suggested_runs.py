# SPDX-License-Identifier: Apache-2.0
"""From a near-ray sweep on: suggested runs against random and near-ray ones, picked from real runs at equal FLOPs.

    python bench/suggested_runs.py FILE.csv ... --output docs/suggested_runs.md

Start: per budget of an isoFLOP file the two runs nearest to 20 tokens per parameter, within 35 %. A third of the runs off that
ray is held out; the picks come from the others, as many runs and as many FLOPs again as the start. Squares on log loss, law
chinchilla.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import offray
from runs import read

NEAR = np.log(1.35)
DRAWS = 60


def cut(N, D):
    """Rows of the near-ray start, of the hold-out and of the candidates."""
    log_C, away = np.log(N * D), np.abs(np.log(D / N / 20))
    order = np.argsort(log_C, kind="stable")
    curves = np.split(order, np.flatnonzero(np.diff(log_C[order]) > 0.1) + 1)
    start = [row for rows in curves for row in sorted(rows, key=lambda i: away[i])[:2] if away[row] < NEAR]
    off = [row for row in np.argsort(D / N, kind="stable") if away[row] >= NEAR]
    held_out = off[1::3]
    rest = sorted(set(range(len(N))) - set(start) - set(held_out))
    return np.array(start), np.array(held_out), np.array(rest)


def affordable(order, cost, budget, most):
    """The first rows of an order that fit into budget and number."""
    chosen = []
    for row in order:
        if len(chosen) < most and cost[row] <= budget:
            chosen.append(row)
            budget -= cost[row]
    return chosen


def judge(N, D, loss, rows, held_out):
    """kappa_2 of the fit of these rows, and its root mean square log error on the hold-out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = offray.fit(N[rows], D[rows], loss[rows], log_loss=True)
        kappa = float(fit.conditioning.kappa)
    error = np.log(fit.law((N[held_out], D[held_out]), *fit.theta) / loss[held_out])
    return kappa, float(np.sqrt((error**2).mean()))


def table(path):
    """One row per way to pick."""
    (N, D), loss = read(path)
    start, held_out, rest = cut(N, D)
    cost = 6 * N * D
    budget, most = float(cost[start].sum()), len(start)
    rows = [("the near-ray start alone", 0, *judge(N, D, loss, start, held_out), "")]
    existing = N[start], D[start]
    for criterion in ("I", "D"):
        plan = offray.suggest(existing, budget, None, most, criterion, candidates=(N[rest], D[rest]), max_repeats=1)
        picked = [int(rest[np.flatnonzero((N[rest] == n) & (D[rest] == d))[0]]) for n, d in zip(plan.N, plan.D, strict=True)]
        rows.append((f"suggested, criterion {criterion}", len(picked), *judge(N, D, loss, [*start, *picked], held_out), ""))
    nearer = affordable(sorted(rest, key=lambda i: abs(np.log(D[i] / N[i] / 20))), cost, budget, most)
    rows.append(("nearest to the ray", len(nearer), *judge(N, D, loss, [*start, *nearer], held_out), ""))
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        drawn = affordable(rng.permutation(rest), cost, budget, most)
        draws.append((len(drawn), *judge(N, D, loss, [*start, *drawn], held_out)))
    middle = np.median(draws, axis=0)
    worse = np.mean([draw[2] > rows[1][3] for draw in draws])
    rows.append((f"random, median of {DRAWS}", int(middle[0]), middle[1], middle[2], f"worse than I in {100 * worse:.0f} %"))
    lines = [
        f"## {Path(path).stem}: {most} runs near the ray, {len(held_out)} held out off it",
        "",
        "| picks | distinct runs added | kappa_2 | log RMSE off the ray | |",
        "|---|---|---|---|---|",
        *(f"| {name} | {count} | {kappa:.3g} | {error:.4f} | {note} |" for name, count, kappa, error, note in rows),
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    text = "\n\n".join(
        [
            "# Suggested runs on real sweeps",
            "From a near-ray start (per budget the two runs nearest to 20 tokens per parameter), as many runs and as many "
            "FLOPs again, "
            "picked from the rest of the sweep, each once. A third of the runs off the ray is held out. Regenerate with "
            "`python "
            "bench/suggested_runs.py FILE.csv ... --output docs/suggested_runs.md`.",
            *(table(path) for path in arguments.files),
        ]
    )
    if arguments.output:
        arguments.output.write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
