# SPDX-License-Identifier: Apache-2.0
"""The C++ engines of bench/other_engines.cpp, which time themselves."""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np


def write_input(folder, x, loss, start):
    """The arguments of a program that reads bench/csv.hpp, whose file is put into the folder."""
    runs = folder / "runs.csv"
    with runs.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["params", "tokens", "loss"])
        rows.writerows([repr(float(v)) for v in row] for row in zip(*x, loss, strict=True))
    return [runs, *(repr(float(v)) for v in start)]


def measure(program, problem):
    """(name, seconds, theta, evaluations) of every engine that the program was built with."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, *write_input(Path(folder), problem.x[:2], problem.loss, problem.start)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [(e["engine"], 1e-6 * e["microseconds"], np.array(e["theta"]), e["evaluations"]) for e in json.loads(output)]
