# SPDX-License-Identifier: Apache-2.0
"""The next runs to train under a FLOP budget."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from offray import _core
from offray._choices import Criterion
from offray._expression.known import any_law
from offray._input import check
from offray._input.arrays import Array
from offray._law import Law
from offray._optimum import Optimum
from offray._plan.candidates import candidate_runs, existing_runs
from offray._plan.cost import Cost
from offray._plan.design_problem import DesignProblem
from offray._plan.places import of_N_and_D
from offray._plan.planning import FLOPS_PER_TOKEN, SIGMA, assumed, targets
from offray._plan.recipes import Limits
from offray._plan.suggestion import Suggestion


def suggest(
    existing: Any = None,
    budget: float | None = None,
    region: Mapping[str, tuple[float, float]] | tuple[tuple[float, float], ...] | None = None,
    max_runs: int | None = None,
    criterion: Criterion = "I",
    *,
    target: Any = None,
    theta: Any = None,
    law: str | Law | None = None,
    sigma: float | None = None,
    sizes: Any = None,
    tokens: Any = None,
    candidates: Any = None,
    max_repeats: int | None = None,
    tpp: tuple[float, float] | None = None,
    fit: Optimum | None = None,
    until: str | None = None,
    cost: Any = None,
    replicates: int = 0,
    lack_of_fit: int = 0,
) -> Suggestion:
    """The runs that determine most for their cost.

    Minimises the criterion, averaged over the assumed theta, over run lists that cost at most `budget` and have at most
    `max_runs` runs within `region`, given the runs that exist already, whose cost is sunk. Deterministic.

    Parameters
    ----------
    existing : (N, D), mapping or table, optional
        Runs that there are. Default: those of `fit`, or none.
    budget : float
        Floating-point operations for the new runs, or what `cost` is in. With `until`, the most that may be spent.
    region : mapping with N and D, each (least, most), or those two pairs
        Where runs are possible; of a law with other inputs these, as in ``{"width": (64, 4096), "depth": (2, 64)}``. Required,
        like `max_runs`: without bounds the optimum is thousands of tiny runs.
    max_runs : int
    criterion : {"I", "D"}
        "I": the mean variance of the predicted loss over the targets; where runs at the target alone would do for that, the
        corners of the candidates count a hundredth each, so that the law is determined. "D": the volume of the confidence
        ellipsoid of all parameters.
    target : (N, D) or a list of them, or mapping of inputs, optional
        Default: each theta's compute-optimal point for 100 times the compute of the region's largest run; of a law with other
        inputs none.
    theta, law, sigma
        As for `check`; with `fit`, its law, its noise, and points of its confidence ellipsoid, or, where its runs do not
        determine all parameters, published fits.
    sizes, tokens : array_like, optional
        The sizes and token counts that can be run, within the region; default 20 each, log-spaced.
    candidates : (N, D), mapping or table, optional
        The runs to choose from, in place of a grid.
    max_repeats : int, optional
        The most often that one run may be made, with other seeds. Default: as often as it helps.
    tpp : (least, most), optional
        Tokens per parameter that a run may have. Default: any within the region.
    fit : Fit, optional
        For sequential use: one batch at a time.
    until : str, optional
        Such as ``"sd(loss@target) < 0.01"``: the cheapest budget (to 1 %) that reaches it. Quantities as in `Suggestion.sd`.
    cost : str, callable or (m,) array_like, optional
        What a run costs, in units of `budget`: a formula in the law's inputs, ``"6*N*D + 2*N*1e12"`` for a model that will
        serve 1e12 tokens; a function of arrays, one for each input; or, with `candidates`, a figure for each, such as GPU
        hours. Default: 6 N D, or the compute itself where the law reads it as C or flops.
    replicates : int
        How many of `max_runs` are kept for repeating others, the cheapest, with other seeds: they measure the noise.
    lack_of_fit : int
        How many are kept for places far from all others, where a law that is not the right one shows.

    Returns
    -------
    Suggestion

    Raises
    ------
    ValueError
        For bad input, naming the argument and its value; where no list within the limits determines the law; where `until` is
        not reached within the budget, or it does not allow for the runs that are to be kept.

    Examples
    --------
    >>> import offray
    >>> plan = offray.suggest(budget=1e19, region={"N": (5e6, 8e7), "D": (1e7, 1.6e9)}, max_runs=30)
    >>> plan.spent <= 1e19 and plan.efficiency > 0.9
    True
    """
    problem = _problem(
        existing=existing,
        budget=budget,
        region=region,
        max_runs=max_runs,
        max_repeats=max_repeats,
        criterion=criterion,
        target=target,
        theta=theta,
        law=law,
        sigma=sigma,
        sizes=sizes,
        tokens=tokens,
        candidates=candidates,
        tpp=tpp,
        fit=fit,
        cost=cost,
        replicates=check.integer("replicates", replicates, least=0),
        lack_of_fit=check.integer("lack_of_fit", lack_of_fit, least=0),
    )
    return problem.solve(problem.budget) if until is None else _cheapest(problem, until)


def _problem(
    *,
    existing: Any,
    budget: Any,
    region: Any,
    max_runs: Any,
    max_repeats: Any,
    criterion: str,
    target: Any,
    theta: Any,
    law: str | Law | None,
    sigma: float | None,
    sizes: Any,
    tokens: Any,
    candidates: Any,
    tpp: Any,
    fit: Optimum | None,
    cost: Any,
    replicates: int,
    lack_of_fit: int,
) -> DesignProblem:
    _check_kinds(existing, fit, cost, candidates)
    if budget is None or max_runs is None or (region is None and candidates is None):
        raise ValueError(
            "budget, region and max_runs are needed: without bounds on the inputs and on the number of runs the optimum is "
            "thousands of tiny runs, which no law describes"
        )
    if criterion not in _core.CRITERIA:
        raise ValueError(f"unknown criterion {criterion!r}; known criteria: {', '.join(_core.CRITERIA)}")
    if not 0 < float(budget) < np.inf:
        raise ValueError(f"budget must be positive and finite; got {budget}")
    runs = check.integer("max_runs", max_runs)
    repeats = runs if max_repeats is None else check.integer("max_repeats", max_repeats)
    if replicates + lack_of_fit >= runs:
        reserved = replicates + lack_of_fit
        raise ValueError(f"replicates and lack_of_fit keep {reserved} runs, but max_runs is {runs}: none is left to plan")
    the_law = any_law(law or (fit.law if fit is not None else "chinchilla"))
    if the_law.built_in and the_law.reads("unique_tokens"):
        raise ValueError(f"law: suggestions for {the_law.name} would choose unique tokens too, which is not supported")
    plain = of_N_and_D(the_law)
    if not plain and (sizes is not None or tokens is not None or tpp is not None):
        raise ValueError(
            f"sizes, tokens, tpp: these are about N and D; the law {the_law.name} reads {', '.join(the_law.inputs)}"
        )
    places, bounds = candidate_runs(the_law, region, {"N": sizes, "D": tokens}, candidates)
    limits = Limits(bounds["N"], bounds["D"]) if plain else None
    costs = Cost(cost, the_law, places)
    if tpp is not None and limits is not None:
        limits, kept = _within(tpp, limits, *places)
        places = tuple(a[kept] for a in places)
        costs.candidates = costs.candidates[kept]
    if fit is not None and not set(the_law.place) <= set(fit.problem.columns):
        raise ValueError(f"fit: its runs are given by {', '.join(fit.problem.columns)}; the law {the_law.name} reads others")
    if fit is not None and existing is None:
        existing = tuple(fit.problem.columns[name] for name in the_law.place)
    noise = sigma if sigma is not None else float(fit.noise_sd) if fit is not None else SIGMA
    if not 0 < noise < np.inf:
        raise ValueError(f"sigma must be positive and finite; got {noise}")
    thetas = _around(fit) if fit is not None and theta is None else assumed(the_law, theta)
    flops = 100 * FLOPS_PER_TOKEN * bounds["N"][1] * bounds["D"][1] if plain else np.nan
    where = targets(thetas, the_law, target, flops)
    return DesignProblem(
        the_law,
        thetas,
        float(noise),
        where,
        existing_runs(the_law, existing),
        places,
        bounds,
        limits,
        float(budget),
        runs,
        repeats,
        criterion,
        costs,
        replicates,
        lack_of_fit,
    )


def _check_kinds(existing: Any, fit: Any, cost: Any, candidates: Any) -> None:
    """An error for a fit in place of runs or the other way round, and for figures of runs that are not listed."""
    if hasattr(existing, "problem"):
        raise ValueError("existing: runs are asked for; a fit, with its runs, goes to fit=")
    if fit is not None and not isinstance(fit, Optimum):
        raise TypeError(f"fit must be a fit; got {fit!r}")
    if cost is not None and not isinstance(cost, str) and not callable(cost) and candidates is None:
        raise ValueError("cost: figures for each run go with candidates; for a grid give a formula or a function of the inputs")


def _within(tpp: Any, limits: Limits, N: Array, D: Array) -> tuple[Limits, Array]:
    """Limits with those of tokens per parameter, and the candidates inside."""
    if np.shape(tpp) != (2,) or not 0 < tpp[0] < tpp[1] < np.inf:
        raise ValueError(f"tpp must be (least, most) tokens per parameter, positive and the second larger; got {tpp}")
    limits = limits._replace(TPP=(float(tpp[0]), float(tpp[1])))
    kept = limits.hold(N, D)
    if not kept.any():
        raise ValueError(f"tpp: no run of the region has {tpp[0]:g} to {tpp[1]:g} tokens per parameter")
    return limits, kept


def _around(fit: Optimum) -> dict[str, Array]:
    """theta, those of optima as good within the noise, and the ends of the axes of its 68 % confidence ellipsoid in ln theta
    (in theta itself of parameters of either sign); published fits where there is none."""
    if not np.isfinite(fit.se).all():
        return assumed(fit.law, None)
    fitted = np.asarray(fit.theta, float)
    real = np.array([role.role == "real" for role in fit.law.roles])
    unit = np.where(real, fit.se, fitted)
    scaled = np.asarray(fit.cov / unit / unit[:, None], float)
    out = {"fitted": fitted}
    out |= {f"rival {k + 1}": np.asarray(rival.theta, float) for k, rival in enumerate(fit.rivals)}
    values, vectors = np.linalg.eigh(scaled)
    for k, (value, axis) in enumerate(zip(values, vectors.T, strict=True)):
        for side in (-1, 1):
            step = side * np.sqrt(max(value, 0)) * axis
            if np.abs(step).max() > 1e-6:
                out[f"axis {k + 1} {'-+'[side > 0]}"] = np.where(
                    real, fitted + step * unit, fitted * np.exp(np.clip(step, -1, 1))
                )
    return out


def _cheapest(problem: DesignProblem, until: str) -> Suggestion:
    match = re.fullmatch(r"\s*sd\(\s*(.+?)\s*\)\s*<\s*(\S+)\s*", until)
    try:
        name, limit = (match.group(1), float(match.group(2))) if match else ("", np.nan)
    except ValueError:
        name, limit = "", np.nan
    best = problem.solve(problem.budget)
    if name not in best.sd["suggested"] or not limit > 0:
        known = ", ".join(f"sd({key})" for key in best.sd["suggested"] if key != "kappa_2")
        raise ValueError(f"until must be such as 'sd(loss@target) < 0.01', of one of {known}; got {until!r}")
    if not best.sd["suggested"][name] < limit:
        raise ValueError(
            f"until: sd({name}) is {best.sd['suggested'][name]:.4g} with the whole budget of {problem.budget:.4g} "
            f"{problem.cost.unit} and "
            f"{problem.max_runs} runs; allow more, or a wider region"
        )
    low, high = float(problem.cost.candidates.min()), problem.budget
    while high > 1.01 * low:
        middle = float(np.sqrt(low * high))
        try:
            trial = problem.solve(middle)
        except ValueError:
            low = middle
            continue
        if trial.sd["suggested"][name] < limit:
            best, high = trial, middle
        else:
            low = middle
    return best
