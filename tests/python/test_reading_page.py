# SPDX-License-Identifier: Apache-2.0
"""docs/reading_runs.md and docs/command_line.md: their files, read by their commands, give what they show."""

import re
import shlex

import pytest
from helpers import ROOT, run_cli

BLOCK = re.compile(r"```(?P<kind>\w+) ?(?P<file>[\w.]*)\n(?P<text>.*?)```", re.S)


@pytest.mark.parametrize(("page", "texts"), [("reading_runs.md", 7), ("command_line.md", 10)])
def test_examples(page, texts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed, shown = "", 0
    for block in BLOCK.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"])
        elif block["kind"] == "console":
            done = [run_cli(*shlex.split(line)[2:]) for line in block["text"].splitlines()]
            printed = "".join(each.stderr + each.stdout for each in done)
        elif block["kind"] == "text":
            shown += 1
            for line in block["text"].splitlines():
                assert line in printed, line
    assert shown == texts


def test_every_document_is_explained(tmp_path, monkeypatch):
    """A schema that a command prints stands in the page."""
    page = (ROOT / "docs/command_line.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text() for path in (ROOT / "python/offray/cli").glob("*.py"))
    printed = set(re.findall(r'(?:output\.show|output\.line|output\.document)\(\s*"(\w+)"', sources))
    assert len(printed) > 8
    assert all(f"`offray.{schema}`" in page for schema in printed)
