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
from offray._conditioning import Conditioning, condition
from offray._config import get_cmake_dir, get_include
from offray._core import OBJECTIVES, __version__
from offray._fit import fit
from offray._identify.certificate import Basin, Certificate
from offray._infer.bootstrap import Bootstrap
from offray._infer.fit_many import FitMany, fit_many
from offray._interrupted import Interrupted
from offray._law import Law, Parameter
from offray._result import Fit
from offray._scipy.curve_fit import curve_fit
from offray._scipy.least_squares import OptimizeResult, least_squares
from offray._simd import simd
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning, NotIdentifiedError

if TYPE_CHECKING:
    from offray import datasets, designs, experiment
    from offray import plot as plot
    from offray import report as report
    from offray import sklearn as sklearn
    from offray._chain import Chain, ChainPrediction, chain
    from offray._compare import Comparison, LawScore, compare
    from offray._expression.law import law
    from offray._grouped import GroupedFit
    from offray._identify.precision import PrecisionReport, WeightedConditioning, precision_report
    from offray._identify.report import Identifiability
    from offray._identify.tpp import TppDiversity, r_min, tpp_diversity
    from offray._infer.intervals import Intervals
    from offray._infer.misfit import FTest, Misfit, Rolling
    from offray._infer.optimal import ComputeOptimal, Estimate
    from offray._infer.other_laws import OtherLaw
    from offray._infer.prediction import Prediction
    from offray._infer.reach import Reach
    from offray._load import load
    from offray._online import OnlineFit
    from offray._optimal_of import OptimalPoint, compute_optimal
    from offray._plan.check import check
    from offray._plan.design_check import DesignCheck, Figures
    from offray._plan.isoflop import IsoFlop, isoflop
    from offray._plan.parabola import Parabola
    from offray._plan.suggest import suggest
    from offray._plan.suggestion import Suggestion
    from offray._read.read import read

_ON_DEMAND = {
    "_plan.check": ("check",),
    "_plan.design_check": ("DesignCheck", "Figures"),
    "_chain": ("Chain", "ChainPrediction", "chain"),
    "_expression.law": ("law",),
    "_grouped": ("GroupedFit",),
    "_online": ("OnlineFit",),
    "_optimal_of": ("OptimalPoint", "compute_optimal"),
    "_compare": ("Comparison", "LawScore", "compare"),
    "_identify.report": ("Identifiability",),
    "_infer.intervals": ("Intervals",),
    "_infer.misfit": ("FTest", "Misfit", "Rolling"),
    "_plan.isoflop": ("IsoFlop", "isoflop"),
    "_plan.parabola": ("Parabola",),
    "_infer.optimal": ("ComputeOptimal", "Estimate"),
    "_identify.precision": ("PrecisionReport", "WeightedConditioning", "precision_report"),
    "_infer.other_laws": ("OtherLaw",),
    "_infer.prediction": ("Prediction",),
    "_infer.reach": ("Reach",),
    "_load": ("load",),
    "_plan.suggest": ("suggest",),
    "_plan.suggestion": ("Suggestion",),
    "_read.read": ("read",),
    "_identify.tpp": ("TppDiversity", "r_min", "tpp_diversity"),
}
_MODULES = ("datasets", "designs", "experiment")
_OF_EXTRAS = ("plot", "report", "sklearn")
"""Not in `__all__`: ``from offray import *`` would need their extras."""


def __getattr__(name: str) -> Any:
    """What a first fit does not need is imported when asked for: an import takes 8 ms instead of 25."""
    from importlib import import_module

    if name in (*_MODULES, *_OF_EXTRAS):
        return import_module(f"offray.{name}")
    for module, names in _ON_DEMAND.items():
        if name in names:
            return getattr(import_module(f"offray.{module}"), name)
    raise AttributeError(f"module 'offray' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_OF_EXTRAS]


__all__ = [
    "OBJECTIVES",
    "Basin",
    "Bootstrap",
    "Certificate",
    "Chain",
    "ChainPrediction",
    "Comparison",
    "ComputeOptimal",
    "Conditioning",
    "ConvergenceWarning",
    "DesignCheck",
    "Estimate",
    "FTest",
    "Figures",
    "Fit",
    "FitMany",
    "GroupedFit",
    "Identifiability",
    "IdentifiabilityWarning",
    "Interrupted",
    "Intervals",
    "IsoFlop",
    "Law",
    "LawScore",
    "Misfit",
    "NotIdentifiedError",
    "OnlineFit",
    "OptimalPoint",
    "OptimizeResult",
    "OtherLaw",
    "Parabola",
    "Parameter",
    "PrecisionReport",
    "Prediction",
    "Reach",
    "Rolling",
    "Suggestion",
    "TppDiversity",
    "WeightedConditioning",
    "__version__",
    "chain",
    "check",
    "compare",
    "compute_optimal",
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
    "law",
    "laws",
    "least_squares",
    "load",
    "precision_report",
    "r_min",
    "read",
    "simd",
    "suggest",
    "tpp_diversity",
]
