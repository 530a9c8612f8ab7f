# SPDX-License-Identifier: Apache-2.0
"""Fit neural scaling laws, and know what a set of training runs determines.

>>> import offray
>>> runs = offray.examples.pile()
>>> fit = offray.fit(runs, law="kaplan")
>>> fit.status
'converged'
"""

from typing import TYPE_CHECKING, Any

from offray import examples, laws
from offray._batch import Bootstrap, FitMany, fit_many
from offray._certificate import Basin, Certificate
from offray._condition import Conditioning, condition
from offray._config import get_cmake_dir, get_include
from offray._core import __version__
from offray._fit import fit
from offray._interrupted import Interrupted
from offray._laws import Law
from offray._result import Fit
from offray._scipy import OptimizeResult, curve_fit, least_squares
from offray._simd import simd
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning, NotIdentifiedError

if TYPE_CHECKING:
    from offray import datasets, designs, experiment
    from offray._check import DesignCheck, Figures, check
    from offray._compare import Comparison, LawScore, compare
    from offray._identifiability import Identifiability
    from offray._intervals import Intervals
    from offray._isoflop import IsoFlop, Parabola, isoflop
    from offray._optimal import ComputeOptimal, Estimate
    from offray._precision import PrecisionReport, WeightedConditioning, precision_report
    from offray._prediction import Prediction
    from offray._suggest import Suggestion, suggest
    from offray._tpp import TppDiversity, r_min, tpp_diversity

_ON_DEMAND = {
    "_check": ("DesignCheck", "Figures", "check"),
    "_compare": ("Comparison", "LawScore", "compare"),
    "_identifiability": ("Identifiability",),
    "_intervals": ("Intervals",),
    "_isoflop": ("IsoFlop", "Parabola", "isoflop"),
    "_optimal": ("ComputeOptimal", "Estimate"),
    "_precision": ("PrecisionReport", "WeightedConditioning", "precision_report"),
    "_prediction": ("Prediction",),
    "_suggest": ("Suggestion", "suggest"),
    "_tpp": ("TppDiversity", "r_min", "tpp_diversity"),
}


def __getattr__(name: str) -> Any:
    """What a first fit does not need is imported when asked for: an import takes 8 ms instead of 25."""
    from importlib import import_module

    if name in ("datasets", "designs", "experiment"):
        return import_module(f"offray.{name}")
    for module, names in _ON_DEMAND.items():
        if name in names:
            return getattr(import_module(f"offray.{module}"), name)
    raise AttributeError(f"module 'offray' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Basin",
    "Bootstrap",
    "Certificate",
    "Comparison",
    "ComputeOptimal",
    "Conditioning",
    "ConvergenceWarning",
    "DesignCheck",
    "Estimate",
    "Figures",
    "Fit",
    "FitMany",
    "Identifiability",
    "IdentifiabilityWarning",
    "Interrupted",
    "Intervals",
    "IsoFlop",
    "Law",
    "LawScore",
    "NotIdentifiedError",
    "OptimizeResult",
    "Parabola",
    "PrecisionReport",
    "Prediction",
    "Suggestion",
    "TppDiversity",
    "WeightedConditioning",
    "__version__",
    "check",
    "compare",
    "condition",
    "curve_fit",
    "datasets",
    "designs",
    "examples",
    "experiment",
    "fit",
    "fit_many",
    "get_cmake_dir",
    "get_include",
    "isoflop",
    "laws",
    "least_squares",
    "precision_report",
    "r_min",
    "simd",
    "suggest",
    "tpp_diversity",
]
