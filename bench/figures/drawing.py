# SPDX-License-Identifier: Apache-2.0
"""What the figure scripts share: looks, the folder to write to, and a page with plot and table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
import numpy as np

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#767676"  # apart for colour-blind readers too (Okabe, Ito)
SIZES = np.geomspace(5.04e6, 76.5e6, 14)
HOFFMANN = (1.69, 406.4, 410.7, 0.34, 0.28)

plt.rcParams.update(
    {
        "svg.hashsalt": "offray",  # the same file on every run
        "font.size": 9,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.5,
        "lines.markersize": 4,
    }
)


def parser(description):
    """Arguments of a figure script."""
    out = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--output", type=Path, default=Path("docs/figures"), help="folder for NAME.svg and NAME.md")
    return out


def page(folder, name, title, text, figure, head, rows):
    """Write the plot and its page: what it is, the plot, the table."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    lines = [f"# {title}", "", text, "", f"![{title}]({name}.svg)", "", row(head), row(["---"] * len(head)), *map(row, rows)]
    (folder / f"{name}.md").write_text("\n".join(lines) + "\n")


def row(cells):
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def needs_long_double():
    """End here where long double is double."""
    if np.finfo(np.longdouble).eps > 1e-18:
        sys.exit("this figure needs a long double of more than 64 bits")


def slope(x, y):
    """Of ln y against ln x."""
    return float(np.polyfit(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)), 1)[0])
