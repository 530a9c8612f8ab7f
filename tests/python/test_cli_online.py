# SPDX-License-Identifier: Apache-2.0
"""offray online: forecasts as runs come, from a file and line by line."""

import csv
import json

import numpy as np
import offray
import pytest
from helpers import run_cli

SIZES, TOKENS = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 1e9, 4), np.geomspace(6e9, 3e11, 4)))
LOSS = offray.laws.chinchilla((SIZES, TOKENS), 1.8, 480.0, 2100.0, 0.35, 0.37) + 0.002 * np.sin(7 * np.arange(16))
LINES = [f"{n!r},{d!r},{x!r}" for n, d, x in zip(SIZES.tolist(), TOKENS.tolist(), LOSS.tolist(), strict=True)]
CSV = "\n".join(["n_params,tokens,val_loss", *LINES]) + "\n"
AT = ("--at", "70B,1.4T")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.csv").write_text(CSV)


def test_what_it_says_at_the_end_is_what_a_fit_says():
    done = run_cli("online", "runs.csv", *AT, "--every", 4, "--json")
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["runs"] for each in said] == [4, 8, 12, 16]
    assert said[0]["loss"] is None
    assert said[0]["known"] == "1 more run needed"
    last = offray.fit(SIZES, TOKENS, LOSS).predict(7e10, 1.4e12)
    np.testing.assert_allclose(said[-1]["loss"], last.value, rtol=1e-8)
    np.testing.assert_allclose(said[-1]["high"], last.interval[1], rtol=1e-6)
    assert said[-1]["identified"] is True


def test_lines_as_they_come():
    whole = run_cli("online", "runs.csv", *AT, "--csv")
    stream = run_cli("online", "-", *AT, "--csv", stdin=CSV)
    assert stream.stdout == whole.stdout
    assert len(list(csv.DictReader(stream.stdout.splitlines()))) == 16
    records = "\n".join(json.dumps({"n_params": n, "D": d, "loss": x}) for n, d, x in zip(SIZES, TOKENS, LOSS, strict=True))
    assert run_cli("online", "-", *AT, "--csv", stdin=records).stdout == whole.stdout
    shown = run_cli("online", "-", *AT, stdin=CSV).stdout
    assert "16 runs  " in shown
    assert "identified" in shown.splitlines()[-1]


def test_what_is_wrong_with_a_line_of_a_stream():
    for row, place in ((2, "line 4"), (10, "line 12")):
        done = run_cli("online", "-", *AT, stdin=CSV.replace(LINES[row], "1e8,1e10,oops"))
        assert done.returncode == 2
        assert f"standard input, {place}: val_loss = 'oops'" in done.stderr
    assert run_cli("online", "-", *AT, "--where", "n_params>0", stdin=CSV).stderr.startswith("error: --where needs a file")
    assert run_cli("online", "runs.csv", *AT, "--where", "n_params>4e7", "--every", 12).returncode == 0


def test_state_goes_on(tmp_path):
    whole = run_cli("online", "runs.csv", *AT, "--csv").stdout.splitlines()
    first, second = ("\n".join([CSV.splitlines()[0], *part]) for part in (LINES[:7], LINES[7:]))
    run_cli("online", "-", *AT, "--state", "state.json", stdin=first)
    later = run_cli("online", "-", *AT, "--state", "state.json", "--csv", stdin=second)
    assert later.stdout.splitlines()[1:] == whole[8:]
    other = run_cli("online", "-", *AT, "--state", "state.json", "--log-loss", stdin=second)
    assert other.returncode == 2
    assert "--log-loss is for a new fit" in other.stderr
    (tmp_path / "state.json").write_text("{}")
    damaged = run_cli("online", "-", *AT, "--state", "state.json", stdin=second)
    assert damaged.returncode == 2
    assert "--state: state.json" in damaged.stderr


def test_runs_that_a_state_has_are_not_counted_again():
    run_cli("online", "runs.csv", *AT, "--state", "state.json")
    again = run_cli("online", "runs.csv", *AT, "--state", "state.json", "--json")
    assert "16 runs are in state.json already" in again.stderr
    assert [json.loads(line)["runs"] for line in again.stdout.splitlines()] == [16]


def test_a_line_that_cannot_be_used_may_be_left_out():
    done = run_cli("online", "-", *AT, "--drop-missing", "--every", 50, stdin=CSV.replace(LINES[5], "1e8,1e10,"))
    assert done.returncode == 0, done.stderr
    assert "note: left out: standard input, line 7: val_loss is empty" in done.stderr
    assert done.stdout.split()[0] == "15"
    wrong = run_cli("online", "-", *AT, "--drop-missing", stdin=CSV.replace("val_loss", "colour"))
    assert wrong.returncode == 2


def test_too_few_runs_end_with_3():
    assert run_cli("online", "-", *AT, stdin="\n".join(CSV.splitlines()[:4])).returncode == 3
