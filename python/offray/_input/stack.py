# SPDX-License-Identifier: Apache-2.0
"""Stacks of data sets as the core reads them: all rows one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from offray._input.arrays import Array, DType, numbers, vector


def is_ragged(values: Any) -> bool:
    """Whether `values` are rows of different lengths."""
    return isinstance(values, list | tuple) and len({np.shape(row) for row in values}) > 1


class Stack:
    """Data sets of which set k has the losses from ``offsets[k]`` to ``offsets[k + 1]``."""

    offsets: npt.NDArray[np.int64]

    def __init__(self, loss: Any, dtype: DType) -> None:
        self._dtype = dtype
        if is_ragged(loss):
            sizes = [len(vector(f"loss[{k}]", row, dtype)) for k, row in enumerate(loss)]
        else:
            shape = np.shape(loss)
            if len(shape) != 2 or shape[0] == 0:
                raise ValueError(f"loss must have two dimensions, one row per data set; got shape {shape}")
            sizes = [shape[1]] * shape[0]
        self.offsets = np.cumsum([0, *sizes])

    def column(self, name: str, values: Any, *, positive: bool = True) -> Array:
        """One column of all sets, or one that they share, `positive` or of any sign; empty for None."""
        if values is None:
            return np.empty(0, self._dtype)
        sizes = np.diff(self.offsets)
        if is_ragged(values):
            rows = [vector(f"{name}[{k}]", row, self._dtype) for k, row in enumerate(values)]
            if [len(row) for row in rows] != sizes.tolist():
                raise ValueError(f"{name} must have as many rows as loss, of the same lengths")
            flat = np.concatenate(rows)
        else:
            array = numbers(name, values, self._dtype)
            n = sizes[0] if (sizes == sizes[0]).all() else None
            if n is None or array.shape not in ((n,), (len(sizes), n)):
                wanted = "one row per data set, as long as its losses" if n is None else f"shape ({n},) or ({len(sizes)}, {n})"
                raise ValueError(f"{name} must have {wanted}; got shape {array.shape}")
            flat = array.ravel()
        self._require(name, flat, positive=positive, shared=not is_ragged(values) and np.ndim(values) == 1)
        return flat

    def rows_of(self, column: Array) -> list[Array]:
        """A column by data set; one entry for a column that all share."""
        return np.split(column, self.offsets[1:-1]) if column.size == self.offsets[-1] else [column]

    def _require(self, name: str, flat: Array, *, positive: bool, shared: bool) -> None:
        good = np.isfinite(flat) & (flat > 0) if positive else np.isfinite(flat)
        if good.all():
            return
        at = int(np.argmin(good))
        row = int(np.searchsorted(self.offsets, at, side="right")) - 1
        place = f"{at}" if shared else f"{row}, {at - self.offsets[row]}"
        raise ValueError(f"{name}[{place}] = {flat[at]}: every value must be {'positive and ' if positive else ''}finite")
