# SPDX-License-Identifier: Apache-2.0
"""Plain data back as the values of a dataclass, by the types of its fields."""

from __future__ import annotations

import types
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from offray._expression.written import law_from
from offray._input.arrays import frozen
from offray._law import Law
from offray._travel.plain import array_from, number_from

_KINDS: dict[Any, Any] = {np.str_: str, np.bool_: bool, np.int64: int}


_KNOWN: dict[type, dict[str, Any]] = {}


def hints_of(cls: type) -> dict[str, Any]:
    """The types of a class's fields."""
    if cls not in _KNOWN:
        _KNOWN[cls] = get_type_hints(cls)
    return _KNOWN[cls]


def value_from(hint: Any, data: Any) -> Any:
    """One value of a type; ``ValueError``, ``TypeError`` or ``KeyError`` where the data are none."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (at for at in arguments if at is not type(None))
        return None if data is None else value_from(inner, data)
    if hint is Any or origin is np.floating:
        return number_from(data)
    if origin is np.ndarray:
        return _array(arguments[1], data)
    if origin is tuple:
        return _tuple(arguments, _of(list, data))
    if origin in (dict, Mapping):
        out = {key: value_from(arguments[1], at) for key, at in _of(dict, data).items()}
        return out if origin is dict else MappingProxyType(out)
    if hint is Law:
        return law_from(data)
    if hasattr(hint, "_of_figures"):
        return hint._of_figures(_of(dict, data))
    if hasattr(hint, "from_dict"):
        return hint.from_dict(data)
    if hasattr(hint, "_fields"):  # a named tuple
        return hint(*(value_from(at, data[name]) for name, at in hints_of(hint).items()))
    if hint is float:
        return float(number_from(data))
    return _of(hint, data)


def _of(kind: type, data: Any) -> Any:
    if type(data) is not kind:
        raise ValueError(f"{data!r:.40} is no {_WORDS[kind]}")
    return data


_WORDS: dict[type, str] = {list: "list", dict: "object", str: "text", int: "integer", bool: "truth value"}


def _array(hint: Any, data: Any) -> Any:
    (scalar,) = get_args(hint)
    if scalar not in _KINDS:
        return array_from(data)
    cells = [_of(_KINDS[scalar], at) for at in _of(list, data)]
    return frozen(np.array(cells, None if scalar is np.str_ else scalar))


def _tuple(arguments: tuple[Any, ...], data: list[Any]) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(value_from(arguments[0], at) for at in data)
    if len(arguments) != len(data):
        raise ValueError(f"{len(data)} values stand for {len(arguments)}")
    return tuple(value_from(hint, at) for hint, at in zip(arguments, data, strict=True))
