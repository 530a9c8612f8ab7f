# SPDX-License-Identifier: Apache-2.0
"""Links that leave the folder of the documentation: what they lead to becomes a page too, and the links lead there.

Pages refer to files of the project as GitHub shows them, ``../examples/trainer/README.md``. Such a file is put into the site
under ``project/``, Markdown as a page, anything else as a block of code.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!\w+:)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
ALWAYS = ("CHANGELOG.md", "CONTRIBUTING.md")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds what pages link to, and what those pages link to."""
    waiting = list(ALWAYS)
    for file in files.documentation_pages():
        waiting += outside(file.src_uri, file.content_string)
    while waiting:
        path = waiting.pop()
        if files.get_file_from_path(page_of(path)) is None:
            text = (ROOT / path).read_text(encoding="utf-8")
            shown = text if path.endswith(".md") else f"# {path}\n\n```{Path(path).suffix[1:]}\n{text}```\n"
            file = File.generated(config, page_of(path), content=shown, inclusion=InclusionLevel.NOT_IN_NAV)
            files.append(file)
            waiting += outside(file.src_uri, shown)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links."""
    here = page.file.src_uri

    def turned(link: re.Match[str]) -> str:
        path = in_project(here, link["path"])
        if not (ROOT / path).is_file():
            return link[0]  # made while the site is built; or code that looks like a link
        return f"]({posixpath.relpath(page_of(path), posixpath.dirname(here) or '.')}{link['anchor'] or ''})"

    return LINK.sub(turned, markdown)


def outside(page: str, text: str) -> list[str]:
    """Files of the project outside of the documentation that a page links to."""
    paths = (in_project(page, link["path"]) for link in LINK.finditer(text))
    return [path for path in paths if not path.startswith("docs/") and (ROOT / path).is_file()]


def in_project(page: str, link: str) -> str:
    """Where in the project a link of a page of the site leads."""
    at = page.removeprefix("project/").removesuffix(".page.md") if page.startswith("project/") else f"docs/{page}"
    return posixpath.normpath(posixpath.join(posixpath.dirname(at), link))


def page_of(path: str) -> str:
    """The page of the site that shows a file of the project."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"project/{path}" if path.endswith(".md") else f"project/{path}.page.md"
