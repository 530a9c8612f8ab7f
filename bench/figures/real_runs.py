# SPDX-License-Identifier: Apache-2.0
"""Near-ray against spread runs of real sweeps, at equal compute.

    python bench/figures/real_runs.py DIR --output docs/figures

DIR holds public sweeps, one CSV file each, as `offray replicate --data` reads them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from drawing import BLUE, GREY, ORANGE, page, parser, plt
from offray.cli.sweeps import read_sweeps
from offray.experiment import on_real_runs

LAWS = ("chinchilla", "droppo_elibol")
BUDGETS = {"chinchilla_massivetext": (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)}
"""Where a file does not say: Hoffmann et al. 2022, arXiv:2203.15556, approach 2."""
EARLY, FOUR = ("porian_openwebtext2", "porian_refinedweb"), 4.0
"""Checkpoints of one long training: those below 4 tokens per parameter lie 8 % off."""


def sweeps(directory):
    """All files, the checkpoints without their early ones."""
    return [
        sweep
        for least in (0.0, FOUR)
        for sweep in read_sweeps(directory, None, least, BUDGETS)[0]
        if (sweep.name in EARLY) == (least == FOUR)
    ]


def draw(rows):
    """kappa_2 of both designs, and the error of spread over that of near-ray runs."""
    within = [row for row in rows if row["split"] == "in range"]
    names = [row["sweep"] for row in within]
    figure, (kappas, errors) = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for k, row in enumerate(within):
        kappas.plot([row["kappa near"], row["kappa spread"]], [k, k], color=GREY, lw=1, zorder=1)
    kappas.scatter([row["kappa near"] for row in within], range(len(within)), color=ORANGE, label="near the ray")
    kappas.scatter([row["kappa spread"] for row in within], range(len(within)), color=BLUE, label="spread, median")
    kappas.set(xscale="log", xlabel=r"$\kappa_2(J)$, unit columns")
    kappas.set_yticks(range(len(names)), names)
    kappas.legend()
    for split, marker, color in (("in range", "o", BLUE), ("extrapolation", "s", ORANGE)):
        found = [(row["RMSE spread"] / row["RMSE near"], names.index(row["sweep"])) for row in rows if row["split"] == split]
        errors.scatter(*zip(*found, strict=True), color=color, marker=marker, label=split)
    errors.axvline(1, color=GREY, lw=0.8)
    errors.set(xscale="log", xlabel="RMSE of log loss, spread / near the ray")
    errors.set_xticks([0.2, 0.5, 1, 1.5], ["0.2", "0.5", "1", "1.5"])
    errors.minorticks_off()
    errors.legend()
    return figure


def share(values):
    """Least to most, in per cent."""
    return f"{100 * min(values):.0f} to {100 * max(values):.0f} %"


def main():
    arguments = parser(__doc__)
    arguments.add_argument("directory", type=Path)
    arguments = arguments.parse_args()
    result = on_real_runs(sweeps(arguments.directory), laws=LAWS)
    rows = [row for row in result.rows if row["law"] == "chinchilla"]
    within, beyond = ([row for row in rows if row["split"] == split] for split in ("in range", "extrapolation"))
    ratios = np.array([row["kappa near"] / row["kappa spread"] for row in within])
    text = (
        "From each public sweep, per compute budget, the two runs nearest 20 tokens per parameter (within 35 %) against as "
        "many drawn from the low and the high half of the same budget: equal compute. In range, both are judged on the other "
        "runs of these budgets; in extrapolation both are cut from all but the two largest budgets, and judged on those. "
        "Squares on log loss; medians over the draws, which share the sweep's runs and are no independent data sets. kappa is "
        "that of the Jacobian of log loss in the law's own parameters, unit columns; width ratios are of intervals of the "
        "logarithms of the scale coefficients, near-ray over spread (nan: not determined). The MassiveText runs are grouped by "
        "their nine published budgets; OpenWebText2 and RefinedWeb are checkpoints, from 4 tokens per parameter on.\n\n"
        f"With Chinchilla's law, in range: spread wins {share([row['spread wins'] for row in within])} of the draws, and kappa "
        f"is {ratios.min():.1f} to {ratios.max():.0f} times smaller (median {np.median(ratios):.1f}). Extrapolating in compute "
        f"it goes either way, {share([row['spread wins'] for row in beyond])}: the law's misfit decides there, not the noise. "
        "Where the law misses much, intervals near the ray can even be narrower: a small residual on few runs of one kind is "
        "no small error. kappa is at each fit's own optimum; where that lies at a bound or was not reached (columns "
        "converged), it says little, as for Droppo-Elibol's law, for which so few near-ray runs leave one parameter too "
        "many.\n\n"
        f"No such designs: {'; '.join(f'{name}: {why}' for name, why in result.left_out.items())}.\n\n"
        "Regenerate with `python bench/figures/real_runs.py DIR --output docs/figures`."
    )
    head = list(result.rows[0])
    table = [[f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()] for row in result.rows]
    page(arguments.output, "real_runs", "Near-ray against spread runs of real sweeps", text, draw(rows), head, table)


if __name__ == "__main__":
    main()
