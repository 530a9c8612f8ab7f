# SPDX-License-Identifier: Apache-2.0
"""Writes interval_inflation.json anew: how much wider the interval of A is than that of psi on one ray, sizes even in ln N."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exact import LAWS, gradient, read, text, write
from make_conditioning import HOFFMANN
from mpmath import mp, mpf

DIGITS = 20
Column = Callable[[Any], Any]


def width(columns: Sequence[Column], half: Any) -> Any:
    """Standard error of the first column's coefficient over sizes with ln N even in (-half, half), up to sigma / sqrt(n)."""
    gram = mp.matrix(len(columns))
    for i, f in enumerate(columns):
        for j, g in enumerate(columns[: i + 1]):
            gram[i, j] = gram[j, i] = mp.quad(lambda x, f=f, g=g: f(x) * g(x), mp.linspace(-half, half, 5)) / (2 * half)
    return mp.sqrt((gram**-1)[0, 0])


def computed(row: dict[str, Any]) -> dict[str, Any]:
    """Exponents known; E free as well; all five free, at the middle of the sizes."""
    half = mp.log(mpf(repr(row["N2_over_N1"]))) / 2
    beta = mpf("0.28")
    alpha = beta + mpf(repr(row["gap"]))

    def f(x: Any) -> Any:
        return mp.exp(-alpha * x)

    def g(x: Any) -> Any:
        return mp.exp(-beta * x)

    def one(_: Any) -> Any:
        return mpf(1)

    def df(x: Any) -> Any:
        return -x * f(x)

    def dg(x: Any) -> Any:
        return -x * g(x)

    return {
        **{key: row[key] for key in ("N2_over_N1", "gap")},
        "exponents known": text(width([f, g], half) / width([f], half), DIGITS),
        "E free": text(width([f, g, one], half) / width([f, one], half), DIGITS),
        "all free": text(width([f, one, g, df, dg], half) / width([f, one, df], half), DIGITS),
    }


def of_the_pair(law: str, theta: Sequence[Any], pair: slice, sizes: Sequence[int], k: int) -> str:
    """1 / sqrt(1 - rho^2), rho the cosine of the angle between the columns of the two scale coefficients."""
    rows = [gradient(LAWS[law], (mpf(N), mpf(k * N), None), theta)[pair] for N in sizes]
    aa, ab, bb = (mp.fsum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    return text(mp.sqrt(aa * bb / (aa * bb - ab**2)), DIGITS)


if __name__ == "__main__":
    table, design = read("interval_inflation"), read("conditioning")
    table["table"] = [computed(row) for row in table["table"]]
    kaplan = [mpf(x) for x in ("8.8e13", "5.4e13", "0.076", "0.095")]
    table["pair"] = {
        "chinchilla": of_the_pair("chinchilla", HOFFMANN, slice(1, 3), design["sizes"], design["k"]),
        "kaplan": of_the_pair("kaplan", kaplan, slice(0, 2), design["sizes"], design["k"]),
    }
    write("interval_inflation", table)
