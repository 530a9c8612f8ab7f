# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of the README and of the documentation, and compares what they print with what the page says.

    python tests/python/pages.py [PAGE ...]

writes what they print now into the pages. The blocks of a page run in order, in an empty folder and one namespace:

    ```csv runs.csv      a block with a file's name is written to that file
    ```python            is executed
    ```console           its lines that begin with `$ offray`, or end in `| offray ...` or `&& offray ...`, are run
    ```text              is what the last python or console block printed; a line `...` stands for any number of lines

What takes long, loads from the network or builds something stands in a block ```sh, which nobody runs.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import offray
from helpers import ROOT, run_cli

BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<file>[\w.]+))?\n(?P<text>.*?)^```$", re.S | re.M)
OMITTED = "..."


class Printed(NamedTuple):
    """A block ``text`` of a page: what it says, where that stands, and what was printed in fact."""

    said: str
    span: tuple[int, int]
    printed: str


def pages() -> list[str]:
    """Every page with an example, relative to the project."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    runs = {"python", "console"}
    return [
        path.relative_to(ROOT).as_posix()
        for path in found
        if any(block["kind"] in runs for block in BLOCK.finditer(path.read_text(encoding="utf-8")))
    ]


def play(page: str) -> Iterator[Printed]:
    """Runs a page in the present folder, which must be empty."""
    Path("python").symlink_to(ROOT / "python")
    text = (ROOT / page).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    printed = ""
    for block in BLOCK.finditer(text):
        if block["file"]:
            Path(block["file"]).write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "python":
            above = "\n" * text.count("\n", 0, block.start("text"))  # so that a traceback names the line of the page
            printed = _executed(compile(above + block["text"], page, "exec"), names)
        elif block["kind"] == "console":
            printed = "".join(map(_commanded, block["text"].splitlines()))
        elif block["kind"] == "text":
            yield Printed(block["text"], block.span("text"), printed)


def _executed(code: Any, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # part of what is shown
        exec(code, names)
    return out.getvalue()


def _commanded(line: str) -> str:
    command = line.removeprefix("$ ").rpartition(" && ")[2]
    before, piped, after = command.rpartition(" | ")
    arguments = shlex.split(after if piped else command)
    if not arguments or arguments[0] != "offray":
        return ""
    sent = shlex.split(before)[1].encode().decode("unicode_escape") if piped else None  # printf 'TEXT'
    done = run_cli(*arguments[1:], stdin=sent)
    return done.stderr + done.stdout


def missing(said: str, printed: str) -> str:
    """What a block says that was not printed there, or nothing."""
    lines = [line.rstrip() for line in printed.splitlines()]
    at = 0
    for k, chunk in enumerate(_chunks(said)):
        starts = range(at, len(lines) - len(chunk) + 1) if k else range(min(1, len(lines) + 1))
        found = next((start for start in starts if lines[start : start + len(chunk)] == chunk), None)
        if found is None:
            return "\n".join(chunk)
        at = found + len(chunk)
    whole = not said.rstrip().endswith(OMITTED)
    return "\n".join(lines[at:]) if whole else ""


def renewed(said: str, printed: str) -> str:
    """The block with what is printed now: each part as long as before, and from the line that is most like its first one."""
    lines = [line.rstrip() for line in printed.splitlines()]
    chunks = _chunks(said)
    open_end = said.rstrip().endswith(OMITTED)
    if len(chunks) == 1 and not open_end:
        return "\n".join(lines) + "\n"
    out, at = [], 0
    for k, chunk in enumerate(chunks):
        at += _most_like(chunk[0], lines[at:]) if k else 0
        out.append("\n".join(lines[at : at + len(chunk)]))
        at += len(chunk)
    return f"\n{OMITTED}\n".join(out).removeprefix("\n") + (f"\n{OMITTED}\n" if open_end else "\n")


def _most_like(line: str, lines: list[str]) -> int:
    """Which line begins with the same word, or with another one, and is the nearest of these."""
    word = line.split(" ")[0]
    alike = [other for other in lines if other.split(" ")[0] == word] or lines
    return lines.index(difflib.get_close_matches(line, alike, n=1, cutoff=0)[0])


def _chunks(said: str) -> list[list[str]]:
    """Lines between the lines `...`; the first chunk is empty where the block begins with one."""
    chunks: list[list[str]] = [[]]
    for line in said.rstrip("\n").split("\n"):
        if line == OMITTED:
            chunks.append([])
        else:
            chunks[-1].append(line)
    return chunks if chunks[-1] else chunks[:-1]


def write(page: str) -> None:
    """Put what its examples print now into a page."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    for said, (start, end), printed in reversed(list(play(page))):
        text = text[:start] + renewed(said, printed) + text[end:]
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or pages():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            write(name)
            os.chdir(ROOT)
