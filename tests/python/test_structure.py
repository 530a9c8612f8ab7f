# SPDX-License-Identifier: Apache-2.0
"""What keeps the house in order: no parameter's name outside of the laws, no large file, no long function."""

import ast
import re

import offray
import pytest
from helpers import ROOT

PYTHON = sorted((ROOT / "python" / "offray").rglob("*.py"))
CPP = sorted(path for path in (ROOT / "cpp").rglob("*") if path.suffix in (".hpp", ".cpp"))
NAMES = {name for law in dir(offray.laws) for at in (getattr(offray.laws, law),) for name in at.parameters if at.name}
NAMES |= {name for law in dir(offray.laws) for name in getattr(getattr(offray.laws, law).on_ray, "parameters", ())}


def literals(path):
    """Strings of a Python file, docstrings left out."""
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs}


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_knows_no_parameter_by_name(path):
    assert not NAMES & literals(path)


@pytest.mark.parametrize("path", [p for p in CPP if p.parent.name != "laws"], ids=lambda path: str(path.relative_to(ROOT)))
def test_cpp_knows_no_parameter_by_name(path):
    assert not NAMES & set(re.findall(r'"(\w+)"', re.sub(r"//.*", "", path.read_text())))


@pytest.mark.parametrize("path", [*PYTHON, *CPP], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_small(path):
    assert len(path.read_text().splitlines()) <= 350


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        assert not body or body[-1].end_lineno - body[0].lineno < 60, node.name
