# SPDX-License-Identifier: Apache-2.0
"""The runs in the (N, D) plane, over what the law says there."""

from __future__ import annotations

import warnings

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot import _plane as plane_of
from offray.plot._style import LOSS_MAP, PAPER, VERMILION, color_bar, halo, hatch_all, legend, new_axes, remark

_BEYOND = 3.0
_LEVELS = 9


def runs(fit: offray.Fit, ax: Axes | None = None) -> Axes:
    """Runs over contours of the fitted loss, with rays of tokens per parameter, isoFLOP lines and the efficient frontier.

    Where the runs determine the loss along one line only, such as a ray, the rest of the plane is hatched, as is
    where a standard deviation of the mean loss is 5 % of it or more.

    Parameters
    ----------
    fit : Fit
        Of a law of N and D.
    ax : Axes, optional

    Returns
    -------
    Axes
        Model parameters N and training tokens D, logarithmic; dashed rays D / N are named at the edge, colours are nats per
        token, for one epoch.

    Raises
    ------
    ValueError
        For a law that reads other inputs.
    """
    plane_of.of_N_and_D(fit, "runs")
    ax = new_axes(ax)
    N, D = fit.problem.N, fit.problem.D
    where = plane_of.plane(N, D, _BEYOND, _BEYOND)
    plane_of.draw_plane(ax, where, f"Loss by {fit.law.name}; dashed: tokens per parameter")
    n, d = where.grid
    at = plane_of.predicted(fit, n, d)
    if at is None:
        _along_the_line(ax, fit)
    else:
        _field(ax, n, d, at.value, plane_of.is_known(at.se, at.value))
        _frontier(ax, fit, where)
    plane_of.draw_rays(ax, where)
    plane_of.draw_isoflop(ax, where)
    plane_of.draw_runs(ax, N, D)
    legend(ax, loc="upper left")
    return ax


def _field(ax: Axes, n: plane_of.Array, d: plane_of.Array, loss: plane_of.Array, known: plane_of.Array) -> None:
    """Contours of the loss where the runs tell it, hatches elsewhere."""
    if not known.any():
        hatch_all(ax)
        remark(ax, "Hatched: the loss is not determined anywhere (standard deviation above 5 %).", at=(0.97, 0.97))
        return
    levels = _spaced(loss[known])
    told = np.ma.masked_where(~known, loss)
    filled = ax.contourf(n, d, told, levels=levels, cmap=LOSS_MAP, alpha=0.8, zorder=1)
    ax.contour(n, d, told, levels=levels, colors=PAPER, linewidths=0.5, alpha=0.6, zorder=1)
    color_bar(ax, filled, "loss (nats per token)", levels)
    if not known.all():
        plane_of.hatch_unknown(ax, n, d, known)


def _spaced(loss: plane_of.Array) -> plane_of.Array:
    """Levels that are even in the logarithm, since the loss falls steeply first; of as few digits as tell them apart."""
    even = np.geomspace(float(loss.min()), float(loss.max()), _LEVELS + 1)
    digits = max(0, 1 - int(np.floor(np.log10(np.diff(even).min()))))
    return np.unique([np.floor(even[0] * 10**digits) / 10**digits, *even[1:-1].round(digits), even[-1]])


def _along_the_line(ax: Axes, fit: offray.Fit) -> None:
    """The loss where the runs determine it, and the rest hatched."""
    hatch_all(ax)
    n, d = plane_of.line_of_runs(fit)
    at = plane_of.predicted(fit, n, d)
    if at is not None:
        ax.plot(n, d, color=PAPER, linewidth=9, zorder=2)
        drawn = ax.scatter(n, d, c=at.value, cmap=LOSS_MAP, s=26, zorder=3, linewidths=0)
        color_bar(ax, drawn, "loss (nats per token)")
    remark(
        ax, "Hatched: the loss is not determined. The runs tell it only along the line on which they all lie.", at=(0.97, 0.03)
    )


def _frontier(ax: Axes, fit: offray.Fit, where: plane_of.Plane) -> None:
    """The compute-optimal line; dashed and named so where the runs do not determine it."""
    least, most = (plane_of.FLOPS_PER_TOKEN * where.N[k] * where.D[k] for k in (0, 1))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", offray.IdentifiabilityWarning)
        try:
            best = fit.compute_optimal(plane_of.log_range(least, most))
        except ValueError:  # not determined, or a law of one's own without an optimum
            remark(ax, "The compute-optimal line is not determined.", at=(0.97, 0.03))
            return
    line, label = ("--", "compute-optimal: not determined") if told else ("-", "compute-optimal")
    ax.plot(
        best.N.value,
        best.D.value,
        color=VERMILION,
        linewidth=2.2,
        linestyle=line,
        label=label,
        path_effects=halo(3.6),
        zorder=4,
    )
