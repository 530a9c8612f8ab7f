# SPDX-License-Identifier: Apache-2.0
"""predict, optimal, intervals, compare, isoflop, laws and datasets: as text, as JSON, as CSV, and what they refuse."""

import json

import numpy as np
import offray
import pytest
from helpers import run_cli

SIZES, TOKENS = (a.ravel() for a in np.meshgrid(np.geomspace(3e7, 1e9, 5), np.geomspace(6e9, 3e11, 5)))
LOSS = offray.laws.chinchilla((SIZES, TOKENS), 1.8, 480.0, 2100.0, 0.35, 0.37) + 0.002 * np.sin(7 * np.arange(25))
POINTS = "params,tokens,label\n7B,140B,a\n70B,1.4T,b\n"
CURVES = [(n, c / (6 * n)) for c in (1e18, 1e19, 1e20) for n in np.geomspace(0.3, 3, 5) * (c / 1e18) ** 0.5 * 2.5e7]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("runs.csv", SIZES, TOKENS, LOSS)
    write("ray.csv", SIZES, 20 * SIZES, offray.laws.chinchilla((SIZES, 20 * SIZES), 1.8, 480.0, 2100.0, 0.35, 0.37))
    N, D = np.array(CURVES).T
    write("curves.csv", N, D, offray.laws.chinchilla((N, D), 1.8, 480.0, 2100.0, 0.35, 0.37))
    (tmp_path / "points.csv").write_text(POINTS)
    return tmp_path


def write(name, *columns):
    with open(name, "w") as file:
        file.write("\n".join(["N,D,loss", *(",".join(map(repr, map(float, row))) for row in zip(*columns, strict=True))]))


def data(*arguments):
    done = run_cli(*arguments, "--json")
    assert done.returncode in (0, 3), done.stderr

    def refuse(constant):
        raise ValueError(constant)

    document = json.loads(done.stdout, parse_constant=refuse)
    assert document["schema"].startswith("offray.")
    assert document["version"] == 1
    return document


def table(*arguments, **roles):
    """CSV as our own reader has it."""
    done = run_cli(*arguments, "--csv")
    assert done.returncode in (0, 3), done.stderr
    with open("out.csv", "w") as file:
        file.write(done.stdout)
    columns = done.stdout.splitlines()[0].split(",")
    return offray.read("out.csv", required=(), also=tuple(columns), **roles)


def refused(code, *arguments):
    done = run_cli(*arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: ")
    return done.stderr.splitlines()[-1].removeprefix("error: ")


FIT = offray.fit(SIZES, TOKENS, LOSS)


def test_predict():
    said = FIT.predict([7e9, 7e10], [1.4e11, 1.4e12])
    for where in (("--at", "7e9,1.4e11", "--at", "70B,1.4T"), ("--file", "points.csv")):
        document = data("predict", "runs.csv", *where)
        assert document["schema"] == "offray.prediction"
        np.testing.assert_allclose(document["value"], said.value)
        np.testing.assert_allclose(document["interval"], said.interval)
        assert document["inputs"]["params"] == [7e9, 7e10]
        rows = table("predict", "runs.csv", *where)
        np.testing.assert_allclose(rows["loss"], said.value)
        np.testing.assert_allclose(rows["new_high"], said.prediction_interval[:, 1])
        np.testing.assert_array_equal(rows["tokens"], [1.4e11, 1.4e12])
    shown = run_cli("predict", "runs.csv", "--at", "7B,140B", "--level", "0.5").stdout
    assert "mean, 50 %" in shown
    assert f"{said.value[0]:.5g}" in shown
    assert max(map(len, shown.splitlines())) <= 80
    wide = FIT.predict(7e9, 1.4e11, method="bootstrap", n=50, seed=3)
    document = data("predict", "runs.csv", "--at", "7e9,1.4e11", "--method", "bootstrap", "--n", 50, "--seed", 3)
    np.testing.assert_allclose(document["interval"], [wide.interval])


def test_predictions_of_other_laws():
    with open("curve.csv", "w") as file:
        file.write("flops,loss\n" + "\n".join(f"{c},{1.7 + 1e3 * c**-0.2}" for c in np.geomspace(1e18, 1e22, 9)))
    law = ("--law", "E + A*x**-alpha", "--column", "x=flops")
    rows = table("predict", "curve.csv", *law, "--input", "x=1e23,1e24")
    np.testing.assert_allclose(rows["loss"], 1.7 + 1e3 * np.array([1e23, 1e24]) ** -0.2, rtol=1e-6)
    assert refused(2, "predict", "curve.csv", *law).startswith("--input x=VALUE is needed")
    assert "the law" in refused(2, "predict", "curve.csv", *law, "--input", "y=3")


def test_predict_refuses_what_the_runs_leave_open():
    assert "off that ray" in refused(3, "predict", "ray.csv", "--at", "7e9,7e12")
    assert run_cli("predict", "ray.csv", "--at", "7e9,1.4e11").returncode == 0
    forced = run_cli("predict", "ray.csv", "--at", "7e9,7e12", "--force")
    assert forced.returncode == 0
    assert refused(2, "predict", "runs.csv").startswith("--at N,D or --file is needed")
    assert refused(2, "predict", "runs.csv", "--at", "7e9") == "--at: '7e9' must be two numbers with a comma between them"
    assert refused(2, "predict", "runs.csv", "--at", "7e9,much") == "--at: 'much' is not a number"
    assert "unknown method 'magic'" in refused(2, "predict", "runs.csv", "--at", "7e9,1e11", "--method", "magic")
    assert "as many values as places" in refused(
        2, "predict", "runs.csv", "--at", "1e9,1e11", "--at", "2e9,1e11", "--input", "U=1,2,3"
    )
    assert "choose one" in refused(2, "predict", "runs.csv", "--at", "7e9,1e11", "--json", "--csv")


def test_what_is_not_determined_is_no_figure():
    """As many runs as parameters leave no noise to judge by."""
    write("five.csv", SIZES[[0, 1, 7, 18, 24]], TOKENS[[0, 1, 7, 18, 24]], LOSS[[0, 1, 7, 18, 24]])
    done = run_cli("predict", "five.csv", "--at", "7e9,1.4e11")
    assert done.returncode == 3
    assert "not determined" in done.stdout
    assert np.isnan(table("predict", "five.csv", "--at", "7e9,1.4e11")["loss"]).all()


def test_optimal():
    best = FIT.compute_optimal([1e21, 1e23])
    document = data("optimal", "runs.csv", "--compute", "1e21,1e23")
    assert document["schema"] == "offray.compute_optimal"
    np.testing.assert_allclose(document["N"]["value"], best.N.value)
    np.testing.assert_allclose(document["loss"]["interval"], best.loss.interval)
    rows = table("optimal", "runs.csv", "--compute", "1e21,1e23", flops="flops")
    np.testing.assert_allclose(rows["params"], best.N.value)
    np.testing.assert_allclose(rows["tpp_low"], best.TPP.interval[:, 0])
    served = FIT.compute_optimal(1e21, c=7.0, inference_tokens=1e13)
    options = ("--inference-tokens", "10T", "--flops-per-token", "7")
    np.testing.assert_allclose(data("optimal", "runs.csv", "--compute", "1e21", *options)["N"]["value"], [served.N.value])
    shown = run_cli("optimal", "runs.csv", "--compute", "1e21,1e22,1e23,1e24")
    assert shown.returncode == 0
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "one ray" in refused(3, "optimal", "ray.csv", "--compute", "1e21")
    assert "C[0] = -1" in refused(2, "optimal", "runs.csv", "--compute", "-1")


def test_intervals():
    given = ("--methods", "delta,profile,bootstrap", "--n", 40)
    wanted = FIT.intervals(n=40)
    document = data("intervals", "runs.csv", *given)
    assert document["schema"] == "offray.intervals"
    np.testing.assert_allclose(document["bounds"], wanted.bounds)
    rows = table("intervals", "runs.csv", *given)
    np.testing.assert_allclose(rows["low"], wanted.bounds[:, :, 0].ravel())
    shown = run_cli("intervals", "runs.csv", *given).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert all(method in shown for method in wanted.methods)
    assert "unknown method" in refused(2, "intervals", "runs.csv", "--methods", "delta,magic")
    assert run_cli("intervals", "ray.csv", "--methods", "delta").returncode == 3


def test_checkpoints_of_a_run_go_together():
    with open("grouped.csv", "w") as file:
        rows = [f"{n},{d},{x},run {k % 5}" for k, (n, d, x) in enumerate(zip(SIZES, TOKENS, LOSS, strict=True))]
        file.write("\n".join(["N,D,loss,id", *rows]))
    labels = [k % 5 for k in range(25)]
    document = data("intervals", "grouped.csv", "--methods", "sandwich", "--group", "id")
    np.testing.assert_allclose(np.array(document["bounds"])[:, 0], FIT.conf_int(method="sandwich", group=labels))
    assert "no column 'job'" in refused(2, "intervals", "grouped.csv", "--group", "job")


def test_compare():
    rows = table("compare", "runs.csv", "--laws", "chinchilla,kaplan")
    assert list(rows["law"]) == ["chinchilla", "kaplan"]
    assert rows["aicc"][0] < rows["aicc"][1]
    assert data("compare", "runs.csv", "--laws", "chinchilla", "--laws", "kaplan")["schema"] == "offray.comparison"
    shown = run_cli("compare", "runs.csv").stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "droppo_elibol" in shown
    done = run_cli("compare", "runs.csv", "--laws", "chinchilla,E + A*N**-alpha + B*D**-beta + F*(N*D)**-gamma")
    assert done.returncode == 0, done.stderr
    assert "no law is called 'hoffmann'" in refused(2, "compare", "runs.csv", "--laws", "chinchilla,hoffmann")


def test_isoflop():
    rows = table("isoflop", "curves.csv", flops="flops")
    assert len(rows["flops"]) == 3
    N = offray.compute_optimal("chinchilla", (1.8, 480.0, 2100.0, 0.35, 0.37), rows["flops"]).N
    np.testing.assert_allclose(rows["law_params"], N, rtol=1e-3)
    document = data("isoflop", "curves.csv", "--budgets", "1e18,1e19", "--budget-tolerance", "0.2")
    assert document["schema"] == "offray.iso_flop"
    assert len(document["parabolas"]) == 2
    assert document["left_out_rows"] == [f"line {k}" for k in range(12, 17)]
    shown = run_cli("isoflop", "curves.csv").stdout
    assert "a of N* ~ C^a" in shown
    assert "none has runs of 3 sizes" in refused(2, "isoflop", "ray.csv")


def test_three_runs_of_one_budget():
    """A parabola through them all, and no word on how sure it is; of equal losses none."""
    N = 1e7 * np.exp(np.arange(3.0))
    bent = offray.isoflop(N, 1e17 / N, [3.5, 3.3, 3.4])
    assert np.isfinite(bent.parabolas[0].N)
    assert bent.parabolas[0].interval.tolist() == [0.0, np.inf]
    with pytest.warns(offray.IdentifiabilityWarning, match="do not bend upwards"):
        flat = offray.isoflop(N, 1e17 / N, [3.2, 3.2, 3.2])
    assert np.isnan(flat.parabolas[0].N)


def test_laws_and_datasets():
    rows = table("laws")
    assert set(offray.laws.NAMES) == set(rows["name"])
    assert {law["name"] for law in data("laws")["laws"]} == set(offray.laws.NAMES)
    listed = table("datasets")
    assert "pile" in listed["name"]
    assert data("datasets")["datasets"][0]["in_cache"] is True
    assert list(table("datasets", "pile")["loss"]) == offray.examples.pile()["loss"]
    assert "Apache-2.0" in run_cli("datasets", "pile").stdout
    assert "unknown data set 'pil'" in refused(2, "datasets", "pil")


def test_a_set_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFRAY_DATA_DIR", str(tmp_path))
    shown = run_cli("datasets", "marin_nemotron")
    assert shown.returncode == 0
    assert "not there yet" in shown.stdout
    assert str(tmp_path / offray.datasets.about("marin_nemotron").source.file) in shown.stdout
