# SPDX-License-Identifier: Apache-2.0
"""Published runs: what datasets has to say of them."""

import csv
import json
import sys
import warnings

import numpy as np
import offray
import pytest
from offray.datasets import _dataset, _sources, load, names
from published import DATA
from test_datasets import CHINCHILLA

RAW = DATA / "raw"
# Those of the hub are known from their manifests only.
SETS = [name for name in names() if not getattr(_sources.SETS[name][0].source, "of_hub", False)]


@pytest.fixture
def raw(monkeypatch):
    if not RAW.exists():
        pytest.skip(f"the sources are not part of the project; {RAW} is not there")
    monkeypatch.setenv("OFFRAY_DATA_DIR", str(RAW))


@pytest.mark.parametrize("name", SETS[1:])
def test_every_set_equals_its_parsed_file(name, raw):
    with (DATA / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    dataset = load(name)
    for column in ("params", "tokens", "loss", "unique_tokens", "flops", "run", "family"):
        ours = getattr(dataset, column)
        if column not in rows[0]:
            assert ours is None, column
        elif column in ("run", "family"):
            assert ours.tolist() == [row[column] for row in rows]
        else:  # the file has 10 digits, some of them rounded twice
            np.testing.assert_allclose(ours, [float(row[column]) for row in rows], rtol=1e-9, err_msg=column)
            assert not ours.flags.writeable


def test_sources_are_the_recorded_ones(raw):
    recorded = json.loads((RAW / "sources.json").read_text())
    ours = {about.source for about, _ in (_sources.SETS[name] for name in SETS) if about.source}
    assert len(recorded) == len(ours)
    for record in recorded:
        del record["sets"]
        file = record.pop("raw_copy")
        source = _dataset.Source(**record)
        assert source in ours
        assert source.file == file


def test_a_file_that_is_there_is_only_read(raw, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in RAW.iterdir())
    for name in SETS:
        load(name)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in RAW.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (CHINCHILLA, "1.8646 593.3 4876 0.3603 0.4059 0.0069"),
        ("gemstones_dolma", "1.951 117.6 4.125e+04 0.2594 0.4947 0.0156"),
        ("marin_nemotron", "2.601 2.79e+05 1.015e+04 0.6756 0.4512 0.0089"),
        ("steplaw_dense", "1.427 68.23 415.4 0.2374 0.3056 0.0037"),
    ],
)
def test_fits_of_log_loss(name, printed, raw):
    """E, A, B, alpha, beta and the root mean square, to every digit of the reference fits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        fit = offray.fit(load(name).runs, log_loss=True)
    reached = (*fit.theta, np.sqrt(fit.rss / len(fit.residuals)))
    for value, digits in zip(reached, printed.split(), strict=True):
        precision = len(digits.partition("e")[0].replace(".", "").lstrip("0"))
        assert float(f"{value:.{precision}g}") == float(digits)


def test_rows_to_keep_apart(raw):
    marin = load("marin_nemotron")
    assert (len(marin.loss), marin.fit_rows.sum()) == (96, 88)
    assert set(marin.family[~marin.fit_rows]) == {"validation-optimal"}
    assert len(marin.runs["loss"]) == 88
    assert repr(marin) == "Dataset('marin_nemotron', 96 runs, 88 to fit)"
    assert load(CHINCHILLA).fit_rows.all()
    assert load("chinchilla_massivetext_outliers").loss.min() > load(CHINCHILLA).loss.max()
