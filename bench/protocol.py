# SPDX-License-Identifier: Apache-2.0
"""100 random restarts and differential evolution, as arXiv:2605.08541 fits each data set, against one call of offray.

    OPENBLAS_NUM_THREADS=1 python bench/protocol.py --output FILE [--sample 50] [--seed 0]

A sample of the data sets of the simulated experiment (`offray.experiment`, each law true). Needs scipy 1.15. Exit code 1 where
scipy finds a lower sum of squares than offray.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import nullcontext
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import offray
from clock import median_seconds
from machine import describe
from offray.experiment._paper import Setup, each_law_true
from scipy.optimize import differential_evolution, least_squares

LM, TRF = {"method": "lm", "max_nfev": 300}, {"method": "trf", "max_nfev": 200}
DE = {"vectorized": True, "updating": "deferred"}
TIGHT = {"x_scale": "jac", "ftol": 1e-12, "xtol": 1e-12, "gtol": 1e-12}
NO_WORSE, REACHED, PENALTY = 1e-9, 1 + 1e-6, 1e6
TEXT = """# Many random starts against one fit

Per data set: `scipy.optimize.least_squares` (lm) from 100 random starts, then `differential_evolution` (default population and
generations, vectorised, polished) and lm from its end; against one `offray.fit_many` of one data set, without start or box.
scipy works in ln theta with values in plain numpy, the analytic Jacobian (the law object's), x_scale "jac", tolerances of 1e-12
and at most 300 evaluations per start. Box of the starts and of DE: the truth times e^-3 .. e^3, exponents .05 .. 1 (the outer
one of Droppo and Elibol to 2). To find anything lower, trf in that box from the same starts (200 evaluations) and lm from its
best follow, outside of the timing. One process, one thread.

Sums of squares (RSS) are the law object's, in double. "No worse": RSS of offray within 1e-9 of the lowest that scipy found;
"excess": relative to that, negative where scipy's is higher. "Missed": lm and DE stay above offray by more than 1e-6. "There":
share of starts, or of data sets, that end within 1e-6 of the lowest RSS of all. Times are medians.
"""
HEAD = """| law | data sets | offray no worse | its largest excess | lm and DE missed | lm there | trf there | DE there \
| DE, lm there | lm and DE / s | offray / ms | ratio |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


class Problem:
    """One data set in phi = ln theta."""

    def __init__(self, block, seed, name, design):
        self.law, self.x = getattr(offray.laws, block.law), design.columns
        self.logs, self.loss = [np.log(a) for a in self.x], block.corpus.losses(design, seed, name)
        exponent = np.array([p.startswith("alpha") or p == "beta" for p in self.law.parameters])
        most = np.log([2 if block.law == "droppo_elibol" and p == "alpha" else 1 for p in self.law.parameters])
        truth = np.log(block.corpus.theta)
        self.box = np.where(exponent, np.log(0.05), truth - 3), np.where(exponent, most, truth + 3)
        np.testing.assert_allclose(self.values(truth), self.law(self.x, *block.corpus.theta), rtol=1e-11)

    def values(self, phi):
        """Losses; for many columns phi one row each."""
        t, (n, d, *_) = np.exp(phi)[..., None], self.logs
        if self.law.name == "kaplan":
            N_c, D_c, alpha_N, alpha_D = t
            return (np.exp(alpha_N / alpha_D * (np.log(N_c) - n)) + D_c / self.x[1]) ** alpha_D
        if self.law.name == "droppo_elibol":
            floor, N_C, D_C, alpha_N, alpha_D, a = t
            terms = np.exp(alpha_N / a * (np.log(N_C) - n)) + np.exp(alpha_D / a * (np.log(D_C) - d))
            return (floor ** (1 / a) + terms) ** a
        E, A, B, alpha, beta, *decay = t
        if decay:
            (N, D, U), (R_N, R_D) = self.x, decay
            needed = np.minimum(N, np.exp((np.log(alpha * A / (beta * B)) + beta * self.logs[2]) / alpha))
            n = np.log(needed * (1 - R_N * np.expm1(-(N / needed - 1) / R_N)))
            d = np.log(U * (1 - R_D * np.expm1(-(D / U - 1) / R_D)))
        return E + A * np.exp(-alpha * n) + B * np.exp(-beta * d)

    def residual(self, phi):
        r = self.values(phi) - self.loss
        return np.where(np.abs(r) < PENALTY, r, PENALTY)

    def jacobian(self, phi):
        J = self.law.jacobian(self.x, *np.exp(phi)) * np.exp(phi)
        return np.where(np.isfinite(J), J, 0)

    def squares(self, phi):
        return np.square(self.residual(phi)).sum(axis=-1)

    def end(self, theta):
        """RSS and theta."""
        rss = float(np.square(self.law(self.x, *theta) - self.loss).sum())
        return rss if np.isfinite(rss) else np.inf, theta.tolist()

    def local(self, start, **options):
        return self.end(np.exp(least_squares(self.residual, start, self.jacobian, **TIGHT, **options).x))

    def fit(self):
        unique = {"unique_tokens": self.x[2]} if len(self.x) == 3 else {}
        return offray.fit_many(*self.x[:2], self.loss[None], **unique, law=self.law, threads=1).theta[0]


lowest = partial(min, key=itemgetter(0))


@np.errstate(all="ignore")  # wild starts
def judge(block, seed, name, design, rng):
    """One data set, both ways."""
    problem = Problem(block, seed, name, design)
    starts = rng.uniform(*problem.box, (100, len(block.corpus.theta)))
    begun = time.perf_counter()
    lm = [problem.local(start, **LM) for start in starts]
    evolved = differential_evolution(problem.squares, list(zip(*problem.box, strict=True)), rng=rng, **DE).x
    polished = problem.local(evolved, **LM)
    seconds = time.perf_counter() - begun
    trf = [problem.local(start, bounds=problem.box, **TRF) for start in starts]
    theirs = lowest([*lm, polished, *trf, problem.local(np.log(lowest(trf)[1]), **LM)])
    single, theta = median_seconds(problem.fit, budget=0.02)
    ours = problem.end(theta)
    limit = REACHED * min(ours[0], theirs[0])
    there = [np.mean([rss <= limit for rss, _ in ends]) for ends in (lm, trf, [problem.end(np.exp(evolved))], [polished])]
    return SimpleNamespace(
        law=block.law,
        data=f"{block.corpus.name}, seed {seed}, {name}",
        ours=ours,
        theirs=theirs,
        excess=ours[0] / theirs[0] - 1,
        missed=lowest([*lm, polished])[0] > REACHED * ours[0],
        there=there,
        seconds=(seconds, single),
    )


def row(name, outcomes):
    """One line of the table, but for the times."""
    excesses, missed = [o.excess for o in outcomes], sum(o.missed for o in outcomes)
    there = " | ".join(f"{100 * share:.0f} %" for share in np.mean([o.there for o in outcomes], axis=0))
    return f"| {name} | {len(outcomes)} | {sum(e <= NO_WORSE for e in excesses)} | {max(excesses):+.0e} | {missed} | {there} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    blocks, rng = each_law_true(Setup()), np.random.default_rng(options.seed)
    begun = time.perf_counter()
    comparisons = sum(len(block(1)) for block in blocks)
    wall = time.perf_counter() - begun
    sets = [(block, seed, *side) for block in blocks for seed in block.seeds for side in block.designs]
    outcomes, rows, total = [], [], np.zeros(2)
    for law in dict.fromkeys(block.law for block in blocks):
        every = [one for one in sets if one[0].law == law]
        count = max(min(5, options.sample // 4), round(options.sample * len(every) / len(sets)))
        own = []
        for k in sorted(rng.choice(len(every), count, replace=False)):
            own.append(o := judge(*every[k], np.random.default_rng([options.seed, k])))
            print(f"{law}, {o.data}: {o.excess:+.0e}, {o.seconds[0]:.1f} s", file=sys.stderr)
        outcomes += own
        theirs, ours = np.median([o.seconds for o in own], axis=0)
        rows.append(f"{row(law, own)} {theirs:.2f} | {1e3 * ours:.2f} | {theirs / ours:.0f} |")
        total += len(every) * np.mean([o.seconds for o in own], axis=0)
    worse = [f"- {o.law}, {o.data}: offray {o.ours}, scipy {o.theirs}" for o in outcomes if o.excess > NO_WORSE]
    command = f"OPENBLAS_NUM_THREADS=1 python bench/protocol.py --sample {options.sample} --seed {options.seed} --output FILE"
    lines = [
        f"{TEXT}\nMachine: {describe()}.\n\nRegenerate with `{command}`.\n\n{HEAD}",
        *rows,
        f"{row('all', outcomes)} | | |\n",
        f"At these times (means by law) the {len(sets)} fits of the experiment take {total[0] / 3600:.1f} hours by lm and DE, "
        f"{total[1]:.1f} s by offray. Measured: {wall:.1f} s for its {comparisons} comparisons, not fits alone.\n",
        *("Where offray is worse:\n" if worse else "Nowhere is offray worse.", *worse),
    ]
    with options.output.open("w") if options.output else nullcontext(sys.stdout) as file:
        print(*lines, sep="\n", file=file)
    sys.exit(bool(worse))


if __name__ == "__main__":
    main()
