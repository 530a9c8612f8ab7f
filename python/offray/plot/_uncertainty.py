# SPDX-License-Identifier: Apache-2.0
"""How well the runs determine the loss, everywhere in the (N, D) plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

import offray
from offray.plot import _plane as plane_of
from offray.plot._style import DOUBT_MAP, INK, PAPER, TINY, color_bar, halo, hatch_all, legend, new_axes, remark

_BELOW, _ABOVE = 3.0, 30.0
_LEVELS = 11
_LABEL = "s.d. of the mean loss (nats per token)"


def uncertainty(fit: offray.Fit, ax: Axes | None = None, *, beyond: float = _ABOVE) -> Axes:
    """The predicted standard deviation of the loss: where the runs know, and where they do not.

    Inside of the thick line the fit knows the mean loss better than one more run there would tell it. Hatched is where a
    standard deviation is 5 % of the loss or more, or the runs determine nothing.

    Parameters
    ----------
    fit : Fit
        Of a law of N and D.
    ax : Axes, optional
    beyond : float
        How far the plane goes beyond the largest N and D.

    Returns
    -------
    Axes
        Model parameters N and training tokens D, logarithmic; colours are standard deviations of the mean loss in nats per
        token, by the delta method, as if the law were true.

    Raises
    ------
    ValueError
        For a law that reads other inputs, or `beyond` below 1.
    """
    plane_of.of_N_and_D(fit, "uncertainty")
    if not 1 <= beyond < np.inf:
        raise ValueError(f"beyond must be a finite factor of at least 1; got {beyond}")
    ax = new_axes(ax)
    N, D = fit.problem.N, fit.problem.D
    where = plane_of.plane(N, D, _BELOW, beyond)
    plane_of.draw_plane(ax, where, "How well the runs know the loss, if the law is true")
    n, d = where.grid
    at = plane_of.predicted(fit, n, d)
    if at is None:
        _on_the_line(ax, fit)
    else:
        draw_field(ax, n, d, at.se.astype(float), at.value.astype(float), _noise(fit))
    plane_of.draw_rays(ax, where)
    plane_of.draw_largest(ax, fit, where)
    plane_of.draw_runs(ax, N, D)
    legend(ax, loc="upper left")
    return ax


def draw_field(ax: Axes, n: Any, d: Any, sd: Any, loss: Any, noise: float, levels: Any = None) -> None:
    """Standard deviations over the plane, in nats: colours, the line of one run's noise, hatches where nothing is known."""
    known_at = plane_of.is_known(sd, loss)
    if not known_at.any():
        hatch_all(ax)
        remark(ax, "Hatched: the loss is not determined anywhere (standard deviation above 5 %).", at=(0.97, 0.03))
        return
    levels = decades(sd[known_at]) if levels is None else levels
    known = np.where(np.isfinite(sd), np.clip(sd, levels[0], levels[-1]), levels[-1])
    filled = ax.contourf(n, d, known, levels=levels, cmap=DOUBT_MAP, norm=LogNorm(levels[0], levels[-1]), zorder=0)
    lines = ax.contour(n, d, known, levels=levels[1:-1], colors=PAPER, linewidths=0.5, zorder=1)
    for text in ax.clabel(lines, fmt=lambda x: f"{x:g}", fontsize=TINY, colors=[INK]):
        text.set_path_effects(halo())
    color_bar(ax, filled, _LABEL, levels)
    if not known_at.all():
        plane_of.hatch_unknown(ax, n, d, known_at)
    if np.nanmin(sd) < noise < np.nanmax(sd):
        ax.contour(n, d, known, levels=[noise], colors=[INK], linewidths=2.2, zorder=3)
        ax.plot([], [], color=INK, linewidth=2.2, label=f"s.d. of one run, {noise:.2g}")


def decades(sd: Any) -> Any:
    """Levels of one digit that span the values, fewer where these span more."""
    leads = (1, 1.5, 2, 3, 4, 5, 7) if sd.max() < 30 * sd.min() else (1, 2, 5)
    steps = np.array([lead * 10.0**e for e in range(-20, 5) for lead in leads])
    low = np.searchsorted(steps, sd.min(), side="right") - 1
    high = np.searchsorted(steps, sd.max())
    return steps[max(low, high - _LEVELS, 0) : high + 1]


def _noise(fit: offray.Fit) -> float:
    """Of one run, in nats where the fit was of the loss."""
    shown = fit.reduced or fit
    scale = float(np.median(fit.problem.loss)) if fit.log_loss else 1.0
    return float(shown.noise_sd) * scale


def _on_the_line(ax: Axes, fit: offray.Fit) -> None:
    hatch_all(ax)
    n, d = plane_of.line_of_runs(fit)
    at = plane_of.predicted(fit, n, d)
    if at is not None and np.isfinite(at.se).all():
        levels = decades(at.se)
        ax.plot(n, d, color=PAPER, linewidth=9, zorder=2)
        drawn = ax.scatter(n, d, c=at.se, cmap=DOUBT_MAP, norm=LogNorm(levels[0], levels[-1]), s=26, linewidths=0, zorder=3)
        color_bar(ax, drawn, _LABEL, levels)
    remark(ax, "Hatched: not determined. The runs know the loss only along the line on which they all lie.", at=(0.97, 0.03))
