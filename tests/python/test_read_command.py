# SPDX-License-Identifier: Apache-2.0
"""What people bring to the command line: the answer, or one sentence with the option that gives it."""

import json
import subprocess
import sys

import numpy as np
import offray
import pytest
from helpers import run_cli

SIZES, TOKENS = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 1e9, 5), np.geomspace(6e9, 3e11, 5)))
TRUTH = (1.8, 480.0, 2100.0, 0.35, 0.37)
LOSS = offray.laws.chinchilla((SIZES, TOKENS), *TRUTH) + 0.002 * np.sin(7 * np.arange(25))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, heading, *columns):
    rows = [heading, *(",".join(map(str, row)) for row in zip(*columns, strict=True))]
    with open(name, "w", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")


def theta(*arguments):
    done = run_cli("fit", *arguments, "--json")
    assert done.returncode in (0, 3), done.stderr
    return list(json.loads(done.stdout)["params"].values())


def refused(*arguments):
    done = run_cli(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    return done.stderr.removeprefix("error: ").strip()


def same(given, wanted=None):
    np.testing.assert_allclose(given, offray.fit(SIZES, TOKENS, LOSS).theta if wanted is None else wanted, rtol=1e-6)


def test_learning_rates_as_rows():
    worse = [(SIZES, TOKENS, LOSS + extra) for extra in (0, 0.05, 0.3)]
    write("lr.csv", "N,D,loss", *(np.concatenate(column) for column in zip(*worse, strict=True)))
    done = run_cli("fit", "lr.csv", "--best", "min", "--json")
    assert done.stderr == "note: the lowest loss of each of 25 cells, 50 rows left out\n"
    same(list(json.loads(done.stdout)["params"].values()))


def test_compute_in_place_of_tokens():
    records = [
        {"parameters": n, "compute_budget": 6 * n * d, "final_loss": x} for n, d, x in zip(SIZES, TOKENS, LOSS, strict=True)
    ]
    with open("curves.json", "w") as file:
        json.dump(records, file)
    said = refused("fit", "curves.json")
    assert said.startswith("curves.json: tokens: no such column")
    assert said.endswith('--flops "compute_budget" would take tokens from C = 6 N D')
    same(theta("curves.json", "--flops", "compute_budget"))


def test_checkpoints():
    steps = np.concatenate([[0, 1], TOKENS / (64 * 1024)])
    columns = (np.r_[5e7, 5e7, SIZES], np.r_[99, 99, np.arange(25)], steps, np.r_[11, 10, LOSS])
    write("checkpoints.csv", "dense_parameter_count,id,step,loss_validation", *columns)
    said = refused("fit", "checkpoints.csv")
    assert '--params "dense_parameter_count" would take it; --steps "step" with --batch and --length would count tokens' in said
    tokens = ("--params", "dense_parameter_count", "--steps", "step", "--batch", 64, "--length", "1024")
    said = refused("fit", "checkpoints.csv", *tokens)
    assert said == (
        'checkpoints.csv, line 2: step = 0: every value must be positive and finite; --where "step>0" leaves such rows out'
    )
    same(theta("checkpoints.csv", *tokens, "--where", "step>1"))
    same(theta("checkpoints.csv", *tokens, "--last", "id", "--where", "id<99"))


@pytest.mark.parametrize(
    ("cell", "shown"), [("(partial)", " = '(partial)': "), ("", " is empty; "), ("nan", " = nan: "), ("inf", " = inf: ")]
)
def test_unfinished_and_diverged(cell, shown):
    losses = [*LOSS[:20], cell, *LOSS[21:]]
    write("cells.csv", "params,tokens,loss", SIZES, TOKENS, losses)
    said = refused("fit", "cells.csv")
    assert said.startswith(f"cells.csv, line 22: loss{shown}")
    assert said.endswith("read with --drop-missing to leave such rows out")
    done = run_cli("fit", "cells.csv", "--drop-missing", "--json")
    assert done.stderr == "note: 1 row of 25 left out, without a number in params, tokens, loss: line 22\n"
    rows = np.arange(25) != 20
    same(list(json.loads(done.stdout)["params"].values()), offray.fit(SIZES[rows], TOKENS[rows], LOSS[rows]).theta)


def test_blown_up():
    write("blown.csv", "params,tokens,loss", np.r_[SIZES, 1e8], np.r_[TOKENS, 1e10], np.r_[LOSS, 7.4])
    same(theta("blown.csv", "--where", "loss<6"))


def test_perplexity_of_sizes_alone():
    sizes = np.geomspace(1e8, 1e9, 6)
    write("ppl.csv", "num_params,perplexity,tokens_per_second", sizes, np.exp(19.7 * sizes**-0.11), sizes)
    said = refused("fit", "ppl.csv")
    assert '--law "E + A*N**-alpha"; --loss "perplexity" with --loss-unit "perplexity" would take it' in said
    assert "tokens_per_second" not in said.split("; ")[-1]
    said = refused("fit", "ppl.csv", "--law", "A*N**-alpha", "--loss", "perplexity")
    assert said.endswith('--loss-unit "perplexity" converts it, "nats" takes it as it is')
    options = ("--law", "A*N**-alpha", "--loss", "perplexity", "--loss-unit", "perplexity")
    same(theta("ppl.csv", *options), [19.7, 0.11])


def test_bits_steps_and_rates_in_json_lines():
    with open("runs.jsonl", "w") as file:
        for n, d, x in zip(SIZES, TOKENS, LOSS, strict=True):
            for extra in (0.4, 0):
                record = {"steps": d / 8192, "batch": 64, "block": 128, "val_bpc": (x + extra) / np.log(2), "total_params": n}
                file.write(json.dumps(record) + "\n")
    said = refused("fit", "runs.jsonl")
    assert '--steps "steps" with --batch and --length would count tokens; --loss "val_bpc" with --loss-unit "bits"' in said
    tokens = ("--steps", "steps", "--batch", "batch", "--length", "block")
    same(theta("runs.jsonl", *tokens, "--loss", "val_bpc", "--loss-unit", "bits", "--best", "min"))


def test_planned_and_achieved_columns():
    rows = np.arange(25)
    write(
        "plan.csv",
        "state,params_planned,tokens_planned,parameter_count,total_tokens,cd_val_loss",
        rows,
        SIZES,
        TOKENS,
        SIZES,
        TOKENS,
        LOSS,
    )
    assert '--loss "cd_val_loss" would take it' in refused("fit", "plan.csv")
    same(theta("plan.csv", "--loss", "cd_val_loss"))
    for options in ((), ("--params", "params_planned", "--tokens", "tokens_planned")):
        assert "25 runs" in run_cli("check", "plan.csv", *options).stdout


def test_export_of_a_chart():
    write("chart.csv", "Step,a - loss,a - loss__MIN,a - loss__MAX", [1, 2], [3, 3], [3, 3], [3, 3])
    assert "a run in each column; export the table of runs, one run per row" in refused("fit", "chart.csv", "--tokens", "Step")


def test_labels_and_thousands():
    write("labels.csv", "params,tokens,loss", [f"{n / 1e6:.15g}M" for n in SIZES], [f"{d / 1e9:.15g}B" for d in TOKENS], LOSS)
    same(theta("labels.csv"))
    write(
        "thousands.csv",
        "params,tokens,loss",
        *([f'"{round(a):,}"' for a in x] for x in (SIZES, TOKENS)),
        LOSS,
    )
    same(theta("thousands.csv"), offray.fit(np.rint(SIZES), np.rint(TOKENS), LOSS).theta)


def test_copies_are_still_said():
    write("thrice.csv", "params,tokens,loss", *(np.tile(a, 3) for a in (SIZES, TOKENS, LOSS)))
    assert "50 of 75 rows repeat another one to the last digit" in run_cli("fit", "thrice.csv").stdout


def test_standard_input():
    write("runs.csv", "N,D,loss", SIZES, TOKENS, LOSS)
    command = [sys.executable, "-m", "offray", "fit", "-", "--json"]
    with open("runs.csv", "rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=True)
    same(list(json.loads(done.stdout)["params"].values()))
    done = subprocess.run(command, input=b"N,D,loss\n1,2,x\n", capture_output=True, check=False)
    assert done.stderr.startswith(b"error: standard input, line 2: loss = 'x'")


def test_every_command_reads_alike():
    write("runs.csv", "State,size,steps,val", ["ok"] * 25 + ["bad"], np.r_[SIZES, 1], np.r_[TOKENS / 1024, 1], [*LOSS, "x"])
    options = ("--where", "State=ok", "--params", "size", "--batch", "1K", "--loss", "val")
    assert "25 runs" in run_cli("check", "runs.csv", *options).stdout
    limits = ("--budget", "1e20", "--max-runs", 3, "--sizes", "3e7,1e9", "--tokens-range", "6e9,3e11")
    told = run_cli("suggest", *limits, "--existing", "runs.csv", *options)
    assert "theta: fitted" in told.stdout
    assert "State=ok: 1 row of 26 left out" in told.stderr
    replicated = run_cli("replicate", "--data", ".", "--draws", 5, *options)
    assert "runs: " in replicated.stdout  # a grid has no budgets to cut from
    assert replicated.returncode == 2
    for command in (("suggest", *limits), ("replicate",)):
        assert "--drop-missing needs --" in run_cli(*command, "--drop-missing").stderr
    for command in ("check", "fit"):
        assert refused(command, "runs.csv", "--params", "size", "--where", "Stat=ok").startswith("runs.csv: ")


def test_by_and_best():
    labels = np.repeat(["web", "code"], 25)
    columns = [np.tile(a, 2) for a in (labels, *(np.tile(a, 2) for a in (SIZES, TOKENS)))]
    write("both.csv", "corpus,N,D,loss", *columns, np.r_[LOSS, LOSS + 0.5, LOSS + 0.1, LOSS + 0.6])
    done = run_cli("fit", "both.csv", "--by", "corpus", "--share", "alpha,beta", "--best", "min", "--json")
    assert "the lowest loss of each of 50 cells, 50 rows left out" in done.stderr
    floors = {name: group["params"]["E"] for name, group in json.loads(done.stdout)["groups"].items()}
    assert floors["code"] - floors["web"] == pytest.approx(0.5, abs=1e-3)


def test_a_package_that_a_format_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with open("runs.xlsx", "wb") as file:
        file.write(b"PK\x03\x04")
    assert refused("fit", "runs.xlsx") == "runs.xlsx: spreadsheets need python-calamine; pip install 'offray[excel]'"
