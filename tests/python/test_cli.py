# SPDX-License-Identifier: Apache-2.0
"""The command line as a user runs it: text, JSON, exit codes, bad files."""

import json
import subprocess
import sys

import numpy as np
import offray
import pandas as pd
import pytest
from helpers import run_cli


def run(*arguments):
    return run_cli("fit", *arguments)


@pytest.fixture
def runs_csv(grid, tmp_path):
    path = tmp_path / "runs.csv"
    pd.DataFrame(dict(zip(("N", "D", "loss"), grid, strict=True))).to_csv(path, index=False)
    return path


def test_table_and_json(runs_csv, grid):
    shown = run(runs_csv)
    assert shown.returncode == 0
    for word in ("chinchilla", "converged", "kappa_2", "rank 5 of 5", "alpha", "95 % interval"):
        assert word in shown.stdout
    data = json.loads(run(runs_csv, "--json").stdout)
    fit = offray.fit(*grid)
    assert {"law", "params", "se", "rss", "status", "kappa", "rank", "warnings"} <= set(data)
    np.testing.assert_allclose(list(data["params"].values()), fit.theta, rtol=1e-9)
    assert data["warnings"] == []


def test_options(runs_csv, grid):
    options = ["--objective", "huber", "--delta", "0.002", "--log-loss", "--fix", "E=1.69", "--tie", "alpha=beta", "--json"]
    data = json.loads(run(runs_csv, *options).stdout)
    fit = offray.fit(*grid, objective="huber", delta=0.002, log_loss=True, fixed={"E": 1.69}, tied=[("alpha", "beta")])
    np.testing.assert_allclose(list(data["params"].values()), fit.theta, rtol=1e-8)
    assert json.loads(run(runs_csv, "--law", "kaplan", "--json").stdout)["law"] == "kaplan"


def test_parquet_and_named_columns(grid, tmp_path):
    path = tmp_path / "runs.parquet"
    frame = pd.DataFrame(dict(zip(("size", "seen", "final"), grid, strict=True)))
    frame["note"] = "text that the fit does not read"
    frame.to_parquet(path)
    shown = run(path, "--params", "size", "--tokens", "seen", "--loss", "final", "--json")
    assert shown.returncode == 0
    np.testing.assert_allclose(list(json.loads(shown.stdout)["params"].values()), offray.fit(*grid).theta, rtol=1e-9)


def test_pipe(runs_csv):
    command = [sys.executable, "-m", "offray", "fit", "/dev/stdin", "--json"]
    shown = subprocess.run(command, input=runs_csv.read_bytes(), capture_output=True, check=False)
    assert shown.returncode == 0
    assert shown.stdout.decode() == run(runs_csv, "--json").stdout


@pytest.mark.parametrize(("options", "code"), [(["--law", "kaplan"], 0), ([], 3)])
def test_exit_codes_of_the_packaged_runs(options, code):
    """Kaplan's law is identified by the packaged runs; Chinchilla's floor is not, and exit code 3 says so."""
    shown = run_cli("fit", offray.examples.path(), *options)
    assert shown.returncode == code
    assert ("E = 1e-15 sits at its bound" in shown.stdout) == (code == 3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("header.csv", b"N,D,loss\n", "header but no rows"),
        ("missing.csv", b"N,D\n1e6,1e8\n", "loss: no such column"),
        (
            "text.csv",
            b"N,D,loss\n1e6,1e8,2\n1e7,1e8,oops\n",
            "text.csv, line 3: loss = 'oops': every value must be a real",
        ),
        (
            "gap.csv",
            b"N,D,loss\n1e6,1e8,2\n1e7,,2\n",
            "gap.csv, line 3: D is empty; read with --drop-missing",
        ),
        (
            "nan.csv",
            b"N,D,loss\n1e6,1e8,nan\n",
            "nan.csv, line 2: loss = nan: every value",
        ),
        ("inf.csv", b"N,D,loss\n1e6,inf,2\n", "inf.csv, line 2: D = inf: every value must be positive and finite"),
        (
            "zero.csv",
            b"N,D,loss\n1e6,1e8,2\n0,1e8,2\n",
            'zero.csv, line 3: N = 0: every value must be positive and finite; --where "N>0" leaves',
        ),
        ("minus.csv", b"N,D,loss\n1e6,1e8,-2\n", "minus.csv, line 2: loss = -2: every value must be positive and finite"),
        ("two.csv", b"N,D,loss\n1e6,1e8,2\n1e7,1e8,2\n", "5 free parameters of chinchilla"),
        ("ragged.csv", b"N,D,loss\n1e6,1e8,2\n1e7,1e8\n", "ragged.csv, line 3: 2 cells in a table of 3 columns"),
        ("latin.csv", "N,D,loss\n1e6,1e8,é\n".encode("latin-1"), "latin.csv, line 2: no UTF-8 (byte 0xe9)"),
        ("utf16.csv", "N,D,loss\n1e6,1e8,-2\n".encode("utf-16"), "utf16.csv, line 2: loss = -2"),
        ("binary.csv", bytes(range(256)), "no UTF-8"),
        ("fake.parquet", b"PAR1N,D,loss\n", "no Parquet that can be read"),
    ],
)
def test_bad_file(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    shown = run(path)
    assert shown.returncode == 2
    assert message in shown.stderr
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


def test_bad_arguments(runs_csv, tmp_path):
    for arguments, message in (
        ([tmp_path], "is a directory"),
        ([tmp_path / "absent.csv"], "no such file"),
        ([runs_csv, "--law", "hoffmann"], "known laws: chinchilla, kaplan, droppo_elibol, repeated_data, kaplan_floor"),
        ([runs_csv, "--objective", "lad"], "known objectives: squares, huber"),
        ([runs_csv, "--fix", "E"], "NAME=VALUE"),
        ([runs_csv, "--fix", "E=abc"], "not a number"),
        ([runs_csv, "--fix", "gamma=1"], "unknown parameter 'gamma'"),
        ([runs_csv, "--params", "size"], "no column 'size'"),
        ([runs_csv, "--params", "N", "--tokens", "N"], "already has another role"),
        ([runs_csv, "--fix", "E=1", "--fix", "E=2"], "given more than once"),
    ):
        shown = run(*arguments)
        assert shown.returncode == 2, arguments
        assert message in shown.stderr
        assert "Traceback" not in shown.stderr


def test_check_and_suggest(tmp_path):
    plan = tmp_path / "plan.csv"
    rows = [f"{N!r},{k * N!r}" for k in (15.0, 20.0, 25.0, 30.0) for N in (5e6, 1e7, 2e7, 4e7, 8e7)]
    plan.write_text("params,tokens\n" + "\n".join(rows) + "\n")

    narrow = run_cli("check", str(plan))
    assert narrow.returncode == 3
    assert "would pass" in narrow.stdout
    limits = ["--sizes", "5e6,8e7", "--tokens-range", "1e7,1.6e9", "--max-runs", "20"]
    shown = run_cli("suggest", "--budget", "1e18", *limits, "--existing", str(plan))
    assert shown.returncode == 0
    assert "before" in shown.stdout
    wrong = run_cli("suggest", "--budget", "1e18", *limits, "--target", "1e9")
    assert wrong.returncode == 2
    assert "--target" in wrong.stderr
    assert run_cli("check", str(tmp_path / "absent.csv")).returncode == 2


def test_fit_of_a_formula(tmp_path):
    path = tmp_path / "runs.csv"
    rows = [f"{C},{1.7 + 1e3 * C**-0.2 + 0.002 * (-1) ** k}" for k, C in enumerate(np.geomspace(1e18, 1e22, 9))]
    path.write_text("\n".join(["flops,loss", *rows]))
    for law in ("power", "E + A*x**-alpha"):
        done = run(path, "--law", law, "--column", "x=flops", "--json")
        assert done.returncode == 0
        assert abs(json.loads(done.stdout)["params"]["alpha"] - 0.2) < 0.05
    for options, message in (
        (("--law", "E + A*x**-alpha"), "x: no column 'x'"),
        (("--law", "E + A*x**-alpha +"), "cannot be read"),
        (("--law", "powr"), "no law is called 'powr'; did you mean power?"),
        (("--law", "power", "--column", "y=flops"), "--column: power reads x"),
        (("--law", "E + A*x**-alpha", "--column", "x=flops", "--real", "beta"), "real: unknown parameter beta"),
    ):
        done = run(path, *options)
        assert done.returncode == 2
        assert message in done.stderr


def test_fit_of_groups(tmp_path):
    path = tmp_path / "runs.csv"
    C = np.geomspace(1e18, 1e22, 9)
    rows = [f"{name},{c},{E + 800 * c**-0.2}" for name, E in (("web", 1.7), ("code", 0.9)) for c in C]
    path.write_text("\n".join(["corpus,flops,loss", *rows]))
    law = ("--law", "power", "--column", "x=flops")
    done = run(path, *law, "--by", "corpus", "--share", "alpha", "--json")
    assert done.returncode == 0
    assert abs(json.loads(done.stdout)["groups"]["code"]["params"]["E"] - 0.9) < 1e-6
    assert "(shared)" in run(path, *law, "--by", "corpus", "--share", "alpha").stdout
    for options, message in (
        (("--by", "corpus"), "--by and --share go together"),
        (("--by", "corpora", "--share", "alpha"), "by: no column 'corpora'"),
        (("--by", "corpus", "--share", "gamma"), "shared: unknown parameter 'gamma'"),
    ):
        done = run(path, *law, *options)
        assert done.returncode == 2
        assert message in done.stderr


def test_suggest_uses_the_losses_of_existing_runs(tmp_path):
    sizes, tokens = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 3e8, 5), np.geomspace(2e8, 3e10, 5)))
    loss = offray.laws.chinchilla((sizes, tokens), 1.9, 800.0, 3000.0, 0.38, 0.39) + 0.004 * np.sin(np.arange(25))
    rows = [f"{n},{d},{value}" for n, d, value in zip(sizes, tokens, loss, strict=True)]
    (tmp_path / "with.csv").write_text("\n".join(["params,tokens,loss", *rows]))
    (tmp_path / "without.csv").write_text("\n".join(["params,tokens", *(row.rsplit(",", 1)[0] for row in rows)]))
    limits = ["--budget", "1e20", "--max-runs", "5", "--sizes", "1e7,3e8", "--tokens-range", "2e8,3e10"]
    told, blind = (run_cli("suggest", *limits, "--existing", str(tmp_path / f"{name}.csv")) for name in ("with", "without"))
    assert told.returncode == blind.returncode == 0
    assert "theta: fitted; 10 ends of the axes" in told.stdout
    assert "theta: Hoffmann" in blind.stdout
