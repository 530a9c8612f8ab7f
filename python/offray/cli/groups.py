# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share: dataclasses, whose fields stand in the place of a command's parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, TypeVar, get_type_hints

from offray.cli.options import fail

Result = TypeVar("Result")


def option_groups(command: Callable[..., Result]) -> Callable[..., Result]:
    """Gives a command the fields of its parameters that are groups of options, such as `Reading`, in their place."""
    own = inspect.signature(command).parameters
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hints[name] for name in own if is_dataclass(hints[name])}

    @wraps(command)
    def with_options(**given: Any) -> Result:
        try:
            of_groups = {name: group(**{f.name: given.pop(f.name) for f in fields(group)}) for name, group in groups.items()}
        except ValueError as error:
            fail(str(error))
        return command(**given, **of_groups)

    parameters = [p.replace(annotation=hints[name]) for name, p in own.items() if name not in groups]
    for group in groups.values():
        types = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=types[f.name])
            for f in fields(group)
        ]
    with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    )
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options
