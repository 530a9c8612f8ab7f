# SPDX-License-Identifier: Apache-2.0
"""offray and the other fitters one can call today: same runs, same objective, same start, one process.

    python bench/compare.py [--data FILE.csv] [--other-engines PROGRAM] [--output docs/performance.md] [--quick]

Needs scipy; lmfit, iminuit, optimistix (with JAX) and the program of bench/other_engines.cpp take part where they are there.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy is loaded; one thread each, for all engines

import engines
import numpy as np
import offray
from bootstraps import bootstraps
from contest import single_fits
from laws import law_rows
from problem import START, Problem
from report import report
from runs import SHAPES, TRUTH, isoflop, read, simulate
from variants import functions, variants

DELTA = 1e-3
BOOTSTRAP_SIZES = (60, 240, 1000)
SHOWN = 240  # the simulated runs whose every row is shown, beside the file's


def size_label(n):
    return f"n = {n}"


def tables(arguments):
    """(label, x, loss) of the simulated runs and of the file."""
    law = offray.laws.chinchilla
    for n in (60, 240) if arguments.quick else SHAPES:
        x = isoflop(n)
        yield size_label(n), x, simulate(law, TRUTH, x)
    if arguments.data:
        x, loss = read(arguments.data)
        yield f"{arguments.data.stem} ({loss.size} runs)", x[:2], loss


def posed(x, loss, delta=None):
    """The problem, with the objective at its optimum."""
    problem = Problem(offray.laws.chinchilla, x, loss, START, delta)
    options = {} if delta is None else {"objective": "huber", "delta": delta, "log_loss": True}
    theta = offray.fit(*x, loss, **options).theta
    return Problem(problem.law, x, loss, START, delta, problem.objective(theta))


def progress(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="CSV file of runs, as for `offray fit`, to fit beside the simulated ones")
    parser.add_argument("--output", type=Path, help="Markdown file to write")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds")
    parser.add_argument("--other-engines", type=Path, metavar="PROGRAM", help="the built bench/other_engines.cpp")
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else 15
    contestants = engines.installed()
    squares, robust, refits = {}, {}, {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for label, x, loss in tables(arguments):
            progress(f"{label}: squares on the loss")
            squares[label] = single_fits(posed(x, loss), contestants, rounds, arguments.other_engines)
            progress(f"{label}: log-Huber")
            robust[label] = single_fits(posed(x, loss, DELTA), contestants, rounds)
            if loss.size in BOOTSTRAP_SIZES:
                progress(f"{label}: bootstrap")
                refits[label] = bootstraps(posed(x, loss), contestants, 3)
        progress("other laws")
        laws = law_rows(rounds)
        progress("variants of the plain fit")
        own, any_function = variants(rounds), functions(rounds)
    shown = [label for label in squares if label not in map(size_label, SHAPES) or label == size_label(SHOWN)]
    text = report(squares, robust, refits, laws, own, any_function, shown)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
