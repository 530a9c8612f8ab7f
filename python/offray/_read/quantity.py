# SPDX-License-Identifier: Apache-2.0
"""Cells that people write for numbers: 70B, 1.4T, 19,000,000, 4.6e6, 3.5e20 FLOPs, 2,93."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from offray._read.raw import Cells

_GAPS = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "\u2013", "\u2014", "?"))
_SCALES = {"thousand": 3, "million": 6, "mn": 6, "billion": 9, "bn": 9, "trillion": 12, "k": 3, "m": 6, "b": 9, "g": 9, "t": 12}
_FLOP_SCALES = dict(zip("kmgtpez", range(3, 22, 3), strict=True))  # "e" for exa, which alone would be an exponent
_FORM = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>\d[\d.,_' ]*|[.,]\d+)(?P<power>e[+-]?\d+)?\s*"
    r"(?P<scale>thousand|million|mn|billion|bn|trillion|[kmbgt](?![a-z])|[kmbgtpez](?=flops?$))?\s*"
    r"(?P<unit>params?|parameters?|tokens?|tok|flops?|nats?|steps?)?"
)
_WHOLE_GROUPS = {mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+") for mark in ",."}


def is_gap(cell: Any) -> bool:
    """Whether a cell says that there is no value."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip().lower() in _GAPS
    return type(cell).__name__ in ("NAType", "NaTType") or bool(cell != cell)


def decimal_sign(columns: Iterable[Cells]) -> str | None:
    """The decimal sign that text in these columns has: "." or ","; None where one comma may be either.

    Raises
    ------
    ValueError
        Where some cells can be read with a comma only, others with a point only.
    """
    texts = [cell.strip() for column in columns if column.dtype == object for cell in column if isinstance(cell, str)]
    if not any("," in text or text.count(".") > 1 for text in texts):
        return "."
    said: dict[str, str] = {}
    doubtful = False
    for text in texts:
        sign = _sign_of(text)
        if sign == "?":
            doubtful = True
        elif sign:
            said.setdefault(sign, text)
    if len(said) > 1:
        raise ValueError(f"{said[',']!r} has a decimal comma, {said['.']!r} a decimal point: one file needs one of them")
    return next(iter(said), None if doubtful else ".")


def _sign_of(text: str) -> str:
    """The decimal sign that a cell must have, "?" where it may be either, "" where it says nothing."""
    digits = re.match(r"[+-]?([\d.,]+)", text)
    if digits is None:
        return ""
    number = digits[1]
    if _WHOLE_GROUPS[","].fullmatch(number):  # 1,234 may be either; 1,234,567 and 0,123 may not
        return "." if number.count(",") > 1 else "," if number.startswith("0") else "?"
    if _WHOLE_GROUPS["."].fullmatch(number):
        return "," if number.count(".") > 1 else "." if number.startswith("0") else ""
    if number.count(",") == 1 and "," in number[number.rfind(".") + 1 :]:
        return ","
    return "." if number.count(".") == 1 else ""


def number(text: str, sign: str | None = ".") -> float | None:
    """The number that a cell stands for; None where it stands for none, or where it is in doubt which."""
    found = _FORM.fullmatch(text.strip().lower().replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " "))
    if found is None:
        return _not_finite(text)
    digits = _plain(found["digits"].strip(), sign)
    if digits is None:
        return None
    scale, unit = found["scale"], found["unit"] or ""
    power = 0 if scale is None else (_FLOP_SCALES if unit.startswith("flop") and scale != "b" else _SCALES).get(scale, 0)
    told = found["power"]
    exponent = int(told[1:]) + power if told else power  # one rounding: 4.6M is float("4.6e6")
    return float(f"{found['sign']}{digits}e{exponent}")


def _plain(digits: str, sign: str | None) -> str | None:
    """Digits and a decimal point alone; None for groups that are none of thousands."""
    if sign is None and "," in digits:
        return None
    group, decimal = (",", ".") if sign != "," else (".", ",")
    whole, point, part = digits.partition(decimal)
    for mark in (group, " ", "_", "'"):
        if mark in whole:
            if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+", whole):
                return None
            whole = whole.replace(mark, "")
    if not re.fullmatch(r"\d*", part) or not (whole or part):
        return None
    return f"{whole or 0}.{part or 0}" if point else whole


def _not_finite(text: str) -> float | None:
    plain = text.strip().lower()
    if plain in ("inf", "+inf", "infinity", "-inf", "-infinity"):
        return float(plain)
    return None


def numbers(cells: Cells, sign: str | None = ".") -> tuple[Cells, dict[int, Any]]:
    """Cells as numbers, NaN where there is none, and by row what is there in place of one."""
    if cells.dtype.kind in "fiu":
        return cells, {}
    out = np.full(len(cells), np.nan)
    bad: dict[int, Any] = {}
    for row, cell in enumerate(cells.tolist() if cells.dtype == object else cells):
        value = _value(cell, sign)
        if value is None:
            bad[row] = cell
        else:
            out[row] = value
    return out, bad


def _value(cell: Any, sign: str | None) -> float | None:
    if isinstance(cell, str):
        if sign != "," and "_" not in cell:
            try:  # what most cells are
                return float(cell)
            except ValueError:
                pass
        return np.nan if is_gap(cell) else number(cell, sign)
    # What would turn into a number without being asked: truth values, dates, the real part of a complex number.
    if isinstance(cell, bool | np.bool_ | complex | np.datetime64 | np.timedelta64):
        return None
    if is_gap(cell):
        return np.nan
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None
