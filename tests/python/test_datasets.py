# SPDX-License-Identifier: Apache-2.0
"""Published runs: parsed as they were by others, and every way a fetch can go wrong."""

import dataclasses
import doctest
import hashlib
import http.server
import importlib
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager

import offray
import pytest
from offray.datasets import _dataset, _parse, _sources, load

CHINCHILLA = "chinchilla_massivetext"
FIGURE = "Model Size,Training FLOP,loss\n" + "".join(f"{N}e8,{6 * N}e18,{9 - N}\n" for N in (7, 1, 2, 3, 4, 5, 6))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty directory, and a small file in place of the source's."""
    about, parse = _sources.SETS[CHINCHILLA]
    source = dataclasses.replace(about.source, bytes=len(FIGURE), sha256=hashlib.sha256(FIGURE.encode()).hexdigest())
    monkeypatch.setitem(_sources.SETS, CHINCHILLA, (dataclasses.replace(about, source=source), parse))
    monkeypatch.setenv("OFFRAY_DATA_DIR", str(tmp_path / "cache"))
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    return tmp_path / "cache" / source.file


@contextmanager
def serving(monkeypatch, text):
    """A web server with this text at every address; gives the paths that were asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setattr(_dataset, "HOST", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def test_pile_needs_nothing_but_the_package():
    code = "import sys, offray.datasets; print(offray.datasets.load('pile')); print({'pooch', 'requests'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert printed.startswith("pile: 15 runs\n")
    assert "arXiv:2304.03208" in printed
    assert printed.endswith("set()\n")
    pile = load("pile")
    assert {name: column.tolist() for name, column in pile.runs.items()} == offray.examples.pile()
    assert set(pile.family) == {"cerebras-gpt", "pythia"}
    assert "unique_tokens" in dataclasses.replace(pile, unique_tokens=pile.tokens).runs


def test_docstring_examples():
    for module in ("offray.datasets", "offray.datasets._load"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
            assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize(
    ("parse", "text", "rows"),
    [
        (_parse.chinchilla, FIGURE, [(6e8, 1e10, 3, 36e18), (7e8, 1e10, 2, 42e18)]),
        (_parse.chinchilla_outliers, FIGURE, [(N * 1e8, 1e10, 9 - N, 6e18 * N) for N in range(1, 6)]),
        (
            _parse.gemstones,
            '{"run_name":"PyGemma-8x9_pretrain","params_active_precise":5,"tokens":200,"final_loss":2}\n'
            '{"run_name":"PyGemma-8x9_pretrain","params_active_precise":5,"tokens":100,"final_loss":3}\n',
            [(5, 100, 3, None, "8x9"), (5, 200, 2, None, "8x9")],
        ),
        (
            _parse.marin,
            "Name,parameter_count,throughput/total_tokens,eval/paloma/macro_loss,throughput/total_gflops\n"
            "exp-validation-optimal-a,4,50,2.5,1000005513.8\nisoflop-b,4,60,3.5,9000125003.37\n",
            [(4, 60, 3.5, 9e18, "isoflop-b", "isoflop"), (4, 50, 2.5, 1e18, "exp-validation-optimal-a", "validation-optimal")],
        ),
        (
            _parse.steplaw,
            "lr,bs,loss,smooth loss,D,N\n1e-3,8,2.0,2.2,50,9\n2e-3,8,2.1,2.1,50,9\n1e-3,8,2.9,2.9,50,3\n",
            [(3, 50, 2.9, None, "lr1e-3_bs8"), (9, 50, 2.1, None, "lr2e-3_bs8")],
        ),
        (
            _parse.gadre_sweep,
            '{"d=1_l=1_h=4-8-1-1-8-400-100-3e-05": 3.2, "d=1_l=1_h=4-8-1-1-8-400-200-3e-05": 3.1,'
            '"d=9_l=1_h=4-16-1-1-16-800-100-3e-05": 2}',
            [(40, 800, 2, None, "d=9_l=1_h=4_bs16_warm100", "bs16"), (20, 400, 3.1, None, "d=1_l=1_h=4_bs8_warm200", "bs8")],
        ),
    ],
)
def test_rules(parse, text, rows):
    """What each reading does, on a handful of rows."""
    assert parse(text) == [_parse.Run(*row) for row in rows]


def test_download_happens_once(cache, monkeypatch):
    with serving(monkeypatch, FIGURE) as asked:
        first, second = load(CHINCHILLA), load(CHINCHILLA)
        assert asked == [first.source.url.removeprefix(_dataset.HOST)]
    assert first.tokens.tolist() == second.tokens.tolist() == [1e10, 1e10]
    assert [path.name for path in cache.parent.iterdir()] == ["epoch-research__svg_extracted_data.csv"]


def test_default_directory_is_the_users_cache(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("OFFRAY_DATA_DIR", "")
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    with serving(monkeypatch, FIGURE):
        load(CHINCHILLA)
    assert (tmp_path / "offray" / cache.name).read_text() == FIGURE


def test_wrong_download(cache, monkeypatch):
    with serving(monkeypatch, "something else"), pytest.raises(ValueError, match="is not the expected file") as caught:
        load(CHINCHILLA)
    expected = _sources.SETS[CHINCHILLA][0].source.sha256
    for part in (CHINCHILLA, cache.name, expected, hashlib.sha256(b"something else").hexdigest()):
        assert part in str(caught.value)
    assert list(cache.parent.iterdir()) == []


def test_wrong_file_in_the_cache(cache):
    cache.parent.mkdir()
    cache.write_text("half a fi")
    with pytest.raises(ValueError, match="Delete it") as caught:
        load(CHINCHILLA)
    expected = _sources.SETS[CHINCHILLA][0].source.sha256
    for part in (CHINCHILLA, str(cache), expected, hashlib.sha256(b"half a fi").hexdigest()):
        assert part in str(caught.value)
    assert cache.read_text() == "half a fi"


def test_no_network(cache, monkeypatch):
    monkeypatch.setattr(_dataset, "HOST", "http://127.0.0.1:9")
    with pytest.raises(FileNotFoundError) as caught:
        load(CHINCHILLA)
    url = "http://127.0.0.1:9/epoch-research/analyzing-chinchilla/"
    for part in (CHINCHILLA, url, str(cache.parent), cache.name, "OFFRAY_DATA_DIR"):
        assert part in str(caught.value)


def test_unknown_name():
    with pytest.raises(ValueError, match="unknown data set 'chinchila'; there are pile, chinchilla_massivetext, "):
        load("chinchila")
