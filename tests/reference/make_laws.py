# SPDX-License-Identifier: Apache-2.0
"""Writes laws.json anew: values and gradients of the laws at the inputs that stand there, to 32 digits."""

from __future__ import annotations

from typing import Any

from exact import LAWS, gradient, read, text, write
from mpmath import mpf

DIGITS = 32


def computed(case: dict[str, Any]) -> dict[str, Any]:
    """A case with its value and gradients by theta and by ln theta."""
    law = LAWS[case["law"]]
    theta = [mpf(value) for value in case["theta"].values()]
    where = [None if case[key] is None else mpf(case[key]) for key in ("N", "D", "U")]
    slopes = gradient(law, where, theta)
    names = list(case["theta"])
    return {
        **{key: case[key] for key in ("law", "label", "theta", "N", "D", "U")},
        "value": text(law(*where, *theta), DIGITS),
        "grad": {name: text(slope, DIGITS) for name, slope in zip(names, slopes, strict=True)},
        "grad_log": {name: text(slope * at, DIGITS) for name, slope, at in zip(names, slopes, theta, strict=True)},
    }


if __name__ == "__main__":
    table = read("laws")
    write("laws", {**table, "cases": [computed(case) for case in table["cases"]]})
