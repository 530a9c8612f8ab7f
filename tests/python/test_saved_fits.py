# SPDX-License-Identifier: Apache-2.0
"""Fits that are saved come back without a search and with all of their bits."""

import copy
import json
import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import offray
import pytest
from offray import _core
from truths import DESIGNS, HOFFMANN, TRUTH

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning", "ignore::offray.ConvergenceWarning")

N, D = DESIGNS["spread"]


def losses(n, d, law="chinchilla", noise=0.01):
    return getattr(offray.laws, law)((n, d), *TRUTH[law]) * np.exp(noise * np.sin(np.arange(len(n)) * 2.3))


LOSS = losses(N, D)


def by_function(x, E, A, alpha):
    return E + A * x**-alpha


def on(design, **options):
    n, d = DESIGNS[design]
    return offray.fit(n, d, losses(n, d), **options)


def with_an_outlier(**options):
    return offray.fit(N, D, LOSS * np.where(np.arange(len(N)) == 5, 1.3, 1), **options)


def labelled():
    pandas = pytest.importorskip("pandas")
    return offray.fit(pandas.DataFrame({"N": N, "D": D, "loss": LOSS}, index=[f"run {i}" for i in range(len(N))]))


def followed():
    online = offray.OnlineFit()
    for n, d, loss in zip(N, D, LOSS, strict=True):
        online.add(n, d, loss)
    return online.fit


def repeated():
    unique = np.minimum(D, 1e10)
    loss = offray.laws.repeated_data((N, D, unique), *TRUTH["repeated_data"])
    return offray.fit(N, D, loss * np.exp(0.003 * np.sin(np.arange(len(N)))), unique_tokens=unique, law="repeated_data")


FITS = {
    "plain": lambda: offray.fit(N, D, LOSS),
    "long double": lambda: offray.fit(N, D, LOSS, dtype=np.longdouble),
    "kaplan, log loss, weights": lambda: offray.fit(
        N, D, losses(N, D, "kaplan"), law="kaplan", log_loss=True, weight=np.linspace(1, 2, len(N))
    ),
    "droppo_elibol": lambda: offray.fit(N, D, losses(N, D, "droppo_elibol"), law="droppo_elibol"),
    "repeated data": repeated,
    "huber, mad": lambda: with_an_outlier(objective="huber", delta="mad"),
    "quantile": lambda: with_an_outlier(objective="quantile", quantile=0.4),
    "absolute, long double": lambda: with_an_outlier(objective="absolute", dtype=np.longdouble),
    "fixed, bounded": lambda: offray.fit(N, D, LOSS, fixed={"E": 1.7}, bounds={"alpha": (0.1, 0.33)}),
    "tied": lambda: offray.fit(N, D, LOSS, tied=[("alpha", "beta")]),
    "start": lambda: offray.fit(N, D, LOSS, start=HOFFMANN),
    "ray": lambda: on("ray"),
    "what is left on a ray": lambda: on("ray").reduced,
    "one size": lambda: on("one size"),
    "forced": lambda: on("ray", identify="force"),
    "near ray": lambda: on("near ray"),
    "no noise": lambda: offray.fit(N, D, losses(N, D, noise=0)),
    "labelled": labelled,
    "followed": followed,
    "formula": lambda: offray.fit(N, D, LOSS, law="E + (A*N**-alpha + B*D**-beta)**q"),
    "function": lambda: offray.fit(inputs={"x": N}, loss=losses(N, N * 20), law=offray.law(by_function)),
    "real inputs": lambda: offray.fit(inputs={"x": LOSS}, loss=0.3 + 0.5 / (1 + np.exp(3 * (LOSS - 2.6))), law="logistic"),
}


@pytest.fixture(scope="module", params=sorted(FITS))
def fit(request):
    out = FITS[request.param]()
    out.to_dict()  # what is left of it on a ray is fitted when looked at
    return out


@pytest.fixture
def no_search(monkeypatch):
    def refuse(*_):
        raise AssertionError("a search")

    monkeypatch.setattr(_core, "fit", refuse)


def alike(a, b):
    """All that follows from a fit, bit for bit."""
    for name in ("theta", "cov", "se", "residuals", "rss", "objective_value", "scaled_gradient", "delta", "noise_sd"):
        one, other = (np.asarray(getattr(fit, name)) for fit in (a, b))
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, err_msg=name)
    for name in ("status", "message", "evaluations", "findings", "degrees_of_freedom", "on_ray"):
        assert getattr(a, name) == getattr(b, name), name
    np.testing.assert_array_equal(a.conditioning.singular_values, b.conditioning.singular_values)
    for one, other in zip(a.certificate.basins, b.certificate.basins, strict=True):
        np.testing.assert_array_equal(one.theta, other.theta)
    assert len(a.rivals) == len(b.rivals)
    np.testing.assert_array_equal(a.conf_int(), b.conf_int())
    np.testing.assert_array_equal(a.bootstrap(4).theta, b.bootstrap(4).theta)
    assert a.identifiability.to_dict() == b.identifiability.to_dict()
    assert str(a) == str(b)
    frames = a.frame(), b.frame()
    assert list(frames[0]) == list(frames[1])
    for name, column in frames[0].items():
        np.testing.assert_array_equal(column, frames[1][name])


def test_json(fit, no_search):
    again = offray.Fit.from_json(fit.to_json())
    alike(fit, again)
    assert again.to_json() == fit.to_json()


@pytest.mark.parametrize("way", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
def test_copies(fit, way, no_search):
    assert type(way(fit)) is offray.Fit
    alike(fit, way(fit))


def test_what_was_not_looked_at_is_the_same_later():
    fit = on("ray")
    early = pickle.loads(pickle.dumps(fit))
    assert "reduced" not in fit.__dict__
    assert dict(early.params) == pytest.approx(dict(fit.params), nan_ok=True, abs=0)


def test_across_processes(tmp_path):
    """A process that was started anew reads the file and says the same."""
    fit = FITS["long double"]()
    fit.save(tmp_path / "fit.json")
    code = (
        f"import offray; fit = offray.load({str(tmp_path / 'fit.json')!r}); "
        "print(repr(fit.theta.tolist()), fit.predict(1e9, 2e10).value, fit.compute_optimal(1e22).N)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    same = repr(fit.theta.tolist()), fit.predict(1e9, 2e10).value, fit.compute_optimal(1e22).N
    assert done.stdout.split() == " ".join(map(str, same)).split()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.map(np.asarray, [fit.theta])[0], fit.theta)
        assert pool.map(str, [fit])[0] == str(fit)


def test_the_command_prints_a_document(tmp_path):
    from helpers import run_cli

    shown = run_cli("fit", offray.examples.path(), "--law", "kaplan", "--json").stdout
    (tmp_path / "fit.json").write_text(shown)
    fit = offray.load(tmp_path / "fit.json")
    document = json.loads(shown)
    kept = {"law", "params", "se", "rss", "status", "kappa", "rank", "warnings", "schema", "version"}
    assert document.keys() >= kept
    assert document.pop("optimal")
    assert document == fit.to_dict()
    assert fit.problem.row(0) == "line 2"


def test_functions_that_are_called_back_cannot_be_written():
    def branching(x, E, A, alpha):
        return E + A * x**-alpha if alpha > 0 else E + 0 * x

    fit = offray.fit(inputs={"x": N}, loss=losses(N, N * 20), law=offray.law(branching))
    assert fit.to_dict()["status"] == fit.status
    for write in (fit.to_json, lambda: fit.save("never.json")):
        with pytest.raises(ValueError, match="the law branching calls a Python function back, which cannot be written"):
            write()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(fit)


def test_groups_keep_labels_and_bits():
    fit = offray.fit(np.r_[N, N], np.r_[D, D], np.r_[LOSS, LOSS + 0.1], by=[1] * len(N) + [2] * len(N), shared="beta")
    for again in (offray.GroupedFit.from_json(fit.to_json()), pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        assert again.groups == (1, 2)
        assert str(again) == str(fit)
        assert again.predict(2, 1e9, 1e10) == fit.predict(2, 1e9, 1e10)
        with pytest.raises(TypeError):
            again.params[1]["beta"] = 3
    data = fit.to_dict()
    data["state"]["theta"][0][0] += 1e-9
    with pytest.raises(ValueError, match="its state was changed after it was written"):
        offray.GroupedFit.from_dict(data)
