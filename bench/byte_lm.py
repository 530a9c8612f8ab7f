# SPDX-License-Identifier: Apache-2.0
"""The runs of examples/trainer: how well laws follow and forecast them, and the paper's experiment on them, as a page.

python bench/byte_lm.py --output docs/byte_lm.md
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import offray
from offray import examples

CORPORA = ("documentation", "python")
LAWS = ("chinchilla", "kaplan_floor", "droppo_elibol", "outer_exponent")
NEAR = (40.0, 90.0)
"""Bytes per parameter that count as the ray: sixty, within a factor of one and a half."""
DRAWS = 200
WITHIN = 0.1
"""Of the ray's compute, up or down."""


def runs_of(corpus, *, targets=False):
    """N, D and loss."""
    return [np.array(column) for column in examples.byte_lm(corpus, targets=targets).values()]


def fitted(N, D, loss, law):
    """A fit whose warnings are not the question here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return offray.fit(N, D, loss, law=law, log_loss=True, identify="force")


def error(fit, N, D, loss):
    """Root mean square of ln(predicted / measured)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.sqrt(np.mean(np.log(fit.predict(N, D).value / loss) ** 2)))


def forecasts():
    """One row per corpus and law: fit to all but the larger runs, which it forecasts."""
    rows = []
    for corpus in CORPORA:
        larger = runs_of(corpus, targets=True)
        for law in LAWS:
            fit = fitted(*runs_of(corpus), law)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                at = fit.predict(*larger[:2])
            cells = [
                f"{value:.3f} ({low:.2f} .. {high:.2f}), was {loss:.3f}"
                for value, (low, high), loss in zip(at.value, at.prediction_interval, larger[2], strict=True)
            ]
            sd, seeds = 100 * fit.misfit.residual_sd, 100 * fit.misfit.pure_error
            rows.append(f"| {corpus} | {law} | {sd:.2f} | {sd / seeds:.1f} | {' | '.join(cells)} |")
    return rows


def spread_design(cost, size, total, rng):
    """So many runs from all of a sweep that cost as much as the ray's."""
    while True:
        rows = rng.choice(len(cost), size, replace=False)
        if abs(np.log(cost[rows].sum() / total)) < WITHIN:
            return rows


def comparisons():
    """One row per corpus and law: the runs near one ray against DRAWS designs of as many runs from everywhere."""
    rows = []
    for corpus in CORPORA:
        N, D, loss = runs_of(corpus)
        larger = runs_of(corpus, targets=True)
        cost = N * D
        ray = np.flatnonzero((NEAR[0] < D / N) & (NEAR[1] > D / N))
        rng = np.random.default_rng(0)
        drawn = [spread_design(cost, len(ray), cost[ray].sum(), rng) for _ in range(DRAWS)]
        for law in LAWS[:3]:
            figures = [judged(N, D, loss, larger, rows_of, law) for rows_of in (ray, *drawn)]
            collinear, spread = figures[0], np.array(figures[1:])
            wins = (spread < collinear).mean(axis=0)
            middle = np.median(spread, axis=0)
            pairs = [f"{a:.3g} / {b:.3g}" for a, b in zip(collinear, middle, strict=True)]
            rows.append(f"| {corpus} | {law} | {' | '.join(pairs)} | {100 * wins[1]:.0f} | {100 * wins[2]:.0f} |")
    return rows, len(ray)


def judged(N, D, loss, larger, rows, law):
    """kappa_2, the error on the other runs and on the larger ones, per cent."""
    fit = fitted(N[rows], D[rows], loss[rows], law)
    others = np.setdiff1d(np.arange(len(N)), rows)
    held_out = 100 * error(fit, N[others], D[others], loss[others])
    return float(fit.conditioning.kappa), held_out, 100 * error(fit, *larger)


def page():
    """The tables and what they say."""
    rows, size = comparisons()
    table, fits = "\n".join(rows), "\n".join(forecasts())
    return f"""# Our own runs

`python/offray/examples/byte_lm.csv` holds 194 small byte-level language models that `examples/trainer` trained on two corpora
([how](../examples/trainer/README.md)): per corpus 95 runs, a grid, a ray, a fan and further seeds, and two larger ones at 11
and 21 times the compute of the largest of the others, kept apart. Loss in nats per byte; fits of ln L.
Regenerate with `python bench/byte_lm.py --output docs/byte_lm.md`.

## Fits, and forecasts of the larger runs

Residual s.d. in per cent of the loss, and in units of what seeds make; predicted loss with the 95 % interval for a new run, and
what came out.

| corpus | law | residual, % | of seeds' | 478 760 parameters, 30 MB | 960 368 parameters, 30 MB |
|---|---|---|---|---|---|
{fits}

Chinchilla's law does not follow these runs, and says so (`lack_of_fit`): small models lose less from few bytes than a sum of
two terms allows. Laws whose terms interact do. All intervals contain the outcome, the widened ones of the laws that do not fit
by their width, the others close to it.

## One ray against designs that spread

The {size} runs at {NEAR[0]:g} to {NEAR[1]:g} bytes per parameter ("the ray") against {DRAWS} random designs of as many runs
from everywhere at the same compute, to {100 * WITHIN:g} %: collinear / median of the spread ones, and how often spread wins.
Errors are root mean squares of ln(predicted / measured), in per cent, on all runs of the sweep that were not fitted and
on the two larger ones, which lie at 31 and 63 bytes per parameter, near the ray.

| corpus | law | kappa_2 | error, other runs | error, larger runs | spread wins, other runs, % | larger runs, % |
|---|---|---|---|---|---|---|
{table}

Spread designs know the plane better with every law. Along the ray, beyond it, it depends on the law: with one that follows the
runs spread wins there too; with one that does not, runs near the ray forecast larger runs near the ray better, since what the
law misses is the same on both. That is no virtue of the design: nothing in it tells how far off the ray one may go.

The command line cuts such designs from the file as well, at equal compute, and judges them on the runs that are left:

```sh
offray replicate --data python/offray/examples/byte_lm.csv --where corpus=python --where 'role!=target' \\
  --ray 60 --law droppo_elibol
```
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.parse_args().output.write_text(page(), encoding="utf-8")
