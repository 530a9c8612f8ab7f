# SPDX-License-Identifier: Apache-2.0
"""The command line as a shell sees it: help, completion, exit codes, what goes where."""

import os
import subprocess
import sys
from pathlib import Path

import offray
import pytest
from helpers import run_cli
from offray.cli import COMMANDS

BYTE_LM = offray.examples.path("byte_lm.csv")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    shown = run_cli(command, "-h")
    assert shown.returncode == 0
    assert shown.stdout == run_cli(command, "--help").stdout
    words = " ".join(shown.stdout.split())
    if command not in ("plot", "report"):
        assert "--json" in words
    assert "Exit codes: 0 fine, 2 bad input" in words
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_near_names():
    for arguments, near in ((("pedict",), "did you mean predict?"), (("fit", "--objectiv", "huber"), "--objective")):
        wrong = run_cli(*arguments)
        assert wrong.returncode == 2
        assert near in wrong.stderr
        assert wrong.stdout == ""


def complete(line):
    """What bash is told."""
    words = line.split(" ")
    asked = {"_OFFRAY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    code = "import sys; sys.argv = ['offray']; from offray.cli import app; app(prog_name='offray')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def test_completion():
    assert complete("offray pre") == ["predict"]
    assert complete("offray fit runs.csv --law kap") == ["kaplan", "kaplan_floor"]


def test_stopped_by_ctrl_c(monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(offray, "fit", stop)
    done = run_cli("fit", offray.examples.path())
    assert done.returncode == 130
    assert done.stderr == "stopped\n"
    assert done.stdout == ""


def test_python_m_offray_is_the_command():
    done = subprocess.run([sys.executable, "-m", "offray", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"offray {offray.__version__}\n"


def test_no_colour_off_a_terminal():
    assert "\x1b" not in run_cli("fit", offray.examples.path(), "--law", "kaplan").stdout
    wrong = run_cli("fit", offray.examples.path(), "--law", "kaplna")
    assert wrong.stderr.startswith("error: --law: no law is called 'kaplna'; did you mean kaplan?")


def test_corpora_in_one_file():
    note = "note: 2 corpora in 'corpus' are fitted as one law"
    assert note in run_cli("fit", BYTE_LM).stderr
    assert note not in run_cli("fit", BYTE_LM, "--where", "corpus=python").stderr
    assert note not in run_cli("fit", BYTE_LM, "--by", "corpus", "--share", "alpha").stderr


def test_the_optimum_at_the_end_of_a_fit():
    grid = ("--where", "corpus=documentation", "--where", "role=grid")
    shown = run_cli("fit", BYTE_LM, *grid).stdout
    assert "compute-optimal at the largest run" in shown
    assert max(len(line) for line in shown[shown.index("compute-optimal at") :].splitlines()) <= 80
    # Both corpora in one: the ratio is not known, and no figure says otherwise.
    loose = run_cli("fit", BYTE_LM).stdout
    assert "no N* and D*: the compute-optimal point is not determined" in loose
    assert "TPP*  " not in loose


def test_what_goes_with_groups():
    for options, said in (
        (["--tie", "alpha=beta"], "--tie does not go with --by"),
        (["--objective", "absolute"], "objective: groups are fitted by one of squares, huber, soft_l1, cauchy; got 'absolute'"),
    ):
        wrong = run_cli("fit", BYTE_LM, "--by", "corpus", "--share", "alpha", *options)
        assert wrong.returncode == 2
        assert said in wrong.stderr
    robust = run_cli("fit", BYTE_LM, "--by", "corpus", "--share", "alpha", "--objective", "huber", "--delta", "mad")
    assert robust.returncode == 0, robust.stderr
    assert "huber (delta 0.0" in robust.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "offray", "laws"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "error: standard output: No space left on device\n")
