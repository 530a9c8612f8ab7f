# SPDX-License-Identifier: Apache-2.0
"""Every extra: without its packages, one line says what to install."""

import os
import re
import subprocess
import sys

import pytest
from helpers import ROOT

# What is absent, and what is asked for.
ABSENT = {
    "cli": (["typer"], "import offray.cli"),
    "datasets": (["pooch"], "import offray; offray.datasets.load('chinchilla_massivetext')"),
    "excel": (["python_calamine"], "import io, offray; offray.read(io.BytesIO(b'PK\\x03\\x04' + bytes(60)))"),
    "frames": (["narwhals"], "import offray, polars; offray.read(polars.LazyFrame({'N': [1e7]}))"),
    "parquet": (["pyarrow", "polars"], "import io, offray; offray.read(io.BytesIO(b'PAR1' + bytes(60)))"),
    "plot": (["matplotlib"], "import offray; offray.plot"),
    "report": (["jinja2"], "import offray; offray.report"),
    "sklearn": (["sklearn"], "import offray; offray.sklearn"),
}
# Of developers, or made of others.
NOT_ASKED_FOR = {"all", "bench", "dev", "docs", "test"}


def extras():
    """Each extra with what it brings."""
    text = (ROOT / "pyproject.toml").read_text()
    section = text[text.index("[project.optional-dependencies]\n") :].split("\n\n")[0]
    return dict(re.findall(r"^(\w+) = \[(.*)\]$", section, re.MULTILINE))


@pytest.mark.parametrize("extra", ABSENT)
def test_the_message_names_the_extra(extra, tmp_path):
    absent, asked = ABSENT[extra]
    code = f"import sys; sys.modules.update(dict.fromkeys({absent})); {asked}"
    nowhere = os.environ | {"OFFRAY_DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=nowhere)
    assert done.returncode == 1
    assert f"pip install 'offray[{extra}]'" in done.stderr.strip().splitlines()[-1]


def test_every_name_at_once_needs_no_extra():
    """What needs one is an attribute all the same, and listed."""
    absent = sorted({package for packages, _ in ABSENT.values() for package in packages} | {"pandas", "scipy"})
    code = f"""
import sys
sys.modules.update(dict.fromkeys({absent}))
import offray
from offray import *
assert fit is offray.fit and datasets.names()
assert {{"plot", "report", "sklearn"}} <= set(dir(offray)) >= set(offray.__all__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_extra_is_tried():
    assert set(extras()) - NOT_ASKED_FOR == set(ABSENT)


def test_all_has_every_extra_for_users():
    (named,) = re.findall(r"offray\[([\w,]+)\]", extras()["all"])
    assert set(named.split(",")) == set(ABSENT)
