# SPDX-License-Identifier: Apache-2.0
"""Arguments of experiments: each is checked once, where it comes in."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

_LARGEST_SEED = 2**63


def column(name: str, values: Any) -> npt.NDArray[Any]:
    """A copy of positive, finite numbers, read-only."""
    out = positive(name, values).copy()
    out.flags.writeable = False
    return out


def positive(name: str, values: Any) -> npt.NDArray[Any]:
    """Positive, finite numbers, at least one; ``ValueError`` names the first that is none."""
    for row, value in enumerate(values):
        if isinstance(value, bool | np.bool_ | complex | np.complexfloating) or not hasattr(value, "__float__"):
            raise ValueError(f"{name}[{row}] = {value!r}: every value must be a real number")
    out = np.array(values, float)
    if out.ndim != 1 or out.size == 0:
        raise ValueError(f"{name} must be one-dimensional and not empty; got shape {out.shape}")
    for row in np.flatnonzero(~((out > 0) & (out < np.inf))).tolist():
        raise ValueError(f"{name}[{row}] = {out[row]}: every value must be positive and finite")
    return out


def names(argument: str, given: str | Iterable[str], known: Iterable[str] | None = None) -> tuple[str, ...]:
    """Names, each once, out of those known."""
    chosen = (given,) if isinstance(given, str) else tuple(given)
    known = None if known is None else tuple(known)
    for name in chosen:
        if known is not None and name not in known:
            raise ValueError(f"{argument}: unknown {name!r}; known: {', '.join(known)}")
    return distinct(argument, chosen)


def distinct(argument: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """One name or more, each once."""
    if not given or len(set(given)) < len(given):
        raise ValueError(f"{argument}: {', '.join(map(str, given)) or 'none'}; each name has to be there once")
    return given


def count(argument: str, value: Any) -> int:
    """An integer from 1 on."""
    number = _integer(argument, value)
    if number < 1:
        raise ValueError(f"{argument} must be at least 1; got {number}")
    return number


def seeds(given: Any) -> tuple[int, ...]:
    """Seeds as given, or 0, 1, ... for their number."""
    if not isinstance(given, Iterable):
        return tuple(range(count("seeds", given)))
    numbers = tuple(_integer("seeds", seed) for seed in given)
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0 or max(numbers) >= _LARGEST_SEED:
        raise ValueError(f"seeds must be different numbers from 0 to 2**63 - 1, or how many; got {given!r}")
    return numbers


def _integer(argument: str, value: Any) -> int:
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise ValueError(f"{argument}: {value!r} is not an integer")
    return operator.index(value)
