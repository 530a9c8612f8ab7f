# SPDX-License-Identifier: Apache-2.0
"""Arrays as the core reads them: one-dimensional, contiguous, float64 or longdouble. Every copy happens here."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
DType: TypeAlias = "np.dtype[np.floating[Any]]"

DOUBLE = np.dtype(np.float64)
LONG_DOUBLE = np.dtype(np.longdouble)
EMPTY = {dtype: np.empty(0, dtype) for dtype in (DOUBLE, LONG_DOUBLE)}


def choose_dtype(dtype: npt.DTypeLike | None, *arrays: Any) -> DType:
    """The precision to work in: as asked, else long double where any input is, else double."""
    if dtype is None:
        for a in arrays:
            if a is not None and (type(a) is not np.ndarray or a.dtype is not DOUBLE):
                break
        else:
            return DOUBLE
        wide = any(_is_wide(a) for a in arrays)
        return LONG_DOUBLE if wide else DOUBLE
    for known in (DOUBLE, LONG_DOUBLE):
        if np.dtype(dtype) == known:
            return known
    raise ValueError(f"dtype must be float64 or longdouble; got {np.dtype(dtype)}")


def _is_wide(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(isinstance(v, np.longdouble) for v in values)
    return getattr(values, "dtype", None) == LONG_DOUBLE


def numbers(name: str, values: Any, dtype: DType) -> Array:
    """`values` as an array of `dtype` and any shape; ``ValueError`` names the first entry that is no real number."""
    if type(values) is np.ndarray and values.dtype is dtype and values.flags.c_contiguous:
        return values
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; leave those runs out")
    array = np.asarray(values)
    if array.dtype == dtype and array.flags.c_contiguous:
        return array
    if array.dtype.kind not in "fiu":
        array = np.array([_number(name, row, v, dtype) for row, v in enumerate(array.ravel())], dtype).reshape(array.shape)
    return np.ascontiguousarray(array, dtype).reshape(array.shape)


def _number(name: str, row: int, value: Any, dtype: DType) -> Any:
    # What numpy would turn into a number without being asked: dates, truth values, the real part of a complex number.
    if not isinstance(value, complex | np.complexfloating | bool | np.bool_ | np.datetime64 | np.timedelta64):
        try:
            return dtype.type(value)  # reads text at the full precision of dtype, where float() would round to double
        except (TypeError, ValueError):
            pass
    shown = str(value) if isinstance(value, np.str_) else value
    raise ValueError(f"{name}[{row}] = {shown!r}: every value must be a real number")


def vector(name: str, values: Any, dtype: DType) -> Array:
    """`values` as a one-dimensional array; ``ValueError`` for another shape or for an entry that is no number."""
    array = numbers(name, values, dtype)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, one value per run; got shape {array.shape}")
    return array


def positive(name: str, values: Any) -> Array:
    """`values` as a vector of positive, finite doubles, at least one; ``ValueError`` names the first that is none."""
    array = vector(name, values, DOUBLE)
    for row in np.flatnonzero(~((array > 0) & (array < np.inf))):
        raise ValueError(f"{name}[{row}] = {array[row]}: every value must be positive and finite")
    if array.size == 0:
        raise ValueError(f"{name} is empty")
    return array


def optional_vector(name: str, values: Any, dtype: DType) -> Array:
    """As `vector`; for the core an empty array stands for None."""
    if values is None:
        return EMPTY[dtype]
    array = vector(name, values, dtype)
    if array.size == 0:
        raise ValueError(f"{name} has 0 values: one value per run is needed")
    return array


def frozen(array: Any) -> Any:
    """`array`, read-only: results are not to be changed by accident."""
    array = np.asarray(array)  # a sum of arrays without dimensions is a number
    array.flags.writeable = False
    return array
