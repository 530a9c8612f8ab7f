# SPDX-License-Identifier: Apache-2.0
"""Sentences on what speaks against the law or the runs: they determine the parameters, but of what?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from offray import _core
from offray._infer.misfit import DEPENDENT, HUGE, LARGE, UNLIKELY, Misfit, far_off, misfit, weighted_residuals
from offray._optimum import Optimum

ROBUST = "objective='huber', delta='mad'"
_NAMED = 5
_FEWEST_GROUPS = 8


class _Remark(NamedTuple):
    """Whether a finding is worth a warning, or only a note; and the sentences."""

    loud: Callable[[Optimum, Misfit], bool]
    text: Callable[[Optimum, Misfit], str]


def remarks(fit: Optimum, keys: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Warnings and notes on these findings."""
    asked = [_REMARKS[key] for key in keys]
    if not asked:
        return (), ()
    at = misfit(fit)
    said = [(remark.loud(fit, at), remark.text(fit, at)) for remark in asked]
    return tuple(text for loud, text in said if loud), tuple(text for loud, text in said if not loud)


def misses(fit: Optimum, at: Misfit) -> bool:
    """Whether the law misses the runs by more than seeds make, or, of N and D, than any noise does."""
    return at.unexplained >= LARGE or (fit.law.of_N_and_D and HUGE < at.relative_sd < np.inf)


def _lack_of_fit(fit: Optimum, at: Misfit) -> str:
    unit = "of ln L" if fit.log_loss else "nats"
    size = f"residual s.d. {at.residual_sd:.3g} {unit}, {100 * at.relative_sd:.2g} % of the loss"
    repeats = f", {at.pure_error:.2g} among repeated runs" if at.pure_error_dof else ""
    held = _held(fit)
    departure = None if held else at.departure  # held values that the runs reject are the cause, whatever it looks like
    why = _pattern(at, unit, departure) or (
        f"the means of repeated runs lie off it by more than these scatter ({at.lack_of_fit})"
        if at.lack_of_fit.p < UNLIKELY
        else f"no usual noise is that large; furthest off: {', '.join(far_off(row, r) for row, r in at.worst[:3])}"
    )
    remedy = "Leave free what is fixed." if held else _DEPARTURES[departure][1]
    ahead = (
        "are widened by what it misses of their largest"
        if at.rolling.slope > 0
        else "are not widened, as from the smaller runs it foretells the larger within noise"
    )
    return (
        f"the law {fit.law.name} does not follow these runs{held}: {size}{repeats}; {why}. Standard errors speak of the "
        f"law, not of this: predictions beyond the runs {ahead} (fit.misfit.rolling). {remedy}"
    )


def _pattern(at: Misfit, unit: str, departure: str | None) -> str:
    """What the residuals follow, in words; empty where chance explains it."""

    def size(pattern: float) -> str:
        return f"{pattern:.2g} {unit} r.m.s., {100 * at.share(pattern):.2g} % of the loss"

    said = []
    if at.trend.p < UNLIKELY:
        said.append(f"the residuals follow a curve of {size(at.pattern)}, that the law cannot ({at.trend})")
    if departure is not None:
        found, like = at.departures[departure], _DEPARTURES[departure][0]
        said.append(f"{'they' if said else 'the residuals'} look like {like}, {size(found.pattern)} ({found.test})")
    return ", and ".join(said)


_LAWS = "Compare laws (offray.compare), or fit the larger runs alone."
_DEPARTURES = {
    None: ("", _LAWS),
    "outer_power": (
        "an outer power of the sum of the terms",
        f"{_LAWS[:-1]}; 'outer_exponent' has such a power, 'droppo_elibol' one of the floor too.",
    ),
    "short_runs": (
        "an excess of the runs of few tokens (warm-up, a schedule that has not ended)",
        f"Leave the shortest runs out and see whether it goes. {_LAWS}",
    ),
    "large_models": (
        "a jump of the loss between the smaller and the larger models",
        f"If these differ in tokenizer, data or code, fit each alone. {_LAWS}",
    ),
}
"""What leaves the residuals like that, and what to do about it."""


def _held(fit: Optimum) -> str:
    """Whether values that parameters are held at are the cause: an F test against the fit without constraints."""
    limits = fit.problem.limits
    if limits is None or not limits.fixed or fit.objective != "squares":
        return ""
    others = replace(limits, fixed={}) if limits.tied or limits.bounds else None
    free = type(fit)(replace(fit.problem, limits=others))
    more = fit.degrees_of_freedom - free.degrees_of_freedom
    if more < 1 or free.degrees_of_freedom < 1 or not free.rss > 0:
        return ""
    F = float((fit.rss - free.rss) / more / (free.rss / free.degrees_of_freedom))
    p = _core.f_tail(F, more, free.degrees_of_freedom)
    if p >= UNLIKELY:
        return ""
    values = ", ".join(f"{name} = {value[0]:.4g}" for name, value in limits.fixed.items())
    floor, lowest = fit.law.floor, fit.problem.loss.min()
    above = f" (above the lowest loss, {lowest:.4g})" if floor in limits.fixed and limits.fixed[floor][0] > lowest else ""
    return f" with {values}{above}, which they reject (F = {F:.3g}, p = {p:.2g})"


def _go_together(_: Optimum, at: Misfit) -> bool:
    return at.by_size.p < DEPENDENT or at.in_series


def _dependent_runs(fit: Optimum, at: Misfit) -> str:
    rows = len(fit.residuals)
    if _go_together(fit, at):
        few = f"; with {len(at.sizes)} sizes, method='bootstrap' with the same group=" if len(at.sizes) < _FEWEST_GROUPS else ""
        how = f"go together ({at.by_size})" if at.by_size.p < DEPENDENT else f"follow each other (correlation {at.serial:.2g})"
        return (
            f"residuals of runs of one size {how}: checkpoints of one run, a setting that comes with the "
            f"size, or noise that they share. They are fewer than {rows} independent runs, so standard errors are too small. "
            f"Give group= (the run, or N) to covariance, conf_int and bootstrap{few}; of checkpoints keep the last."
        )
    sd = 100 * at.pure_error * at.relative_sd / at.residual_sd
    return (
        f"the same inputs occur {rows / at.distinct:.2g} times on average, with losses {sd:.2g} % apart (s.d.): more than "
        "seeds make. If they differ in unique tokens, fit law='repeated_data'; if in other hyperparameters, keep the best run "
        "of each (N, D), or fit objective='quantile' with a low quantile."
    )


def _repeated_rows(fit: Optimum, at: Misfit) -> str:
    rows = len(fit.residuals)
    return (
        f"{at.repeated_rows} of {rows} rows repeat another one to the last digit, loss and all: copies, not runs. Each counts "
        f"as a run, so standard errors are up to {np.sqrt(rows / (rows - at.repeated_rows)):.2g} times too small. Drop them "
        "(pandas: drop_duplicates, polars: unique)."
    )


def _outliers(fit: Optimum, at: Misfit) -> str:
    sd = float(np.median(np.abs(weighted_residuals(fit)))) * 1.4826
    unit = " in ln L" if fit.log_loss else ""
    rows = [f"{fit.problem.row(i)} ({-fit.residuals[i]:+.3g}{unit})" for i in at.outliers[:_NAMED]]
    more = f" and {len(at.outliers) - _NAMED} more" if len(at.outliers) > _NAMED else ""
    remedy = (
        f"Least squares follows them: leave them out, or fit with {ROBUST}."
        if fit.objective == "squares"
        else "This objective hardly follows them; predictions are of runs like the others."
    )
    return (
        f"{len(at.outliers)} of {len(fit.residuals)} runs lie more than 6 robust standard deviations ({sd:.2g}) from the law: "
        f"{', '.join(rows)}{more}. Diverged or unfinished runs? {remedy}"
    )


def set_aside(fit: Optimum) -> tuple[str, ...]:
    """The outliers that a robust objective hardly follows, which need no remedy."""
    at = misfit(fit)
    return (_outliers(fit, at),) if at.outliers and fit.objective != "squares" else ()


def _implausible_units(fit: Optimum, _: Misfit) -> str:
    N, D, loss = fit.problem.N, fit.problem.D, fit.problem.loss
    low, high = fit.tokens_per_parameter
    said = []
    if N.min() < 1e3:
        said.append(f"N is {N.min():.4g} at the least: millions or billions of parameters? Give counts.")
    if D.min() < 1e5:
        said.append(f"D is {D.min():.4g} at the least: steps, or millions or billions of tokens? Give counts.")
    if not said and low < 1e-3:
        said.append(f"some run has {low:.2g} tokens per parameter: steps instead of tokens?")
    if not said and high > 1e5:
        said.append(f"some run has {high:.2g} tokens per parameter: N in another unit?")
    if said:
        said.append("Compute-optimal points and plans depend on the units.")
    if loss.max() > 12.5:
        said.append(
            f"the largest loss is {loss.max():.4g}, above 12.5 nats, the logarithm of the largest usual vocabulary: perplexity "
            "(take its logarithm), or bits (times 0.693)?"
        )
    return " ".join(said)


def _always(_fit: Optimum, _at: Misfit) -> bool:
    return True


_REMARKS = {
    "lack_of_fit": _Remark(misses, _lack_of_fit),
    "dependent_runs": _Remark(_go_together, _dependent_runs),
    "repeated_rows": _Remark(_always, _repeated_rows),
    "outliers": _Remark(_always, _outliers),
    "implausible_units": _Remark(_always, _implausible_units),
}
