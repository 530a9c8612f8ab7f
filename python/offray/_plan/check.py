# SPDX-License-Identifier: Apache-2.0
"""Before training: what a sweep will determine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from offray import _core
from offray._expression.known import any_law
from offray._identify.tpp import r_min, tpp_diversity
from offray._input.arrays import DOUBLE, Array, frozen, optional_vector, vector
from offray._law import Law
from offray._plan.design_check import DesignCheck, Figures, distinct_ratios
from offray._plan.places import Places, by_name, labels_of, of_N_and_D, places_of
from offray._plan.planning import SIGMA, assumed, planned, predicted_sd, targets
from offray._planes import planes as input_planes
from offray._read.runs import is_table, places_in
from offray.designs import fan, grid, isoflop


def check(
    N: Any = None,
    D: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    ratios: Any = None,
    sizes: Any = None,
    budgets: Any = None,
    tokens: Any = None,
    unique_tokens: Any = None,
    law: str | Law = "chinchilla",
    theta: Any = None,
    kappa_target: float = 100.0,
    target: Any = None,
    C: float | None = None,
    sigma: float | None = None,
) -> DesignCheck:
    """What a sweep will determine, from its sizes and token counts alone.

    Parameters
    ----------
    N, D : (n,) array_like
        Model parameters and training tokens of the planned runs; or as N a table of them, in memory or in a file, as `read`
        takes it. Or, instead:
    inputs : mapping of str to (n,) array_like
        What else a law of your own reads, by its names, as for `fit`; with a table the names of its columns.
    sizes, ratios, budgets, tokens : array_like
        Sizes with one of the others: every size on every ray D = k N, at every budget 6 N D, or on every token count.
    unique_tokens : (n,) array_like, optional
        For the repeated-data law.
    law : str or Law
        Also a formula as text.
    theta : (p,) array_like, mapping, or several, optional
        Assumed parameters, natural units; default: published fits, so that every figure is a range.
    kappa_target : float
        For kappa_eq; 100 makes the interval of A 5 times wider than with orthogonal columns.
    target : (N, D), a list of them, a mapping of inputs, or one from the names of theta to any of these, optional
        Where the loss is to be predicted. Default: each theta's compute-optimal point for C; of a law with other inputs than N
        and D none: say ``target={"C": 1e24}``.
    C : float, optional
        Compute for which the optimum is wanted, of a law of N and D. Default: 100 times that of the largest run.
    sigma : float, optional
        Standard deviation of a run's loss about the law, nats per token. Default 0.01.

    Returns
    -------
    DesignCheck

    Raises
    ------
    ValueError
        For bad input, naming the argument and its value.

    Examples
    --------
    >>> import numpy as np, offray
    >>> offray.check(ratios=[15, 20, 25, 30], sizes=np.geomspace(5e6, 8e7, 14)).passes
    False
    >>> offray.check(ratios=[5, 20, 100], sizes=np.geomspace(5e6, 8e7, 14)).passes
    True
    """
    the_law = any_law(law)
    places = _runs(the_law, N, D, inputs or {}, {"ratios": ratios, "budgets": budgets, "tokens": tokens}, sizes)
    return checked(
        the_law,
        places,
        theta=assumed(the_law, theta),
        sigma=SIGMA if sigma is None else float(sigma),
        target=target,
        C=C,
        kappa_target=float(kappa_target),
        unique_tokens=optional_vector("unique_tokens", unique_tokens, DOUBLE),
    )


def checked(
    law: Law,
    places: Places,
    *,
    theta: dict[str, Array],
    sigma: float,
    target: Any,
    C: float | None = None,
    kappa_target: float = 100.0,
    unique_tokens: Array | None = None,
) -> DesignCheck:
    """The same of places."""
    if not 0 < sigma < np.inf:
        raise ValueError(f"sigma must be positive and finite; got {sigma}")
    plans = {name: planned(law, places, values, unique_tokens) for name, values in theta.items()}  # validates N and D
    plain = of_N_and_D(law)
    if C is not None and not plain:
        raise ValueError(f"C is about N and D; the law {law.name} reads {', '.join(law.inputs)}")
    flops = np.nan if not plain else 100 * 6 * float((places[0] * places[1]).max()) if C is None else float(C)
    if plain and not 0 < flops < np.inf:
        raise ValueError(f"C must be positive and finite; got {C}")
    where = targets(theta, law, target, flops)
    columns = by_name(law, places)
    figures, planes = {}, set()
    for name, values in theta.items():
        report = _core.report(plans[name])
        kappa, factorial, kappa_eq = (float(report[key][()]) for key in ("kappa", "factorial_kappa", "pair_kappa"))
        pair = plain and law.has_data_exponent
        inner = law.inner_data_exponent(dict(zip(law.parameters, values, strict=True)))
        figures[name] = Figures(
            frozen(values),
            tpp_diversity(distinct_ratios(*places), law.data_exponent(values), kappa_target) if pair else None,
            kappa_eq if pair else np.nan,
            _core.interval_inflation(kappa_eq) if pair else np.nan,
            r_min(inner, kappa_target) if pair else np.nan,
            kappa,
            kappa / factorial if plain and np.isfinite(factorial) else np.nan,
            predicted_sd(plans[name], law, sigma, where[name], flops),
        )
        if not plain:
            found = _core.confining_planes(planned(law, places, values, sigma=sigma))
            planes |= {str(plane) for plane in input_planes(law, columns, found)}
    kept = {name: frozen(a.copy()) for name, a in columns.items()}
    return DesignCheck(law, kept, figures, kappa_target, sigma, where, flops, tuple(sorted(planes)))


def _runs(law: Law, N: Any, D: Any, inputs: Mapping[str, Any], recipes: Mapping[str, Any], sizes: Any) -> Places:
    named = [name for name, value in recipes.items() if value is not None]
    direct = not named and sizes is None
    if D is None and direct and is_table(N):
        if unknown := [name for name in inputs if name not in law.further]:
            raise ValueError(f"inputs: the law does not read {', '.join(unknown)}")
        if not all(isinstance(column, str) for column in inputs.values()):
            raise TypeError("inputs: with a table give names of its columns")
        return places_in(N, law, inputs)
    if not of_N_and_D(law):
        if not direct:
            raise TypeError(
                f"sizes, ratios, budgets and tokens are about N and D; the law {law.name} reads {', '.join(law.inputs)}"
            )
        given = {**{label: x for label, x in (("N", N), ("D", D)) if x is not None}, **inputs}
        if not set(given) <= {*labels_of(law), *law.place} or not given:
            raise TypeError(f"a design for {law.name} is inputs={{{', '.join(f'{name!r}: ...' for name in law.inputs)}}}")
        return places_of("inputs", law, given)
    if inputs:
        raise ValueError(f"inputs: the law {law.name} reads N and D alone")
    if N is not None or D is not None:
        if N is None or D is None or not direct:
            raise TypeError("a design is N and D, or sizes with one of ratios, budgets and tokens")
        return vector("N", N, DOUBLE), vector("D", D, DOUBLE)
    if sizes is None or len(named) != 1:
        raise TypeError("a design is N and D, or sizes with one of ratios, budgets and tokens")
    if recipes["ratios"] is not None:
        return fan(recipes["ratios"], sizes)
    return isoflop(recipes["budgets"], sizes) if recipes["budgets"] is not None else grid(sizes, recipes["tokens"])
