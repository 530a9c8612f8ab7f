# SPDX-License-Identifier: Apache-2.0
"""A saved fit in place of a file of runs."""

import json

import numpy as np
import offray
import pytest
from helpers import run_cli

SIZES, TOKENS = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 1e9, 5), np.geomspace(6e9, 3e11, 5)))
LOSS = offray.laws.chinchilla((SIZES, TOKENS), 1.8, 480.0, 2100.0, 0.35, 0.37) + 0.002 * np.sin(7 * np.arange(25))
HOW = ("--log-loss", "--objective", "huber", "--delta", "0.01", "--where", "N>2e7")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n},{d},{x},{k % 2}" for k, (n, d, x) in enumerate(zip(SIZES, TOKENS, LOSS, strict=True))]
    (tmp_path / "runs.csv").write_text("\n".join(["N,D,loss,half", *rows]))
    assert run_cli("fit", "runs.csv", *HOW, "-o", "fit.json").returncode == 0


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("fit", ()),
        ("predict", ("--at", "70B,1.4T")),
        ("optimal", ("--compute", "1e21,1e22")),
        ("intervals", ("--methods", "delta,profile")),
    ],
)
@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_what_comes_of_it_is_what_comes_of_the_runs(command, options, form):
    of_runs = run_cli(command, "runs.csv", *HOW, *options, form)
    of_fit = run_cli(command, "fit.json", *options, form)
    assert of_fit.returncode == of_runs.returncode == 0, of_fit.stderr
    assert of_fit.stdout == of_runs.stdout


def test_printed_json_is_a_saved_fit_too():
    printed = run_cli("fit", "runs.csv", *HOW, "--json").stdout
    with open("printed.json", "w") as file:
        file.write(printed)
    at = ("--at", "70B,1.4T", "--csv")
    assert run_cli("predict", "printed.json", *at).stdout == run_cli("predict", "fit.json", *at).stdout
    assert "N" in json.loads(printed)["optimal"]


def test_pictures_reports_and_plans():
    assert run_cli("plot", "fit.json", "-o", "runs.png").returncode == 0
    limits = ("--budget", "1e21", "--max-runs", 6, "--sizes", "1e7,1e9", "--tokens-range", "1e9,3e11")
    plan = run_cli("suggest", "--existing", "fit.json", *limits)
    assert plan.returncode == 0, plan.stderr
    assert "theta: fitted" in plan.stdout
    assert run_cli("isoflop", "fit.json").returncode in (2, 3)  # a grid has no budgets


def test_options_of_runs_do_not_go_with_it():
    for option in (("--law", "kaplan"), ("--fix", "E=1.7"), ("--where", "N>2"), ("--drop-missing",), ("--group", "half")):
        done = run_cli("predict", "fit.json", "--at", "7e9,1e11", *option)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {option[0]} is for a file of runs; fit.json is a saved fit")
    assert "--law is for a file of runs" in run_cli("isoflop", "fit.json", "--law", "kaplan").stderr


def test_what_is_no_saved_fit(tmp_path):
    with open("prediction.json", "w") as file:
        file.write(run_cli("predict", "fit.json", "--at", "7e9,1e11", "--json").stdout)
    wrong = run_cli("optimal", "prediction.json", "--compute", "1e21")
    assert wrong.returncode == 2
    assert "prediction.json: a saved Prediction; what is needed is a fit" in wrong.stderr
    grouped = run_cli("fit", "runs.csv", "--by", "half", "--share", "alpha,beta", "-o", "grouped.json")
    assert grouped.returncode == 0, grouped.stderr
    assert "a saved GroupedFit" in run_cli("predict", "grouped.json", "--at", "7e9,1e11").stderr
    assert run_cli("fit", "grouped.json").returncode == 0
    text = (tmp_path / "fit.json").read_text()
    (tmp_path / "fit.json").write_text(text.replace('"offray.fit"', '"offray.fitt"'))
    broken = run_cli("predict", "fit.json", "--at", "7e9,1e11")
    assert broken.returncode == 2
    assert broken.stderr.startswith("error: fit.json: ")
    assert run_cli("fit", "runs.csv", "-o", "nowhere/fit.json").returncode == 2
