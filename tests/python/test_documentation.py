# SPDX-License-Identifier: Apache-2.0
"""The README and the documentation say what is there: all of it, and what the figures say."""

import importlib.util
import re
import shlex
from types import ModuleType

import numpy as np
import offray
from helpers import ROOT, run_cli

README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDINGS = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
PERFORMANCE = (ROOT / "docs/performance.md").read_text(encoding="utf-8")


def hook(name):
    """A hook of mkdocs, as a module."""
    path = ROOT / "docs" / "hooks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"hook_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prose(page):
    """A page without its line breaks."""
    return " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 130


def test_the_readmes_first_command_ends_well(monkeypatch):
    """.ci/run runs it as written; here only what follows the set-up."""
    monkeypatch.chdir(ROOT)
    (first,) = re.findall(r"^\$ pip install '\.\[cli\]' && offray (.*)$", README, re.M)
    assert run_cli(*shlex.split(first)).returncode == 0
    assert re.findall(r"^\$ pip install '\.\[test\]' && pytest$", README, re.M)


def rows_of_performance(heading, column):
    """Time and unit by engine: one column of a table."""
    text = PERFORMANCE[PERFORMANCE.index(heading) :]
    head, _, *rows = [line.strip("| ").split(" | ") for line in text[text.index("| engine") :].split("\n\n")[0].splitlines()]
    at = head.index(column)
    return {row[0].replace("*", ""): row[at].split(" (")[0] for row in rows}


def test_times_of_the_readme_are_those_of_the_page():
    times = rows_of_performance("## One fit from a start, squares", "chinchilla_massivetext (240 runs)")
    table = [line for line in README.splitlines() if line.startswith("|")]
    shown = {re.sub(r"[\[\]`]|\(http[^)]*\)", "", line.split(" | ")[0].strip("| ")): line for line in table}
    for tool, engine in {
        "offray": "offray, no start",
        "scipy curve_fit": "scipy curve_fit, analytic",
        "lmfit": "lmfit, analytic",
        "iminuit": "iminuit, analytic",
    }.items():
        assert shown[tool].rstrip("| ").endswith(f" {times[engine]}")
    time, unit = times["offray, no start"].split()
    assert f"runs: {float(time):.0f} {unit} without a start" in prose("global_search.md")


def test_ratios_of_the_search_are_those_of_the_page():
    claim = re.search(r"takes (\d+) to (\d+) times as long on the same runs", prose("global_search.md"))
    shown = PERFORMANCE[PERFORMANCE.index("(240 runs), every form") :]
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in shown.splitlines() if " | raw | " in line}
    ratios = [float(rows[f"scipy curve_fit, {form}"][3]) for form in ("analytic", "default")]
    assert [round(ratio) for ratio in ratios] == [int(figure) for figure in claim.groups()]

    def seconds(text):
        value, unit = text.split(" ")[:2]
        return float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit]

    laws = PERFORMANCE[PERFORMANCE.index("## The other laws") :]
    kaplan = next(line for line in laws.splitlines() if line.startswith("| kaplan"))
    variants = PERFORMANCE[PERFORMANCE.index("## Variants of the plain fit") :]
    plain = next(line for line in variants.splitlines() if line.startswith("| plain"))
    assert "takes about ten times as long" in prose("global_search.md")
    assert 7 < seconds(kaplan.split(" | ")[2]) / seconds(plain.split(" | ")[1]) < 14


def test_coverage_of_the_page_is_that_of_the_simulation():
    row = next(line for line in prose("blind_studies.md").split(" | | ") if line.startswith("gaussian | n > 8"))
    _, _, _, parameters, _, further, *_ = row.split(" | ")
    claim = re.search(r"hold the truth in (\d+) %, predictions at ten times the compute in (\d+) %", prose("intervals.md"))
    assert [round(100 * float(share)) for share in (parameters, further)] == [int(figure) for figure in claim.groups()]


def test_every_finding_has_its_row():
    keys = set(re.findall(r'"(\w+)"', re.search(r"kFindings\[\] = \{(.*?)\}", header("finding"), re.S)[1]))
    assert len(keys) == 20  # the README says twenty
    rows = set(re.findall(r"^\| `(\w+)` \|", FINDINGS, re.M))
    assert keys | {"law_matters", "extrapolates"} <= rows
    unknown = rows - keys - {"law_matters", "extrapolates"}
    assert unknown <= {"stalled", "evaluation_limit", "evaluation_failed"}


def header(name):
    """A header of the core."""
    return (ROOT / "cpp/include/offray" / f"{name}.hpp").read_text(encoding="utf-8")


def test_every_status_has_its_row():
    for status in re.findall(r'"(\w+)"', re.search(r"kStatuses\[\] = \{(.*?)\}", header("status"), re.S)[1]):
        assert status == "converged" or f"`{status}`" in FINDINGS, status


def test_every_public_name_is_in_the_reference():
    page = hook("api").page()
    missing = []
    for name in dir(offray):
        value = getattr(offray, name)
        full = [name]
        if isinstance(value, ModuleType):
            full = [f"{name}.{member}" for member in getattr(value, "__all__", ())] or [name]
        missing += [one for one in full if not re.search(rf"offray\.{re.escape(one)}`?$", page, re.M)]
    assert missing == ["__version__"]


def test_every_command_and_option_is_in_the_reference():
    page = hook("options").page()
    help_text = run_cli("--help").stdout
    commands = re.findall(r"^## offray (\w+)$", page, re.M)
    assert commands
    assert all(name in help_text for name in commands)
    fit = page[page.index("## offray fit") :].split("\n## ")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", run_cli("fit", "--help").stdout))
    assert {"--law", "--where", "--log-loss"} < options
    spelt = set(re.findall(r"--[a-z][a-z-]+", " ".join(re.findall(r"^\| `([^`]+)`", fit, re.M))))
    assert options - {"--help"} <= spelt


def test_every_picture_is_in_the_gallery():
    gallery = (ROOT / "docs/gallery.md").read_text(encoding="utf-8")
    shown = set(re.findall(r'plot\("(\w+)"\)|figure\(.*, "(\w+)"\)', gallery))
    kinds = {kind for pair in shown for kind in pair if kind}
    assert set(offray.plot.KINDS) - kinds == {"compare", "isoflop"}  # what their results' plot() draws
    assert "offray.compare(" in gallery
    assert "offray.isoflop(" in gallery


def test_links_lead_somewhere():
    """On GitHub and among files; mkdocs checks its own pages, and anchors."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_pictures_of_the_readme_are_small():
    for name in re.findall(r"!\[.*\]\((.*?)\)", README):
        assert (ROOT / name).stat().st_size < 150_000


def test_the_rays_of_the_page():
    """docs/paper.md and docs/identifiability.md: ratios a factor four apart bring kappa_eq to 100, ten to about 40."""
    assert np.isclose(offray.r_min(0.28), 4.3, atol=0.05)
    assert 30 < offray.tpp_diversity([1, 10], 0.28).kappa_eq < 50


def test_every_document_is_explained():
    """A schema that a command prints stands on the page of the command line."""
    page = (ROOT / "docs/command_line.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text() for path in (ROOT / "python/offray/cli").glob("*.py"))
    printed = set(re.findall(r'(?:form\.show|output\.line|output\.document)\(\s*"(\w+)"', sources))
    assert len(printed) > 8
    assert all(f"`offray.{schema}`" in page for schema in printed)
