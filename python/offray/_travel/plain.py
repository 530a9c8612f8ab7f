# SPDX-License-Identifier: Apache-2.0
"""Values as strict JSON holds them, and back to the last bit.

A double is a number, whose shortest text gives it back. A long double is text, a hexadecimal fraction as C's ``strtold`` reads
it. What is not finite is text: "nan", "inf", "-inf", with an L behind it for a long double.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from offray._expression.written import law_as_plain
from offray._input.arrays import Array, frozen
from offray._law import Law

_HEXADECIMAL = re.compile(r"(-?)0x([0-9a-f]{1,32})p([+-]\d{1,5})")
_DIGITS = int(np.finfo(np.longdouble).nmant) + 1


def number(value: Any) -> float | str:
    """One number."""
    wide = isinstance(value, np.longdouble)
    if not np.isfinite(value):
        return f"{float(value)}{'L' if wide else ''}"
    return _hexadecimal(value) if wide else float(value)


def _hexadecimal(value: np.longdouble) -> str:
    fraction, exponent = np.frexp(abs(value))
    digits, power = int(np.ldexp(fraction, _DIGITS)), int(exponent) - _DIGITS
    while digits and digits % 16 == 0:
        digits, power = digits // 16, power + 4
    return f"{'-' if np.signbit(value) else ''}0x{digits:x}p{power:+d}"


def number_from(data: Any) -> Any:
    """What `number` wrote, a double or a long double; ``ValueError`` for anything else."""
    if isinstance(data, int | float) and not isinstance(data, bool):
        return np.float64(data)
    if data in ("nan", "inf", "-inf"):
        return np.float64(data)
    if data in ("nanL", "infL", "-infL"):
        return np.longdouble(data[:-1])
    found = _HEXADECIMAL.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        raise ValueError(f"{data!r:.40} is no number")
    value = np.ldexp(np.longdouble(int(found[2], 16)), int(found[3]))
    return -value if found[1] else value


def array_from(data: Any) -> Array:
    """An array of numbers, read-only; of long doubles where any is one."""
    cells = np.array(data, object)
    values = [number_from(cell) for cell in cells.ravel()]
    wide = any(isinstance(value, np.longdouble) for value in values)
    return frozen(np.array(values, np.longdouble if wide else np.float64).reshape(cells.shape))  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """A value of a result as JSON holds it; ``TypeError`` for what none has."""
    if value is None or isinstance(value, bool | np.bool_ | str):
        return value if value is None else str(value) if isinstance(value, str) else bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return number(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuU" or (value.dtype == np.float64 and np.isfinite(value).all()):
            return value.tolist()
        return plain(list(value) if value.ndim else value[()])
    if isinstance(value, Law):
        return law_as_plain(value)
    if hasattr(value, "from_dict") and isinstance(law := getattr(value, "law", None), Law):
        law_as_plain(law)  # a fit within a result: one that could not come back is refused
    for name in ("_figures", "to_dict", "_asdict"):  # of a result within a result, of a fit, of a named tuple
        if hasattr(value, name):
            return plain(getattr(value, name)())
    if isinstance(value, Mapping):
        return {_key(key): plain(at) for key, at in value.items()}
    if isinstance(value, tuple | list):
        return [plain(at) for at in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is no text")
    return key
