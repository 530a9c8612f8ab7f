# SPDX-License-Identifier: Apache-2.0
"""What is no document, or no longer the one that was written, is one sentence with the file's name."""

import json

import numpy as np
import offray
import pytest
from offray._travel.document import digest
from truths import HOFFMANN

N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
LOSS = offray.laws.chinchilla((N, D), *HOFFMANN) + 0.01 * np.sin(np.arange(25) * 2.3)


@pytest.fixture(scope="module")
def text():
    return offray.fit(N, D, LOSS).to_json()


@pytest.fixture(scope="module")
def formula():
    return offray.fit(N, D, LOSS, law="E + (A*N**-alpha + B*D**-beta)**1").to_json()


def refused(path, content, read=offray.load):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r".") as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is no JSON: Expecting value in line 1, column 1"),
        (b"N,D,loss\n1,2,3\n", "this is no JSON"),
        (bytes(range(128, 200)), "this is no JSON: it is no UTF-8"),
        (b'{"schema": NaN}', "this is no JSON: NaN is no number"),
        (b"[" * 100_000, "this is no JSON"),
        (b"[1, 2]", "this is no result of offray"),
        (b"{}", "this is no result of offray"),
        (b'{"schema": "offray.simd"}', "the schema 'offray.simd' is of nothing that can be read back"),
        (b'{"schema": "offray.law", "version": 1}', "the schema 'offray.law' is of nothing that can be read back"),
        (b'{"schema": "offray.misfit", "version": 1}', "the schema 'offray.misfit' is of nothing that can be read back"),
        (b'{"schema": "other", "version": 1}', "the schema 'other' is of nothing that can be read back"),
        (b'{"schema": "offray.fit"}', "offray.fit has version None; this offray reads version 1"),
        (b'{"schema": "offray.fit", "version": 9}', "offray.fit has version 9; this offray reads version 1, a newer one"),
        (b'{"schema": "offray.fit", "version": 1}', "'problem' is missing"),
        (b'{"schema": "offray.fit", "version": 1, "problem": [], "optimum": {}}', "'problem' is [], which it cannot be"),
        (b'{"schema": "offray.grouped_fit", "version": 1, "state": {}, "sha256": ""}', "its state was changed"),
    ],
)
def test_no_document(tmp_path, content, message):
    assert refused(tmp_path / "fit.json", content).startswith(message)


def test_a_text_cut_short(tmp_path, text):
    for size in range(0, len(text) - 2, len(text) // 20):
        assert refused(tmp_path / "fit.json", text[:size]).startswith("this is no JSON")


def test_the_schema_of_another(tmp_path, text):
    assert refused(tmp_path / "fit.json", text, offray.Prediction.load) == (
        "the schema is 'offray.fit', not 'offray.prediction'"
    )


@pytest.mark.parametrize("key", ["problem", "optimum"])
def test_every_number_of_the_problem_is_vouched_for(tmp_path, text, key):
    def leaves(at):
        pairs = list(at.items()) if isinstance(at, dict) else list(enumerate(at))
        for name, value in pairs:
            if isinstance(value, dict | list):
                yield from leaves(value)
            else:
                yield at, name

    places = list(leaves(json.loads(text)[key]))
    for k in range(0, len(places), 7):
        data = json.loads(text)
        at, name = list(leaves(data[key]))[k]
        at[name] = 1.5 if at[name] != 1.5 else 2.5
        with pytest.raises(ValueError, match="its problem or optimum was changed after it was written"):
            offray.Fit.from_dict(data)


def test_numbers_may_be_spelt_otherwise(text):
    """1e9 and 1000000000.0 are one number, keys have no order."""
    fit = offray.Fit.from_json(text)
    respelt = json.loads(
        text, parse_float=lambda x: int(float(x)) if float(x).is_integer() and abs(float(x)) < 1e15 else float(x)
    )
    np.testing.assert_array_equal(offray.Fit.from_json(json.dumps(respelt, sort_keys=True)).theta, fit.theta)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p, o: o.update(theta=o["theta"][:-1]), "theta has 4 values instead of 5"),
        (lambda p, o: o.update(phi=[1.0]), "phi has 1 values instead of 5"),
        (lambda p, o: o["theta"].__setitem__(0, "nan"), "theta is not finite"),
        (lambda p, o: o.update(basins=[]), "basins is empty"),
        (lambda p, o: o["basins"][0].update(theta=[1.0]), "a basin has 1 values instead of 5"),
        (lambda p, o: o["basins"][0].pop("theta"), "its problem or optimum is none: 'theta'"),
        (lambda p, o: o.update(status="fine"), "status: unknown name 'fine'"),
        (lambda p, o: o.update(limit="nowhere"), "limit: unknown name 'nowhere'"),
        (lambda p, o: o.update(limit_parameter=9), "location_parameter is 9"),
        (lambda p, o: o.update(limit_parameter=10**30), "counts nothing"),
        (lambda p, o: o.update(lost=-1), "lost is -1"),
        (lambda p, o: o.update(delta="inf"), "delta is inf"),
        (lambda p, o: o.pop("gap"), "'gap'"),
        (lambda p, o: o.update(evaluations="many"), "'evaluations' is 'many', which it cannot be"),
        (lambda p, o: p.update(law="newton"), "unknown law 'newton'"),
        (lambda p, o: p.update(law=3), "the law is neither a name nor a formula"),
        (lambda p, o: p.update(dtype="float16"), "'float16'"),
        (lambda p, o: p.update(loss=p["loss"][:-1]), "'params' has 25 values, the loss 24"),
        (lambda p, o: p["loss"].__setitem__(2, -1.0), r"loss\[2\] = -1: every value must be positive"),
        (lambda p, o: p["loss"].__setitem__(2, "0x"), "'0x' is no number"),
        (lambda p, o: p["inputs"].pop("tokens"), "'tokens' is missing"),
        (lambda p, o: p.update(rows=["a"]), "'rows' has 1 values, the loss 25"),
        (lambda p, o: p["options"].update(objective="cubes"), "unknown name 'cubes'"),
        (lambda p, o: p.update(limits={"fixed": {"gamma": [1.0]}, "tied": [], "bounds": {}}), "gamma"),
    ],
)
def test_a_document_that_vouches_for_nonsense(text, damage, message):
    """Even with the right checksum nothing but a sentence comes out."""
    data = json.loads(text)
    damage(data["problem"], data["optimum"])
    data["sha256"] = digest(data["problem"], data["optimum"])
    with pytest.raises(ValueError, match=message):
        offray.Fit.from_dict(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda law: law["nodes"].__setitem__(0, ["exec", 0, 0, 0, ""]), "an operation that is none"),
        (lambda law: law["nodes"].__setitem__(-1, ["add", 99, 0, 0, ""]), "an operation that is none"),
        (lambda law: law["nodes"].__setitem__(-1, ["add", -1, 0, 0, ""]), "an operation that is none"),
        (lambda law: law["nodes"].__setitem__(0, ["parameter", 77, 0, 0, ""]), "an operation that is none"),
        (lambda law: law["nodes"].__setitem__(0, ["constant", 0, 0, 0, "nan"]), "an operation that is none"),
        (lambda law: law["nodes"].__setitem__(0, ["constant", 0, 0, 0, "x"]), "."),
        (lambda law: law["nodes"].__setitem__(0, 3), "an operation that is none"),
        (lambda law: law.update(result=1000), "an operation that is none"),
        (lambda law: law.update(parameters=["E", "import"]), "'import' cannot be the name"),
        (lambda law: law.update(inputs="N"), "the law's names are no texts"),
        (lambda law: law.pop("nodes"), "the law is neither a name nor a formula"),
    ],
)
def test_a_law_that_is_none(formula, damage, message):
    data = json.loads(formula)
    damage(data["problem"]["law"])
    data["sha256"] = digest(data["problem"], data["optimum"])
    with pytest.raises(ValueError, match=message):
        offray.Fit.from_dict(data)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        offray.load(tmp_path / "none.json")


def test_a_stopped_save_leaves_the_last_one(tmp_path, text, monkeypatch):
    path = tmp_path / "fit.json"
    path.write_text(text)
    fit = offray.load(path)
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.write_text", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match=r"full.*fit\.json"):
            fit.save(path)
    assert path.read_text() == text


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("state"),
        lambda data: data.update(state=[1]),
        lambda data: data.update(identify="nonsense"),
        lambda data: data.update(dtype="float16"),
        lambda data: data["options"].pop("delta"),
        lambda data: data.update(limits={"fixed": []}),
    ],
)
def test_a_fit_that_follows_runs(tmp_path, damage):
    online = offray.OnlineFit(fixed={"E": 1.7})
    for k in range(8):
        online.add(1e7 * 3**k, 1e9 * 2 ** (k % 3), 3 - k / 10)
    data = online.to_dict()
    damage(data)
    path = tmp_path / "online.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"online\.json: "):
        offray.load(path)


def test_figures_that_do_not_go_together(tmp_path):
    data = offray.fit(offray.examples.pile(), law="kaplan").predict([1e9, 2e9], [2e10, 4e10]).to_dict()
    data["interval"] = 3.0
    path = tmp_path / "prediction.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="do not go together"):
        offray.load(path)


def test_an_integer_beyond_all_numbers(tmp_path, text):
    data = json.loads(text)
    data["problem"]["options"]["max_evaluations"] = 10**400
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=r"fit\.json: "):
        offray.load(path)


def test_a_saved_fit_is_no_file_of_runs(tmp_path, text):
    path = tmp_path / "fit.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"is a saved result \(offray\.fit\), not runs"):
        offray.fit(path)


def test_a_failed_save_leaves_nothing(tmp_path, monkeypatch):
    fit = offray.fit(offray.examples.pile(), law="kaplan")
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="there"):
        fit.save(tmp_path / "there")

    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match=r"no room.*fit\.json"):
        fit.save(tmp_path / "fit.json")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_an_estimate_that_was_changed(tmp_path, text):
    data = json.loads(text)
    name = next(iter(data["params"]))
    data["params"][name] *= 2
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=rf"fit\.json: params\.{name} was changed after it was written"):
        offray.load(path)
