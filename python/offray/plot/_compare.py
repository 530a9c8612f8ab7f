# SPDX-License-Identifier: Apache-2.0
"""Laws on the same runs: how well each predicts what it has not seen."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot._style import GREY, TINY, dress, legend, look, new_axes, plain


def compare(comparison: offray.Comparison, ax: Axes | None = None) -> Axes:
    """Errors of held-out runs by law, the lowest AICc on top; the difference of AICc, and whether the runs identify the law.

    Parameters
    ----------
    comparison : Comparison
    ax : Axes, optional

    Returns
    -------
    Axes
        Root mean square errors of runs that were held out, in nats per token or, where ln L was fitted, in ln L; logarithmic.
        A law without a mark has too few runs for that, or they lie on one ray.
    """
    ax = new_axes(ax)
    scores = comparison.scores
    rows = np.arange(len(scores))[::-1]
    errors = {"each size in turn": [s.leave_group_out for s in scores]}
    errors |= {name: [s.held_out[name] for s in scores] for name in scores[0].held_out}
    for k, (name, values) in enumerate(errors.items()):
        style, shift = look(k), 0.24 - 0.16 * k
        ax.plot(values, rows + shift, linestyle="none", color=style.color, marker=style.marker, markersize=7, label=name)
    least = min(s.AICc for s in scores)
    names = []
    for row, score in zip(rows, scores, strict=True):
        away = f"ΔAICc {score.AICc - least:.1f}" if np.isfinite(score.AICc) else "too few runs for AICc"
        known = "identified" if score.identifiability.identified else "not identified"
        names.append(f"{score.law.name}\n{away}\n{known}")
        ax.axhline(row - 0.5, color=GREY, linewidth=0.5)
    ax.set_yticks(rows, names)
    ax.set_ylim(-1.4, len(scores) - 0.5)  # the legend below
    ax.tick_params(axis="y", length=0)
    seen = np.array([value for values in errors.values() for value in values], float)
    seen = seen[np.isfinite(seen) & (seen > 0)]
    if len(seen):
        ax.set_xlim(seen.min() / 1.3, seen.max() * 1.3)
    plain(ax.xaxis)
    unit = "ln L" if comparison.log_loss else "nats per token"
    dress(ax, f"error of held-out runs, r.m.s. ({unit})", "", "Errors of held-out runs, the lowest AICc on top")
    legend(ax, loc="lower center", ncols=2, title="held out:", title_fontsize=TINY)
    return ax
