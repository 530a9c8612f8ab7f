# SPDX-License-Identifier: Apache-2.0
"""Pictures of fits, plans and comparisons. Needs the extra ``plot``; uses the public names of offray only.

Every function draws on the axes that it is given, or on those of a new figure, and returns them. Colours, lines and markers
differ together, so that colour-blind readers and greyscale prints tell them apart. What the runs do not determine is hatched
or left blank, and said in the picture.

>>> import offray
>>> fit = offray.fit(offray.examples.pile(), law="kaplan")
>>> offray.plot.figure(fit, "uncertainty").get_axes()[0].get_xlabel()
'model parameters N'
"""

try:
    import matplotlib  # noqa: F401 - to say what is missing in one line
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("pictures need matplotlib; pip install 'offray[plot]'", name=error.name) from None

from offray.plot._compare import compare
from offray.plot._conditioning import conditioning
from offray.plot._design import design
from offray.plot._isoflop import isoflop
from offray.plot._kappa import kappa
from offray.plot._kinds import KINDS, draw, figure, kinds, save
from offray.plot._likelihood import likelihood
from offray.plot._optimal import optimal
from offray.plot._profile import profile
from offray.plot._residuals import residuals
from offray.plot._runs import runs
from offray.plot._style import GREY, INK, PAPER, style
from offray.plot._uncertainty import uncertainty

__all__ = [
    "GREY",
    "INK",
    "KINDS",
    "PAPER",
    "compare",
    "conditioning",
    "design",
    "draw",
    "figure",
    "isoflop",
    "kappa",
    "kinds",
    "likelihood",
    "optimal",
    "profile",
    "residuals",
    "runs",
    "save",
    "style",
    "uncertainty",
]
