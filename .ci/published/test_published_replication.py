# SPDX-License-Identifier: Apache-2.0
"""Published runs: what replication has to say of them."""

import json

import numpy as np
import pytest
from offray.experiment import Sweep, on_real_runs
from published import DATA, read_data
from test_replication import replicate

BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)  # Hoffmann et al. 2022, approach 2


CUTS = {  # runs in each design, kappa_2 of the near-ray and of the median spread design
    "l2l_fineweb_edu": (11, 1360, 321),
    "l2l_slimpajama": (11, 1380, 316),
    "l2l_starcoder": (9, 3500, 388),
    "chinchilla_massivetext": (14, 2160, 270),
    "marin_nemotron": (7, 3070, 501),
}


@pytest.fixture(scope="module")
def real():
    sweeps = []
    for name in CUTS:
        N, D, loss, _ = read_data(name)
        flops = np.array(read_flops(name)) if name.startswith("marin") else None
        sweeps.append(Sweep(name, N, D, loss, flops, BUDGETS if name.startswith("chinchilla") else None))
    result = on_real_runs(sweeps)
    return {(row["sweep"], row["split"]): row for row in result.rows}, result


def read_flops(name):
    import csv

    with (DATA / f"{name}.csv").open(newline="") as file:
        return [float(row["flops"]) for row in csv.DictReader(file) if row["family"] == "isoflop"]


@pytest.mark.parametrize("name", CUTS)
def test_conditioning_of_cuts_from_real_sweeps(real, name):
    row, (runs, near, spread) = real[0][name, "in range"], CUTS[name]
    assert row["runs"] == runs
    assert row["draws"] >= 60
    np.testing.assert_allclose([row["kappa near"], row["kappa spread"]], [near, spread], rtol=0.1)
    assert row["spread wins"] > 0.6
    assert row["FLOPs ratio"] == pytest.approx(1, abs=0.1)


def test_extrapolation_on_real_sweeps_goes_either_way(real):
    wins = {name: real[0][name, "extrapolation"]["spread wins"] for name in CUTS if (name, "extrapolation") in real[0]}
    assert wins["chinchilla_massivetext"] > 0.9
    assert wins["l2l_slimpajama"] < 0.5
    assert "marin_nemotron" in real[1].left_out
    assert "extrapolation, chinchilla needs 6 runs near 20 tokens per parameter, there are 5" in str(real[1])


@pytest.mark.skipif(not (DATA / "raw").exists(), reason="the sources of the public sets are not there")
def test_command_on_a_public_set(monkeypatch):
    monkeypatch.setenv("OFFRAY_DATA_DIR", str(DATA / "raw"))
    data = json.loads(replicate("--dataset", "chinchilla_massivetext", "--draws", 60, "--json").stdout)
    assert data["rows"][0]["runs"] == CUTS["chinchilla_massivetext"][0]
