# SPDX-License-Identifier: Apache-2.0
"""Which rows stay; and the name of a row in later errors, whatever was left out before."""

import pickle

import numpy as np
import offray
import pandas as pd
import pytest

SWEEP = """Name,State,N,D,step,lr,loss
a,finished,1e7,1e9,100,1e-3,5.1
a,finished,1e7,2e9,200,1e-3,4.9
b,finished,1e7,2e9,200,3e-3,4.7
# a comment
c,crashed,2e7,1e9,100,1e-3,11.2

c,finished,2e7,2e9,200,1e-3,4.4
d,finished,2e7,2e9,200,3e-3,diverged
"""


@pytest.fixture
def sweep(tmp_path):
    path = tmp_path / "sweep.csv"
    path.write_text(SWEEP)
    return path


@pytest.mark.parametrize(
    ("conditions", "lines"),
    [
        ("State=crashed", [6]),
        ("State = 'crashed'", [6]),
        ("state==crashed", [6]),
        ("State!=finished", [6]),
        ("step>=0.2K", [3, 4, 8, 9]),
        ("D<2e9", [2, 6]),
        ("N<=1e7", [2, 3, 4]),
        (["State=finished", "lr>1e-3"], [4, 9]),
        ("Name=b", [4]),
    ],
)
def test_where(sweep, conditions, lines):
    runs = offray.read(sweep, where=conditions, required=("params", "tokens"))
    assert [runs.row_name(row) for row in range(len(runs["params"]))] == [f"line {line}" for line in lines]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("State=done", r'where="State=done": true of none of the 6 rows; State holds finished, crashed'),
        ("Stat=done", r"where: no column 'Stat'; .*; near it: 'State'"),
        ("State", r"must be a column, one of =, !=, <, <=, >, >= and a value"),
        ("State<done", r"'done' is no number"),
    ],
)
def test_no_condition(sweep, condition, message):
    with pytest.raises(ValueError, match=message):
        offray.read(sweep, where=condition)


def test_conditions_on_names_with_signs_in_them():
    assert offray.read({"N": [1, 2], "D": [1, 1], "loss": [3, 3], "lr=1": ["a", "b"]}, where="lr=1=b")["params"].tolist() == [2]
    gaps = {"N": [1, 2], "D": [1, 1], "loss": [3, 3], "tag": [None, "x"]}
    assert offray.read(gaps, where="tag!=x")["params"].tolist() == [1]


def test_last_of_each_run(sweep):
    runs = offray.read(sweep, last="Name", drop_missing=True)
    assert runs["loss"].tolist() == [4.9, 4.7, 4.4]
    assert runs.notes[1:] == ("the last row by step of each of 3 runs in Name, 2 rows left out",)
    by_tokens = offray.read({"N": [1, 1, 1], "D": [1, 3, 2], "loss": [5, 3, 4], "id": ["a"] * 3}, last="id")
    assert by_tokens["loss"].tolist() == [3]
    assert "by tokens" in by_tokens.notes[0]
    with pytest.raises(ValueError, match=r"row 1: id is empty, so which run it is of is not known"):
        offray.read({"N": [1, 1], "D": [1, 3], "loss": [5, 3], "id": ["a", None]}, last="id")
    with pytest.raises(ValueError, match="last: no column 'run'"):
        offray.read(sweep, last="run")
    # Rows that are left out need no number: only the last of d has none here.
    with pytest.raises(ValueError, match=r"sweep.csv, line 9: loss = 'diverged'"):
        offray.read(sweep, last="Name")


def test_best_of_each_cell(sweep):
    runs = offray.read(sweep, best="min", where="State=finished", drop_missing=True)
    assert runs["loss"].tolist() == [5.1, 4.7, 4.4]
    assert runs.notes[-1] == "the lowest loss of each of 3 cells, 1 row left out"
    columns = {"N": [1, 1, 1], "D": [1, 1, 1], "loss": [3, 2, 1], "corpus": ["a", "a", "b"], "U": [1, 1, 1], "lr": [1, 2, 2]}
    assert offray.read(columns, best="min")["loss"].tolist() == [1]
    assert offray.read(columns, best="min", by="corpus")["loss"].tolist() == [2, 1]
    assert offray.read(columns, best="min", inputs={"eta": "lr"})["loss"].tolist() == [3, 1]
    with pytest.raises(ValueError, match='best must be "min"'):
        offray.read(columns, best="max")


def test_rows_keep_their_names(tmp_path):
    """A later error names the line of the file after a condition, a gap, checkpoints and repeats are out of the way."""
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(2e8, 1e11, 5)))
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    frame = pd.DataFrame({"run": np.arange(25), "N": N, "D": D, "loss": loss + 0.002 * np.sin(np.arange(25)), "ok": "yes"})
    frame.loc[12, "loss"] += 3
    frame.loc[3, "ok"] = "no"
    frame.loc[5, "loss"] = np.nan
    frame["U"] = -D
    early = frame.assign(D=D / 2, loss=loss + 1)
    worse = frame.assign(loss=frame["loss"] + 0.5, run=100 + frame["run"])
    both = pd.concat([early, worse, frame], ignore_index=True)
    path = tmp_path / "runs.csv"
    both.to_csv(path, index=False)
    line = 2 + 50 + 12
    runs = offray.read(path, where="ok=yes", drop_missing=True, last="run", best="min")
    assert len(runs["loss"]) == 24
    with pytest.warns(offray.IdentifiabilityWarning, match=rf"line {line}\b"):
        offray.fit(runs)
    with pytest.raises(ValueError, match=rf"^{path}, line {2 + 5}: U = -.*: every value must be positive and finite"):
        offray.fit(runs, law="repeated_data")
    labelled = both.set_index(pd.Index([f"r{k}" for k in range(75)]))
    runs = offray.read(labelled, where="ok=yes", drop_missing=True, last="run", best="min")
    with pytest.warns(offray.IdentifiabilityWarning, match="index 'r62'"):
        offray.fit(runs)


def test_functions_take_what_the_reader_takes(tmp_path):
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(2e8, 1e11, 4)))
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    table = {"n_params": N, "train_tokens": D, "val_loss": loss, "corpus": ["a", "b"] * 8}
    path = tmp_path / "runs.jsonl"
    pd.DataFrame(table).to_json(path, orient="records", lines=True, double_precision=15)
    records = pd.DataFrame(table).to_dict("records")
    direct = offray.fit(N, D, loss).theta
    for runs in (str(path), path, records, table, offray.read(path)):
        np.testing.assert_allclose(offray.fit(runs).theta, direct, rtol=1e-6)
        assert offray.compare(runs, laws=["chinchilla"]).scores[0].law.name == "chinchilla"
        assert offray.check(runs).passes == offray.check(N, D).passes
    region = {"N": (1e7, 1e9), "D": (2e8, 1e11)}
    plans = [offray.suggest(runs, 1e20, region, 3) for runs in (path, table, (N, D))]
    assert [plan.N.tolist() for plan in plans[:2]] == [plans[2].N.tolist()] * 2
    grouped = offray.fit(path, by="corpus", shared=["alpha", "beta"])
    assert set(grouped.groups) == {"a", "b"}


def test_rows_in_comments_are_said(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("# made, by hand, today\nN,D,loss\n1,2,3\n#4,5,6\n# and so on\n7,8,2\n#1,1,1\n")
    runs = offray.read(path)
    assert runs["loss"].tolist() == [3, 2]
    assert runs.notes == ("left out as comments, though they have a cell for every column: lines 4, 7",)


def test_a_row_without_a_step_is_not_the_last():
    columns = {"N": [1, 1, 1], "D": [1, 1, 1], "ppl": [9, 8, 0.5], "step": [1, 2, None], "id": ["a"] * 3}
    runs = offray.read(columns, last="id", loss="ppl", loss_unit="perplexity")
    assert runs["loss"].tolist() == [np.log(8)]


def test_gaps_in_what_is_not_needed_are_one_cell():
    columns = {"N": [1, 1, 2], "D": [1, 1, 2], "loss": [3, 2, 1], "U": [np.nan, np.nan, 1]}
    assert offray.read(columns, best="min")["loss"].tolist() == [2, 1]


def test_what_a_row_is_called_travels(tmp_path):
    """Names of rows outlive a trip to another process."""
    for name, text in (
        ("a.csv", "N,D,loss\n1,2,3\n"),
        ("a.json", '[{"N": 1, "D": 2, "loss": 3}]'),
        ("a.jsonl", '{"N": 1, "D": 2, "loss": 3}\n' * 2),
    ):
        (tmp_path / name).write_text(text)
        table = offray.read(tmp_path / name)
        assert pickle.loads(pickle.dumps(table.row_name))(0) == table.row_name(0)
