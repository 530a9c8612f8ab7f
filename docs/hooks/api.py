# SPDX-License-Identifier: Apache-2.0
"""The Python reference: every public name of offray, by what it is for."""

from __future__ import annotations

from importlib import import_module
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING

import offray

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PAGE = "api.md"
GROUPS = {
    "Fitting": ("_fit", "_result", "_grouped", "_online", "_problem", "_optimum", "_infer.fit_many", "_read", "_expression"),
    "Planning": ("_plan",),
    "Comparing laws, predicting": ("_compare", "_chain", "_optimal_of", "_infer"),
    "What runs determine": ("_identify", "_conditioning", "_warnings"),
    "In place of scipy": ("_scipy",),
}
"""Headings, and the modules whose names stand under them: the longest that fits decides."""
FURTHER = "Further names"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The page of the reference."""
    from mkdocs.structure.files import File  # here, so that tests of the page need no mkdocs

    files.append(File.generated(config, PAGE, content=page()))
    return files


def page() -> str:
    """All that `dir(offray)` lists: functions and classes under their headings, then modules with all that is in them."""
    names = [name for name in dir(offray) if not name.startswith("__")]
    modules = [name for name in names if isinstance(getattr(offray, name), ModuleType)]
    rest = [name for name in names if name not in modules]
    out = ["# Python", "", "`help(offray.fit)` and its like say the same.", ""]
    for heading in (*GROUPS, FURTHER):
        here = sorted((name for name in rest if heading_of(getattr(offray, name)) == heading), key=functions_first)
        out += [f"## {heading}", "", *(entry("offray", name) for name in here), ""] if here else []
    for module in modules:
        out += [f"## offray.{module}", "", *members(module), ""]
    return "\n\n".join(line for line in out if line) + "\n"


def heading_of(thing: object) -> str:
    """Under which heading a function or class stands."""
    module = str(getattr(thing, "__module__", "")).removeprefix("offray.")
    fitting = [(len(start), heading) for heading, starts in GROUPS.items() for start in starts if within(module, start)]
    return max(fitting)[1] if fitting else FURTHER


def within(module: str, room: str) -> bool:
    """Whether a module is a room of the package or lies in one."""
    return f"{module}.".startswith(f"{room}.")


def functions_first(name: str) -> tuple[bool, str]:
    """Functions, which are called, before the classes that they return."""
    return name[0].isupper(), name


def members(module: str) -> list[str]:
    """A module, and its public names where it lists them."""
    listed = getattr(getattr(offray, module), "__all__", None)
    if listed is None:
        return [f"::: offray.{module}"]
    alone = "\n    options:\n      members: false\n      show_root_heading: false\n      show_root_toc_entry: false"
    return [f"::: offray.{module}{alone}", *(entry(f"offray.{module}", name) for name in listed)]


def entry(module: str, name: str) -> str:
    """What has a docstring by that, a constant by its value."""
    value = getattr(import_module(module), name)
    documented = isinstance(value, type | FunctionType | BuiltinFunctionType | ModuleType)
    return f"::: {module}.{name}" if documented else f"### `{module}.{name}`\n\n`{value!r}`"
