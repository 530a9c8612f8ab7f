# SPDX-License-Identifier: Apache-2.0
"""Single numbers that users pass: each kind is checked here."""

from __future__ import annotations

import operator
from typing import Any


def integer(name: str, value: Any, least: int = 1) -> int:
    """An integer of at least `least`; ``ValueError`` otherwise."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer; got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}; got {number}")
    return number


def level(value: float) -> None:
    """``ValueError`` unless the level of an interval is in (0, 1)."""
    if not 0 < value < 1:
        raise ValueError(f"level must be in (0, 1); got {value}")


def threads(value: int | None) -> int:
    """A number of threads as the core takes it: 0 stands for one per processor."""
    return 0 if value is None else min(integer("threads", value), 2**15)
