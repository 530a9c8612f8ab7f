# SPDX-License-Identifier: Apache-2.0
"""Every command and option, out of the command line itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer
from offray.cli import app

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PAGE = "options.md"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The page of commands."""
    from mkdocs.structure.files import File  # here, so that tests of the page need no mkdocs

    files.append(File.generated(config, PAGE, content=page()))
    return files


def page() -> str:
    """All commands, in their order."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("offray", [], resilient_parsing=True)
    commands = (command(name, group.get_command(context, name)) for name in group.list_commands(context))
    return "# Every option\n\nWhat `offray COMMAND --help` prints.\n\n" + "\n".join(commands)


def command(name: str, of: Any) -> str:
    """One command: what it does, its arguments and its options by the panels of its help."""
    context = of.make_context(name, [], resilient_parsing=True)
    panels: dict[str, list[str]] = {}
    for parameter in of.params:
        if not getattr(parameter, "hidden", False):
            panel = getattr(parameter, "rich_help_panel", None) or "Options"
            panels.setdefault(panel, []).append(row(parameter, context))
    out = [f"## offray {name}", "", plain(of.help or ""), ""]
    for panel, rows in panels.items():
        out += [f"**{panel}**", "", "| option | |", "|---|---|", *rows, ""]
    return "\n".join(out)


def row(parameter: Any, context: Any) -> str:
    """An argument or option as the help shows it, with its default."""
    spelt, said = parameter.get_help_record(context)
    text = plain(said).replace("|", "\\|")
    return f"| `{spelt}` | {text} |"


def plain(text: str) -> str:
    """Help as Markdown: asterisks as they are, options as code."""
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*)", r"`\1`", text.replace("*", "\\*")).replace("\f", "").strip()
