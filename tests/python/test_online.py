# SPDX-License-Identifier: Apache-2.0
"""OnlineFit: the batch fit at every step, what it forecasts, and stopping and resuming with the same bits."""

import copy
import json
import pickle
import runpy

import numpy as np
import offray
import pytest
from helpers import ROOT
from truths import HOFFMANN

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")


def stream(runs, dtype=np.float64, law="chinchilla", theta=HOFFMANN):
    """Runs on a grid in an order that mixes sizes and token counts, with a little noise."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 16), np.geomspace(2e8, 1e11, 15)))
    at = np.arange(runs) * 97 % N.size
    noise = 1 + dtype(0.003) * np.random.default_rng(1).normal(size=runs).astype(dtype)
    N, D = N[at].astype(dtype), D[at].astype(dtype)
    return N, D, getattr(offray.laws, law)((N, D), *map(dtype, theta)) * noise


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize(
    "options", [{}, {"log_loss": True, "objective": "huber", "delta": 0.01}, {"tied": [("alpha", "beta")]}]
)
def test_the_batch_fit_at_every_step(dtype, options):
    N, D, loss = stream(70, dtype)
    online = offray.OnlineFit(dtype=dtype, reserve=70, **options)
    followed = 0
    for k in range(70):
        assert online.add(N[k], D[k], loss[k]) == k
        if k % 10 == 9:
            online.remove(k - 4)
        if k < 12 or k % 3:
            continue
        kept = list(online.ids)
        batch = offray.fit(N[kept], D[kept], loss[kept], dtype=dtype, **options)
        followed += online.searched == "followed"
        assert online.theta.dtype == dtype
        if batch.converged:
            np.testing.assert_allclose(online.theta, batch.theta, rtol=1e-10)
            np.testing.assert_allclose(online.fit.se, batch.se, rtol=1e-6)
    assert followed > 5
    assert len(online) == 63
    assert 5 not in online
    assert 6 in online


def test_the_ordinary_fit():
    N, D, loss = stream(60)
    online = offray.OnlineFit()
    for run in zip(N, D, loss, strict=True):
        online.add(*run)
    batch = offray.fit(N, D, loss)
    assert isinstance(online.fit, offray.Fit)
    assert online.fit is online.fit
    assert str(online.fit) == str(batch)
    assert online.identifiability.findings == batch.identifiability.findings
    there = online.predict(2e9, 2e11)
    np.testing.assert_allclose(there.value, batch.predict(2e9, 2e11).value, rtol=1e-10)
    np.testing.assert_allclose(there.interval, batch.predict(2e9, 2e11).interval, rtol=1e-8)
    assert online.params == dict(zip(batch.law.parameters, online.theta, strict=True))
    before = online.fit
    online.add(1e8, 1e10, 2.8)
    assert online.fit is not before
    assert len(before.residuals) == 60


def test_weights_and_unique_tokens():
    N, D, loss = stream(60)
    weight = 1.0 + np.arange(60) % 3
    online = offray.OnlineFit()
    for run in zip(N, D, loss, weight, strict=True):
        online.add(*run)
    np.testing.assert_allclose(online.theta, offray.fit(N, D, loss, weight=weight).theta, rtol=1e-10)
    U = D / (1 + 3 * (np.arange(60) % 5))
    repeated = offray.OnlineFit("repeated_data")
    loss = offray.laws.repeated_data((N, D, U), 1.86, 490, 1500, 0.35, 0.353, 5.8, 14.9)
    for n, d, value, u in zip(N, D, loss, U, strict=True):
        repeated.add(n, d, value, unique_tokens=u)
    np.testing.assert_allclose(repeated.theta, offray.fit(N, D, loss, law="repeated_data", unique_tokens=U).theta, rtol=1e-8)


def test_a_law_of_ones_own():
    N, D, loss = stream(60)
    law = offray.law("E + (A*N**-alpha + B*D**-beta)**q")
    online = offray.OnlineFit(law)
    for run in zip(N[:40], D[:40], loss[:40], strict=True):
        online.add(*run)
    assert online.fit.objective_value <= offray.fit(N[:40], D[:40], loss[:40], law=law).objective_value * (1 + 1e-9)
    again = pickle.loads(pickle.dumps(online))
    assert (again.theta == online.theta).all()
    with pytest.raises(ValueError, match="law"):
        offray.OnlineFit.from_dict(online.to_dict(), law="kaplan")
    with pytest.raises(ValueError, match="reads C"):
        offray.OnlineFit("E + A*C**-alpha")


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("way", ["pickle", "copy", "file", "json"])
def test_stopped_and_resumed(tmp_path, way, dtype):
    N, D, loss = stream(60, dtype)
    options = {"dtype": dtype, "objective": "huber", "delta": 0.1, "bounds": {"E": (0.1, 3)}}
    straight, stopped = offray.OnlineFit(**options), offray.OnlineFit(**options)
    for k in range(60):
        for online in (straight, stopped):
            online.add(N[k], D[k], loss[k])
            if k % 7 == 6:
                online.remove(k - 3)
            if k > 10:
                assert online.theta.size == 5
        if k % 4:
            continue
        if way == "file":
            stopped.save(tmp_path / "law.json")
            stopped = offray.OnlineFit.load(tmp_path / "law.json")
        elif way == "json":
            stopped = offray.OnlineFit.from_dict(json.loads(json.dumps(stopped.to_dict())))
        else:
            stopped = pickle.loads(pickle.dumps(stopped)) if way == "pickle" else copy.copy(stopped)
    assert (straight.theta == stopped.theta).all()
    assert straight.to_dict() == stopped.to_dict()
    assert straight.predict(1e9, 1e10).value == stopped.predict(1e9, 1e10).value


def test_bad_input():
    online = offray.OnlineFit()
    for run, message in (
        ((-1, 1e9, 3), r"N = -1: it must be positive and finite"),
        ((1e7, 1e9, np.nan), r"loss = nan"),
        ((1e7, "many", 3), r"D\[0\] = .*'many'.*real number"),
        (([1e7, 1e8], 1e9, 3), r"N must be one number"),
        ((1e7, 1e9, 3, 0), r"weight = 0"),
    ):
        with pytest.raises(ValueError, match=message):
            online.add(*run)
    assert len(online) == 0
    with pytest.raises(KeyError):
        online.remove(0)
    with pytest.raises(ValueError, match="no runs"):
        online.theta  # noqa: B018
    online.add(1e7, 1e9, 3)
    with pytest.raises(ValueError, match="need at least as many runs; got 1"):
        online.fit  # noqa: B018
    with pytest.raises(ValueError, match="unknown objective"):
        offray.OnlineFit(objective="cubes")
    with pytest.raises(ValueError, match=r"the schema is None, not 'offray\.online_fit'"):
        offray.OnlineFit.from_dict({"format": "something"})
    damaged = online.to_dict()
    damaged["state"] = damaged["state"].replace("runs 1", "runs 2")
    with pytest.raises(ValueError, match="checksum"):
        offray.OnlineFit.from_dict(damaged)


def test_the_example(capsys):
    online = runpy.run_path(str(ROOT / "examples" / "python" / "online.py"))["main"]()
    assert len(online) == 48
    assert abs(online.params["alpha"] - 0.34) < 1e-6
    assert "checkpoints: loss at 2e11 tokens" in capsys.readouterr().out
