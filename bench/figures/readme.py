# SPDX-License-Identifier: Apache-2.0
"""The README's picture: what runs along a ray know of the loss, and what as many that spread know at the same compute.

    python bench/figures/readme.py --output docs/figures

Our own runs (`offray.examples.byte_lm`), fitted by Droppo and Elibol's law, which follows them; one scale of colours for both.
"""

from __future__ import annotations

import warnings

import drawing
import numpy as np
import offray
from matplotlib import rc_context
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter

RAY = (40.0, 90.0)
"""Bytes per parameter that count as the ray: sixty, within a factor of one and a half."""
WITHIN = 0.1
"""Of the ray's compute, up or down."""
LEVELS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
UNKNOWN = 5
"""Per cent of the loss."""


def spread(N, D, size, total):
    """The first random design of so many runs at that compute."""
    rng = np.random.default_rng(0)
    while True:
        rows = rng.choice(len(N), size, replace=False)
        if abs(np.log((N * D)[rows].sum() / total)) < WITHIN:
            return rows


def draw(axes, N, D, loss, plane):
    """The standard deviation of the predicted loss over the plane, in per cent, and the runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        fit = offray.fit(N, D, loss, law="droppo_elibol", log_loss=True, identify="force")
        at = fit.predict(*map(np.ravel, plane))
    sd = (100 * at.se / at.value).reshape(plane[0].shape)
    shown = np.clip(sd, LEVELS[0], LEVELS[-1])
    drawn = axes.contourf(*plane, shown, levels=LEVELS, cmap="cividis", norm=LogNorm(LEVELS[0], LEVELS[-1]))
    lines = axes.contour(*plane, shown, levels=LEVELS[1:-1], colors=offray.plot.PAPER, linewidths=0.5)
    for text in axes.clabel(lines, fmt=lambda level: f"{level:g} %", fontsize=8, colors=offray.plot.INK):
        text.set_path_effects([withStroke(linewidth=2.5, foreground=offray.plot.PAPER)])
    axes.contourf(*plane, sd, levels=[UNKNOWN, np.inf], colors="none", hatches=["////"])
    axes.scatter(N, D, s=26, color=offray.plot.INK, edgecolors=offray.plot.PAPER, linewidths=0.8, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel="model parameters N")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1e6:g} M" if x >= 1e6 else f"{x / 1e3:g} k"))
    return drawn


def main():
    folder = drawing.parser(__doc__).parse_args().output
    N, D, loss = (np.array(column) for column in offray.examples.byte_lm("documentation").values())
    ray = np.flatnonzero((RAY[0] < D / N) & (RAY[1] > D / N))
    designs = (ray, spread(N, D, len(ray), (N * D)[ray].sum()))
    plane = np.meshgrid(np.geomspace(N.min() / 1.3, 2e6, 45), np.geomspace(D.min() / 1.3, 6e7, 45))
    with rc_context(offray.plot.style()):
        figure = Figure(figsize=(8.4, 3.5), layout="constrained")
        both = figure.subplots(1, 2, sharey=True)
        for axes, rows in zip(both, designs, strict=True):
            drawn = draw(axes, N[rows], D[rows], loss[rows], plane)
        both[0].set_ylabel("training bytes D")
        both[0].set_title(f"{len(ray)} runs near one ratio D / N", loc="left", fontsize=10)
        both[1].set_title("as many runs that spread, same compute", loc="left", fontsize=10)
        figure.colorbar(drawn, ax=both, label="s.d. of the predicted loss, %", format="%g", ticks=LEVELS)
        folder.mkdir(parents=True, exist_ok=True)
        offray.plot.save(figure, folder / "readme.svg")


if __name__ == "__main__":
    main()
