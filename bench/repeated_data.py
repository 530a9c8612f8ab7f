# SPDX-License-Identifier: Apache-2.0
"""The published two-stage fit of the repeated-data law, and the valley its second stage lies in.

    python bench/repeated_data.py datablations_c4.csv --output docs/repeated_data.md

The file: runs with columns params, tokens, loss, unique_tokens and family, of which "fit182" is used.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
import offray

LOGS = {"A": 6.255414, "B": 7.3049974, "E": 0.6254804}
EXPONENT = 0.3526596
DECAYS = {"R_N": 5.309743, "R_D": 15.387756}
"""Muennighoff et al. 2023, arXiv:2305.16264."""
VALLEY = (10, 15.387756, 25, 50, 95, 150, 200)


def read(path):
    """N, D, loss, U of the rows of the published fit."""
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family"] == "fit182"]
    return [np.array([float(row[name]) for row in rows]) for name in ("params", "tokens", "loss", "unique_tokens")]


def huber(residual, delta=1e-3):
    """Sum of rho."""
    size = np.abs(residual)
    return float(np.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).sum())


def r_squared(predicted, seen):
    """Of the loss."""
    return float(1 - ((predicted - seen) ** 2).sum() / ((seen - seen.mean()) ** 2).sum())


def second_stage(runs, **fixed):
    """R_N and R_D, or one of them, with the first stage frozen."""
    N, D, loss, U = runs
    frozen = {name: np.exp(value) for name, value in LOGS.items()} | {"alpha": EXPONENT, "beta": EXPONENT} | fixed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        options = {"law": "repeated_data", "objective": "huber", "delta": 1e-3, "log_loss": True}
        return offray.fit(N, D, loss, unique_tokens=U, fixed=frozen, **options)


def document(runs):
    """The page."""
    N, D, loss, U = runs
    law = offray.laws.repeated_data
    coefficients = [np.exp(LOGS[name]) for name in ("E", "A", "B")] + [EXPONENT, EXPONENT]
    theta = [*coefficients, DECAYS["R_N"], DECAYS["R_D"]]
    published, plain = law((N, D, U), *theta), offray.laws.chinchilla((N, D), *coefficients)
    objective = huber(np.log(published / loss))
    best = second_stage(runs)
    R_N, R_D = best.params["R_N"], best.params["R_D"]
    valley = []
    for value in VALLEY:
        along = second_stage(runs, R_D=value)
        excess = 100 * (along.objective_value / best.objective_value - 1)
        valley.append(f"| {value:.4g} | {along.params['R_N']:.3g} | {along.objective_value:.7f} | {excess:.3f} % |")
    interval = dict(zip(law.parameters, best.conf_int(method="profile"), strict=True))["R_D"]
    return "\n".join(
        [
            "# The repeated-data law: the published fit, and the valley it lies in",
            "",
            f"{len(loss)} runs on C4, many of them over many epochs (Muennighoff et al. 2023, arXiv:2305.16264). The first "
            "stage, E, A, B and alpha = beta, is taken as published; the second fits R_N and R_D, log-Huber with delta 1e-3. "
            "Regenerate with `python bench/repeated_data.py datablations_c4.csv --output docs/repeated_data.md`.",
            "",
            "| | R_N | R_D | objective | R^2 of the loss |",
            "|---|---|---|---|---|",
            f"| published | {DECAYS['R_N']:.6g} | {DECAYS['R_D']:.6g} | {objective:.7f} | {r_squared(published, loss):.6f} |",
            f"| the same without decay | | | | {r_squared(plain, loss):.6f} |",
            f"| the minimum | {R_N:.4g} | {R_D:.4g} | {best.objective_value:.7f} "
            f"| {r_squared(law((N, D, U), *best.theta), loss):.6f} |",
            "",
            f"The minimum lies elsewhere, {100 * (objective / best.objective_value - 1):.2f} % lower, in a flat valley: R_N "
            "refitted at fixed R_D gives",
            "",
            "| R_D | R_N | objective | above the minimum |",
            "|---|---|---|---|",
            *valley,
            "",
            f"The 95 % profile interval of R_D begins at {interval[0]:.3g} and "
            f"{'has no end' if interval[1] > 1e6 else f'ends at {interval[1]:.3g}'}: these runs do not say how fast "
            "repeated tokens lose their value. The delta method's interval reaches zero, which the fit notes.",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    text = document(read(arguments.file))
    if arguments.output:
        arguments.output.write_text(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
