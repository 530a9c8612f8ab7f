# SPDX-License-Identifier: Apache-2.0
"""The pieces of one fit, against the whole and against the machine.

    python bench/profile_pieces.py PROGRAM [--data FILE.csv]

PROGRAM is the built bench/pieces.cpp: it measures what is C++, this script what Python adds, on the same runs (default: 240
simulated ones). The operations that it counts are those of bench/flops.hpp; the peak is that of one core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import offray
from clock import median_seconds
from engines.with_cpp import write_input
from machine import describe
from problem import START
from report import digits, duration, table
from runs import TRUTH, isoflop, read, simulate

REPEATS = 200


def core(program, x, loss):
    """What the program measured, in nanoseconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, *write_input(Path(folder), x, loss, START)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def first_use(fit, use):
    """Median seconds of `use` on fresh results: most of them remember what they computed."""
    times = []
    for _ in range(REPEATS):
        result = fit()
        begin = time.perf_counter()
        use(result)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the built bench/pieces.cpp")
    parser.add_argument("--data", type=Path, help="CSV file of runs")
    arguments = parser.parse_args()
    x, loss = read(arguments.data) if arguments.data else (isoflop(240), None)
    if loss is None:
        loss = simulate(offray.laws.chinchilla, TRUTH, x)
    warnings.simplefilter("ignore")

    def fit():
        return offray.fit(*x[:2], loss, start=START)

    whole = median_seconds(fit)[0]
    everywhere = median_seconds(lambda: offray.fit(*x[:2], loss))[0]
    pieces = core(arguments.program, x[:2], loss)
    n, peak, evaluations = pieces["runs"], pieces["peak_gflops"], pieces["evaluations"]
    taken = evaluations - pieces["evaluations_at_optimum"]
    step = (pieces["fit_from_start"] - pieces["fit_at_optimum"]) / taken if taken else np.nan
    flops = pieces["law_jacobian_flops"] + pieces["tall_qr_flops"]

    def row(name, nanoseconds, operations=None):
        line = [name, duration(1e-9 * nanoseconds), f"{digits(1e-7 * nanoseconds / whole)} %"]
        rate = operations / nanoseconds if operations else None
        return [*line, *((digits(rate), f"{100 * rate / peak:.3g} %") if rate else ("", ""))]

    lines = [
        row("exp, one", pieces["exp"], pieces["exp_flops"]),
        row("exp, one, in the law", pieces["law_value"] / (2 * n), pieces["law_value_flops"] / (2 * n)),
        row("log, one", pieces["log"], pieces["exp_flops"]),
        row("runs checked, logarithms taken", pieces["runs_from_arrays"], 2 * n * pieces["exp_flops"]),
        row("law, value", pieces["law_value"], pieces["law_value_flops"]),
        row("law, value and Jacobian", pieces["law_jacobian"], pieces["law_jacobian_flops"]),
        row("factorisation", pieces["tall_qr"], pieces["tall_qr_flops"]),
        row("one step of the solver", step, flops),
        row("singular values", pieces["conditioning"]),
        row(f"C++ fit from the start, {evaluations} evaluations", pieces["fit_from_start"], evaluations * flops),
        row("C++ fit without a start", pieces["global_fit"]),
        row("Python fit from the start", 1e9 * whole, evaluations * flops),
        row("Python fit without a start", 1e9 * everywhere),
        row("added by Python and the checks", 1e9 * whole - pieces["fit_from_start"]),
        *(row(f"then {name}", 1e9 * first_use(fit, use)) for name, use in USES.items()),
    ]
    print(f"{describe()}\n\n{n} runs, peak {peak:.3g} GFLOP/s on one core.\n")
    print(table(["piece", "time", "of a Python fit", "GFLOP/s", "of the peak"], lines))


USES = {
    "fit.theta": lambda fit: fit.theta,
    "fit.se": lambda fit: fit.se,
    "fit.conditioning": lambda fit: fit.conditioning,
    "fit.identifiability": lambda fit: fit.identifiability,
    "str(fit)": str,
}

if __name__ == "__main__":
    main()
