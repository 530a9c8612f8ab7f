# SPDX-License-Identifier: Apache-2.0
"""offray against scipy on real runs: same data, same start, same objective, one process.

    python bench/compare_scipy.py [--law LAW ...] [FILE_OR_FOLDER ...]

Every CSV file (default: the packaged example) is fitted by least squares on the loss, by offray and by scipy in several
configurations, all with the analytic Jacobian in plain numpy-vectorised form: raw parameters, centred ones and their
logarithms, MINPACK and trf. The fastest configuration that reaches the optimum counts. The table has medians; ratios are
scipy / offray. Exit code 1 where a converged optimum, its RSS or its covariance disagree. Fits that offray itself does not
call converged are shown with their status, and not compared.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import offray
from clock import median_seconds
from forms import FORMS
from runs import read
from scipy.optimize import least_squares


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
        for make in FORMS.values():
            form = make(law, x, loss, start)
            for method in ("lm", "trf"):
                scale = {"x_scale": "jac"} if method == "trf" else {}
                tolerance = {"ftol": 1e-10, "xtol": 1e-10, "gtol": 1e-10}

                def solve(form=form, method=method, scale=scale, tolerance=tolerance):
                    try:
                        return least_squares(form.residual, form.point, form.jacobian, method=method, **scale, **tolerance)
                    except ValueError:  # a trial outside the law's domain
                        return None

                seconds, result = median_seconds(solve)
                if result is not None:
                    reached[f"{method} {form.name}"] = (seconds, 2 * result.cost)
        rss = min((r for _, r in reached.values()), default=np.inf)
        logs = FORMS["centred logs"](law, x, loss, best.theta)
        polished = polish(logs)
    good = {name: t for name, (t, r) in reached.items() if r <= best.rss * (1 + 1e-8)}
    excess = best.rss / min(rss, 2 * polished.cost) - 1
    step = np.max(np.abs(polished.x - logs.point))
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


def polish(form):
    """scipy from offray's optimum at the tightest tolerances: what is left to gain, and how far it moves."""
    return least_squares(form.residual, form.point, form.jacobian, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15)


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
