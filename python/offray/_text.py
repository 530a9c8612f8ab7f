# SPDX-License-Identifier: Apache-2.0
"""Numbers and tables as text and as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

_LONGEST = 6
"""Digits before the point, and zeros behind it less two, up to which a number is written without a power of ten."""


def rounded(value: Any, se: Any) -> str:
    """A number to the place of the second digit of its standard error: 406.4 with 12 is 406, 0.02164 with 0.0031 is 0.0216.

    At least two digits of it, so that nothing but 0 becomes 0, and at most ten; six where there is no standard error.
    """
    value, se = float(value), float(se)
    if not (math.isfinite(value) and math.isfinite(se) and se > 0) or value == 0:
        return f"{value + 0.0:.6g}"  # no minus before zero
    place = max(min(_second(se), _second(value)), _second(value) - 8)
    return _to_place(value, place)


def two_digits(se: Any) -> str:
    """A standard error: two digits."""
    se = float(se)
    return _to_place(se, _second(se)) if math.isfinite(se) and se else f"{se:g}"


def _second(x: float) -> int:
    """The power of ten of a number's second digit, once it is rounded to two."""
    return int(f"{x:.1e}".partition("e")[2]) - 1


def _to_place(x: float, place: int) -> str:
    """A number with its last digit at a power of ten."""
    leading = int(f"{x:.15e}".partition("e")[2])
    digits = max(leading - place, 0)
    if -4 <= leading < _LONGEST:
        return f"{round(x, -place):.{max(-place, 0)}f}"
    return f"{x:.{digits}e}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns of text, one line each."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


class Sheet(NamedTuple):
    """A table, its heading first, between lines of text: for a terminal and for a notebook."""

    before: Sequence[str]
    rows: Sequence[Sequence[str]]
    after: Sequence[str] = ()

    def text(self) -> str:
        """As lines."""
        return "\n".join([*self.before, *([aligned(self.rows)] if self.rows else []), *self.after])

    def html(self) -> str:
        """As an HTML table in the notebook's own colours, with every character of it text."""
        from html import escape  # for notebooks alone

        def row(kind: str, cells: Sequence[str]) -> str:
            return "<tr>" + "".join(f"<{kind} style='text-align:left'>{escape(cell)}</{kind}>" for cell in cells) + "</tr>"

        def lines(of: Sequence[str]) -> str:
            return "".join(f"<div>{escape(line)}</div>" for line in of if line)

        head, *body = self.rows or [()]
        cells = row("th", head) + "".join(row("td", each) for each in body)
        return f"<div>{lines(self.before)}{f'<table>{cells}</table>' if self.rows else ''}{lines(self.after)}</div>"
