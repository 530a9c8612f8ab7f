# SPDX-License-Identifier: Apache-2.0
"""The (N, D) plane that several pictures share: its range, what a fit predicts there, rays, isoFLOP lines, runs."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

import offray
from offray.plot._style import GREY, INK, PAPER, TINY, counts, dress, halo, power

Array = npt.NDArray[Any]
FLOPS_PER_TOKEN = 6.0
"""Of training, per parameter and token."""
UNKNOWN = 0.05
"""Share of the loss from which on a standard deviation means that it is not known."""
_POINTS = 90


class Plane(NamedTuple):
    """Ranges of N and D."""

    N: tuple[float, float]
    D: tuple[float, float]

    @property
    def grid(self) -> tuple[Array, Array]:
        """N and D, (90, 90) each, log-spaced."""
        n, d = np.meshgrid(np.geomspace(*self.N, _POINTS), np.geomspace(*self.D, _POINTS))
        return n, d


def plane(N: Array, D: Array, below: float, above: float) -> Plane:
    """The range of some points, and by these factors beyond it."""
    ends = [(float(x.min()) / below, float(x.max()) * above) for x in (N, D)]
    return Plane(*ends)


def of_N_and_D(fit: offray.Fit, picture: str) -> None:
    """``ValueError`` for a law of other inputs, where a picture is about parameters and tokens."""
    if not {"params", "tokens"} <= fit.problem.columns.keys() or fit.law.further:
        raise ValueError(f"{picture} is about N and D; the law {fit.law.name} reads {', '.join(fit.law.inputs)}")


def predicted(fit: offray.Fit, N: Any, D: Any) -> offray.Prediction | None:
    """What the fit says at these places, in one epoch; None where it refuses one of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # the picture shows it
        try:
            return fit.predict(N, D)
        except offray.NotIdentifiedError:
            return None


def is_known(sd: Any, loss: Any) -> Any:
    """Where a standard deviation is small enough for the loss to be called known."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(sd) & (sd < UNKNOWN * loss)


def hatch_unknown(ax: Axes, n: Any, d: Any, known: Any) -> None:
    """Hatches where the loss is not known, with a line about it."""
    ax.contourf(n, d, known.astype(float), levels=[-0.5, 0.5], colors="none", hatches=["////"], zorder=1)
    ax.contour(n, d, known.astype(float), levels=[0.5], colors=GREY, linewidths=0.8, zorder=1)
    label = f"s.d. above {100 * UNKNOWN:g} %: not known"
    ax.fill_between([], [], [], facecolor="none", edgecolor=GREY, hatch="////", linewidth=0, label=label)


def line_of_runs(fit: offray.Fit) -> tuple[Array, Array]:
    """Along what all runs have in common (a ray, a size, a token count), over their range: (90,) each."""
    log = np.log(np.stack([fit.problem.N, fit.problem.D]).astype(float))
    middle = log.mean(axis=1, keepdims=True)
    directions = np.array([(1.0, 1.0), (0.0, 1.0), (1.0, 0.0)])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    away = [np.linalg.norm((log - middle) - np.outer(u, u @ (log - middle))) for u in directions]
    u = directions[int(np.argmin(away))]
    along = u @ (log - middle)
    steps = np.linspace(along.min(), along.max(), _POINTS)
    n, d = np.exp(middle + np.outer(u, steps))
    return n, d


def draw_plane(ax: Axes, where: Plane, title: str) -> None:
    """Axes of parameters and tokens."""
    ax.set_xlim(where.N)
    ax.set_ylim(where.D)
    counts(ax.xaxis)
    counts(ax.yaxis)
    dress(ax, "model parameters N", "training tokens D", title, grid=False, pad=16.0)


def draw_rays(ax: Axes, where: Plane) -> None:
    """Lines of equal tokens per parameter, D = k N, named where they leave the plane."""
    (n0, n1), (d0, d1) = where
    low, high = np.log10(d0 / n1), np.log10(d1 / n0)
    step = 1 if high - low < 7 else 2
    for exponent in range(int(np.ceil(low)), int(np.floor(high)) + 1, step):
        k = 10.0**exponent
        ax.plot([n0, n1], [k * n0, k * n1], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.55, zorder=2)
        through_top = k * n1 > d1
        x, y = (d1 / k, d1) if through_top else (n1, k * n1)
        inside = np.log(x / n0) / np.log(n1 / n0) > 0.06 and np.log(y / d0) / np.log(d1 / d0) > 0.06
        if inside:
            ax.annotate(
                f"{k:g}" if k < 1e4 else power(k),
                (x, y),
                xytext=(0, 2) if through_top else (3, 0),
                textcoords="offset points",
                ha="center" if through_top else "left",
                va="bottom" if through_top else "center",
                fontsize=TINY,
                color=INK,
                annotation_clip=False,
            )


def draw_isoflop(ax: Axes, where: Plane) -> None:
    """Lines of equal compute 6 N D, named on the line."""
    n, d = where.grid
    exponent = np.log10(FLOPS_PER_TOKEN * n * d)
    low, high = int(np.ceil(exponent.min())), int(np.floor(exponent.max()))
    step = max(1, round((high - low) / 4))
    levels = [float(level) for level in range(low, high + 1, step)]
    if not levels:
        return
    lines = ax.contour(n, d, exponent, levels=levels, colors=GREY, linewidths=0.9, linestyles="dotted", zorder=2)
    # Named towards the corner of large models on few tokens, which few sweeps use.
    share = 0.8
    (n0, n1), (d0, d1) = np.log(where.N), np.log(where.D)
    spots = []
    for level in levels:
        total = level * np.log(10) - np.log(FLOPS_PER_TOKEN)
        right = min(n1, total - d0)
        left = max(n0, total - d1)
        x = left + share * (right - left)
        if right - left > 0.12 * (n1 - n0):
            spots.append((float(np.exp(x)), float(np.exp(total - x))))
    if spots:
        names = {level: f"{power(10.0**level)} FLOP" for level in levels}
        for text in ax.clabel(lines, fmt=names, fontsize=TINY, manual=spots, colors=[INK]):
            text.set_path_effects(halo())


def draw_largest(ax: Axes, fit: offray.Fit, where: Plane) -> None:
    """The compute of the largest run, beyond which the law is extrapolated."""
    largest = float((fit.problem.N * fit.problem.D).max())
    n = log_range(*where.N)
    ax.plot(n, largest / n, color=INK, linewidth=1.2, linestyle="-.", label="compute of the largest run", zorder=3)


def draw_runs(ax: Axes, N: Any, D: Any, label: str = "runs") -> None:
    """The runs, legible on any colour."""
    ax.scatter(N, D, s=20, color=INK, edgecolors=PAPER, linewidths=0.8, label=label, zorder=5)


def log_range(low: float, high: float, steps: int = _POINTS) -> Array:
    """Log-spaced numbers."""
    return np.geomspace(low, high, steps)
