# SPDX-License-Identifier: Apache-2.0
"""The gallery: its blocks of Python are run, and every picture that one of them draws is put under it."""

from __future__ import annotations

import ast
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import offray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGE = "gallery.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.S | re.M)

_pages: dict[str, str] = {}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Draws the pictures, as files of the site."""
    mpl.use("agg")
    page = files.get_file_from_path(PAGE)
    assert page is not None
    names: dict[str, Any] = {}

    def with_picture(block: re.Match[str]) -> str:
        figure = drawn(block[1], names)
        if figure is None:
            return block[0]
        name = f"figures/gallery_{block.start()}.svg"
        files.append(File.generated(config, name, content=svg(figure)))
        return f"{block[0]}\n[![The picture that this draws]({name})]({name})\n"

    _pages[PAGE] = BLOCK.sub(with_picture, page.content_string)
    return files


def on_page_read_source(*, page: Page, config: MkDocsConfig) -> str | None:
    """The gallery with its pictures."""
    return _pages.get(page.file.src_uri)


def drawn(code: str, names: dict[str, Any]) -> Figure | None:
    """The figure that the last statement of a block is, if it is one."""
    *before, last = ast.parse(code).body
    with warnings.catch_warnings(), mpl.rc_context(offray.plot.style()):
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        exec(compile(ast.Module(before, []), PAGE, "exec"), names)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), PAGE, "exec"), names)
            return None
        value = eval(compile(ast.Expression(last.value), PAGE, "eval"), names)
    figure = value.figure if isinstance(value, Axes) else value
    return figure if isinstance(figure, Figure) else None


def svg(figure: Figure) -> str:
    """Its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.svg"
        offray.plot.save(figure, path)
        return path.read_text(encoding="utf-8")
