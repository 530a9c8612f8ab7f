# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C without loss."""

from __future__ import annotations

from typing import Any


class Interrupted(KeyboardInterrupt):
    """Raised by `Fit.bootstrap`, `fit_many` and comparisons on Ctrl-C: a `KeyboardInterrupt` that keeps what was done.

    Attributes
    ----------
    partial : Bootstrap, FitMany or Comparisons
        The first replicates or data sets, what a call for so many would have returned; or the comparisons that were done.
    """

    partial: Any

    def __init__(self, message: str, partial: Any) -> None:
        super().__init__(message)
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.partial)  # pools send it between processes
