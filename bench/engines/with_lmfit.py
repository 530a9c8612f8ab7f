# SPDX-License-Identifier: Apache-2.0
"""lmfit: scipy's MINPACK, and trf for robust objectives, behind named parameters."""

from __future__ import annotations

import lmfit
import numpy as np
from problem import TOLERANCE

from engines.engine import Engine

TOLERANCES = {"ftol": TOLERANCE, "xtol": TOLERANCE, "gtol": TOLERANCE}


def prepare(problem, form):
    names = problem.law.parameters
    parameters = lmfit.Parameters()
    for name, value in zip(names, form.point, strict=True):
        parameters.add(name, value=value)

    def vector(given):
        return np.array([given[name].value for name in names])

    def residual(given):
        return form.residual(vector(given))

    def jacobian(given):
        return form.jacobian(vector(given))

    def solve():
        fitter = lmfit.Minimizer(residual, parameters, calc_covar=False, max_nfev=10000, nan_policy="propagate")
        if problem.delta is None:
            return fitter.leastsq(Dfun=jacobian, **TOLERANCES)
        return fitter.least_squares(jac=jacobian, loss="huber", f_scale=problem.delta, x_scale="jac", **TOLERANCES)

    return solve


def read(result):
    return np.array([p.value for p in result.params.values()]), result.nfev


ENGINES = [Engine("lmfit, analytic", prepare, read, huber=True, refits=True)]
