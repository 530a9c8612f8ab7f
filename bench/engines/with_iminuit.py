# SPDX-License-Identifier: Apache-2.0
"""iminuit: MIGRAD on the objective, with its gradient."""

from __future__ import annotations

import numpy as np
from iminuit import Minuit
from problem import TOLERANCE, huber

from engines.engine import Engine


def prepare(problem, form):
    # MIGRAD stops at an absolute distance to the minimum, and not below about 1e-10: in these units the minimum is n / 2.
    unit = form.observed.size / (2 * problem.least)

    def function(p):
        r = form.residual(p)
        return unit * (0.5 * (r @ r) if problem.delta is None else np.sum(huber(r, problem.delta)))

    def gradient(p):
        r = form.residual(p)
        slope = r if problem.delta is None else np.clip(r, -problem.delta, problem.delta)
        return unit * (slope @ form.jacobian(p))

    def solve():
        minuit = Minuit(function, form.point, grad=gradient)
        minuit.errordef = Minuit.LIKELIHOOD
        minuit.strategy = 0  # no Hessian at the end: the fastest
        minuit.tol = TOLERANCE * form.observed.size / 2 / (0.002 * minuit.errordef)
        return minuit.migrad()

    return solve


def read(result):
    return np.array(result.values), result.nfcn


ENGINES = [Engine("iminuit, analytic", prepare, read, huber=True, refits=True)]
