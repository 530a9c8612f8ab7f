# SPDX-License-Identifier: Apache-2.0
"""The tables of arXiv:2605.08541 in the layouts that are written of, and in another one; not the files themselves."""

import dataclasses
import hashlib

import numpy as np
import offray
import pytest
from helpers import run_cli
from offray.datasets import _sources, load, names

PAPER = [name for name in names() if name.startswith("paper_")]
SIZES = np.rint(np.geomspace(5038848, 7.65e7, 6))


def runs():
    """Name and losses of three epochs, of two designs and what is held out of each."""
    rng = np.random.default_rng(0)
    rays = {"COLINEAR": (1, 2, 3), "COLINEAR_HOLDOUT": (6,)}
    grids = {"NxD": (5e6, 4e7, 3e8), "NxD_HOLDOUT": (4e8,)}
    designs = {name: [(n, k * n) for n in SIZES for k in ks] for name, ks in rays.items()}
    designs |= {name: [(n, d) for n in SIZES for d in ds] for name, ds in grids.items()}
    for design, cells in designs.items():
        for n, d in cells:
            means = [offray.laws.chinchilla((n, k * d), 1.7, 400.0, 500.0, 0.34, 0.3) + 0.01 * rng.normal() for k in (1, 2, 3)]
            yield f"{design}_m{n:.0f}_token{d:.0f}lr0.001", means


WIDE = "name,epoch_1,epoch_2,epoch_3\n" + "".join(f"{name},{a},{b},{c}\n" for name, (a, b, c) in runs())
LONG = "epoch,run,train_loss\n" + "".join(f"{k},{name},{x}\n" for name, means in runs() for k, x in enumerate(means))


@pytest.fixture
def put(monkeypatch, tmp_path):
    """Text in place of the files of a set."""
    monkeypatch.setenv("OFFRAY_DATA_DIR", str(tmp_path))

    def replace(text, *sets):
        for name in sets:
            about, parse = _sources.SETS[name]
            digest = hashlib.sha256(text.encode()).hexdigest()
            source = dataclasses.replace(about.source, bytes=len(text.encode()), sha256=digest)
            monkeypatch.setitem(_sources.SETS, name, (dataclasses.replace(about, source=source), parse))
            (tmp_path / source.file).write_text(text)

    return replace


def test_addresses():
    assert len(PAPER) == 7
    source = _sources.SETS["paper_c4"][0].source
    assert source.url == (
        "https://huggingface.co/datasets/TPPIsCriticalFor/colinear_scaling_models/resolve/main/extracted_losses/c4.csv"
    )
    assert (
        len({_sources.SETS[name][0].source.file for name in names() if name != "pile"}) == len(names()) - 2
    )  # one has two sets


@pytest.mark.parametrize("text", [WIDE, LONG])
def test_layouts(put, text):
    put(text, "paper_c4")
    data = load("paper_c4")
    assert len(data.loss) == 3 * 48
    assert {label: int((data.family == label).sum()) for label in ("collinear", "spread", "held out")} == {
        "collinear": 54,
        "spread": 54,
        "held out": 36,
    }
    one = data.run == f"COLINEAR_m{SIZES[0]:.0f}_token{2 * SIZES[0]:.0f}lr0.001"
    assert data.params[one].tolist() == [SIZES[0]] * 3
    assert (data.tokens[one] / data.unique_tokens[one]).tolist() == [1, 2, 3]
    assert data.unique_tokens[one].tolist() == [2 * SIZES[0]] * 3
    assert "Not yet tried on the real file" in str(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,value\na,1\n", r"no column of names such as \.\.\._m5038848_token.*; the columns are model, value; .*params="),
        ("name,x\nm1_token2,1\n", "no column of losses; the columns are name, x"),
        ("name,loss\nm1_token2,\n", "line 2: no loss of m1_token2"),
    ],
)
def test_another_layout(put, text, message):
    put(text, "paper_c4")
    with pytest.raises(ValueError, match=message):
        load("paper_c4")
    done = run_cli("replicate", "--dataset", "paper")
    assert done.returncode == 2
    assert "TPPIsCriticalFor__c4.csv" in done.stderr


def test_the_experiment_on_its_own_runs(put):
    put(WIDE, *PAPER)
    done = run_cli("replicate", "--dataset", "paper", "--law", "chinchilla")
    assert done.returncode == 0
    assert "wikipedia_bf16, epoch 3" in done.stdout
    assert "of 21 comparisons" in done.stdout
    put("\n".join(line for line in WIDE.splitlines() if "NxD_m" not in line), *PAPER)
    done = run_cli("replicate", "--dataset", "paper")
    assert "c4, epoch 1: chinchilla needs 6 spread runs, there are 0" in done.stdout


def test_compilation_of_isoflop_runs(put):
    sizes = (1e7, 1e8, 1e9)
    rows = [f"{study},{C},{n},{C / 6 / n},3" for study in ("chinchilla", "marin") for C in (1e18, 1e19) for n in sizes]
    put("\n".join(["experiment,budget,params,tokens,loss", *rows]), "isoflop_experiments")
    data = load("isoflop_experiments")
    assert set(data.family) == {"chinchilla", "marin"}
    assert set(data.flops) == {1e18, 1e19}
    put("a,b\n1,2\n", "isoflop_experiments")
    with pytest.raises(ValueError, match=r"isoflop_experiments.csv: params, tokens, loss: no such .* the columns are a, b"):
        load("isoflop_experiments")
