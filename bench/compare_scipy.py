# SPDX-License-Identifier: Apache-2.0
"""offray against scipy on real runs: same data, same start, same objective, one process.

    python bench/compare_scipy.py [--law LAW ...] [FILE_OR_FOLDER ...]

Every CSV file (default: the packaged example) is fitted by least squares on the loss, by offray and by scipy in several
configurations, all with the analytic Jacobian in plain numpy-vectorised form: raw and centred parameters, MINPACK and trf. The
fastest configuration that reaches the optimum counts. The table has medians; ratios are scipy / offray. Exit code 1 where a
converged optimum, its RSS or its covariance disagree. Fits that offray itself does not call converged are shown with their
status, and not compared.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import offray
from scipy.optimize import least_squares

SUBSETS = ("fit182", "isoflop")  # the rows to fit, in files that mark them so in a column `family`


def read(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [r for r in rows if r.get("family") in SUBSETS] or rows
    x = [np.array([float(r[c]) for r in rows]) for c in ("params", "tokens")]
    if "unique_tokens" in rows[0]:
        x.append(np.array([float(r["unique_tokens"]) for r in rows]))
    return tuple(x), np.array([float(r["loss"]) for r in rows])


def median_seconds(call, budget=0.2):
    """Median over repeated calls, for about `budget` seconds, at least 5 calls."""
    times = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def plain_law(law, x):
    """Value and Jacobian as a scipy user writes them in numpy; Chinchilla by hand, the others through the law object."""
    if law.name != "chinchilla":
        return lambda t: law(x, *t), lambda t: law.jacobian(x, *t)
    log_N, log_D = np.log(x[0]), np.log(x[1])

    def value(t):
        return t[0] + t[1] * np.exp(-t[3] * log_N) + t[2] * np.exp(-t[4] * log_D)

    def jacobian(t):
        f, g = np.exp(-t[3] * log_N), np.exp(-t[4] * log_D)
        return np.stack([np.ones_like(f), f, g, -t[1] * f * log_N, -t[2] * g * log_D], axis=1)

    return value, jacobian


def problems(law, x, loss, theta):
    """Residual, Jacobian and point in natural parameters, and in their logarithms about the geometric means of N and D."""
    value, jacobian = plain_law(law, x)
    raw = (lambda t: value(t) - loss, jacobian, theta)
    N0, D0 = (np.exp(np.log(a).mean()) for a in x[:2])
    centred_x = (x[0] / N0, *(a / D0 for a in x[1:]))
    centred_value, centred_jacobian = plain_law(law, centred_x)
    phi = np.log(theta)
    index = {name: k for k, name in enumerate(law.parameters)}
    if "A" in index:
        phi[index["A"]] -= theta[index["alpha"]] * np.log(N0)
        phi[index["B"]] -= theta[index["beta"]] * np.log(D0)
    else:
        first = 1 if "L_inf" in index else 0
        phi[first] -= np.log(N0)
        phi[first + 1] -= np.log(D0)
    centred = (lambda p: centred_value(np.exp(p)) - loss, lambda p: centred_jacobian(np.exp(p)) * np.exp(p), phi)
    return {"raw": raw, "centred": centred}


def compare(path, law):
    """One row of the table, and whether offray and scipy agree."""
    x, loss = read(path)
    head = f"| {path.stem} | {law.name} | {loss.size} |"
    if loss.size < len(law.parameters):
        return f"{head} fewer runs than parameters | | | | | | | |", True
    unique = x[2] if len(x) == 3 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = offray.fit(*x[:2], loss, unique_tokens=unique, law=law)
        # Everybody starts 5 to 10 % away from the optimum in every parameter.
        start = best.theta * (1 + 0.1 * np.cos(1.0 + np.arange(best.theta.size)))
        here, fit = median_seconds(lambda: offray.fit(*x[:2], loss, unique_tokens=unique, law=law, start=start))
        from_data, _ = median_seconds(lambda: offray.fit(*x[:2], loss, unique_tokens=unique, law=law))
        if not best.converged:
            return f"{head} {best.status} | | | | {1e6 * here:.0f} | {1e6 * from_data:.0f} | | |", True
        reached = {}
        for form, (residual, jacobian, point) in problems(law, x, loss, start).items():
            for method in ("lm", "trf"):
                scale = {"x_scale": "jac"} if method == "trf" else {}
                tolerance = {"ftol": 1e-10, "xtol": 1e-10, "gtol": 1e-10}

                def solve(residual=residual, jacobian=jacobian, point=point, method=method, scale=scale, tolerance=tolerance):
                    try:
                        return least_squares(residual, point, jacobian, method=method, **scale, **tolerance)
                    except ValueError:  # a trial outside the law's domain
                        return None

                seconds, result = median_seconds(solve)
                if result is not None:
                    reached[f"{method} {form}"] = (seconds, 2 * result.cost)
        rss = min((r for _, r in reached.values()), default=np.inf)
        polished = polish(law, x, loss, best.theta)
    good = {name: t for name, (t, r) in reached.items() if r <= best.rss * (1 + 1e-8)}
    excess = best.rss / min(rss, 2 * polished.cost) - 1
    step = np.max(np.abs(polished.x - problems(law, x, loss, best.theta)["centred"][2]))
    J = law.jacobian(x, *best.theta)
    norms = np.linalg.norm(J, axis=0)
    R = np.linalg.qr(J / norms, mode="r")
    factor = np.linalg.inv(R) / norms[:, None]
    sd = np.sqrt((factor**2).sum(axis=1) * best.rss / best.degrees_of_freedom)
    covariance = np.max(np.abs(sd / best.se - 1))
    agree = excess < 1e-9 and fit.rss <= best.rss * (1 + 1e-9) and (best.conditioning.kappa > 1e4 or step < 1e-6)
    agree = agree and covariance < 1e-5
    name, seconds = min(good.items(), key=lambda item: item[1]) if good else ("none reached it", np.nan)
    return (
        f"{head} converged | {excess:+.0e} | {step:.0e} | {covariance:.0e} | {1e6 * here:.0f} | {1e6 * from_data:.0f} | "
        f"{1e6 * seconds:.0f} ({name}) | {seconds / here:.1f} |",
        agree,
    )


def polish(law, x, loss, theta):
    """scipy from offray's optimum at the tightest tolerances: what is left to gain, and how far it moves."""
    residual, jacobian, phi = problems(law, x, loss, theta)["centred"]
    return least_squares(residual, phi, jacobian, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, default=[offray.examples.path()])
    parser.add_argument("--law", action="append", choices=dir(offray.laws), help="default: chinchilla; may be repeated")
    arguments = parser.parse_args()
    files = [f for p in arguments.paths for f in (sorted(p.glob("*.csv")) if p.is_dir() else [p])]
    print(
        "| file | law | runs | status | RSS excess | theta | s.e. | offray, start / us | no start / us | scipy / us | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    agreed = True
    for path in files:
        for name in arguments.law or ["chinchilla"]:
            row, agree = compare(path, getattr(offray.laws, name))
            print(row if agree else f"{row} DISAGREES", flush=True)
            agreed = agreed and agree
    sys.exit(0 if agreed else 1)


if __name__ == "__main__":
    main()
