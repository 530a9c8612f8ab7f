# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offray._batch import Bootstrap, FitMany


class Interrupted(KeyboardInterrupt):
    """Raised by `Fit.bootstrap` and `fit_many` on Ctrl-C, as a `KeyboardInterrupt` that keeps what was done.

    Attributes
    ----------
    partial : Bootstrap or FitMany
        The first replicates or data sets: what a call for so many would have returned.
    """

    partial: Bootstrap | FitMany

    def __init__(self, message: str, partial: Bootstrap | FitMany) -> None:
        super().__init__(message)
        self.partial = partial
