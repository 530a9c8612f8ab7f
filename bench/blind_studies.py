# SPDX-License-Identifier: Apache-2.0
"""Blind studies: random truths, designs and noise, fitted with the defaults, and how often the answers hold.

    python bench/blind_studies.py [--studies 2400] [--seed 1] [--output docs/blind_studies.md]

Every study has a law, a truth of that law, a design and noise that the fit is not told. Counted are the 95 % intervals that
hold the truth, answers more than five standard errors off that nothing warned of, warnings about studies that determine
everything asked for, and how often a law that is not the true one is noticed.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import offray
from scipy import stats

LAWS = ("chinchilla", "kaplan", "droppo_elibol", "repeated_data")
NOISES = ("gaussian", "outliers", "uneven", "shared")
TEXT = """# Blind studies

`python bench/blind_studies.py --output docs/blind_studies.md` (seed {seed}, {studies} studies). Every study has a law
(Chinchilla, Kaplan, Droppo-Elibol, repeated data), a random truth of it, one of ten designs of 7 to 300 runs (grids, fans,
isoFLOP curves, scattered, near a ray, few, repeated), and relative noise of .001 to .02: normal; with 5 % outliers of 8 to 20
times its size; falling with N; or half of it shared by the runs of one N. The law is fitted with the defaults. Of the fits
that are called identified, where a warning names a remedy it is taken (robust objective for outliers, `group=` for noise that
runs of one size share): the share of 95 % intervals that hold the truth, and predictions more than five standard errors off.
The mean prediction is judged inside the runs and at ten times their largest compute C, TPP* at C.
"""
OTHER_LAWS = """
Runs that follow another law, fitted by Chinchilla's. Noticed: `lack_of_fit`, and, for the jump between smaller and larger
models, `dependent_runs` (a setting that comes with the size). Beside it, of the fits called identified; and the share that the
best test of all would notice, one that is told which departure to look for and accuses 3 % of the studies that follow the law
(the noncentral F of the noiseless residuals on one degree of freedom).
"""
MISFITS = ("q = 0.5", "q = 0.75", "q = 1.4", "short runs", "two floors")


def truth_of(law, rng):
    """A theta near what is published: terms that matter at 1e8 parameters and 3e9 tokens."""
    a, b, u, v = rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.5), *rng.uniform(0.3, 1.5, 2)
    E, A, B = rng.uniform(1.2, 2.2), u * 1e8**a, v * 3e9**b
    if law == "kaplan":
        p, q = rng.uniform(0.06, 0.2, 2)
        return (1e8 * (2 * u) ** (1 / p), 3e9 * (2 * v) ** (1 / q), p, q)
    if law == "droppo_elibol":
        q = rng.uniform(0.4, 1.2)
        return (E, 1e8 * u ** (1 / a), 3e9 * v ** (1 / b), a, b, q)
    if law == "repeated_data":
        return (E, A, B, a, b, rng.uniform(3, 10), rng.uniform(8, 25))
    return (E, A, B, a, b)


def design_of(rng):
    """One of ten: grids, fans, isoFLOP curves, scattered runs, small and near-ray ones."""
    kind = int(rng.integers(10))
    if kind in (0, 1):
        sizes, tokens = rng.integers(3, 9, 2)
        N, D = np.meshgrid(np.geomspace(1e7, 1e9, sizes), np.geomspace(2e8, 3e10, tokens))
    elif kind == 2:
        N, k = np.meshgrid(np.geomspace(1e7, 1e9, rng.integers(4, 10)), [5, 20, 80])
        D = k * N
    elif kind in (3, 4):
        C, x = np.meshgrid(np.geomspace(3e17, 3e20, rng.integers(3, 8)), np.geomspace(0.25, 4, rng.integers(5, 10)))
        N = np.sqrt(C / 120) * x
        D = C / 6 / N
    elif kind == 5:
        n = int(rng.integers(7, 15))
        N, D = np.exp(rng.uniform(np.log(1e7), np.log(1e9), n)), np.exp(rng.uniform(np.log(2e8), np.log(3e10), n))
    elif kind == 6:
        N = np.exp(rng.uniform(np.log(1e7), np.log(1e9), rng.integers(15, 60)))
        D = N * np.exp(rng.uniform(np.log(10), np.log(40), len(N)))
    elif kind == 7:
        N, D = np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(2e8, 3e10, 4))
        N, D = np.repeat(N.ravel(), 3), np.repeat(D.ravel(), 3)
    else:
        n = int(rng.integers(40, 300))
        N, D = np.exp(rng.uniform(np.log(1e7), np.log(1e9), n)), np.exp(rng.uniform(np.log(2e8), np.log(3e10), n))
    return N.ravel(), D.ravel()


def noise_of(kind, N, sigma, rng):
    """Relative noise, (n,)."""
    e = sigma * rng.normal(size=len(N))
    if kind == "outliers":
        e += (rng.random(len(N)) < 0.05) * sigma * rng.uniform(8, 20, len(N))
    if kind == "uneven":
        e *= (N / N.mean()) ** -0.35
    if kind == "shared":
        levels, of = np.unique(N, return_inverse=True)
        e = 0.7 * e + sigma * rng.normal(size=len(levels))[of]
    return e


def study(seed, law, noise):
    """One study: the fit, the design, the truth and what was asked."""
    rng = np.random.default_rng(seed)
    theta, (N, D) = truth_of(law, rng), design_of(rng)
    unique = None
    x = (N, D)
    if law == "repeated_data":
        unique = D / np.exp(rng.uniform(0, 3, len(N))) if rng.random() < 0.8 else D.copy()
        x = (N, D, unique)
    sigma = np.exp(rng.uniform(np.log(0.001), np.log(0.02)))
    loss = getattr(offray.laws, law)(x, *theta) * np.exp(noise_of(noise, N, sigma, rng))
    fit = offray.fit(N, D, loss, unique_tokens=unique, law=law)
    C = 6 * (N * D).max()
    places = [(np.exp(np.log(N).mean()), np.exp(np.log(D).mean())), (np.sqrt(10 * C / 120), np.sqrt(10 * C * 20 / 6))]
    return fit, theta, places, C


def advised(fit):
    """The fit once the remedy that its warnings name is taken."""
    problem, found = fit.problem, fit.findings
    if "outliers" in found:
        columns = problem.columns
        return offray.fit(
            columns["params"],
            columns["tokens"],
            problem.loss,
            unique_tokens=columns.get("unique_tokens") if fit.law.reads("unique_tokens") else None,
            law=fit.law,
            objective="huber",
            delta="mad",
        )
    return fit


def judge(fit, theta, places, C, kind, tally):
    """Adds one fit to the tally of its class."""
    group = None
    if kind == "shared" and "dependent_runs" in fit.findings:  # the remedy of its warning
        group = np.unique(fit.problem.N, return_inverse=True)[1]
    method = "delta" if group is None else "sandwich"
    ends = fit.conf_int() if group is None else fit.conf_int(method="sandwich", group=group)
    for value, (low, high) in zip(theta, ends, strict=True):
        if np.isfinite(high - low) or np.isfinite(low):
            tally["parameters"].append(bool(low <= value <= high))
    N, D = (np.array(a) for a in zip(*places, strict=True))
    predicted = fit.predict(N, D, method=method, group=group)
    truth = fit.law((N, D, D) if fit.law.reads("unique_tokens") else (N, D), *theta)
    for i, name in enumerate(("prediction inside", "prediction at 10 C")):
        low, high = predicted.interval[i]
        tally[name].append(bool(low <= truth[i] <= high))
        tally["false confidence"].append(bool(abs(truth[i] - predicted.value[i]) > 5 * max((high - low) / 4, 1e-12)))
    try:
        best = fit.compute_optimal(C, method=method, group=group).TPP
        truly = offray.compute_optimal(fit.law, dict(zip(fit.law.parameters, theta, strict=True)), C).TPP
    except ValueError:
        return
    low, high = best.interval
    tally["TPP*"].append(bool(low <= float(truly) <= high))


def well_determined(fit, theta):
    """Whether the runs determine exponents, outer powers and decays to 15 %."""
    relative = fit.se / fit.theta
    shapes = [j for j, p in enumerate(fit.law.roles) if p.role in ("exponent", "outer", "decay")]
    return fit.degrees_of_freedom > 4 and fit.converged and bool((relative[shapes] < 0.15).all())


def misspecified(seed, kind, sigma):
    """A Chinchilla fit to what is none: noticed, how often the best of tests would, whether the interval at ten times the
    compute holds, and whether the fit is called identified."""
    rng = np.random.default_rng(seed)
    E, A, B, a, b = truth_of("chinchilla", rng)
    N, D = design_of(rng)
    while len(N) < 30:
        N, D = design_of(rng)
    power, middle = float(kind.split()[-1]) if kind.startswith("q") else 1.0, np.median(N)

    def loss_at(N, D):
        out = E + (A * N**-a + B * D**-b) ** power
        if kind == "short runs":
            out = out + 2e7 / D
        if kind == "two floors":  # as of two tokenizers, or a change of data, between the smaller and the larger models
            out = out + np.where(np.log(N / middle) > 0, 0.05, 0)
        return out

    fit = offray.fit(N, D, loss_at(N, D) * np.exp(sigma * rng.normal(size=len(N))))
    C = 60 * (N * D).max()
    at = fit.predict(np.sqrt(C / 120), np.sqrt(C * 20 / 6)) if fit.reduced is None else None
    holds = None
    if at is not None:
        y = loss_at(np.sqrt(C / 120), np.sqrt(C * 20 / 6)) * np.exp(sigma * rng.normal())
        holds = bool(at.prediction_interval[0] <= y <= at.prediction_interval[1])
    seen = "lack_of_fit" in fit.findings or (kind == "two floors" and "dependent_runs" in fit.findings)
    return seen, most_noticed(N, D, loss_at(N, D), sigma), holds, fit.identifiability.identified


def most_noticed(N, D, loss, sigma):
    """The power of the F test along the noiseless residuals, at a level of 3 %."""
    fit = offray.fit(N, D, loss)
    dof = len(N) - len(fit.theta) - 1
    far = float((fit.residuals**2).sum() / (sigma**2 * (loss**2).mean()))
    return float(stats.ncf.sf(stats.f.isf(0.03, 1, dof), 1, dof, far)) if far > 1e-12 else 0.03


def run(studies, seed):
    """All tallies."""
    by_class, alarms = defaultdict(lambda: defaultdict(list)), []
    for k in range(studies):
        law, noise = LAWS[k % 4], NOISES[k // 4 % 4]
        fit, theta, places, C = study((seed, k), law, noise)
        identified, warned = fit.identifiability.identified, fit.has_warnings
        if well_determined(fit, theta) and noise == "gaussian":
            alarms.append(warned)
        if not identified or fit.reduced is not None:
            continue
        if warned:
            fit = advised(fit)
        few = "n <= 8" if len(fit.residuals) <= 8 else "n > 8"
        told = ", by `group=`" if noise == "shared" and "dependent_runs" in fit.findings else ""
        judge(fit, theta, places, C, noise, by_class[noise + told, few])
    noticed = {}
    for kind in (*MISFITS, "q = 1"):
        for sigma in (0.002, 0.01):
            out = [misspecified((seed, 7, i), kind, sigma) for i in range(max(studies // 20, 20))]
            seen, most = np.mean([o[0] for o in out]), np.mean([o[1] for o in out])
            told = [o[0] for o in out if o[3]]
            holds = [o[2] for o in out if o[2] is not None and o[3]]
            noticed[kind, sigma] = (seen, np.mean(told), most, np.mean(holds) if holds else np.nan, len(out))
    return by_class, alarms, noticed


def page(by_class, alarms, noticed, studies, seed):
    """The figures as Markdown."""
    asked = ("parameters", "prediction inside", "prediction at 10 C", "TPP*")
    lines = [
        TEXT.format(studies=studies, seed=seed),
        "| noise | runs | fits called identified | " + " | ".join(asked) + " | more than 5 s.e. off |",
    ]
    lines.append("|---" * (len(asked) + 4) + "|")
    for (noise, few), tally in sorted(by_class.items()):
        rates = [f"{np.mean(tally[name]):.3f}" if tally[name] else "" for name in asked]
        off = f"{100 * np.mean(tally['false confidence']):.2f} %" if tally["false confidence"] else ""
        lines.append(f"| {noise} | {few} | {len(tally['prediction inside'])} | " + " | ".join(rates) + f" | {off} |")
    lines += [
        "",
        f"Well-determined studies with independent normal noise, warned about: {100 * np.mean(alarms):.1f} % of {len(alarms)}.",
        "",
    ]
    lines += [
        OTHER_LAWS.strip(),
        "",
        "| truth | noise | noticed | of those identified | by the best test | new run at 10 C within its interval |",
        "|---|---|---|---|---|---|",
    ]
    for (kind, sigma), (seen, told, most, holds, n) in noticed.items():
        truth = "the law itself" if kind == "q = 1" else kind
        lines.append(
            f"| {truth} | {sigma} | {100 * seen:.0f} % of {n} | {100 * told:.0f} % | {100 * most:.0f} % | {holds:.2f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    text = page(*run(options.studies, options.seed), options.studies, options.seed)
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
