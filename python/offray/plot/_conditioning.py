# SPDX-License-Identifier: Apache-2.0
"""What the Jacobian of the runs sees, and the direction in which it sees least."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot._style import BLUE, GREY, INK, VERMILION, dress, new_axes, plain

CONDITIONING_VIEWS = ("singular values", "direction")
_LARGE = 1000.0


def conditioning(fit: offray.Fit, show: str = "singular values", ax: Axes | None = None) -> Axes:
    """The singular values of the Jacobian in unit columns, or the direction of parameters that the runs notice least.

    On a ray both are of what is left of the law.

    Parameters
    ----------
    fit : Fit
    show : {"singular values", "direction"}
    ax : Axes, optional

    Returns
    -------
    Axes
        Singular values without unit, the largest first; components of the sloppy direction between -1 and 1.

    Raises
    ------
    ValueError
        For an unknown `show`.
    """
    if show not in CONDITIONING_VIEWS:
        raise ValueError(f"show must be one of {', '.join(CONDITIONING_VIEWS)}; got {show!r}")
    ax = new_axes(ax)
    of = fit.reduced or fit
    if show == "direction":
        _direction(ax, of)
    else:
        _values(ax, of)
    if fit.reduced is not None:
        ax.set_title(f"Of what is left of the law: {of.law.formula}", loc="left", fontsize=10.0, color=INK)
    return ax


def _values(ax: Axes, fit: offray.Fit) -> None:
    at = fit.conditioning
    values = at.singular_values / at.singular_values[0]
    k = np.arange(1, len(values) + 1)
    bottom = min(float(values.min()) / 3, 1 / _LARGE / 3)
    ax.vlines(k, bottom, values, color=BLUE, linewidth=2.0)
    ax.plot(k, values, linestyle="none", marker="o", markersize=8, color=BLUE)
    ax.axhline(1 / _LARGE, color=VERMILION, linewidth=1.2, linestyle="--")
    ax.annotate(
        f"kappa = {_LARGE:g}",
        (1, 1 / _LARGE),
        xycoords=("axes fraction", "data"),
        ha="right",
        va="bottom",
        fontsize=9,
        color=INK,
    )
    ax.set_xticks(k)
    ax.set_xlim(0.5, len(k) + 0.5)
    ax.set_ylim(bottom, 2)
    plain(ax.yaxis)
    dress(ax, "singular value", "relative to the largest", f"kappa = {at.kappa:.3g}, rank {at.rank} of {len(values)}")


def _direction(ax: Axes, fit: offray.Fit) -> None:
    names, parts = list(fit.sloppy_direction), np.array(list(fit.sloppy_direction.values()), float)
    rows = np.arange(len(names))[::-1]
    ax.barh(rows, parts, height=0.55, color=[BLUE if part >= 0 else VERMILION for part in parts])
    for row, part in zip(rows, parts, strict=True):
        ax.annotate(
            f"{part:+.2f}" if abs(part) >= 0.005 else "0",
            (part, row),
            xytext=(4 if part >= 0 else -4, 0),
            textcoords="offset points",
            ha="left" if part >= 0 else "right",
            va="center",
            fontsize=9,
            color=INK,
        )
    ax.axvline(0, color=GREY, linewidth=0.9)
    ax.set_yticks(rows, names)
    ax.set_xlim(-1.2, 1.2)
    dress(ax, "component (unit columns)", "parameter", "The change that these runs notice least")
