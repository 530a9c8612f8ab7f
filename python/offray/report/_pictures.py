# SPDX-License-Identifier: Apache-2.0
"""Pictures as SVG inside of a page: its colours, its letters, few digits."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from io import StringIO
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure

import offray
from offray import plot

_SIZE = (5.2, 3.9)
_MANY = 5
"""Parameters of which profiles are drawn, at most."""


class Picture(NamedTuple):
    """An SVG element, and the sentence below it."""

    svg: str
    caption: str


class _Asked(NamedTuple):
    """A picture of something, with its options."""

    of: Any
    kind: str
    caption: str
    options: Mapping[str, Any] = MappingProxyType({})


def pictures(fit: offray.Fit, plan: offray.Suggestion | None) -> Iterator[tuple[str, list[Picture]]]:
    """Headings with their pictures, the most telling first; a picture that a law does not have is left out."""
    for number, (heading, asked) in enumerate(_sections(fit, plan)):
        drawn = [_picture(f"p{number}{k}", what) for k, what in enumerate(asked)]
        yield heading, [one for one in drawn if one is not None]


def _sections(fit: offray.Fit, plan: offray.Suggestion | None) -> Iterator[tuple[str, list[_Asked]]]:
    both = {"params", "tokens"} <= fit.problem.columns.keys() and not fit.law.further
    if both:
        yield "Runs, and where they know the loss", [_Asked(fit, "runs", _RUNS), _Asked(fit, "uncertainty", _UNCERTAINTY)]
        yield (
            "Compute-optimal training",
            [_Asked(fit, "optimal", text, {"quantity": name}) for name, text in _OPTIMAL.items()],
        )
    yield "Parameters", list(_of_parameters(fit))
    views = ("observed", "C", "TPP") if both else ("observed", *fit.law.further)
    texts = {name: _RESIDUALS.get(name, f"What is left along {name}.") for name in views}
    yield "Residuals", [_Asked(fit, "residuals", text, {"against": name}) for name, text in texts.items()]
    if plan is not None:
        yield "After the suggested runs", [_Asked(plan, "design", _AFTER, {"when": "after"})]


_RUNS = "The runs over the fitted loss. Dashed rays: tokens per parameter; dotted lines: equal compute."
_UNCERTAINTY = (
    "Standard deviation of the mean loss, if the law is true. Inside of the thick line the fit knows it better than one more "
    "run there would tell."
)
_AFTER = "Standard deviation of the mean loss once the suggested runs are there."
_OPTIMAL = {
    "loss": "The least loss for a budget.",
    "N": "The size of the model that reaches it.",
    "TPP": "Its tokens per parameter.",
}
_RESIDUALS = {
    "observed": "Fitted against observed losses.",
    "C": "What is left along the compute.",
    "TPP": "What is left along the tokens per parameter.",
}


def _of_parameters(fit: offray.Fit) -> Iterator[_Asked]:
    smooth = fit.objective not in ("absolute", "quantile")
    pairs = [names[:2] for names in (fit.law.exponents, fit.law.coefficients) if len(names) > 1]
    region = "Joint confidence region: likelihood, standard errors, resampled runs."
    for x, y in pairs if smooth else ():
        yield _Asked(fit, "likelihood", region, {"x": x, "y": y})
    yield _Asked(
        fit, "conditioning", "The change of parameters that moves the losses of these runs least.", {"show": "direction"}
    )
    for name in fit.law.parameters[:_MANY] if smooth and not pairs else ():
        yield _Asked(fit, "profile", f"Profile of {name}.", {"parameter": name})


def _picture(identity: str, asked: _Asked) -> Picture | None:
    settings: Any = {**plot.style(), "svg.fonttype": "none", "svg.hashsalt": identity, "figure.facecolor": "none"}
    with rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # the page says it
        figure = Figure(figsize=_SIZE, layout="constrained")
        try:
            plot.draw(asked.of, asked.kind, figure.subplots(), **asked.options)
        except ValueError:  # a law that has no such picture
            return None
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return Picture(inline(out.getvalue(), asked.caption), asked.caption)


def _short(number: re.Match[str]) -> str:
    """A coordinate to a tenth of a point, which is less than a pixel."""
    return f"{float(number.group(0)):.1f}".removesuffix(".0")


def inline(svg: str, label: str) -> str:
    """An SVG file as an element of a page that is legible on light and on dark paper.

    Ink and paper become the page's, coordinates keep one decimal, names that nothing refers to go.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda m: m.group(0) if m.group(1) in referred else "", body)
    body = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(?<![\w#.])-?\d+\.\d{2,}(?![\w.])", _short, tag.group(0)), body)
    body = body.replace(plot.INK, "var(--ink)").replace(plot.PAPER, "var(--paper)").replace(plot.GREY, "var(--grey)")
    body = re.sub(r"\s*\n\s*", "\n", body)
    name = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return re.sub(r'<svg ([^>]*?)width="[^"]*" height="[^"]*"', rf'<svg \1role="img" aria-label="{name}"', body, count=1)
