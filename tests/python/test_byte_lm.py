# SPDX-License-Identifier: Apache-2.0
"""The runs that the project trained itself: clean enough to be an example, and forecast as they came out."""

from __future__ import annotations

import collections
import json
import warnings

import numpy as np
import offray
import pytest
from helpers import run_cli
from offray import examples

CORPORA = ["documentation", "python"]


def fitted(corpus, law="droppo_elibol"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        return offray.fit(examples.byte_lm(corpus), law=law, log_loss=True)


@pytest.mark.parametrize("corpus", CORPORA)
def test_more_is_better_but_for_seeds(corpus):
    cells = collections.defaultdict(list)
    runs = examples.byte_lm(corpus)
    for cell in zip(runs["params"], runs["tokens"], runs["loss"], strict=True):
        cells[cell[:2]].append(cell[2])
    seeds = [np.std(losses, ddof=1) for losses in cells.values() if len(losses) > 2]
    assert len(seeds) >= 6
    mean = {cell: np.mean(losses) for cell, losses in cells.items()}
    for axis in (0, 1):
        lines = collections.defaultdict(list)
        for cell in sorted(mean, key=lambda c: c[axis]):
            lines[cell[1 - axis]].append(mean[cell])
        rises = [max(np.diff(line)) for line in lines.values() if len(line) > 1]
        assert max(rises) < 3 * np.mean(seeds)


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_best_law_is_within_seed_noise(corpus):
    fit = fitted(corpus)
    assert len(fit.residuals) == 95
    assert fit.identifiability.identified
    assert fit.misfit.residual_sd < 1.5 * fit.misfit.pure_error
    assert fitted(corpus, "chinchilla").misfit.residual_sd < 3.5 * fit.misfit.pure_error


@pytest.mark.parametrize("law", ["chinchilla", "droppo_elibol", "kaplan_floor"])
@pytest.mark.parametrize("corpus", CORPORA)
def test_larger_runs_are_forecast(corpus, law):
    """At 11 and 21 times the compute of all runs fitted: inside of the interval for a new run, whatever the law."""
    larger = examples.byte_lm(corpus, targets=True)
    forecast = fitted(corpus, law).predict(larger["params"], larger["tokens"])
    low, high = forecast.prediction_interval.T
    assert (np.array(larger["loss"]) > low).all()
    assert (np.array(larger["loss"]) < high).all()
    assert "extrapolates" in forecast.findings


def test_unknown_corpus():
    with pytest.raises(ValueError, match="corpus must be"):
        examples.byte_lm("web")


def test_on_the_command_line():
    rows = ("--where", "corpus=documentation")
    done = run_cli("fit", examples.path("byte_lm.csv"), *rows, "--law", "droppo_elibol")
    assert done.returncode == 0, done.stderr
    assert "L_inf" in done.stdout


def test_the_papers_experiment():
    """Near-ray and spread designs of equal compute, cut from one corpus by the command line."""
    rows = ("--where", "corpus=documentation", "--where", "role!=target")
    options = ("--law", "droppo_elibol", "--ray", 60, "--draws", 20)
    done = run_cli("replicate", "--data", examples.path("byte_lm.csv"), *rows, *options, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert row["split"] == "in range"
    assert row["spread wins"] > 0.9
