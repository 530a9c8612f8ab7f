# SPDX-License-Identifier: Apache-2.0
"""How well a design tells a law's two terms apart: kappa_eq against the gap of the exponents, or the spread of its rays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot._style import GREY, INK, VERMILION, dress, leave_blank, legend, look, new_axes, plain

KAPPA_VIEWS = ("gap", "ratio")
_TARGET = 100.0
_GAPS = np.linspace(-0.2, 0.2, 41)
_WIDEST = 1000.0
_HIGHEST = 1e7


class _Design(NamedTuple):
    law: offray.Law
    N: Any
    D: Any
    theta: dict[str, Any]
    target: float


def kappa(of: offray.Fit | offray.DesignCheck, against: str = "gap", ax: Axes | None = None) -> Axes:
    """kappa_eq of the two coefficients: 1 where their terms are orthogonal, 100 where intervals are five times as wide.

    Parameters
    ----------
    of : Fit or DesignCheck
        The design, and the law with its parameters; of a check one line for each assumed theta.
    against : {"gap", "ratio"}
        The gap between the exponents of N and D, that of D held; or the ratio between two rays over the design's sizes, about
        the middle of its tokens per parameter.
    ax : Axes, optional

    Returns
    -------
    Axes
        kappa_eq without unit, logarithmic. A dot is the design as it is; the dashed line is the target.

    Raises
    ------
    ValueError
        For an unknown `against`, or a law without two coefficients and an exponent of its own for N and D.
    """
    if against not in KAPPA_VIEWS:
        raise ValueError(f"against must be one of {', '.join(KAPPA_VIEWS)}; got {against!r}")
    design = _design(of)
    ax = new_axes(ax)
    if not design.theta:
        dress(ax, _label(design, against), "kappa_eq")
        return leave_blank(ax, "The parameters are not determined: kappa_eq has no place to be taken at.")
    draw = _against_gap if against == "gap" else _against_ratio
    for k, (name, theta) in enumerate(design.theta.items()):
        style = look(k)
        x, y, here = draw(design, theta)
        ax.plot(
            x, y, color=style.color, linestyle=style.line, linewidth=1.8, label=name if len(design.theta) > 1 else "kappa_eq"
        )
        ax.plot(*here, marker=style.marker, markersize=9, color=style.color, markeredgecolor=INK, linestyle="none", zorder=4)
    ax.plot([], [], marker="o", markersize=9, color=GREY, markeredgecolor=INK, linestyle="none", label="these runs")
    ax.axhline(
        design.target,
        color=VERMILION if len(design.theta) == 1 else GREY,
        linestyle="--",
        linewidth=1.2,
        label=f"target {design.target:g}",
    )
    if against == "gap":
        ax.axvline(0, color=GREY, linewidth=0.9)
    else:
        plain(ax.xaxis)
    low, high = ax.get_ylim()
    ax.set_ylim(max(low, 1.0), min(high, _HIGHEST))
    plain(ax.yaxis)
    dress(ax, _label(design, against), "kappa_eq", f"Telling {' from '.join(design.law.coefficients)}: 1 is best")
    legend(ax, loc="best")
    return ax


def _label(design: _Design, against: str) -> str:
    if against == "ratio":
        return "ratio between two rays"
    return " - ".join(_exponents(design.law))


def _design(of: offray.Fit | offray.DesignCheck) -> _Design:
    law = of.law
    _exponents(law)
    if isinstance(of, offray.DesignCheck):
        return _Design(law, of.N, of.D, {name: at.theta for name, at in of.figures.items()}, of.kappa_target)
    known = np.isfinite(list(of.params.values())).all() and of.reduced is None
    return _Design(law, of.problem.N, of.problem.D, {"fitted": of.theta} if known else dict(law.published), _TARGET)


def _exponents(law: offray.Law) -> tuple[str, str]:
    """Of N and of D."""
    own = [(*law.named("exponent", axis=axis), *law.named("outer", axis=axis))[:1] for axis in ("N", "D")]
    if not all(own) or len(law.coefficients) != 2:
        raise ValueError(f"kappa is about the terms in N and in D; the law {law.name} has no two coefficients with exponents")
    return own[0][0], own[1][0]


def _kappa_at(design: _Design, N: Any, D: Any, thetas: list[Any]) -> list[float]:
    check = offray.check(N, D, law=design.law, theta=thetas, target=(float(N.max()), float(D.max())))
    return [at.kappa_eq for at in check.figures.values()]


def _against_gap(design: _Design, theta: Any) -> tuple[Any, Any, tuple[float, float]]:
    moved, held = (design.law.parameters.index(name) for name in _exponents(design.law))
    gaps = _GAPS[theta[held] + _GAPS > 0.02 * theta[held]]
    each = np.repeat(np.asarray(theta, float)[None], len(gaps), axis=0)
    each[:, moved] = theta[held] + gaps
    here = _kappa_at(design, design.N, design.D, [theta])[0]
    return gaps, _kappa_at(design, design.N, design.D, list(each)), (float(theta[moved] - theta[held]), here)


def _against_ratio(design: _Design, theta: Any) -> tuple[Any, Any, tuple[float, float]]:
    k = design.D / design.N
    middle = float(np.sqrt(k.min() * k.max()))
    sizes = np.unique(design.N)
    widest = float(k.max() / k.min())
    ratios = np.geomspace(1.02, max(_WIDEST, widest), 45)
    fans = [offray.designs.fan([middle / np.sqrt(ratio), middle * np.sqrt(ratio)], sizes) for ratio in ratios]
    values = [_kappa_at(design, *fan, [theta])[0] for fan in fans]
    here = _kappa_at(design, design.N, design.D, [theta])[0]
    return ratios, values, (max(widest, float(ratios[0])), here)
