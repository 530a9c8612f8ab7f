# SPDX-License-Identifier: Apache-2.0
"""Options that would not be used, files of another class, and what is said where: one sentence, never silence."""

import ast
import json
import warnings

import numpy as np
import offray
import pytest
from helpers import ROOT, run_cli
from offray import cli
from offray.cli import answer, fitting, output, reading

SIZES, TOKENS = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 1e9, 5), np.geomspace(6e9, 3e11, 5)))
LOSS = offray.laws.chinchilla((SIZES, TOKENS), 1.8, 480.0, 2100.0, 0.35, 0.37) + 0.002 * np.sin(7 * np.arange(25))
LIMITS = "--budget 1e20 --max-runs 3 --sizes 3e7,1e9 --tokens-range 6e9,3e11"
BYTE_LM = offray.examples.path("byte_lm.csv")
OF_A_FIT = {
    "predict": "--at 7e9,1e11",
    "optimal": "--compute 1e21",
    "intervals": "",
    "compare": "",
    "isoflop": "",
    "suggest": f"{LIMITS} --existing",
    "plot": "-o x.svg",
    "report": "-o x.html",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n},{d},{x},{k % 2}" for k, (n, d, x) in enumerate(zip(SIZES, TOKENS, LOSS, strict=True))]
    (tmp_path / "runs.csv").write_text("\n".join(["N,D,loss,half", *rows]))


def refused(*arguments):
    done = run_cli(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    return done.stderr.splitlines()[-1].removeprefix("error: ")


@pytest.mark.parametrize("command", OF_A_FIT)
def test_a_saved_file_of_another_class(command):
    offray.fit(SIZES, TOKENS, LOSS).predict(7e9, 1e11).save("saved.json")
    of = (command, *OF_A_FIT[command].split(), "saved.json")
    assert refused(*of) == "saved.json: a saved Prediction; what is needed is a fit of one group of runs"
    assert refused("fit", "saved.json") == "saved.json: a saved Prediction; what is needed is a fit"
    offray.fit("runs.csv", by="half", shared=["alpha", "beta"]).save("saved.json")
    assert refused(*of) == "saved.json: a saved GroupedFit; what is needed is a fit of one group of runs"
    assert run_cli("fit", "saved.json").returncode == 0


@pytest.mark.parametrize("command", ["compare", "suggest", "isoflop"])
def test_a_saved_fit_without_sizes_and_tokens(command):
    C = np.geomspace(1e18, 1e22, 9)
    offray.fit({"x": C, "loss": 1.7 + 1e3 * C**-0.2}, law="power").save("saved.json")
    assert "power" in refused(command, *OF_A_FIT[command].split(), "saved.json")


def test_comparison_of_the_runs_of_a_saved_fit():
    run_cli("fit", "runs.csv", "-o", "fit.json")
    assert run_cli("compare", "fit.json").stdout == run_cli("compare", "runs.csv").stdout
    assert run_cli("plot", "fit.json", "--kind", "compare", "-o", "x.svg").returncode == 0
    assert refused("compare", "fit.json", "--group", "half").startswith("--group is for a file of runs; fit.json is")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("plot runs.csv --kind compare -o x.svg --law nope", "--law does not go with --kind compare"),
        ("plot runs.csv --kind compare -o x.svg --objective nonsense", "--objective does not go with --kind compare"),
        ("plot runs.csv --kind design -o x.svg --log-loss", "--log-loss does not go with --kind design"),
        ("online runs.csv --at 7e9,1e11 --column x=half", "--column does not go with online"),
        ("fit runs.csv --by half --share alpha --tie alpha=beta", "--tie does not go with --by"),
        (f"suggest {LIMITS} --where N>1", "--where needs --existing"),
        ("replicate --drop-missing", "--drop-missing needs --data"),
        ("laws --json --csv", "--json and --csv are two forms of the same; choose one"),
        ("replicate --json --csv", "--json and --csv are two forms of the same; choose one"),
    ],
)
def test_an_option_that_would_not_be_used(command, why):
    assert refused(*command.split()).startswith(why)


def test_the_one_option_of_a_comparison_is_used():
    assert run_cli("plot", "runs.csv", "--kind", "compare", "--log-loss", "-o", "x.svg").returncode == 0


def test_warnings_before_an_error_are_told(capsys):
    def fails():
        with fitting.told():
            warnings.warn("first", stacklevel=1)
            raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        fails()
    assert capsys.readouterr().err == "warning: first\n"


def test_an_optimum_left_open_is_no_figure():
    """In both commands that give it; what else is said of it stays a warning."""
    why = "the compute-optimal point is not determined"
    assert f"no N* and D*: {why}" in run_cli("fit", BYTE_LM).stdout
    done = run_cli("optimal", BYTE_LM, "--compute", "1e20")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith(f"error: {why}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer.open_is_an_error()
        warnings.warn("7 of 9 replicates have no optimum", offray.IdentifiabilityWarning, stacklevel=1)
    assert len(caught) == 1


def test_an_error_of_the_optimum_is_told(monkeypatch):
    def broken(*_, **__):
        raise ValueError("of its own")

    monkeypatch.setattr(offray.Fit, "compute_optimal", broken)
    assert refused("fit", "runs.csv") == "of its own"


def test_a_law_of_further_inputs_has_no_optimum():
    with open("more.csv", "w") as file:
        z = 1 + np.arange(25) % 7
        rows = zip(SIZES, TOKENS, z, LOSS + 0.3 / z, strict=True)
        file.write("\n".join(["N,D,z,loss", *(",".join(map(str, row)) for row in rows)]))
    law = ("--law", "E + A*N**-alpha + B*D**-beta + F*z**-gamma", "--column", "z=z")
    assert json.loads(run_cli("fit", "more.csv", *law, "--json").stdout)["optimal"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4e6, "999M"), (999.5e6, "1B"), (1e3, "1K"), (999.9, "1K"), (12, "12"), (1e12, "1T"), (9.996e14, "1e+15")],
)
def test_counts_at_the_edges(value, text):
    assert output.count(value) == text


def corpora_note(*arguments):
    return "2 corpora in 'corpus' are fitted as one law" in run_cli(*arguments).stderr


def test_every_command_tells_of_corpora():
    for command in ("predict", "optimal", "intervals", "report"):
        assert corpora_note(command, BYTE_LM, *OF_A_FIT[command].split(), *(["--methods", "delta"] * (command == "intervals")))
    assert not corpora_note("predict", BYTE_LM, "--at", "7e9,1e11", "--where", "corpus = python")


def test_a_condition_on_a_column_of_a_like_name():
    rows = [f"{n},{d},{x},{k % 2},{k}" for k, (n, d, x) in enumerate(zip(SIZES, TOKENS, LOSS, strict=True))]
    with open("two.csv", "w") as file:
        file.write("\n".join(["N,D,loss,corpus,corpus_size", *rows]))
    assert corpora_note("fit", "two.csv", "--where", "corpus_size>3")
    assert not corpora_note("fit", "two.csv", "--where", "Corpus=1")


def test_words_of_python_are_those_of_the_library():
    """What is rewritten for the command line still occurs in a sentence."""
    said = [
        node.value
        for path in (ROOT / "python" / "offray").rglob("*.py")
        if path.name != "reading.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for words in reading._OF_PYTHON:
        assert any(words in text for text in said), words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'rich'", name="rich"), "needs rich; install it with: pip install 'offray[cli]'"),
        (ModuleNotFoundError("pictures need matplotlib; pip install 'offray[plot]'", name="matplotlib"), "'offray[plot]'"),
        (ModuleNotFoundError("No module named 'nowhere'", name="nowhere"), "No module named 'nowhere'"),
    ],
)
def test_a_missing_module_is_named_with_its_own_extra(monkeypatch, error, words):
    def missing(_):
        raise error

    monkeypatch.setattr(cli, "import_module", missing)
    with pytest.raises(SystemExit) as stopped:
        cli.app(["laws"], standalone_mode=False)
    assert words in str(stopped.value)
    assert ("offray[cli]" in str(stopped.value)) == (error.name == "rich")
