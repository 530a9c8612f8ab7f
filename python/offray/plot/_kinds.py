# SPDX-License-Identifier: Apache-2.0
"""Which pictures there are of what, and whole figures of all views of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import offray
from offray.plot._compare import compare
from offray.plot._conditioning import CONDITIONING_VIEWS, conditioning
from offray.plot._design import DESIGN_VIEWS, design
from offray.plot._isoflop import isoflop
from offray.plot._kappa import KAPPA_VIEWS, kappa
from offray.plot._likelihood import likelihood, likelihood_pairs
from offray.plot._optimal import OPTIMAL_VIEWS, optimal
from offray.plot._profile import profile, profile_views
from offray.plot._residuals import residual_views, residuals
from offray.plot._runs import runs
from offray.plot._style import SIZE, style
from offray.plot._uncertainty import uncertainty

_FORMATS = ("png", "svg", "pdf")
_OF_SEVERAL = 0.72
"""Width of one panel of several, as a share of that of a picture of its own."""


class Kind(NamedTuple):
    """A picture: its function, what it is of, and its views: options that together show all of it."""

    draw: Callable[..., Axes]
    of: tuple[type, ...]
    views: Callable[[Any], Sequence[Mapping[str, Any]]]


def _one(_: Any) -> Sequence[Mapping[str, Any]]:
    return ({},)


def _each(option: str, values: Sequence[str]) -> Callable[[Any], Sequence[Mapping[str, Any]]]:
    return lambda _: [{option: value} for value in values]


def _design_views(plan: Any) -> Sequence[Mapping[str, Any]]:
    """A check has no new runs, and without existing ones there is no before."""
    both = isinstance(plan, offray.Suggestion) and len(plan.existing[0]) > 0
    return [{"when": when} for when in (DESIGN_VIEWS[::-1] if both else DESIGN_VIEWS[:1])]


_KINDS: dict[str, Kind] = {
    "runs": Kind(runs, (offray.Fit,), _one),
    "uncertainty": Kind(uncertainty, (offray.Fit,), _one),
    "residuals": Kind(residuals, (offray.Fit,), lambda fit: [{"against": name} for name in residual_views(fit)]),
    "optimal": Kind(optimal, (offray.Fit, offray.ComputeOptimal), _each("quantity", OPTIMAL_VIEWS)),
    "likelihood": Kind(likelihood, (offray.Fit,), lambda fit: [{"x": x, "y": y} for x, y in likelihood_pairs(fit)] or [{}]),
    "profile": Kind(profile, (offray.Fit,), lambda fit: [{"parameter": name} for name in profile_views(fit)]),
    "conditioning": Kind(conditioning, (offray.Fit,), _each("show", CONDITIONING_VIEWS)),
    "kappa": Kind(kappa, (offray.Fit, offray.DesignCheck), _each("against", KAPPA_VIEWS)),
    "isoflop": Kind(isoflop, (offray.IsoFlop, offray.Fit), _one),
    "design": Kind(design, (offray.Suggestion, offray.DesignCheck), _design_views),
    "compare": Kind(compare, (offray.Comparison,), _one),
}
KINDS: tuple[str, ...] = tuple(_KINDS)


def kinds(of: Any) -> tuple[str, ...]:
    """The pictures that there are of a result, that of its ``plot()`` first.

    Raises
    ------
    TypeError
        For anything that there is no picture of.
    """
    found = tuple(name for name, kind in _KINDS.items() if isinstance(of, kind.of))
    if not found:
        known = sorted({one.__name__ for kind in _KINDS.values() for one in kind.of})
        raise TypeError(f"there are pictures of {', '.join(known)}; got {type(of).__name__}")
    # Its own picture first: a check is a design, although it comes with a kappa too.
    return tuple(sorted(found, key=lambda name: _KINDS[name].of[0] is not type(of) and name == "kappa"))


def draw(of: Any, kind: str | None = None, ax: Axes | None = None, **options: Any) -> Axes:
    """What ``plot()`` of a result does: one picture on one pair of axes.

    Parameters
    ----------
    of : Fit, ComputeOptimal, IsoFlop, Suggestion, DesignCheck or Comparison
    kind : str, optional
        One of `kinds`; default: the first.
    ax : Axes, optional
        Default: those of a new figure of pyplot.
    **options
        Of the picture's own function.

    Raises
    ------
    ValueError
        For a kind that there is not of this.
    """
    return _kind(of, kind).draw(of, ax=ax, **options)


def figure(of: Any, kind: str | None = None, *, columns: int = 2) -> Figure:
    """A figure with all views of a picture, without pyplot and without a display.

    Parameters
    ----------
    of, kind
        As for `draw`.
    columns : int
        Of panels, where there are several views; 1 for a narrow page.

    Returns
    -------
    matplotlib.figure.Figure
        5.2 inches wide for one panel, each panel 3.7 inches of several.

    Raises
    ------
    ValueError
        For a kind that there is not of this, or no columns.
    """
    if columns < 1:
        raise ValueError(f"columns must be at least 1; got {columns}")
    picture = _kind(of, kind)
    views = picture.views(of)
    across = min(columns, len(views))
    down = -(-len(views) // across)
    scale = 1.0 if across == 1 else _OF_SEVERAL
    with rc_context(style()):
        out = Figure(figsize=(SIZE[0] * scale * across, SIZE[1] * scale * down), layout="constrained")
        axes = out.subplots(down, across, squeeze=False).ravel()
        for ax, options in zip(axes, views, strict=False):
            picture.draw(of, ax=ax, **options)
        for ax in axes[len(views) :]:
            ax.remove()
    return out


def save(picture: Figure, path: str | Path, *, dpi: float = 200.0) -> None:
    """Write a figure: the same file on every run, letters of an SVG as text.

    Raises
    ------
    ValueError
        For an ending other than png, svg and pdf.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in _FORMATS:
        raise ValueError(f"{path}: a picture is written as {', '.join(_FORMATS)}; the ending is {ending or 'missing'}")
    stamps = {"png": None, "svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}}
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "offray"}
    with rc_context(settings):
        picture.savefig(path, dpi=dpi, format=ending, metadata=stamps[ending])


def _kind(of: Any, kind: str | None) -> Kind:
    known = kinds(of)
    if kind is not None and kind not in known:
        raise ValueError(f"kind must be one of {', '.join(known)} for a {type(of).__name__}; got {kind!r}")
    return _KINDS[kind or known[0]]
