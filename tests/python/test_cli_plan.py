# SPDX-License-Identifier: Apache-2.0
"""suggest writes what check reads, and what fit reads once the losses are in."""

import csv
import json
from pathlib import Path

import numpy as np
import offray
import pytest
from helpers import run_cli

TRUTH = (1.8, 480.0, 2100.0, 0.35, 0.37)
LIMITS = ("--sizes", "10M,300M", "--tokens-range", "200M,30B", "--max-runs", 12)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loss(N, D, seed):
    return float(offray.laws.chinchilla((float(N), float(D)), *TRUTH)) + 0.004 * np.sin(17.3 * seed)


def trained(path):
    """The plan with a loss wherever one was missing."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for k, row in enumerate(rows):
        row["loss"] = row["loss"] or repr(float(loss(row["params"], row["tokens"], k)))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_from_a_plan_to_a_fit_and_to_the_next_plan():
    done = run_cli("suggest", "--budget", "1e21", *LIMITS, "-o", "plan.csv")
    assert done.returncode == 0, done.stderr
    checked = run_cli("check", "plan.csv", "--json")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["passes"] is True
    unfilled = run_cli("fit", "plan.csv")
    assert unfilled.returncode == 2
    assert "loss is empty" in unfilled.stderr

    trained("plan.csv")
    fitted = run_cli("fit", "plan.csv", "--json")
    assert fitted.returncode == 0, fitted.stderr
    assert abs(json.loads(fitted.stdout)["params"]["alpha"] - 0.35) < 0.05

    more = run_cli("suggest", "--existing", "plan.csv", "--budget", "1e21", *LIMITS, "-o", "next.csv")
    assert more.returncode == 0, more.stderr
    assert "theta: fitted" in more.stdout
    rows = offray.read("next.csv", required=("params", "tokens"), also=("run",))
    first = offray.read("plan.csv")
    there = rows["run"] == "existing"
    np.testing.assert_array_equal(rows["params"][there], first["params"])
    np.testing.assert_allclose(rows["loss"][there], first["loss"])
    assert np.isnan(rows["loss"][~there]).all()
    assert (rows["params"] == np.rint(rows["params"])).all()
    before = run_cli("fit", "next.csv", "--drop-missing", "--json")
    assert json.loads(before.stdout)["runs"] == int(there.sum())
    trained("next.csv")
    assert json.loads(run_cli("fit", "next.csv", "--json").stdout)["runs"] == len(there)


def test_the_printed_plan_is_the_written_one():
    printed = run_cli("suggest", "--budget", "1e21", *LIMITS, "--csv")
    run_cli("suggest", "--budget", "1e21", *LIMITS, "-o", "plan.csv")
    with open("plan.csv") as file:
        assert file.read() == printed.stdout
    document = json.loads(run_cli("suggest", "--budget", "1e21", *LIMITS, "--json").stdout)
    assert document["schema"] == "offray.suggestion"
    assert len(document["runs"]) == len(printed.stdout.splitlines()) - 1


def test_check_of_the_document_is_check_of_the_plan():
    how = ("suggest", "--budget", "1e21", *LIMITS, "--replicates", 3)
    with open("plan.json", "w") as file:
        file.write(run_cli(*how, "--json", "-o", "plan.csv").stdout)
    of_document, of_plan = (json.loads(run_cli("check", f"plan.{form}", "--json").stdout) for form in ("json", "csv"))
    assert of_document["verdict"] == of_plan["verdict"]
    assert of_document["verdict"].startswith("These 12 runs")


def test_picture_of_a_plan():
    run_cli("suggest", "--budget", "1e21", *LIMITS, "-o", "plan.csv")
    assert run_cli("plot", "plan.csv", "--kind", "design", "-o", "plan.svg").returncode == 0
    runs = len(Path("plan.csv").read_text().splitlines()) - 1
    assert f"Planned: {runs} runs" in Path("plan.svg").read_text()
    wrong = run_cli("plot", "plan.csv", "--kind", "desing", "-o", "plan.svg")
    assert wrong.returncode == 2
    assert "--kind must be one of runs," in wrong.stderr


def test_text_fits_a_terminal():
    shown = run_cli("suggest", "--budget", "1e21", *LIMITS).stdout
    table = [line for line in shown.splitlines() if line.startswith(("ln ", "loss@", "  ", "kappa_2"))]
    assert table
    assert max(map(len, table)) <= 80


def write_plan(rows):
    with open("plan.csv", "w") as file:
        file.write("\n".join(["params,tokens", *(f"{n},{d}" for n, d in rows)]))


def test_whole_counts_on_one_ray_have_one_ratio():
    write_plan([(n, round(20.0 * n)) for n in (4364, 13331, 27007, 60011, 129313)])
    assert "5 runs, 1 ratios" in run_cli("check", "plan.csv").stdout
    write_plan([(round(d / 20.0), d) for d in (300032, 546560, 995968, 1814656, 3306496)])
    assert "5 runs, 1 ratios" in run_cli("check", "plan.csv").stdout
    write_plan([(n, round(k * n)) for n in (4364, 13331) for k in (20, 20.01, 20.02)])
    assert "6 runs, 3 ratios" in run_cli("check", "plan.csv").stdout


def test_fewer_places_than_parameters():
    write_plan([(1e7, 1e9), (1e7, 1e9), (2e7, 1e9), (4e7, 2e9), (8e7, 1e10)])
    done = run_cli("check", "plan.csv")
    assert done.returncode == 3
    assert done.stdout.startswith("4 different N and D are too few for the 5 parameters of chinchilla")


def test_check_as_table():
    write_plan([(n, k * n) for n in (1e7, 3e7, 1e8) for k in (10, 30, 100)])
    rows = list(csv.DictReader(run_cli("check", "plan.csv", "--csv").stdout.splitlines()))
    assert rows[0]["theta"] == "Hoffmann et al. 2022"
    assert float(rows[0]["kappa_eq"]) > 1


def test_a_plan_is_judged_by_a_saved_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28) + 0.002 * np.sin(np.arange(25))
    fit = offray.fit(N, D, loss)
    fit.save("fit.json")
    Path("plan.csv").write_text("\n".join(["params,tokens", *(f"{n},{d}" for n, d in zip(N, D, strict=True))]))
    shown = run_cli("check", "plan.csv", "--fit", "fit.json", "--target", "7B,140B", "--json")
    expected = offray.check(N, D, theta={"fitted": fit.theta}, sigma=float(fit.noise_sd), target=(7e9, 1.4e11)).to_dict()
    assert json.loads(shown.stdout)["figures"] == expected["figures"]
    assert "plan.csv is no saved fit" in run_cli("check", "plan.csv", "--fit", "plan.csv").stderr
    unwritable = run_cli("fit", "fit.json", "-o", "nowhere/fit.json")
    assert unwritable.stderr.splitlines()[-1] == "error: nowhere/fit.json: No such file or directory"


def test_parameters_that_are_not_determined_judge_no_plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    N = np.geomspace(1e7, 1e9, 12)
    loss = offray.laws.chinchilla((N, 20 * N), *TRUTH) + 0.003 * np.sin(5 * np.arange(12))
    Path("ray.csv").write_text("\n".join(["N,D,loss", *(f"{n},{20 * n},{x}" for n, x in zip(N, loss, strict=True))]))
    run_cli("fit", "ray.csv", "-o", "ray.json")
    judged = run_cli("check", "ray.csv", "--fit", "ray.json")
    assert judged.returncode == 3
    assert "do not determine the parameters" in judged.stderr
    budget = ("--budget", "1e20", *LIMITS)
    plans = [run_cli("suggest", "--existing", f"ray.{kind}", *budget) for kind in ("csv", "json")]
    assert plans[0].stdout == plans[1].stdout
    assert all("one ray" in plan.stderr for plan in plans)


def test_the_verdict_is_about_the_target_of_the_plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = offray.suggest(budget=1e20, region={"N": (1e7, 3e8), "D": (2e8, 3e10)}, max_runs=12)
    at = [figures.sd["loss@target"] for figures in plan.check().figures.values()]
    assert plan.sd["suggested"]["loss@target"] == pytest.approx(np.sqrt(np.mean(np.square(at))), rel=1e-9)
