# SPDX-License-Identifier: Apache-2.0
"""The compute-optimal point against compute, with what the runs leave open of it."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot import _plane as plane_of
from offray.plot._style import (
    BLUE,
    GREY,
    INK,
    SKY,
    counts,
    dress,
    leave_blank,
    legend,
    new_axes,
    plain,
    powers,
    remark,
    sentence,
)

OPTIMAL_VIEWS = ("loss", "N", "D", "TPP")
_LABELS = {
    "loss": "least loss (nats per token)",
    "N": "optimal parameters N*",
    "D": "optimal tokens D*",
    "TPP": "optimal tokens per parameter D* / N*",
}
_BEYOND = 100.0
_BUDGETS = 41
_OPEN = 1e3
"""An interval that spans such a factor either way is drawn as open."""


class _Curve(NamedTuple):
    best: offray.ComputeOptimal
    doubt: str


def optimal(of: offray.Fit | offray.ComputeOptimal, quantity: str = "loss", ax: Axes | None = None) -> Axes:
    """The loss, N*, D* or TPP* of the compute-optimal point against the compute budget.

    Parameters
    ----------
    of : Fit or ComputeOptimal
        A fit is asked from its smallest run to 100 times its largest.
    quantity : {"loss", "N", "D", "TPP"}
    ax : Axes, optional

    Returns
    -------
    Axes
        Budgets in floating-point operations, logarithmic. Bands are intervals: the inner one if the law is true, of the loss an
        outer one that allows for what the law may be wrong by. Hatched bands, or none, where the runs do not determine it.

    Raises
    ------
    ValueError
        For an unknown quantity, or results for fewer than two budgets.
    """
    if quantity not in OPTIMAL_VIEWS:
        raise ValueError(f"quantity must be one of {', '.join(OPTIMAL_VIEWS)}; got {quantity!r}")
    fit = of if isinstance(of, offray.Fit) else None
    if fit is not None:
        plane_of.of_N_and_D(fit, "optimal")
    if fit is None and np.size(of.C) < 2:  # type: ignore[union-attr]
        raise ValueError("a curve needs at least two budgets: compute_optimal(np.geomspace(1e20, 1e24, 41))")
    ax = new_axes(ax)
    try:
        curve = _Curve(of, "") if isinstance(of, offray.ComputeOptimal) else _of_fit(of)
    except offray.NotIdentifiedError as refused:
        return _blank(ax, quantity, f"Not determined. {sentence([str(refused)])}")
    except ValueError:  # a law of one's own need not have one
        return _blank(ax, quantity, "Under this law there is no compute-optimal point.")
    _draw(ax, curve, quantity)
    if fit is not None:
        largest = plane_of.FLOPS_PER_TOKEN * float((fit.problem.N * fit.problem.D).max())
        ax.axvline(largest, color=INK, linewidth=1.0, linestyle=":", label="largest run")
        if quantity == "loss":
            C = plane_of.FLOPS_PER_TOKEN * fit.problem.N * fit.problem.D
            ax.scatter(C, fit.problem.loss, s=14, color=GREY, linewidths=0, label="runs", zorder=3)
    powers(ax.xaxis)
    dress(ax, "compute budget C (FLOP)", _LABELS[quantity])
    legend(ax, loc="best")
    if curve.doubt:
        remark(ax, curve.doubt, at=(0.03, 0.03))
    return ax


def _blank(ax: Axes, quantity: str, why: str) -> Axes:
    dress(ax, "compute budget C (FLOP)", _LABELS[quantity], grid=False)
    return leave_blank(ax, why)


def _of_fit(fit: offray.Fit) -> _Curve:
    """From the smallest run on, and why it is not to be trusted where it is not."""
    C = plane_of.FLOPS_PER_TOKEN * fit.problem.N * fit.problem.D
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", offray.IdentifiabilityWarning)
        best = fit.compute_optimal(np.geomspace(float(C.min()), _BEYOND * float(C.max()), _BUDGETS))
    return _Curve(best, sentence(str(w.message) for w in told))


def _draw(ax: Axes, curve: _Curve, quantity: str) -> None:
    best, level = curve.best, 100 * curve.best.level
    order = np.argsort(best.C.ravel())
    at: Any = getattr(best, quantity)
    C, value = best.C.ravel()[order], at.value.ravel()[order]
    bands = {
        "statistical": (SKY, 0.55, f"{level:g} % if the law is true"),
        "interval": (BLUE, 0.18, f"{level:g} % with the law's error"),
    }
    for which, (color, strength, label) in bands.items():
        low, high = np.moveaxis(getattr(at, which).reshape(-1, 2)[order], -1, 0)
        if which == "interval" and np.allclose(low, at.statistical.reshape(-1, 2)[order][:, 0], rtol=1e-6):
            continue
        with np.errstate(over="ignore"):
            low, high = np.clip(low, value / _OPEN, value), np.clip(high, value, value * _OPEN)
        if curve.doubt:
            unknown = f"{level:g} %, not determined"
            ax.fill_between(C, low, high, facecolor="none", edgecolor=GREY, hatch="////", linewidth=0.6, label=unknown)
        else:
            ax.fill_between(C, low, high, color=color, linewidth=0, alpha=strength, label=label)
    ax.plot(C, value, color=BLUE, linewidth=2.0, linestyle="--" if curve.doubt else "-")
    if quantity in ("N", "D"):
        counts(ax.yaxis)
    else:
        plain(ax.yaxis)
