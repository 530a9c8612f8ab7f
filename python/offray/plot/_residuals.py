# SPDX-License-Identifier: Apache-2.0
"""Fitted against observed losses, and what is left of them along every input."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot._plane import FLOPS_PER_TOKEN
from offray.plot._style import BLUE, GREY, INK, VERMILION, counts, dress, legend, new_axes, plain, powers, remark, sentence

_INPUTS = {
    "N": "model parameters N",
    "D": "training tokens D",
    "TPP": "tokens per parameter D / N",
    "C": "compute 6 N D (FLOP)",
}
_MANY, _PARTS = 12, 7


def residuals(fit: offray.Fit, against: str = "observed", ax: Axes | None = None) -> Axes:
    """Fitted against observed losses; or the residuals, observed less fitted, against what the runs differ in.

    Parameters
    ----------
    fit : Fit
    against : str
        "observed", "N", "D", "TPP", "C" (of a law of N and D), or an input of a law of your own; `residual_views` lists them.
    ax : Axes, optional

    Returns
    -------
    Axes
        Losses in nats per token, residuals in nats or, where ln L was fitted, in ln L. Shaded: two residual standard
        deviations. The line joins means of neighbouring runs, from a dozen runs on.

    Raises
    ------
    ValueError
        For an `against` that the runs do not have.
    """
    known = residual_views(fit)
    if against not in known:
        raise ValueError(f"against must be one of {', '.join(known)}; got {against!r}")
    ax = new_axes(ax)
    if against == "observed":
        _fitted(ax, fit)
    else:
        _left(ax, fit, against)
    if "lack_of_fit" in fit.identifiability.findings:
        about = [
            text for text in (*fit.identifiability.warnings, *fit.identifiability.notes) if "curve" in text or "law" in text
        ]
        remark(ax, sentence(about), at=(0.97, 0.97) if against != "observed" else (0.97, 0.03))
    return ax


def residual_views(fit: offray.Fit) -> tuple[str, ...]:
    """What `residuals` takes as `against`."""
    columns = fit.problem.columns
    both = {"params", "tokens"} <= columns.keys()
    named = {"N": "params" in columns, "D": "tokens" in columns, "TPP": both, "C": both}
    return ("observed", *(name for name, there in named.items() if there), *fit.law.further)


def _fitted(ax: Axes, fit: offray.Fit) -> None:
    seen = fit.problem.loss
    made = _made(fit)
    ends = [float(min(seen.min(), made.min())), float(max(seen.max(), made.max()))]
    gap = 0.04 * (ends[1] - ends[0])
    ends = [ends[0] - gap, ends[1] + gap]
    ax.plot(ends, ends, color=GREY, linewidth=1.2, label="fitted = observed")
    ax.scatter(seen, made, s=20, color=BLUE, linewidths=0, label="runs")
    ax.set(xlim=ends, ylim=ends)
    sd = fit.misfit.residual_sd
    unit = "of ln L" if fit.log_loss else "nats"
    dress(ax, "observed loss (nats per token)", "fitted loss (nats per token)", f"Residual s.d. {sd:.2g} {unit}")
    legend(ax, loc="upper left")


def _made(fit: offray.Fit) -> Any:
    """Fitted losses; on a ray those of what is left of the law."""
    r = _of(fit).residuals
    return fit.problem.loss * np.exp(r) if fit.log_loss else fit.problem.loss + r


def _of(fit: offray.Fit) -> Any:
    return fit if fit.reduced is None or fit.blended else fit.reduced


def _left(ax: Axes, fit: offray.Fit, against: str) -> None:
    x, left, sd = _along(fit, against), -_of(fit).residuals, float(fit.misfit.residual_sd)
    ax.axhline(0, color=INK, linewidth=0.9)
    if np.isfinite(sd):
        ax.axhspan(-2 * sd, 2 * sd, color=GREY, alpha=0.15, linewidth=0, label="2 s.d.")
    ax.scatter(x, left, s=20, color=BLUE, linewidths=0, label="runs")
    if len(x) >= _MANY and x.max() > x.min():
        ax.plot(*_means(x, left), color=VERMILION, linewidth=1.8, marker="s", markersize=4, label="mean")
    if (x > 0).all() and x.max() > 1.5 * x.min():
        {"N": counts, "D": counts, "C": powers}.get(against, plain)(ax.xaxis)
    unit = "ln L" if fit.log_loss else "nats"
    dress(ax, _INPUTS.get(against, against), f"observed - fitted ({unit})")
    legend(ax, loc="lower left", ncols=3)


def _means(x: Any, left: Any) -> tuple[Any, Any]:
    """Mean residuals by equal parts of the range, of its logarithm where that is one; parts of one run are left out."""
    at = np.log(x) if (x > 0).all() else x
    edges = np.linspace(at.min(), at.max(), _PARTS + 1)[1:-1]
    of = np.searchsorted(edges, at)
    parts = [of == part for part in range(_PARTS) if (of == part).sum() > 1]
    centres = np.array([at[rows].mean() for rows in parts])
    return np.exp(centres) if (x > 0).all() else centres, np.array([left[rows].mean() for rows in parts])


def _along(fit: offray.Fit, against: str) -> Any:
    columns = fit.problem.columns
    if against in columns:
        return columns[against]
    if against in ("N", "D"):
        return columns["params" if against == "N" else "tokens"]
    N, D = columns["params"], columns["tokens"]
    return D / N if against == "TPP" else FLOPS_PER_TOKEN * N * D
