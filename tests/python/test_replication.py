# SPDX-License-Identifier: Apache-2.0
"""The paper's experiment in simulation and on real runs, and the command for it."""

import json
import time

import numpy as np
import offray
import pytest
from helpers import ROOT, run_cli
from offray.experiment import Setup
from offray.experiment import _paper as paper
from offray.experiment._compare import collect
from offray.experiment._replication import _width_ratios
from scipy.optimize import least_squares


@pytest.fixture(scope="module")
def main():
    """The 1500 comparisons with every law true, the work they are, and the seconds they took."""
    start = time.perf_counter()
    work = paper.each_law_true(Setup())
    return work, collect(work), time.perf_counter() - start


def test_1500_comparisons_in_a_minute(main):
    _, compared, seconds = main
    assert len(compared) == 1500
    assert seconds < 60


def test_win_rates(main):
    assert 0.55 <= main[1].summary().rows[0]["win rate"] <= 0.85
    ray = collect(paper.single_ray(Setup(seeds=10))).summary().rows[0]
    assert ray["win rate"] >= 0.95
    assert 0.5 <= collect(paper.high_fan(Setup())).summary().rows[0]["win rate"] <= 0.8


def test_interval_widths_are_as_predicted(main):
    for row in _width_ratios(*main[:2]):
        np.testing.assert_allclose([row["N"], row["D"]], [row["N predicted"], row["D predicted"]], rtol=0.1)
        assert min(row["N"], row["D"]) > 1


def test_misfit_decides_either_way():
    few = Setup(seeds=3)
    rates = {}
    for tokens in (1e7, 3e7):
        work = paper.off_the_law(offray.experiment.ShortRunExcess(0.08, tokens))(few)
        rates[tokens] = {row["law"]: row["win rate"] for row in collect(work).summary("law").rows}
    assert rates[1e7]["chinchilla"] > 0.95
    assert rates[3e7]["chinchilla"] < 0.05
    assert rates[1e7]["kaplan"] == rates[3e7]["kaplan"] == 1


def test_means_over_training():
    """The mean of a power law is one with another coefficient; with a transient at the start spread wins nearly always, unless
    its own runs are the shortest."""
    design = offray.experiment.Design.grid([1e7, 1e8], [1e7, 1e9])
    theta = (1.7, 400.0, 2000.0, 0.34, 0.37)
    mean = offray.experiment.Corpus("m", "chinchilla", theta, excess=offray.experiment.TrainingMean(2e5))
    expected = offray.laws.chinchilla(design.columns, *theta[:2], theta[2] / (1 - theta[4]), *theta[3:]) + 2e5 / design.D
    np.testing.assert_allclose(mean.truth(design), expected, rtol=1e-9)
    few = Setup(seeds=5)
    rates = [collect(paper.training_mean(start, (1e7, 2.5e8))(few)).summary().rows[0]["win rate"] for start in (0, 3e6)]
    assert rates[1] > 0.95
    assert rates[0] < rates[1]
    with pytest.raises(ValueError, match="start must not be negative"):
        offray.experiment.TrainingMean(-1)


def test_precision_is_not_the_cause():
    few = Setup(seeds=10)
    rates = {
        name: collect(paper.precision(name)(few)).summary().rows[0]["win rate"] for name in ("float32", "double", "longdouble")
    }
    assert rates["double"] == pytest.approx(rates["longdouble"], abs=0.01)
    assert rates["double"] == pytest.approx(rates["float32"], abs=0.03)


@pytest.mark.parametrize("law", ["chinchilla", "kaplan", "droppo_elibol", "repeated_data"])
def test_no_restart_of_scipy_finds_a_better_optimum(main, law):
    """A few data sets of each law against random starts; `bench/protocol.py` has many, with differential evolution too."""
    rng = np.random.default_rng(1)
    work = [block for block in main[0] if block.law == law]
    rows = iter(main[1].rows)
    of_block = {id(block): [next(rows) for _ in block.seeds] for block in main[0]}
    for block in (work[k] for k in rng.choice(len(work), 2, replace=False)):
        row, (name, design) = of_block[id(block)][0], block.designs[0]
        loss = block.corpus.losses(design, block.seeds[0], name)
        function = getattr(offray.laws, law)

        def residual(phi, function=function, design=design, loss=loss):
            with np.errstate(all="ignore"):
                return np.nan_to_num(function(design.columns, *np.exp(phi)) - loss, nan=1e6, posinf=1e6, neginf=1e6).clip(
                    -1e6, 1e6
                )

        ours = (residual(np.log(row["theta_base"])) ** 2).sum()
        for _ in range(5):
            start = np.log(block.corpus.theta) + rng.uniform(-0.7, 0.7, len(block.corpus.theta))
            theirs = 2 * least_squares(residual, start, x_scale="jac", max_nfev=300).cost
            assert ours <= theirs * (1 + 1e-9)


def replicate(*arguments):
    return run_cli("replicate", *arguments)


def test_command_simulates(tmp_path):
    shown = replicate("--seeds", 1, "--json", "--store", tmp_path / "rows.parquet")
    assert shown.returncode == 0
    data = json.loads(shown.stdout)
    assert data["setup"]["seeds"] == 1
    assert data["paper"]["win rate"]["all"] == 0.973
    assert data["scenarios"]["each law true"]["all"]["comparisons"] == 50
    again = replicate("--seeds", 1, "--store", tmp_path / "rows.parquet")
    for words in ("NC better on H", "0.973 (0.964 .. 0.980)", "single ray", "predicted", "Where each law is true"):
        assert words in again.stdout
    rows = replicate("--seeds", 1, "--store", tmp_path / "rows.parquet", "--csv").stdout.splitlines()
    assert rows[0].startswith("scenario,law,comparisons,")
    assert any(row.startswith("each law true,chinchilla,") for row in rows)


def test_command_on_files(tmp_path, grid):
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 2e9, 25), np.geomspace(1e18, 1e20, 5)))
    D = D / (6 * N)
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28) * (1 + 0.003 * np.sin(np.arange(N.size)))
    lines = ["params,tokens,loss", *(f"{n},{d},{x}" for n, d, x in zip(N, D, loss, strict=True))]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    (tmp_path / "ray.csv").write_text("\n".join(["N,D,loss", *(f"{n},{20 * n},3" for n in (1e7, 2e7, 4e7))]))
    table = replicate("--data", tmp_path, "--draws", 5, "--csv")
    assert table.stdout.startswith("sweep,law,split,")
    assert "warning: ray: " in table.stderr
    shown = replicate("--data", tmp_path, "--draws", 60)
    assert shown.returncode == 0
    assert "mine" in shown.stdout
    assert "ray: " in shown.stdout
    data = json.loads(replicate("--data", tmp_path, "--draws", 60, "--json").stdout)
    assert data["rows"][0]["draws"] == 60
    (tmp_path / "broken.csv").write_text("params,tokens,loss\n1e7,2e8,3\n1e8,-2,3\n")
    broken = replicate("--data", tmp_path)
    assert broken.returncode == 2
    assert "broken.csv" in broken.stderr
    assert "broken.csv, line 3: tokens = -2" in broken.stderr
    (tmp_path / "broken.csv").write_text("params,tokens,loss,flops,flops\n1e7,2e8,3,1,2\n")
    assert "flops: 2 columns are called 'flops'" in replicate("--data", tmp_path).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data", "nowhere"), "neither a file nor a directory"),
        (("--seeds", "0"), "seeds must be at least 1"),
        (("--grid-tokens", "1e8,1e7"), "grid_tokens must be a range"),
        (("--data", ".", "--seeds", "3"), "--seeds is for simulated runs"),
        (("--draws", "3"), "--draws is for real runs"),
        (("--min-tpp", "4"), "--min-tpp needs --data"),
        (("--dataset", "nothing"), "unknown data set 'nothing'"),
        (("--store", "/proc/x.parquet"), "nothing can be written"),
        (("--sigma", "-1"), "sigma"),
        (("--grid-tokens", "1e7"), "grid_tokens must be a range"),
        (("--grid-tokens", "a,b"), "--grid-tokens"),
        (("--data", ROOT / "python" / "offray" / "examples", "--budgets", "x"), "FILE=C,C"),
        (("--data", ROOT / "python" / "offray" / "examples", "--family", "typo"), "no row of any file is labelled"),
    ],
)
def test_command_with_bad_input(arguments, words):
    shown = replicate(*arguments)
    assert shown.returncode == 2
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr
