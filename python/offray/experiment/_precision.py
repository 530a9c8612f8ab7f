# SPDX-License-Identifier: Apache-2.0
"""The number format that losses are recorded in, and the one that fits run in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_BITS = {"bfloat16": 8, "float32": 24, "double": 53, "longdouble": 53}
PRECISIONS = tuple(_BITS)
"""Losses rounded to bfloat16 or float32 and fitted in double; double; and losses in double, fitted in long double."""


def rounded(x: npt.NDArray[np.float64], precision: str) -> npt.NDArray[np.float64]:
    """x to the nearest number with so many significant bits, ties to even, once: not through a format between."""
    bits = _BITS[precision]
    mantissa, exponent = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits))


def scalar(precision: str) -> npt.DTypeLike:
    """What the fit runs in."""
    kind: Any = np.longdouble if precision == "longdouble" else np.float64
    return kind  # type: ignore[no-any-return]
