# SPDX-License-Identifier: Apache-2.0
"""A design in the (N, D) plane, and how well it will know the loss: before new runs and after them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

import offray
from offray.plot import _plane as plane_of
from offray.plot._style import INK, PAPER, VERMILION, hatch_all, legend, new_axes, remark
from offray.plot._uncertainty import decades, draw_field

DESIGN_VIEWS = ("after", "before")
_AROUND = 3.0
_LOST = 1e-8


class _Plan(NamedTuple):
    law: offray.Law
    theta: Any
    sigma: float
    there: tuple[Any, Any]
    new: tuple[Any, Any, Any]
    target: Any


def design(plan: offray.Suggestion | offray.DesignCheck, when: str = "after", ax: Axes | None = None) -> Axes:
    """Runs, target, and the standard deviation that the loss will be known to, before or after the suggested runs.

    Parameters
    ----------
    plan : Suggestion or DesignCheck
        Figures are at its first assumed theta. A check has no new runs.
    when : {"after", "before"}
    ax : Axes, optional

    Returns
    -------
    Axes
        Model parameters N and training tokens D, logarithmic; colours are standard deviations of the mean loss in nats per
        token. New runs are diamonds, larger ones are repeated; the target is a star.

    Raises
    ------
    ValueError
        For an unknown `when`.
    """
    if when not in DESIGN_VIEWS:
        raise ValueError(f"when must be one of {', '.join(DESIGN_VIEWS)}; got {when!r}")
    if {*plan.inputs} != {"params", "tokens"}:
        raise ValueError(f"the picture of a design is about N and D; the law {plan.law.name} reads {', '.join(plan.inputs)}")
    of = _plan(plan)
    ax = new_axes(ax)
    corners = [np.concatenate([of.there[k], of.new[k], of.target[:, k]]) for k in (0, 1)]
    where = plane_of.plane(corners[0], corners[1], _AROUND, _AROUND)
    _field(ax, of, where, when)
    plane_of.draw_rays(ax, where)
    if len(of.there[0]):
        plane_of.draw_runs(ax, *of.there, label="existing runs" if len(of.new[0]) else "planned runs")
    if when == "after" and len(of.new[0]):
        N, D, repeats = of.new
        ax.scatter(
            N,
            D,
            s=34 + 22 * (repeats - 1),
            marker="D",
            color=VERMILION,
            edgecolors=PAPER,
            linewidths=1.0,
            label="new runs",
            zorder=6,
        )
    ax.scatter(
        of.target[:, 0],
        of.target[:, 1],
        s=150,
        marker="*",
        color=PAPER,
        edgecolors=INK,
        linewidths=1.2,
        label="target",
        zorder=6,
    )
    legend(ax, loc="upper left")
    return ax


def _plan(plan: offray.Suggestion | offray.DesignCheck) -> _Plan:
    if isinstance(plan, offray.DesignCheck):
        name, figures = next(iter(plan.figures.items()))
        nothing = np.array([])
        return _Plan(plan.law, figures.theta, plan.sigma, (plan.N, plan.D), (nothing, nothing, nothing), plan.target[name])
    name, theta = next(iter(plan.theta.items()))
    return _Plan(
        plan.law, theta, plan.sigma, (plan.existing[0], plan.existing[1]), (plan.N, plan.D, plan.repeats), plan.target[name]
    )


def _field(ax: Axes, of: _Plan, where: plane_of.Plane, when: str) -> None:
    new_N, new_D, repeats = of.new
    every = tuple(
        np.concatenate([there, np.repeat(new, repeats.astype(int))])
        for there, new in zip(of.there, (new_N, new_D), strict=True)
    )
    N, D = every if when == "after" else of.there
    n, d = where.grid
    loss = of.law((n, d), *of.theta)
    sd = _predicted_sd(of, N, D, n, d)
    both = np.concatenate([_predicted_sd(of, x, y, n, d)[:, :, None] for x, y in (of.there, every)], axis=2)
    shown = both[plane_of.is_known(both, loss[:, :, None])]
    at = _predicted_sd(of, N, D, of.target[:, 0], of.target[:, 1])
    there = of.law((of.target[:, 0], of.target[:, 1]), *of.theta)
    known = f"{np.sqrt(np.mean(at**2)):.2g} nats" if plane_of.is_known(at, there).all() else "not determined"
    runs = f"{len(N)} runs" if len(N) != 1 else "1 run"
    plane_of.draw_plane(ax, where, f"{when.capitalize() if len(of.new[0]) else 'Planned'}: {runs}; s.d. at the target {known}")
    if np.isfinite(sd).any():
        draw_field(ax, n, d, sd, loss, of.sigma, decades(shown) if shown.size else None)  # one scale before and after
    else:
        hatch_all(ax)
        remark(ax, "Hatched: these runs do not determine the law.", at=(0.97, 0.03))


def _predicted_sd(of: _Plan, N: Any, D: Any, n: Any, d: Any) -> Any:
    """sigma |R^-T g| with J = Q R, columns of unit length; infinite where the runs leave parameters open."""
    shape = np.shape(n)
    if len(N) < len(of.law.parameters):
        return np.full(shape, np.inf)
    J, g = (of.law.jacobian((np.ravel(x), np.ravel(y)), *of.theta) for x, y in ((N, D), (n, d)))
    size = np.linalg.norm(J, axis=0)
    _, singular, V = np.linalg.svd(J / size, full_matrices=False)
    if singular[-1] < _LOST * singular[0]:
        return np.full(shape, np.inf)
    return of.sigma * np.linalg.norm((g / size) @ V.T / singular, axis=1).reshape(shape)
