# SPDX-License-Identifier: Apache-2.0
"""The confidence region of two parameters together."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot._regions import Profiler, joint
from offray.plot._style import BLUE, GREY, INK, SKY, VERMILION, dress, leave_blank, legend, new_axes, plain, remark

_STEPS = 45
_LEVELS = (0.68, 0.95)
_EDGE = 1.6


def likelihood(
    fit: offray.Fit, x: str | None = None, y: str | None = None, ax: Axes | None = None, *, replicates: int = 400
) -> Axes:
    """The joint confidence region of two parameters: likelihood, ellipse of the standard errors, bootstrap.

    Parameters
    ----------
    fit : Fit
        By a smooth objective.
    x, y : str, optional
        Names of parameters. Default: the two exponents of N and D; `likelihood_pairs` lists the usual ones.
    ax : Axes, optional
    replicates : int
        Of the bootstrap cloud, runs drawn with replacement; 0 for none.

    Returns
    -------
    Axes
        Parameters in natural units. Filled: where 2 (F - F_min) / s^2, F minimised over all others, stays below twice the F
        quantile of 68 and 95 %. Dashed: the same by the covariance. The dotted line is where two exponents are equal.

    Raises
    ------
    ValueError
        For parameters that the law does not have, or an objective with a kink.
    """
    pairs = likelihood_pairs(fit)
    if x is None and y is None and not pairs:
        raise ValueError(f"the law {fit.law.name} has no two free parameters")
    if x is None or y is None:
        x, y = pairs[0] if x is None and y is None else (x or fit.law.parameters[0], y or fit.law.parameters[0])
    for axis, name in (("x", x), ("y", y)):
        if name not in fit.law.parameters:
            raise ValueError(f"{axis} must be one of {', '.join(fit.law.parameters)}; got {name!r}")
    if x == y:
        raise ValueError(f"x and y must be two parameters; both are {x!r}")
    profiler = Profiler(fit)
    ax = new_axes(ax)
    dress(ax, x, y)
    why = profiler.nothing_to_draw(x, y)
    if why:
        ax.grid(visible=False)
        return leave_blank(ax, why)
    across, up = _region(ax, fit, profiler, x, y)
    _ellipses(ax, fit, profiler, x, y)
    if replicates:
        _cloud(ax, fit, x, y, replicates)
    if all(next(p.role for p in fit.law.roles if p.name == name) in ("exponent", "outer") for name in (x, y)):
        ax.axline((across[0], across[0]), slope=1, color=INK, linewidth=1.2, linestyle=":", label=f"{x} = {y}")
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(up[0], up[-1])
    for name, drawn in ((x, ax.xaxis), (y, ax.yaxis)):
        if profiler.wide(name):
            plain(drawn)
    legend(ax, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2)
    return ax


def likelihood_pairs(fit: offray.Fit) -> tuple[tuple[str, str], ...]:
    """The pairs worth a picture: the exponents of N and D, the two coefficients; else the first two free parameters."""
    law = fit.law
    held = () if fit.problem.limits is None else fit.problem.limits.fixed
    groups = (
        [name for name in law.exponents if name not in held][:2],
        [name for name in law.coefficients if name not in held][:2],
    )
    pairs = tuple((pair[0], pair[1]) for pair in groups if len(pair) == 2)
    free = [name for name in law.parameters if name not in held]
    return pairs or (((free[0], free[1]),) if len(free) > 1 else ())


def _region(ax: Axes, fit: offray.Fit, profiler: Profiler, x: str, y: str) -> tuple[Any, Any]:
    """The region of the likelihood, and the axes that hold it."""
    levels = [joint(level, fit.degrees_of_freedom) for level in _LEVELS]
    across, up = (profiler.axis(name, _EDGE * levels[-1], _STEPS) for name in (x, y))
    excess = np.array([[profiler.excess({x: float(u), y: float(v)}) for u in across] for v in up])
    excess = np.minimum(excess, 1e6)
    ax.contourf(across, up, excess, levels=[0, *levels], colors=[SKY, SKY], alpha=0.45, zorder=1)
    ax.contour(across, up, excess, levels=levels, colors=[BLUE], linewidths=[2.0, 1.2], zorder=3)
    ax.plot([], [], color=BLUE, linewidth=2.0, label="likelihood, 68 and 95 %")
    edge = np.concatenate([excess[0], excess[-1], excess[:, 0], excess[:, -1]])
    if edge.min() < levels[-1]:
        remark(ax, "Open: the region goes on beyond the picture; the runs do not bound it.", at=(0.97, 0.97))
    ax.plot(
        profiler.centre(x),
        profiler.centre(y),
        marker="+",
        markersize=11,
        markeredgewidth=2,
        color=INK,
        linestyle="none",
        zorder=6,
    )
    return across, up


def _ellipses(ax: Axes, fit: offray.Fit, profiler: Profiler, x: str, y: str) -> None:
    """By the covariance, on the logarithm of positive parameters, as intervals by the delta method are."""
    rows = [fit.law.parameters.index(name) for name in (x, y)]
    cov = np.asarray(fit.cov, float)[np.ix_(rows, rows)]
    if not np.isfinite(cov).all():
        return
    centre = np.array([profiler.centre(name) for name in (x, y)])
    unit = np.array([c if profiler.positive(name) else 1.0 for c, name in zip(centre, (x, y), strict=True)])
    values, vectors = np.linalg.eigh(cov / np.outer(unit, unit))
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * np.array([np.cos(angle), np.sin(angle)]))
    for level, label in zip(_LEVELS, ("standard errors", None), strict=True):
        step = np.sqrt(joint(level, fit.degrees_of_freedom)) * circle
        with np.errstate(over="ignore"):
            path = [
                c * np.exp(s) if profiler.positive(name) else c + s for c, s, name in zip(centre, step, (x, y), strict=True)
            ]
        ax.plot(*path, color=VERMILION, linewidth=1.4, linestyle="--", label=label, zorder=4)


def _cloud(ax: Axes, fit: offray.Fit, x: str, y: str, replicates: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theta = fit.bootstrap(replicates).usable_theta
    i, j = (fit.law.parameters.index(name) for name in (x, y))
    here = theta[np.isfinite(theta[:, [i, j]]).all(axis=1)]
    if len(here):
        ax.scatter(here[:, i], here[:, j], s=5, color=GREY, alpha=0.6, linewidths=0, label="bootstrap", zorder=2)
