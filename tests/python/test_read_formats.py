# SPDX-License-Identifier: Apache-2.0
"""Every kind of file and table gives the same runs; broken, each gives one sentence that names it."""

import gzip
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import offray
import pandas as pd
import pytest

N = np.array([1e7, 1e7, 1e8, 1e8, 1e9, 1e9])
D = np.array([2e8, 2e9, 1e9, 2e10, 5e9, 1e11])
LOSS = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
FRAME = pd.DataFrame({"params": N, "tokens": D, "loss": LOSS})
LIST = FRAME.to_dict("list")


def spreadsheet(rows, sheets=("Runs",)):
    """An xlsx file of text and numbers."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value):
        if value is None:
            return "<c/>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if isinstance(value, str) else f"<c><v>{value!r}</v></c>"

    def relations(kind, targets):
        each = "".join(f'<Relationship Id="r{k}" Type="{office}/{kind}" Target="{at}"/>' for k, at in enumerate(targets))
        return f'<Relationships xmlns="{package}/relationships">{each}</Relationships>'

    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    named = "".join(f'<sheet name="{name}" sheetId="{k + 1}" r:id="r{k}"/>' for k, name in enumerate(sheets))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
        file.writestr("_rels/.rels", relations("officeDocument", ["xl/workbook.xml"]))
        file.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{named}</sheets></workbook>')
        file.writestr("xl/_rels/workbook.xml.rels", relations("worksheet", [f"s{k}.xml" for k in range(len(sheets))]))
        for k in range(len(sheets)):
            file.writestr(f"xl/s{k}.xml", f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>')
    return out.getvalue()


def parquet(frame):
    out = io.BytesIO()
    frame.astype({name: str for name in frame if frame[name].dtype == object}).to_parquet(out)
    return out.getvalue()


ROWS = [FRAME.columns.tolist(), *FRAME.to_numpy().tolist()]
CSV = FRAME.to_csv(index=False)
LINES = FRAME.to_json(orient="records", lines=True, double_precision=15)
MARKDOWN = "\n".join(["| params | tokens | loss |", "|---|---:|:--|", *(f"| {n} | {d} | {x} |" for n, d, x in ROWS[1:])])
WANDB = pd.DataFrame({"Name": "r", "State": "finished", "config.model.n_params": N, "config.tokens": D, "eval/loss": LOSS})
MLFLOW = pd.DataFrame({"run_id": "r", "params.N": N.astype(int), "params.train_tokens": D, "metrics.val_loss": LOSS})
LM_EVAL = [
    {"results": {"pile": {"loss": x, "alias": "pile"}}, "config": {"model_num_parameters": n, "batch_sizes": []}, "tokens": d}
    for n, d, x in zip(N, D, LOSS, strict=True)
]

KINDS = {
    "comma": CSV,
    "semicolon": FRAME.to_csv(index=False, sep=";"),
    "pipe": FRAME.to_csv(index=False, sep="|"),
    "tab": FRAME.to_csv(index=False, sep="\t"),
    "markdown": MARKDOWN,
    "spaces": FRAME.to_string(index=False, float_format="{:.17g}".format),
    "decimal comma": FRAME.to_csv(index=False, sep=";", decimal=","),
    "decimal comma in quotes": FRAME.to_csv(index=False, decimal=",", quoting=1),
    "byte order mark, comments, blank lines": b"\xef\xbb\xbf# by hand\n\n" + CSV.replace("\n", "\r\n\r\n").encode(),
    "names in a comment": f"# {CSV}",
    "old line ends": CSV.replace("\n", "\r"),
    "utf-16": FRAME.to_csv(index=False, sep="\t").encode("utf-16"),
    "gzip": gzip.compress(CSV.encode()),
    "json records": FRAME.to_json(orient="records", double_precision=15),
    "json columns": json.dumps(LIST),
    "json of pandas": FRAME.to_json(double_precision=15),
    "json by label": FRAME.set_axis([f"r{k}" for k in range(6)]).to_json(orient="index", double_precision=15),
    "json split": FRAME.to_json(orient="split", double_precision=15),
    "json within": json.dumps({"when": "today", "runs": FRAME.to_dict("records")}),
    "json lines": LINES,
    "json lines, gzip": gzip.compress(LINES.encode()),
    "parquet": parquet(FRAME),
    "wandb": WANDB.to_csv(),
    "mlflow": MLFLOW.to_csv(index=False),
    "lm-eval": "\n".join(map(json.dumps, LM_EVAL)),
}


def same(table, places=1e-12):
    for role, values in (("params", N), ("tokens", D), ("loss", LOSS)):
        np.testing.assert_allclose(table[role], values, rtol=places)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind, tmp_path):
    path = tmp_path / "runs"
    content = KINDS[kind]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    same(offray.read(path, loss="results.pile.loss" if kind == "lm-eval" else None))


def test_spreadsheet(tmp_path):
    pytest.importorskip("python_calamine")
    path = tmp_path / "runs.xlsx"
    path.write_bytes(spreadsheet([[None], *ROWS], ("Runs", "Notes")))
    table = offray.read(path)
    same(table)
    assert table.row_name(0) == "Runs row 3"  # as the spreadsheet counts
    assert table.notes == (f"{path}: read is the sheet 'Runs', the first of 2",)
    for rows, message in (
        ([], "nothing in the sheet 'Runs'"),
        (ROWS[:1], "a header but no rows in the sheet 'Runs'"),
        ([*ROWS[:2], [1e7, 1e9, None]], "runs.xlsx, Runs row 3: loss is empty; read with drop_missing=True"),
        ([*ROWS[:2], [1e7, 1e9, "bad"]], "runs.xlsx, Runs row 3: loss = 'bad'"),
    ):
        path.write_bytes(spreadsheet(rows))
        with pytest.raises(ValueError, match=r"runs\.xlsx") as caught:
            offray.read(path)
        assert message in str(caught.value)
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="no spreadsheet that can be read"):
        offray.read(path)


def frames():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    pytest.importorskip("narwhals")
    return {
        "pandas": FRAME,
        "polars": pl.DataFrame(LIST),
        "polars, lazy": pl.LazyFrame(LIST),
        "pyarrow": pa.table(LIST),
        "batch of pyarrow": pa.table(LIST).to_batches()[0],
        "records": FRAME.to_dict("records"),
        "mapping": LIST,
        "structured array": FRAME.to_records(index=False),
        "open file": io.BytesIO(CSV.encode()),
    }


def test_tables_in_memory():
    for name, table in frames().items():
        same(offray.read(table))
        if name != "open file":
            np.testing.assert_array_equal(offray.fit(table, fixed={"alpha": 0.3, "E": 1.5}).problem.loss, LOSS)


def test_gaps_of_frames():
    pl = pytest.importorskip("polars")
    for table in (
        pd.DataFrame({"N": pd.array([1, None], dtype="Int64"), "D": [1, 2], "loss": [3.0, 3.0]}),
        pl.DataFrame({"N": [1, None], "D": [1, 2], "loss": [3.0, 3.0]}),
        {"N": np.ma.masked_equal([1.0, 7.0], 7.0), "D": [1, 2], "loss": [3.0, 3.0]},
        {"N": [1, float("nan")], "D": [1, 2], "loss": [3.0, 3.0]},
    ):
        with pytest.raises(ValueError, match=r"^N\[1\] = nan: every value must be positive and finite"):
            offray.read(table)
        assert offray.read(table, drop_missing=True)["params"].tolist() == [1]


def test_long_double_stays():
    wide = {name: np.array(values, np.longdouble) for name, values in LIST.items()}
    assert offray.read(wide)["loss"].dtype == np.longdouble


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (3, TypeError, "runs are a file, '-', a data frame, a list of records or a mapping of columns; got builtins.int"),
        ([1, 2], TypeError, "got builtins.list"),
        ({"N": [1, 2], "D": [1], "loss": [1, 2]}, ValueError, "D has 1 values, but N has 2"),
        ({"N": np.ones((2, 2)), "D": [1, 2], "loss": [1, 2]}, ValueError, "N must be one-dimensional, one value per run"),
        ([{"N": 1}, 3], ValueError, "row 1 is no record with names, but int"),
        (pd.DataFrame(np.ones((2, 4)), columns=["N", "D", "loss", "loss"]), ValueError, "loss: 2 columns are called 'loss'"),
        (
            pd.DataFrame({"N": [True], "D": [1], "loss": [1]}),
            ValueError,
            r"N\[0\] = .*True.*: every value must be a real number",
        ),
        (pd.DataFrame(FRAME).assign(tokens=pd.Timestamp("2020")), ValueError, r"tokens\[0\] = .* every value must be a real"),
    ],
)
def test_no_table_of_runs(table, error, message):
    with pytest.raises(error, match=message):
        offray.read(table)


BROKEN = {
    "empty": (b"", " is empty"),
    "blank lines": (b"\n \n", " is empty"),
    "comments": (b"# a\n# b\n", " holds comments alone"),
    "header": (b"N,D,loss\n", ": a header but no rows"),
    "no header": (b"1e7,1e9,3\n", ", line 1: numbers in place of the columns' names; put a line such as params,tokens,loss"),
    "missing column": (b"N,D,lss\n1,2,3\n", ': loss: no such column (looked for loss, val_loss, eval/loss, final_loss); the '
                       'columns are N, D, lss; loss="lss" would take it'),
    "text": (b"N,D,loss\n1,2,3\n1,2,oops\n", ", line 3: loss = 'oops': every value must be a real number; read with"),
    "mistyped": (b"N,D,loss\n1,2,3\n1,2,2.9l\n", ", line 3: loss = '2.9l' is no number that can be told; write it like"),
    "bytes or billions": (b"N,D,loss\n70MB,2,3\n", ", line 2: N = '70MB' is no number that can be told"),
    "nan": (b"N,D,loss\n1,2,nan\n", ", line 2: loss = nan: every value must be positive and finite; read with drop"),
    "gap": (b"N,D,loss\n1,,3\n", ", line 2: D is empty; read with drop_missing=True to leave such rows out"),
    "zero": (b"N,D,loss\n1,0,3\n", ', line 2: D = 0: every value must be positive and finite; where="D>0" leaves'),
    "cut gzip": (gzip.compress(CSV.encode())[:-12], ": the compressed file is cut short or damaged"),
    "duplicate names": (b"N,D,loss,loss\n1,2,3,4\n", ": loss: 2 columns are called 'loss'"),
    "encoding": ("N,D,loss\n1,2,3\n1,2,\u00e9\n".encode("latin-1"), ", line 3: no UTF-8 (byte 0xe9); save the file as UTF-8"),
    "binary": (b"\0\1\2", " is neither text nor Parquet nor a spreadsheet"),
    "short row": (b"N,D,loss\n1,2\n", ", line 2: 2 cells in a table of 3 columns"),
    "long row": (b"N,D,loss\n1,2,3,5\n", ", line 2: 4 cells in a table of 3 columns; a decimal comma needs another delimiter"),
    "title": (b"Runs of May\nN,D,loss\n", ", line 2: 3 cells in a table of 1 columns; the names of all columns belong"),
    "question mark": (b"N,D,loss\n1,2,?\n", ", line 2: loss = ?: every value must be positive and finite; read with drop"),
    "either sign": (b"N;D;loss\n19,000;5;3\n", ", line 2: N = '19,000' may be 19.000 or 19000; decimal=\",\" or decimal=\".\""),
    "both signs": (b"N;D;loss\n19,5;5;3.25\n", ": '19,5' has a decimal comma, '3.25' a decimal point"),
    "json": (b'[{"N": 1,\n "D" 2}]', ", line 2: no JSON (Expecting ':' delimiter, column 6)"),
    "json without runs": (b"[]", ": no runs in it"),
    "json of numbers": (b"[1, 2]", ": record 1 is no record with names, but int"),
    "json null": (b'[{"N": 1, "D": 2, "loss": null}]', ", record 1: loss is empty; read with drop_missing=True"),
    "json true": (b'[{"N": 1, "D": 2, "loss": true}]', ", record 1: loss = True: every value must be a real number"),
    "json columns": (b'{"N": [1, 2], "D": [1], "loss": [1]}', ": columns of different lengths: N 2, D 1, loss 1"),
    "json lines": (b'{"N": 1, "D": 2, "loss": 3}\n{"N": 1,\n', ", line 2: no JSON"),
    "json lines, gap": (b'\n{"N": 1, "D": 2, "loss": 3}\n{"N": 1, "D": 2}\n', ", line 3: loss is empty"),
    "parquet": (b"PAR1 and no more", ": no Parquet that can be read ("),
    "parquet, no rows": (parquet(FRAME[:0]), ": a header but no rows"),
    "parquet, text": (parquet(FRAME.assign(loss="bad")), ", row 1: loss = 'bad': every value must be a real number"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_broken(kind, tmp_path):
    content, message = BROKEN[kind]
    path = tmp_path / "runs"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="runs") as caught:
        offray.read(path)
    assert str(caught.value).startswith(f"{path}{message}")
    assert "\n" not in str(caught.value)


SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


def written(frame, kind):
    """A table as a file of this kind."""
    if kind in SIGNS:
        return frame.to_csv(index=False, sep=SIGNS[kind]).encode()
    if kind == "decimal comma":
        return frame.to_csv(index=False, sep=";", decimal=",").encode()
    if kind == "gzip":
        return gzip.compress(frame.to_csv(index=False).encode())
    if kind == "parquet":
        return parquet(frame)
    if kind == "spreadsheet":
        pytest.importorskip("python_calamine")
        return spreadsheet([frame.columns.tolist(), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()])
    if kind == "json columns":
        return frame.to_json(orient="split").encode()
    return frame.to_json(orient="records", lines=kind == "json lines").encode()


DAMAGE = {
    "no rows": (lambda frame: frame[:0], r"a header but no rows|no runs in it|is empty"),
    "missing column": (lambda frame: frame.drop(columns="tokens"), "tokens: no such column"),
    "text": (
        lambda frame: frame.assign(loss=pd.Series([5, 4, 4, "crashed", 3, 3], dtype=object)),
        "loss = 'crashed': ",
    ),
    "gap": (lambda frame: frame.assign(loss=[*LOSS[:3], None, *LOSS[4:]]), "loss (is empty|= nan)"),
    "zero": (lambda frame: frame.assign(tokens=[*D[:3], 0, *D[4:]]), 'tokens = 0: .*; where="tokens>0" leaves'),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "kind", [*SIGNS, "decimal comma", "gzip", "parquet", "spreadsheet", "json columns", "json", "json lines"]
)
def test_every_kind_broken(kind, damage, tmp_path):
    """One sentence with the file, and the row as the file counts: the fourth, after a heading where there is one."""
    change, message = DAMAGE[damage]
    path = tmp_path / "runs"
    path.write_bytes(written(change(FRAME), kind))
    with pytest.raises(ValueError, match=message) as caught:
        offray.read(path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    if damage in ("text", "gap", "zero"):
        row = {"parquet": "row 4", "spreadsheet": "Runs row 5", "json lines": "line 4"}.get(kind)
        row = row or ("record 4" if kind.startswith("json") else "line 5")
        assert f", {row}: " in said
    path.write_bytes(written(FRAME, kind))
    same(offray.read(path), 1e-9)


def test_no_file(tmp_path):
    (tmp_path / "runs.csv").write_text(CSV)
    for path, message in ((tmp_path, "is a directory, not a file"), (tmp_path / "run.csv", "no such file; near it: runs.csv")):
        with pytest.raises(ValueError, match=message):
            offray.read(path)


def test_text_and_json_need_numpy_only(tmp_path):
    """Importing offray and reading what needs no package imports none; the command fits without those it does not use."""
    for name, content in (("a.csv", CSV), ("a.json", KINDS["json records"]), ("a.jsonl", LINES)):
        (tmp_path / name).write_text(content)
    heavy = [
        "pandas",
        "pyarrow",
        "polars",
        "narwhals",
        "python_calamine",
        "scipy",
        "pooch",
        "offray.experiment",
        "offray.datasets",
    ]
    uses = {
        "offray": ("[offray.read(f'{folder}/a.{kind}') for kind in ('csv', 'json', 'jsonl')]", [*heavy, "typer", "rich"]),
        "offray.cli": ("offray.cli.app(['fit', f'{folder}/a.csv', '--tie', 'alpha=beta'], standalone_mode=False)", heavy),
    }
    for module, (use, others) in uses.items():
        code = f"import sys, {module}\nfolder = {str(tmp_path)!r}\n{use}\nprint([m for m in {others!r} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
        assert done.stdout.splitlines()[-1] == "[]", done.stderr
