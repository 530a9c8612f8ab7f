# SPDX-License-Identifier: Apache-2.0
"""What results that have pictures share."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Drawn:
    """A result with pictures."""

    __slots__ = ()

    def plot(self, kind: str | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw it; `offray.plot` has the pictures, ``offray.plot.kinds(self)`` their names.

        Parameters
        ----------
        kind : str, optional
            Default: its own picture, of a fit "runs".
        ax : matplotlib Axes, optional
            Default: those of a new figure of pyplot.
        **options
            Of the picture's own function, such as ``against="C"`` for "residuals".

        Returns
        -------
        Axes

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib, which the extra ``plot`` brings.
        ValueError
            For a kind that there is not of this.
        """
        # By name: the pictures are users of this package, and are imported where they are asked for.
        return import_module("offray.plot").draw(self, kind, ax, **options)  # type: ignore[no-any-return]
