# SPDX-License-Identifier: Apache-2.0
"""How pictures look: colours that colour-blind readers and greyscale prints tell apart, sizes for a phone, units on axes."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

INK, PAPER = "#1b1b1c", "#fdfdfe"
"""Text and lines, and what is behind them. No other colour is written like these: a page may put its own in their place."""
GREY = "#767676"
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
LOSS_MAP, DOUBT_MAP = "viridis", "cividis"
SIZE = (5.2, 3.9)
"""Inches of one panel: its text stays legible where the picture is 360 pixels wide."""
SMALL, TINY = 9.0, 8.0
_DECADES = 3.5
"""Beyond, minor ticks are a smear."""

_RC = {
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 10.0,
    "axes.labelsize": 10.0,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "hatch.color": GREY,
    "hatch.linewidth": 0.6,
}


class Look(NamedTuple):
    """One of several series: colour, line and marker all differ."""

    color: str
    line: Any
    marker: str


LOOKS = (
    Look(BLUE, "-", "o"),
    Look(VERMILION, "--", "s"),
    Look(GREEN, "-.", "^"),
    Look(PURPLE, (0, (1, 1)), "D"),
    Look(ORANGE, (0, (6, 1, 1, 1, 1, 1)), "v"),
    Look(SKY, (0, (8, 2)), "P"),
)


def look(k: int) -> Look:
    """Of the k-th series; they repeat after six."""
    return LOOKS[k % len(LOOKS)]


def style() -> Any:
    """Settings for figures of our own; axes that are given keep theirs."""
    return dict(_RC)


def new_axes(ax: Axes | None) -> Axes:
    """The axes that are given, or those of a new figure of pyplot."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt  # a display is looked for only here
    from matplotlib import rc_context

    with rc_context(style()):
        return plt.subplots(figsize=SIZE, layout="constrained")[1]


def dress(ax: Axes, x: str, y: str, title: str = "", *, grid: bool = True, pad: float = 6.0) -> None:
    """Labels with their units, a title that says what is seen, no box."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if title:
        ax.set_title(fill(title, _columns(ax, 10.0)), loc="left", fontsize=10.0, color=INK, pad=pad)
    ax.spines[["top", "right"]].set_visible(False)
    if grid:
        ax.grid(color=GREY, alpha=0.25, linewidth=0.6)
        ax.set_axisbelow(True)


def remark(ax: Axes, text: str, *, blank: bool = False, at: tuple[float, float] = (0.03, 0.03)) -> None:
    """What is not determined, in the picture: in a corner, or in the middle of one that is left blank."""
    x, y = (0.5, 0.5) if blank else at
    across = "center" if blank else "right" if x > 0.5 else "left"
    ax.text(
        x,
        y,
        fill(text, round(_columns(ax, SMALL) * (0.85 if blank else 0.8))),
        transform=ax.transAxes,
        ha=across,
        va="center" if blank else "top" if y > 0.5 else "bottom",
        fontsize=SMALL,
        color=INK,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": (PAPER, 0.9), "edgecolor": GREY, "linewidth": 0.6},
        zorder=9,
    )


def leave_blank(ax: Axes, text: str) -> Axes:
    """Axes without a picture, since there is none, and why."""
    hatch_all(ax)
    ax.set_xticks([])
    ax.set_yticks([])
    remark(ax, text, blank=True)
    return ax


def hatch_all(ax: Axes) -> None:
    """Hatch behind everything: what is not drawn over is not determined."""
    ax.patch.set(hatch="///", facecolor="none", edgecolor=GREY, linewidth=0)


def legend(ax: Axes, **options: Any) -> None:
    """A small legend, readable on top of lines and colours."""
    handles, _ = ax.get_legend_handles_labels()
    if handles:
        given = {"fontsize": TINY, "labelcolor": INK, "facecolor": PAPER, "edgecolor": "none", "framealpha": 0.9} | options
        ax.legend(**given)


def halo(width: float = 2.0) -> list[Any]:
    """Paper around lines and letters, for what lies on colours."""
    return [withStroke(linewidth=width, foreground=PAPER)]


def color_bar(ax: Axes, drawn: Any, label: str, ticks: Any = None) -> None:
    """A bar of plain numbers beside the axes."""
    bar = ax.figure.colorbar(drawn, ax=ax, pad=0.07, aspect=30)
    if ticks is not None:
        bar.set_ticks(ticks, labels=[f"{x:.3g}" for x in ticks], minor=False)
        bar.ax.minorticks_off()
    bar.set_label(label)
    bar.outline.set_visible(False)


def counts(axis: Axis) -> None:
    """A logarithmic axis of parameters or tokens: 10 M, 1 B, 2 T."""
    _logarithmic(axis, lambda x, _: count(x))


def powers(axis: Axis) -> None:
    """A logarithmic axis of operations: 10²¹."""
    _logarithmic(axis, lambda x, _: power(x))


def plain(axis: Axis) -> None:
    """A logarithmic axis with plain numbers."""
    _logarithmic(axis, lambda x, _: f"{x:g}" if 1e-4 <= x < 1e5 else power(x))


def _logarithmic(axis: Axis, text: Any) -> None:
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})  # type: ignore[attr-defined]
    low, high = sorted(axis.get_view_interval())
    decades = float(np.log10(high / low)) if low > 0 else 1.0
    subs: tuple[float, ...] = (1.0,) if decades > 2.2 else (1.0, 3.0) if decades > 1.1 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axis.set_major_formatter(FuncFormatter(text))
    axis.set_minor_formatter(NullFormatter())
    if decades > _DECADES:
        axis.set_minor_locator(NullLocator())


def count(x: float) -> str:
    """A number of parameters or tokens in short: 1.3 B."""
    for unit, size in zip("QTBMk", (1e15, 1e12, 1e9, 1e6, 1e3), strict=True):
        if x >= 0.9995 * size:
            return f"{x / size:.3g} {unit}" if x < 1e18 else f"{x:.0e}"
    return f"{x:.3g}"


def power(x: float) -> str:
    """A number of operations in short: 3·10²¹."""
    if not x > 0:
        return f"{x:g}"
    exponent = int(np.floor(np.log10(x) + 1e-9))
    lead = x / 10.0**exponent
    small = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{small}" if abs(lead - 1) < 0.005 else f"{lead:.2g}·10{small}"


def sentence(texts: Iterable[str]) -> str:
    """The first clause of the first of some messages: pictures have room for one."""
    for text in texts:
        head = text.split(". ")[0].split(": ")[0]
        return f"{head[:1].upper()}{head[1:].rstrip('.')}."
    return ""


def _columns(ax: Axes, points: float) -> int:
    """How many letters of a size fit into the width of the axes."""
    width = ax.get_position().width * ax.figure.get_figwidth() * 72  # type: ignore[union-attr]
    return max(18, round(width / (0.55 * points)))
