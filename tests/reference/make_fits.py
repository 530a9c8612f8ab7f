# SPDX-License-Identifier: Apache-2.0
"""Writes fits.json anew: least-squares optima of the data that stand there, to 20 digits.

Gauss-Newton on ln theta at 60 digits from the values that stand there, until the relative step is below 1e-40.
"""

from __future__ import annotations

from typing import Any

from exact import LAWS, gradient, read, text, write
from mpmath import mp, mpf

DIGITS = 20


def decimal(x: float | None) -> Any:
    """A number as it is printed: the data are decimals."""
    return None if x is None else mpf(repr(x))


def computed(case: dict[str, Any]) -> dict[str, Any]:
    """A fit with its optimum, standard errors, condition number and predictions."""
    law, names = LAWS[case["law"]], list(case["theta"])
    U = case["U"] or [None] * case["n"]
    rows = [[decimal(x) for x in row] for row in zip(case["N"], case["D"], U, strict=True)]
    loss = [decimal(x) for x in case["L"]]
    log_theta = mp.matrix([mp.log(mpf(case["theta"][name])) for name in names])

    def residual_and_jacobian() -> tuple[Any, Any]:
        theta = [mp.exp(x) for x in log_theta]
        r = mp.matrix([law(*row, *theta) - y for row, y in zip(rows, loss, strict=True)])
        J = mp.matrix([[g * t for g, t in zip(gradient(law, row, theta), theta, strict=True)] for row in rows])
        return r, J

    for _ in range(60):
        r, J = residual_and_jacobian()
        step = mp.qr_solve(J, -r)[0]
        log_theta += step
        if mp.norm(step) < mpf(10) ** -40:
            break
    else:
        raise RuntimeError(f"{case['law']}: no convergence")
    r, J = residual_and_jacobian()
    theta = [mp.exp(x) for x in log_theta]
    rss = mp.fsum(x**2 for x in r)
    s = mp.sqrt(rss / (len(loss) - len(names)))
    inverse = (J.T * J) ** -1  # at 60 digits the normal equations cost nothing

    def predicted(target: dict[str, Any]) -> dict[str, Any]:
        where = [decimal(target[key]) for key in ("N", "D", "U")]
        g = mp.matrix([a * t for a, t in zip(gradient(law, where, theta), theta, strict=True)])
        out = {key: target[key] for key in ("N", "D", "U")}
        return {**out, "L": text(law(*where, *theta), DIGITS), "se": text(s * mp.sqrt((g.T * inverse * g)[0]), DIGITS)}

    natural = mp.matrix(J.rows, J.cols)
    for j in range(J.cols):
        length = mp.norm(J[:, j])
        for i in range(J.rows):
            natural[i, j] = J[i, j] / length
    singular = mp.svd_r(natural, compute_uv=False)
    return {
        **case,
        "theta": {name: text(t, DIGITS) for name, t in zip(names, theta, strict=True)},
        "rss": text(rss, DIGITS),
        "s": text(s, DIGITS),
        "se_ln_theta": {name: text(s * mp.sqrt(inverse[j, j]), DIGITS) for j, name in enumerate(names)},
        "kappa_unit_columns": text(singular[0] / singular[len(names) - 1], DIGITS),
        "predictions": [predicted(target) for target in case["predictions"]],
    }


if __name__ == "__main__":
    table = read("fits")
    write("fits", {**table, "fits": [computed(case) for case in table["fits"]]})
