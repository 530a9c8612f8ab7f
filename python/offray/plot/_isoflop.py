# SPDX-License-Identifier: Apache-2.0
"""IsoFLOP curves: parabolas and their minima beside the law."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot import _plane as plane_of
from offray.plot._style import GREY, INK, TINY, counts, dress, halo, legend, look, new_axes, power, remark, sentence

_STEPS = 61


def isoflop(curves: offray.IsoFlop | offray.Fit, ax: Axes | None = None) -> Axes:
    """Loss against model size at every budget: runs, the parabola through them, its minimum, and the law's.

    Parameters
    ----------
    curves : IsoFlop or Fit
        Of a fit the curves are looked for by `offray.isoflop`.
    ax : Axes, optional

    Returns
    -------
    Axes
        Model parameters, logarithmic; nats per token. Parabolas are full lines with their minimum and its interval of N*,
        cut at a factor of 100; the law at that budget is dashed, its minimum a star.

    Raises
    ------
    ValueError
        For a fit whose runs have no budget with three sizes.
    """
    if isinstance(curves, offray.Fit):
        plane_of.of_N_and_D(curves, "isoflop")
        curves = offray.isoflop(curves)
    ax = new_axes(ax)
    fit, several = curves.fit, len(curves.parabolas) > 6
    rows = _rows(curves)
    for k, parabola in enumerate(curves.parabolas):
        style = look(k)
        N = _sizes(fit, rows[k], parabola)
        if fit is not None:
            ax.scatter(N, fit.problem.loss[rows[k]], s=18, color=style.color, marker=style.marker, linewidths=0, zorder=3)
        n = np.geomspace(N.min(), N.max(), _STEPS)
        if np.isfinite(parabola.N):
            away = np.log(n / parabola.N)
            ax.plot(n, parabola.loss + parabola.curvature * away**2, color=style.color, linewidth=1.6, zorder=2)
            _minimum(ax, parabola, style)
        if fit is not None and fit.law.of_N_and_D:
            _law(ax, fit, parabola, n)
        if not several or k in (0, len(curves.parabolas) - 1):
            _name(ax, fit, rows[k], parabola, float(n[-1]))
    _finish(ax, curves)
    return ax


def _name(ax: Axes, fit: offray.Fit | None, rows: Any, parabola: offray.Parabola, right: float) -> None:
    """The budget of a curve, beside its largest model."""
    there = fit.problem.loss[rows][np.argmax(fit.problem.N[rows])] if fit is not None else None
    at = parabola.loss + parabola.curvature * np.log(right / parabola.N) ** 2 if there is None else float(there)
    text = f"{power(parabola.C)} FLOP"
    ax.annotate(text, (right, at), xytext=(7, 0), textcoords="offset points", fontsize=TINY, color=INK, va="center")


def _rows(curves: offray.IsoFlop) -> list[Any]:
    """The runs of every curve: of those that are not left out the ones nearest to its compute."""
    fit = curves.fit
    if fit is None:
        return [np.array([], int)] * len(curves.parabolas)
    log = np.log(fit.problem.N * fit.problem.D)
    centres = np.log([p.law_N * p.law_D for p in curves.parabolas])
    nearest = np.abs(log[:, None] - centres).argmin(axis=1)
    nearest[list(curves.left_out)] = -1
    return [np.flatnonzero(nearest == k) for k in range(len(centres))]


def _sizes(fit: offray.Fit | None, rows: Any, parabola: offray.Parabola) -> Any:
    """N of a curve's runs; without a fit what is around the minimum."""
    return fit.problem.N[rows] if fit is not None else parabola.N * np.array([0.2, 5.0])


def _minimum(ax: Axes, parabola: offray.Parabola, style: Any) -> None:
    low, high = np.clip(parabola.interval, parabola.N / 100, parabola.N * 100)
    ax.plot([low, high], [parabola.loss] * 2, color=style.color, linewidth=3.5, alpha=0.5, solid_capstyle="butt", zorder=4)
    ax.plot(
        parabola.N,
        parabola.loss,
        marker="o",
        markersize=8,
        markerfacecolor="none",
        color=style.color,
        markeredgewidth=2,
        zorder=5,
    )


def _law(ax: Axes, fit: offray.Fit, parabola: offray.Parabola, n: Any) -> None:
    per_budget = parabola.law_N * parabola.law_D
    at = plane_of.predicted(fit, n, per_budget / n) if np.isfinite(per_budget) else None
    least = plane_of.predicted(fit, parabola.law_N, parabola.law_D) if np.isfinite(per_budget) else None
    if at is None or least is None:
        return
    ax.plot(n, at.value, color=INK, linewidth=1.1, linestyle="--", zorder=2)
    if n.min() / 3 < parabola.law_N < 3 * n.max():
        ax.plot(
            parabola.law_N,
            least.value,
            marker="*",
            markersize=11,
            color=INK,
            linestyle="none",
            path_effects=halo(1.5),
            zorder=6,
        )


def _finish(ax: Axes, curves: offray.IsoFlop) -> None:
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(low, high * 1.9)  # room for the names
    counts(ax.xaxis)
    low, high = curves.exponent_interval
    inside = f" ({low:.2f} to {high:.2f})" if np.isfinite([low, high]).all() else ""
    title = f"N* grows as C^{curves.exponent:.2f}{inside} by parabolas" if np.isfinite(curves.exponent) else "One budget"
    title += f", C^{curves.law_exponent:.2f} by the law" if np.isfinite(curves.law_exponent) else ""
    dress(ax, "model parameters N", "loss (nats per token)", title, pad=24.0)
    ax.plot([], [], color=GREY, linewidth=1.6, marker="o", markerfacecolor="none", markersize=8, label="parabola, its minimum")
    if curves.fit is not None:
        ax.plot(
            [],
            [],
            color=INK,
            linewidth=1.1,
            linestyle="--",
            marker="*",
            markersize=9,
            label=f"{curves.fit.law.name}, its minimum",
        )
    legend(ax, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2)
    if curves.warnings:
        remark(ax, sentence(curves.warnings[:1]), at=(0.03, 0.03))
