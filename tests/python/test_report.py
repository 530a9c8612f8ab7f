# SPDX-License-Identifier: Apache-2.0
"""Reports: self-contained, escaped, small, the same on every run; and alive in a real browser where there is one."""

import hashlib
import html
import json
import re
import shutil
import subprocess
import time
import warnings
from html.parser import HTMLParser

import numpy as np
import offray
import pytest
from helpers import run_cli
from truths import HOFFMANN

pytest.importorskip("jinja2", reason="reports need jinja2")
pytest.importorskip("matplotlib", reason="reports need matplotlib")
report = offray.report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZES = np.geomspace(5e6, 8e7, 14)


def noisy(N, D, sd=0.01):
    return offray.laws.chinchilla((N, D), *HOFFMANN) + sd * np.sin(np.arange(len(N)) * 2.3)


def quiet_fit(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        return offray.fit(*arguments, **options)


@pytest.fixture(scope="module")
def fits():
    N, D = offray.designs.grid(np.geomspace(1e7, 1e9, 10), np.geomspace(1e9, 1e11, 6))
    return {
        "grid": quiet_fit(N, D, noisy(N, D)),
        "kaplan": quiet_fit(offray.examples.pile(), law="kaplan"),
        "at_bound": quiet_fit(offray.examples.pile()),
        "ray": quiet_fit(SIZES, 20 * SIZES, noisy(SIZES, 20 * SIZES, 0.005)),
    }


@pytest.fixture(scope="module")
def pages(fits):
    return {name: report.page(fit) for name, fit in fits.items()}


class Tags(HTMLParser):
    """Opens and closes: what is not closed, and every address that the page asks for."""

    VOID = ("meta", "input", "br", "link", "img", "path", "use")

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.names, self.ids = [], [], set(), []

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.addresses += [v for k, v in attributes if k in ("src", "href", "xlink:href", "action", "data") and v]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def parsed(text):
    out = Tags()
    out.feed(text)
    assert not out.open
    return out


@pytest.mark.parametrize("name", ["grid", "kaplan", "at_bound", "ray"])
def test_one_small_file_that_asks_for_nothing(pages, name):
    page = pages[name]
    tags = parsed(page)
    assert len(page.encode()) < 1_000_000
    assert all(address.startswith("#") or address.startswith("data:") for address in tags.addresses)
    assert not {"link", "iframe", "img", "object"} & tags.names
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert len(tags.ids) == len(set(tags.ids)), "names of one picture are those of another"
    assert plot_colours_are_the_page_s(page)


def plot_colours_are_the_page_s(page):
    """Ink and paper of the pictures follow the page into the dark."""
    drawn = page[page.index("<figure>") :]
    return offray.plot.INK not in drawn and offray.plot.PAPER not in drawn and "var(--ink)" in drawn


def test_the_answer_comes_first(pages):
    text = html.unescape(re.sub(r"<[^>]+>", " ", pages["kaplan"][pages["kaplan"].index("<body") :]))
    order = ["determine the law kaplan", "Known", "What to run next", "Larger budgets", "Method", "SHA-256"]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)
    assert "10 times the largest run, N* = " in text[: text.index("What to run next")]
    assert "do not determine the law chinchilla" in pages["ray"]
    assert "all lie on one ray" in pages["ray"]
    assert "a parameter sits at its bound" in pages["at_bound"]


def test_tables_hold_the_figures_of_the_fit(fits, pages):
    fit = fits["kaplan"]
    for row in fit.rows()[1:]:
        assert all(html.escape(cell) in pages["kaplan"] for cell in row)
    best = fit.compute_optimal(600 * float((fit.problem.N * fit.problem.D).max()))
    assert f"{float(best.N):.4g} ({best.N.interval[0]:.4g} to {best.N.interval[1]:.4g})" in pages["kaplan"]
    assert "No compute-optimal point" in pages["ray"]
    assert "20, as all runs" in pages["ray"]


def test_the_same_page_on_every_run(fits, pages):
    assert report.page(fits["kaplan"]) == pages["kaplan"]


def test_takes_seconds(fits):
    start = time.process_time()
    report.page(fits["grid"])
    assert time.process_time() - start < 5


ATTACK = "<script>alert(1)</script>"


def test_text_from_data_is_escaped(tmp_path):
    N, D = offray.designs.grid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4))
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"N": N, "D": D, "loss": noisy(N, D)}, index=[f"{ATTACK}{k}" for k in range(16)])
    page = report.page(quiet_fit(frame), title=f'{ATTACK}" onload="x', origin=report.Origin(ATTACK, "'\"<b>", ATTACK))
    assert ATTACK not in page
    assert page.count("<script") == 2  # what the page works with, and its program
    assert page.count("&lt;script&gt;") > 5
    parsed(page)
    path = tmp_path / f"{ATTACK.replace('/', '_')}.csv"
    frame.to_csv(path, index=False)
    out = tmp_path / "report.html"
    report.write(path, out)
    assert page.count("<script") == 2
    assert "<script>alert" not in out.read_text()
    parsed(out.read_text())


def test_data_in_the_page_cannot_end_its_script(fits, pages):
    for page in pages.values():
        data = re.search(r'<script type="application/json" id="explorer">(.*?)</script>', page, re.S)[1]
        assert not set("<>&'") & set(data)
        json.loads(data)


def test_program_is_the_one_that_the_policy_allows(pages):
    from base64 import b64encode

    program = re.search(r"<script>(.*?)</script>", pages["grid"], re.S)[1]
    allowed = re.search(r"script-src 'sha256-([^']+)'", pages["grid"])[1]
    assert html.unescape(allowed) == b64encode(hashlib.sha256(program.encode()).digest()).decode()


@pytest.fixture
def short(monkeypatch):
    """Pages without pictures, where these are not what is tested."""
    monkeypatch.setattr("offray.report._page.pictures", lambda fit, plan: iter(()))


@pytest.mark.usefixtures("short")
def test_command_line_and_the_command_that_it_names(tmp_path):
    path, out = offray.examples.path(), tmp_path / "a report.html"
    assert run_cli("report", path, "--law", "kaplan", "--fix", "alpha_D=0.1", "--log-loss", "-o", out).returncode == 0
    page = out.read_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in page
    command = html.unescape(re.search(r"<code>(offray report .*?)</code>", page)[1])
    assert command == f"offray report {path} -o '{out}' --law kaplan --log-loss --fix alpha_D=0.1"
    assert run_cli("report", path, "--law", "nonsense", "-o", out).returncode == 2
    assert run_cli("report", path, "-o", tmp_path / "nowhere" / "a.html").returncode == 2


def test_laws_of_other_inputs(tmp_path):
    x = np.geomspace(1e18, 1e22, 12)
    fit = offray.fit(inputs={"x": x}, loss=1.7 + 50 * x**-0.1 + 0.002 * np.sin(np.arange(12) * 2.3), law="power")
    page = report.page(fit)
    parsed(page)
    assert "the law power reads x" in page
    assert 'id="explorer"' not in page
    few = quiet_fit(SIZES[:4], 20 * SIZES[:4], noisy(SIZES, 20 * SIZES)[:4])
    assert 'id="explorer"' not in report.page(few), "four runs on a ray say nothing of the plane"
    size = np.full(12, 1e8)
    one_size = quiet_fit(size, np.geomspace(1e9, 1e11, 12), noisy(size, np.geomspace(1e9, 1e11, 12), 0.005))
    assert "all have one size" in report.page(one_size)


@pytest.mark.parametrize("options", [{"objective": "huber", "delta": 0.01}, {"objective": "absolute"}, {"log_loss": True}])
def test_other_objectives(options):
    parsed(report.page(quiet_fit(offray.examples.pile(), law="kaplan", **options)))


@pytest.mark.usefixtures("short")
def test_write_fits_what_is_not_fitted(tmp_path):
    for k, runs in enumerate((offray.examples.path(), str(offray.examples.path()), offray.examples.pile())):
        out = report.write(runs, tmp_path / f"{k}.html", law="kaplan", log_loss=True)
        assert "on log loss" in out.read_text()


# In a browser.


def shown_in_browser(tmp_path, page, state=""):
    """The document after its program has run, and what the console said."""
    path = tmp_path / "page.html"
    path.write_text(page)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000"]
    where = [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"{path.as_uri()}{state}"]
    out = subprocess.run([BROWSER, *flags, *where], capture_output=True, check=True, text=True, timeout=120)
    return out.stdout, [line for line in out.stderr.splitlines() if "CONSOLE" in line]


def text_of(document, name):
    return html.unescape(re.search(rf'id="{name}"[^>]*>([^<]*)<', document)[1])


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium to show the page in")


@needs_browser
@pytest.mark.parametrize("name", ["grid", "kaplan", "at_bound"])
def test_browser_predicts_what_the_fit_predicts(fits, pages, tmp_path, name):
    fit = fits[name]
    k, C = 30.0, 6 * float((fit.problem.N * fit.problem.D).max()) / 3
    N = np.sqrt(C / 6 / k)
    n, d = 2e9, 3e10
    document, console = shown_in_browser(tmp_path, pages[name], f"#C={C}&k={k}&N={n}&D={d}")
    assert console == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        at = fit.predict(N, k * N)
    value, half = map(float, re.match(r"([\d.]+) ± ([\d.]+) nats", text_of(document, "loss")).groups())
    np.testing.assert_allclose(value, at.value, atol=1e-3)
    np.testing.assert_allclose(half, (at.interval[1] - at.interval[0]) / 2, rtol=0.06)
    before, after = (float(x) for x in text_of(document, "kappa").split(" → "))
    np.testing.assert_allclose(before, fit.conditioning.kappa, rtol=0.02)
    # One more run, by the covariance of the fit: V - V g g' V / (s^2 + g' V g).
    g, new = (fit.law.jacobian((np.array([x]), np.array([y])), *fit.theta)[0] for x, y in ((N, k * N), (n, d)))
    V, s = np.asarray(fit.cov), float(fit.noise_sd)
    variance = g @ V @ g - (g @ V @ new) ** 2 / (s**2 + new @ V @ new)
    t = (at.statistical[1] - at.value) / at.se
    half = float(re.search(r"± ([\d.]+)", text_of(document, "after"))[1])
    np.testing.assert_allclose(half, t * np.sqrt(variance), rtol=0.06)
    assert after <= before * 1.3


HANDS = """<script>
const by = (id) => document.getElementById(id), told = () => by("new").getAttribute("aria-valuetext");
const seen = [told()], box = by("plane").getBoundingClientRect();
const at = (name, x, y) => new PointerEvent(name, {
  pointerId: 7, clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true});
by("new").dispatchEvent(at("pointerdown", 0.5, 0.5));
dispatchEvent(at("pointermove", 0.5, 0.5));
dispatchEvent(at("pointerup", 0.5, 0.5));
seen.push(told());
dispatchEvent(at("pointermove", 0.9, 0.9));
seen.push(told());
by("new").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp"}));
const diamonds = () => document.querySelectorAll("#plane path").length;
seen.push(told(), diamonds());
by("keep").click();
seen.push(diamonds());
by("reset").click();
seen.push(diamonds());
by("ratio").value = 0.9;
by("ratio").dispatchEvent(new Event("input"));
seen.push(by("ratio-shown").textContent);
by("method").id = "seen";
by("seen").textContent = JSON.stringify(seen);
</script>"""


@needs_browser
def test_browser_follows_hands(pages, tmp_path):
    """Dragged, moved by keys, kept, started again; without the policy, which would stop the test's own program."""
    page = re.sub(r"<meta http-equiv=[^>]*>", "", pages["kaplan"]).replace("</body>", f"{HANDS}</body>")
    document, console = shown_in_browser(tmp_path, page)
    assert console == []
    start, dragged, let_go, up, *diamonds, ratio = json.loads(text_of(document, "seen"))
    assert start != dragged == let_go != up
    assert let_go.split(",")[0] == up.split(",")[0]  # as many parameters, more tokens
    assert diamonds == [1, 2, 1]
    assert float(ratio) > 1000


@needs_browser
def test_browser_shows_no_loss_of_assumed_parameters(tmp_path):
    size, tokens = np.full(12, 1e8), np.geomspace(1e9, 1e11, 12)
    page = report.page(quiet_fit(size, tokens, noisy(size, tokens, 0.005)))
    document, console = shown_in_browser(tmp_path, page, "#C=6e18&k=100")
    assert console == []
    assert text_of(document, "loss") == "not determined by these runs"


@needs_browser
def test_browser_on_a_ray(pages, tmp_path):
    on, console = shown_in_browser(tmp_path, pages["ray"], "#C=7e17&k=20&N=3e7&D=3e10")
    assert console == []
    assert re.match(r"[\d.]+ ± [\d.]+ nats", text_of(on, "loss"))
    off, _ = shown_in_browser(tmp_path, pages["ray"], "#C=7e17&k=90&N=3e7&D=3e10")
    assert text_of(off, "loss") == "not determined: all runs have 20 tokens per parameter"
    before, after = text_of(off, "kappa").split(" → ")
    assert before == "above 100000"
    assert float(after) < 1e4
