# SPDX-License-Identifier: Apache-2.0
"""What people published of their sweeps, in small: the right answer, or one sentence with the option that gives it."""

import json

import numpy as np
import offray
import pytest
from helpers import run_cli

TRUTH = (1.8, 480.0, 2100.0, 0.35, 0.37)
SIZES, TOKENS = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 1e9, 5), np.geomspace(6e9, 3e11, 5)))
LOSS = offray.laws.chinchilla((SIZES, TOKENS), *TRUTH) + 0.002 * np.sin(7 * np.arange(25))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, heading, *columns):
    with open(name, "w", encoding="utf-8") as file:
        file.write("\n".join([heading, *(",".join(map(str, row)) for row in zip(*columns, strict=True))]) + "\n")


def said(code, *arguments):
    """What a command prints, in one line each for words that must stand together."""
    done = run_cli(*arguments)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def fitted(*arguments, code=0):
    done = run_cli("fit", *arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def law(N, D):
    return offray.laws.chinchilla((np.asarray(N, float), np.asarray(D, float)), *TRUTH)


def test_two_sizes_with_learning_rates_as_rows():
    N, D = (np.repeat(a.ravel(), 3) for a in np.meshgrid([1e8, 4e8], np.geomspace(6e9, 3e11, 5)))
    write("hp.csv", "N,D,lr,loss", N, D, np.tile([1, 2, 3], 10), law(N, D) + np.tile([0, 0.03, 0.05], 10))
    text = said(3, "fit", "hp.csv")
    assert "There are 2 sizes: a power and a constant need three. Add runs of a third model size" in text
    assert "the same inputs occur 3 times on average" in text
    assert "no N* and D*" in text
    beta = fitted("hp.csv", "--best", "min", code=3)["params"]["beta"]
    assert abs(beta - 0.37) < 0.01
    N, D = (np.repeat(a, 3) for a in (SIZES, TOKENS))
    write("mixed.csv", "N,D,lr,loss", N, D, np.tile([1, 2, 3], 25), law(N, D) + np.tile([0, 0.03, 0.05], 25))
    assert "keep the best run of each (N, D), or fit --objective quantile" in said(0, "fit", "mixed.csv")
    assert abs(fitted("mixed.csv", "--best", "min")["params"]["E"] - 1.8) < 1e-6


def test_isoflop_records_without_tokens():
    C = np.repeat([6e18, 6e19, 6e20], 5)
    N = np.tile(np.geomspace(0.3, 3, 5), 3) * (C / 6e18) ** 0.5 * 1e8
    records = [
        {"parameters": n, "compute_budget": c, "final_loss": float(law(n, c / 6 / n))} for n, c in zip(N, C, strict=True)
    ]
    with open("curves.json", "w") as file:
        json.dump(records, file)
    assert '--flops "compute_budget" would take tokens from C = 6 N D' in said(2, "fit", "curves.json")
    flops = ("curves.json", "--flops", "compute_budget")
    done = run_cli("optimal", *flops, "--compute", "1e23,1e24", "--json")
    wanted = offray.compute_optimal("chinchilla", TRUTH, [1e23, 1e24])
    np.testing.assert_allclose(json.loads(done.stdout)["N"]["value"], wanted.N, rtol=1e-4)
    parabolas = json.loads(run_cli("isoflop", *flops, "--json").stdout)
    assert abs(parabolas["exponent"] - 0.37 / 0.72) < 0.02


def test_checkpoints_and_one_token_count():
    N = np.repeat(np.geomspace(1e8, 3e9, 6), 21)
    step = np.tile(np.arange(21) * 10000, 6)
    drift = np.repeat(0.01 * np.sin(3 * np.arange(6)), 21) * np.tile(np.linspace(-1, 1, 21), 6)
    loss = law(N, np.maximum(step, 1) * 524288.0) + drift
    write("curves.csv", "hyper_id,step,loss_validation,dense_parameter_count", np.repeat(np.arange(6), 21), step, loss, N)
    how = ["curves.csv", "--params", "dense_parameter_count", "--steps", "step", "--batch", 256, "--length", 2048]
    how += ["--loss", "loss_validation"]
    assert '--where "step>0" leaves such rows out' in said(2, "fit", *how)
    how += ["--where", "step>0"]
    text = said(0, "fit", *how)
    assert "checkpoints of one run" in text
    assert "Give --group (the run, or N) to offray intervals, predict and optimal" in text
    both = run_cli("intervals", *how, "--methods", "delta,sandwich", "--group", "hyper_id", "--json")
    ends = np.log(np.array(json.loads(both.stdout)["bounds"], float))
    assert (np.diff(ends[4, 1]) > 1.5 * np.diff(ends[4, 0])).all()
    last = fitted(*how, "--last", "hyper_id", code=3)
    assert last["runs"] == 6
    assert abs(last["params"]["alpha"] - 0.35) < 0.05
    assert last["params"]["E"] is None


def test_cells_that_are_not_finished():
    cells = [f"{x:.4f}" for x in LOSS]
    cells[24], cells[20] = "(partial)", ""
    write("long.csv", "active_params,tokens,loss", SIZES, TOKENS, cells)
    text = said(2, "fit", "long.csv")
    assert "long.csv, line 26: loss = '(partial)': every value must be a real number; read with --drop-missing" in text
    text = said(0, "fit", "long.csv", "--drop-missing")
    assert "2 rows of 25 left out, without a number in active_params, tokens, loss" in text
    write("wide.csv", "size,30x,60x", ["d512"], [3.8], [3.6])
    assert "one run per row is needed" in said(2, "fit", "wide.csv")


def test_perplexity_of_one_variable():
    N = np.array([1.2e8, 3.5e8, 6e8, 1e9, 3e9])
    write("ppl.csv", "model,num_params,perplexity", list("abcde"), N, 1152 * N**-0.2457)
    text = said(2, "fit", "ppl.csv")
    assert 'a law in N alone needs no tokens, such as --law "E + A*N**-alpha"' in text
    assert '--loss "perplexity" with --loss-unit "perplexity" would take it' in text
    power = ("ppl.csv", "--law", "A*N**-alpha", "--loss", "perplexity")
    assert '--loss-unit "perplexity" converts it' in said(2, "fit", *power)
    assert abs(fitted(*power, "--loss-unit", "nats", "--log-loss")["params"]["alpha"] - 0.2457) < 1e-6
    assert "identify" not in said(0, "fit", *power, "--loss-unit", "perplexity")


def test_bits_in_json_lines():
    with open("runs.jsonl", "w") as file:
        for n in (125037, 412000):
            for lr in (1e-4, 3e-4, 1e-3, 3e-3):
                row = {"lr": lr, "steps": 1000, "batch": 64, "block": 128, "val_bpc": 3 + 100 * lr + 1e4 / n, "total_params": n}
                file.write(json.dumps(row) + "\n")
    text = said(2, "fit", "runs.jsonl")
    assert '--steps "steps" with --batch and --length would count tokens' in text
    assert '--loss "val_bpc" with --loss-unit "bits" would take it' in text
    how = ("--params", "total_params", "--steps", "steps", "--batch", "batch", "--length", "block", "--loss", "val_bpc")
    text = said(3, "fit", "runs.jsonl", *how, "--loss-unit", "bits")
    assert "all runs have 8.19e+06 tokens" in text
    assert "8 runs at 2 different inputs" in text


def test_one_budget_with_an_odd_run():
    N, D = np.array([4.6e6, 1.16e7, 2.81e7, 4.95e7]), np.array([3.01e9, 1.39e9, 6.45e8, 4.1e8])
    write("done.csv", "budget,params_planned,tokens_planned,cd_val_loss", ["3e17"] * 4, N, D, [1.5378, 1.5103, 1.6627, 1.5366])
    how = ("done.csv", "--params", "params_planned", "--tokens", "tokens_planned", "--loss", "cd_val_loss")
    text = said(3, "isoflop", *how, "--flops", "budget")
    assert "the losses do not bend upwards: no minimum. Without the run of 2.81e+07 parameters they do" in text
    assert "4 different N and D are too few for the 5 parameters" in said(3, "check", *how[:5])


def test_a_chart_is_no_table():
    write("export.csv", '"Step","k=10 - loss","k=10 - loss__MIN","k=20 - loss"', [1, 2], [3, 2.9], [3, 2.9], [3.1, 3])
    assert "export the table of runs, one run per row" in said(2, "fit", "export.csv")


def test_rows_that_are_copies():
    write("thrice.csv", "N,D,loss", *(np.tile(a, 3) for a in (SIZES, TOKENS, LOSS)))
    text = said(0, "fit", "thrice.csv")
    assert "50 of 75 rows repeat another one to the last digit" in text
    assert "Drop them (--best min)" in text
    write("once.csv", "N,D,loss", SIZES, TOKENS, LOSS)
    assert fitted("thrice.csv", "--best", "min")["se"] == fitted("once.csv")["se"]


def test_diverged_runs():
    for odd in ("nan", "inf", "diverged"):
        write("odd.csv", "N,D,loss", SIZES, TOKENS, [odd if k == 7 else x for k, x in enumerate(LOSS)])
        text = said(2, "fit", "odd.csv")
        assert text.startswith("error: odd.csv, line 9: loss")
        assert "--drop-missing" in text
        assert fitted("odd.csv", "--drop-missing")["runs"] == 24
    write("blown.csv", "N,D,loss", SIZES, TOKENS, [7.4 if k == 7 else x for k, x in enumerate(LOSS)])
    done = run_cli("fit", "blown.csv")
    assert "line 9" in done.stdout
    assert "fit with --objective huber, --delta mad" in done.stdout
    assert abs(fitted("blown.csv", "--objective", "huber", "--delta", "mad")["params"]["E"] - 1.8) < 0.05


def test_millions_and_billions():
    write("mb.csv", "params,tokens,loss", SIZES / 1e6, TOKENS / 1e9, LOSS)
    text = said(0, "fit", "mb.csv")
    assert "millions or billions of parameters? Give counts" in text
    assert "no N* and D*: counts in units that look wrong" in text
    for command in (
        ("optimal", "mb.csv", "--compute", "1e24"),
        (
            "suggest",
            "--existing",
            "mb.csv",
            "--budget",
            "1e20",
            "--max-runs",
            "6",
            "--sizes",
            "5e7,1e9",
            "--tokens-range",
            "1e9,1e11",
        ),
    ):
        assert "warning: N is 30 at the least" in run_cli(*command).stderr
    write("labels.csv", "params,tokens,loss", [f"{n / 1e6}M" for n in SIZES], [f"{d / 1e9}B" for d in TOKENS], LOSS)
    wanted = offray.fit(SIZES, TOKENS, LOSS)
    np.testing.assert_allclose(fitted("labels.csv")["params"]["A"], wanted.params["A"], rtol=1e-6)
