# SPDX-License-Identifier: Apache-2.0
"""Experiments on designs: collinear against spread, in simulation and on real runs.

Uses nothing of offray but its public functions.
"""

from offray.experiment._compare import compare
from offray.experiment._comparisons import Comparisons, Summary, wilson
from offray.experiment._corpus import Corpus, as_law, published
from offray.experiment._design import Design
from offray.experiment._excess import ShortRunExcess, TrainingMean
from offray.experiment._paper import Setup
from offray.experiment._precision import PRECISIONS
from offray.experiment._real import RealComparison, Sweep, on_real_runs
from offray.experiment._replication import Replication, replicate
from offray.experiment._splits import beyond, largest_compute, off_ray

__all__ = [
    "PRECISIONS",
    "Comparisons",
    "Corpus",
    "Design",
    "RealComparison",
    "Replication",
    "Setup",
    "ShortRunExcess",
    "Summary",
    "Sweep",
    "TrainingMean",
    "as_law",
    "beyond",
    "compare",
    "largest_compute",
    "off_ray",
    "on_real_runs",
    "published",
    "replicate",
    "wilson",
]
