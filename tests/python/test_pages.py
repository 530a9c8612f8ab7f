# SPDX-License-Identifier: Apache-2.0
"""Every example of the README and of the documentation runs, and prints what the page says."""

import sys

import pytest
from pages import missing, pages, play, renewed


@pytest.fixture
def pictures():
    """Those that a page leaves open are closed: other tests look whether any are."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("page", pages())
@pytest.mark.usefixtures("pictures")
def test_examples(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for said, _, printed in play(page):
        wrong = missing(said, printed)
        assert not wrong, f"{page} is out of date (python tests/python/pages.py {page}): {wrong!r} is no part of\n{printed}"


PRINTED = "law: a\nruns: 3\nE 1\nwarning: much\n"


@pytest.mark.parametrize(
    "said",
    [PRINTED, "law: a\n...\n", "...\nE 1\nwarning: much\n", "law: a\n...\nE 1\n...\n", "...\nwarning: much\n"],
)
def test_what_was_printed_is_found(said):
    assert missing(said, PRINTED) == ""
    assert renewed(said, PRINTED) == said


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("law: a\n", "runs: 3\nE 1\nwarning: much"),
        ("law: b\n...\n", "law: b"),
        ("...\nE 2\n...\n", "E 2"),
        ("...\nE 1\n...\nruns: 3\n...\n", "runs: 3"),
        ("law: a\n...\nE 1\n", "warning: much"),
    ],
)
def test_what_was_not_printed_is_told(said, wrong):
    assert missing(said, PRINTED) == wrong


def test_a_block_is_written_anew():
    assert renewed("law: a\n...\nE 0.9\n...\n", PRINTED) == "law: a\n...\nE 1\n...\n"
    assert renewed("anything\n", PRINTED) == PRINTED
