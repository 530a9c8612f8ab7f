# SPDX-License-Identifier: Apache-2.0
"""scipy: curve_fit, least_squares and, because the field fits log-Huber with it, L-BFGS."""

from __future__ import annotations

from functools import partial

import numpy as np
from problem import TOLERANCE, huber
from scipy.optimize import curve_fit, least_squares, minimize

from engines.engine import Engine

TOLERANCES = {"ftol": TOLERANCE, "xtol": TOLERANCE, "gtol": TOLERANCE}


def with_curve_fit(problem, form, analytic):
    jacobian = {"jac": lambda _, *p: form.jacobian(p)} if analytic else {}

    def solve():
        return curve_fit(
            lambda _, *p: form.value(p),
            form.observed,  # not read: `value` knows its runs
            form.observed,
            form.point,
            check_finite=False,
            full_output=True,
            maxfev=10000,
            **jacobian,
            **TOLERANCES,
        )

    return solve


def with_least_squares(problem, form, method, analytic):
    jacobian = form.jacobian if analytic else "2-point"
    robust = {} if problem.delta is None else {"loss": "huber", "f_scale": problem.delta}

    def solve():
        return least_squares(
            form.residual, form.point, jacobian, method=method, x_scale="jac", max_nfev=10000, **robust, **TOLERANCES
        )

    return solve


def with_lbfgs(problem, form):
    def function(p):
        r = form.residual(p)
        return np.sum(huber(r, problem.delta)), form.jacobian(p).T @ np.clip(r, -problem.delta, problem.delta)

    options = {"ftol": TOLERANCE, "gtol": TOLERANCE, "maxiter": 10000, "maxfun": 10000}
    return lambda: minimize(function, form.point, jac=True, method="L-BFGS-B", options=options)


def read_curve_fit(result):
    return result[0], result[2]["nfev"]


def read(result):
    return result.x, result.nfev


ENGINES = [
    Engine("scipy curve_fit, analytic", partial(with_curve_fit, analytic=True), read_curve_fit, refits=True),
    Engine("scipy curve_fit, default", partial(with_curve_fit, analytic=False), read_curve_fit),
    *(
        Engine(
            f"scipy least_squares {method}, {'analytic' if analytic else '2-point'}",
            partial(with_least_squares, method=method, analytic=analytic),
            read,
            huber=method == "trf" and analytic,
            refits=analytic,
        )
        for method in ("lm", "trf")
        for analytic in (True, False)
    ),
    Engine("scipy minimize L-BFGS-B, analytic", with_lbfgs, read, squares=False, huber=True),
]
