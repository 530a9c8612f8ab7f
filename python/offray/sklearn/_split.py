# SPDX-License-Identifier: Apache-2.0
"""`ComputeSplit`."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from offray.sklearn._columns import names_of, places

_EQUAL = 1e-3
"""Budgets whose ratio is below 1 + this are one, as in `Fit.misfit`."""


class ComputeSplit(BaseCrossValidator):
    """Folds that forecast: train on the runs of less compute, test on those of more.

    The runs are cut by compute into ``n_splits + 1`` windows of about as many runs each. Split k trains on the first k windows
    and tests on the next one, as ``TimeSeriesSplit`` does by time. Runs of equal compute, to 0.1 %, stay together, so that no
    isoFLOP curve is cut.

    Parameters
    ----------
    n_splits : int
        Number of splits, at least 1.
    compute : str or int, optional
        The column of X that holds the compute, by name or from 0. Default: `groups` of `split`; without them C = 6 N D, N and D
        being the columns of a data frame with usual names for them, or else the two columns of X; or X itself, if it has one
        column.

    Examples
    --------
    >>> import numpy as np, offray.sklearn
    >>> X = np.array([[n, c / (6 * n)] for c in (1e18, 1e19, 1e20) for n in (1e8, 2e8, 4e8)])
    >>> for train, test in offray.sklearn.ComputeSplit(2).split(X):
    ...     print(train, test)
    [0 1 2] [3 4 5]
    [0 1 2 3 4 5] [6 7 8]
    """

    def __init__(self, n_splits: int = 5, *, compute: str | int | None = None) -> None:
        self.n_splits = n_splits
        self.compute = compute

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits; the arguments do not matter."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """Indices of the runs to train on and to test on, both in rising order.

        Parameters
        ----------
        X : (n, k) array_like or data frame
        y : (n,) array_like, optional
            Only counted.
        groups : (n,) array_like, optional
            Compute of each run, where it is not in X and `compute` names no column.

        Raises
        ------
        ValueError
            For compute that is not positive and finite, for `groups` beside `compute`, for lengths that differ, and for fewer
            distinct budgets than ``n_splits + 1``.
        """
        n_splits = self._whole()
        if groups is not None and self.compute is not None:
            raise ValueError(f"groups: the compute is in column {self.compute!r} already, as compute= says; give one of them")
        X, y, groups = indexable(X, y, groups)
        C = self._compute(X) if groups is None else np.asarray(groups, float)
        bad = ~(np.isfinite(C) & (C > 0))
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(f"compute[{row}] = {C[row]}: every value must be positive and finite")
        window = _windows(C, n_splits + 1)
        for k in range(1, n_splits + 1):
            yield np.flatnonzero(window < k), np.flatnonzero(window == k)

    def _whole(self) -> int:
        """Number of splits, checked."""
        try:
            n_splits = operator.index(self.n_splits)
        except TypeError:
            raise ValueError(f"n_splits must be a whole number; got {self.n_splits!r}") from None
        if n_splits < 1:
            raise ValueError(f"n_splits must be at least 1; got {n_splits}")
        return n_splits

    def _compute(self, X: Any) -> npt.NDArray[Any]:
        values = np.asarray(X)
        if values.ndim != 2:
            raise ValueError(f"X must have rows and columns; got shape {values.shape}")
        names, width = names_of(X), values.shape[1]
        if self.compute is not None:
            (at,) = places(("compute",), width, names, (self.compute,))
            return np.asarray(values[:, at], float)
        if width == 1:
            return np.asarray(values[:, 0], float)
        N, D = places(("params", "tokens"), width, names, None)
        C: npt.NDArray[Any] = 6 * np.asarray(values[:, N], float) * np.asarray(values[:, D], float)
        return C


def _windows(C: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """The window of each run, from 0."""
    order = np.argsort(C, kind="stable")
    ordered = C[order]
    ends = np.flatnonzero(np.append(ordered[1:] > ordered[:-1] * (1 + _EQUAL), True)) + 1  # of the budgets
    if len(ends) < count:
        raise ValueError(f"n_splits = {count - 1} needs {count} distinct budgets; the runs have {len(ends)}")
    cuts = [0]
    for k in range(1, count):
        # The end nearest to an even share that leaves a budget for each window that follows, the largest for the last.
        free = [int(end) for end in ends[k - 1 : len(ends) - (count - k)] if end > cuts[-1]]
        cuts.append(min(free, key=lambda end: abs(end - k * len(C) / count)))
    window = np.empty(len(C), int)
    for k, (first, last) in enumerate(pairwise([*cuts, len(C)])):
        window[order[first:last]] = k
    return window
