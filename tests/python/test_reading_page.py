# SPDX-License-Identifier: Apache-2.0
"""docs/reading_runs.md: its files, read by its commands, give what it shows."""

import re
import shlex

from helpers import ROOT, run_cli

BLOCK = re.compile(r"```(?P<kind>\w+) ?(?P<file>[\w.]*)\n(?P<text>.*?)```", re.S)


def test_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed, shown = "", 0
    for block in BLOCK.finditer((ROOT / "docs/reading_runs.md").read_text(encoding="utf-8")):
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"])
        elif block["kind"] == "console":
            done = [run_cli(*shlex.split(line)[2:]) for line in block["text"].splitlines()]
            printed = "".join(each.stderr + each.stdout for each in done)
        elif block["kind"] == "text":
            shown += 1
            for line in block["text"].splitlines():
                assert line in printed, line
    assert shown == 7
