# SPDX-License-Identifier: Apache-2.0
"""How fast the fit becomes worse as one parameter moves and all others follow."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot._regions import Array, Profiler, t_of
from offray.plot._style import BLUE, GREY, INK, VERMILION, dress, leave_blank, legend, new_axes, plain, remark

_STEPS = 31
_LEVELS = (0.68, 0.95)
_TOP = 1.5


def profile(fit: offray.Fit, parameter: str | None = None, ax: Axes | None = None) -> Axes:
    """The profile of a parameter: the root of 2 (F - F_min) / s^2, F minimised over all others.

    Straight arms are a parabola, where standard errors say all; an arm that bends away from the dashed one is skew, one
    that never reaches the upper line leaves that side open.

    Parameters
    ----------
    fit : Fit
        By a smooth objective.
    parameter : str, optional
        Default: the first exponent of the law, or its first parameter.
    ax : Axes, optional

    Returns
    -------
    Axes
        The parameter in natural units; the distance in standard deviations, with lines at 68 and 95 % of Student's t.

    Raises
    ------
    ValueError
        For a parameter that the law does not have, or an objective with a kink.
    """
    name = parameter or next(iter((*fit.law.exponents, *fit.law.parameters)))
    if name not in fit.law.parameters:
        raise ValueError(f"parameter must be one of {', '.join(fit.law.parameters)}; got {name!r}")
    profiler = Profiler(fit)
    ax = new_axes(ax)
    dress(ax, name, "distance (standard deviations)")
    why = profiler.nothing_to_draw(name)
    if why:
        ax.grid(visible=False)
        return leave_blank(ax, why)
    levels = [t_of(level, fit.degrees_of_freedom) for level in _LEVELS]
    x = profiler.axis(name, (_TOP * levels[-1]) ** 2, _STEPS)
    distance = np.sqrt([profiler.excess({name: float(value)}) for value in x])
    ax.plot(x, distance, color=BLUE, linewidth=2.0, label="profile")
    _delta(ax, fit, profiler, name, x)
    for level, t in zip(_LEVELS, levels, strict=True):
        ax.axhline(t, color=GREY, linewidth=0.9, linestyle=":")
        ax.annotate(
            f"{100 * level:g} %", (1, t), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8, color=INK
        )
    ax.set_ylim(0, _TOP * levels[-1])
    if profiler.wide(name):
        plain(ax.xaxis)
    ends = [side for side, at in (("below", distance[0]), ("above", distance[-1])) if not at >= levels[-1]]
    if profiler.at_zero(name):
        remark(ax, "At its lower bound: the runs rule out no smaller value.", at=(0.97, 0.03))
    elif ends:
        remark(ax, f"Open {' and '.join(ends)}: the runs rule nothing out there at 95 %.", at=(0.03, 0.97))
    legend(ax, loc="upper center")
    return ax


def profile_views(fit: offray.Fit) -> tuple[str, ...]:
    """The parameters that are not fixed."""
    held = () if fit.problem.limits is None else fit.problem.limits.fixed
    return tuple(name for name in fit.law.parameters if name not in held) or fit.law.parameters


def _delta(ax: Axes, fit: offray.Fit, profiler: Profiler, name: str, x: Array) -> None:
    """What the standard error alone says; on the logarithm of a positive parameter, as its interval is."""
    se = float(fit.se[fit.law.parameters.index(name)])
    centre = profiler.centre(name)
    if not (np.isfinite(se) and se > 0) or profiler.at_zero(name):
        return
    away = np.abs(np.log(x / centre)) * centre / se if profiler.positive(name) else np.abs(x - centre) / se
    ax.plot(x, away, color=VERMILION, linewidth=1.4, linestyle="--", label="standard error")
