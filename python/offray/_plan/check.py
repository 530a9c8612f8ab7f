# SPDX-License-Identifier: Apache-2.0
"""Before training: what a sweep will determine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from offray import _core
from offray._drawn import Drawn
from offray._expression.known import any_law
from offray._identify.tpp import TppDiversity, r_min, tpp_diversity
from offray._input.arrays import DOUBLE, Array, frozen, optional_vector, vector
from offray._law import Law
from offray._plan.planning import SIGMA, assumed, planned, predicted_sd, targets
from offray._read.runs import counts_of, is_table
from offray._text import Sheet
from offray._travel.record import Record
from offray.designs import fan, grid, isoflop

_LEVELS = 3


@dataclass(frozen=True, repr=False, eq=False)
class Figures(Record):
    """The figures of a design at one assumed theta.

    Attributes
    ----------
    theta : (p,) ndarray
    diversity : TppDiversity or None
        Of the design's ratios at the law's data exponent: the paper's V_K and tau_K, whose verdict depends on the unit in which
        tokens are counted, the exact threshold, kappa and the unit-free kappa_eq, all as if the exponents were equal. None,
        and what follows NaN, for a law without a D exponent of its own, such as one with an outer power: kappa_2 counts.
    kappa_eq : float
        Of the two coefficients' columns, with the sizes and the gap between the exponents.
    inflation : float
        (kappa_eq + 1) / (2 sqrt(kappa_eq)): how much wider the interval of A is than with orthogonal columns.
    r_min : float
        The least ratio between two rays that meets the target whatever the unit of tokens. For Kaplan from the exponent 1
        that D has within the sum, which is what its Jacobian sees.
    kappa_2, kappa_relative : float
        Of the full unit-column Jacobian, and relative to a 3 x 3 factorial over the same ranges.
    sd : dict of str to float
        Predicted standard deviations: ``ln`` of every parameter, ``loss@target``, and ``ln TPP*`` at the compute C.
    """

    theta: Array
    diversity: TppDiversity | None
    kappa_eq: float
    inflation: float
    r_min: float
    kappa_2: float
    kappa_relative: float
    sd: dict[str, float]

    def _brief(self) -> str:
        return f"kappa_2 {self.kappa_2:.4g}, kappa_eq {self.kappa_eq:.4g}"


@dataclass(frozen=True, repr=False, eq=False)
class DesignCheck(Record, Drawn):
    """What a design will determine, at several assumed theta; ``print`` shows ranges.

    Attributes
    ----------
    law : Law
    N, D : (n,) ndarray
    figures : dict of str to Figures
        By the name of the assumed theta.
    kappa_target, sigma : float
    target : dict of str to (t, 2) ndarray
        Where the loss is to be predicted, by the name of the assumed theta.
    C : float
        The compute at which TPP* is.
    """

    law: Law
    N: Array
    D: Array
    figures: dict[str, Figures]
    kappa_target: float
    sigma: float
    target: dict[str, Array]
    C: float

    def _brief(self) -> str:
        return f"{self.law.name}, {len(self.N)} runs, {'passes' if self.passes else 'fails'}"

    @property
    def passes(self) -> bool:
        """Whether kappa_eq, with sizes and gap, meets the target and kappa_2 is below 1000 at every assumed theta."""
        return self._parts and all(at.kappa_2 <= 1000 for at in self.figures.values())

    @property
    def _parts(self) -> bool:
        """Whether no kappa_eq is above its target."""
        return not any(at.kappa_eq > self.kappa_target for at in self.figures.values())

    @property
    def ratios(self) -> Array:
        """The distinct tokens per parameter."""
        return _distinct(self.N, self.D)

    @property
    def verdict(self) -> str:
        """One sentence."""
        kappa = _range([at.kappa_eq for at in self.figures.values()])
        pair = all(at.diversity is not None for at in self.figures.values())
        loss = _range([at.sd["loss@target"] for at in self.figures.values()])
        low, high = self.ratios[0], self.ratios[-1]
        if self.passes:
            told = f"the two terms apart (kappa_eq {kappa}, target {self.kappa_target:g})" if pair else "the parameters apart"
            return f"These {len(self.N)} runs tell {told} and predict the loss at the target to {loss}."
        places, unknowns = len({*zip(self.N.tolist(), self.D.tolist(), strict=True)}), len(self.law.parameters)
        if places < unknowns:
            return f"{places} different N and D are too few for the {unknowns} parameters of {self.law.name}: add runs."
        needed = max(at.r_min for at in self.figures.values())
        if self._parts:
            worst = max(at.kappa_2 for at in self.figures.values())
            for x, levels in (("model sizes", self.N), ("token counts", self.D)):
                if len(np.unique(levels)) < _LEVELS:
                    return (
                        f"These {len(self.N)} runs leave kappa_2 at {worst:.3g}, above 1000: they have "
                        f"{len(np.unique(levels))} {x}, and a power and a constant need {_LEVELS}. Add runs of "
                        "others, far apart."
                    )
            return f"These {len(self.N)} runs leave kappa_2 at {worst:.3g}, above 1000: spread N and D over wider ranges."
        return (
            f"These {len(self.N)} runs hardly tell the two terms apart: kappa_eq {kappa} against a target of "
            f"{self.kappa_target:g}, tokens per parameter {low:.4g} to {high:.4g}, a factor {high / low:.3g}; rays a "
            f"factor {needed:.3g} apart would pass, such as {np.sqrt(low * high / needed):.3g} and "
            f"{np.sqrt(low * high * needed):.3g}."
        )

    def _sheet(self) -> Sheet:
        every = list(self.figures.values())
        of_rays = [at.diversity for at in every if at.diversity is not None]
        rays = [
            ("V_K", [at.V_K for at in of_rays]),
            ("tau_K", [at.tau_K for at in of_rays]),
            ("tau exact", [at.tau_exact for at in of_rays]),
            ("kappa", [at.kappa for at in of_rays]),
            ("kappa_eq, no gap", [at.kappa_eq for at in of_rays]),
            ("kappa_eq", [at.kappa_eq for at in every]),
            ("interval inflation", [at.inflation for at in every]),
            ("R_min", [at.r_min for at in every]),
        ]
        rows = [
            *(rays if of_rays else []),
            ("kappa_2", [at.kappa_2 for at in every]),
            ("kappa_2 / factorial", [at.kappa_relative for at in every]),
            *((f"sd({name})", [at.sd[name] for at in every]) for name in every[0].sd),
        ]
        paper = "passes" if all(at.passes for at in of_rays) else "fails"
        criterion = (
            f"The paper's criterion V_K >= tau_K {paper} at {self.kappa_target:g}; it depends on the unit of tokens (here "
            "single tokens), kappa_eq does not."
        )
        setting = (
            f"law {self.law.name}, {len(self.N)} runs, {len(self.ratios)} ratios, sigma {self.sigma:g}, theta: "
            f"{'; '.join(self.figures)}"
        )
        cells = [("figure", "at every theta"), *((name, _range(values)) for name, values in rows)]
        return Sheet([self.verdict, setting], cells, [criterion] if of_rays else [])

    def __str__(self) -> str:
        return self._sheet().text()


def check(
    N: Any = None,
    D: Any = None,
    *,
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
    target : (N, D), a list of them, or a mapping from the names of theta to such lists, optional
        Where the loss is to be predicted. Default: each theta's compute-optimal point for C.
    C : float, optional
        Compute for which the optimum is wanted. Default: 100 times that of the largest run.
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
    n, d = _runs(N, D, ratios, sizes, budgets, tokens)
    noise = SIGMA if sigma is None else float(sigma)
    if not 0 < noise < np.inf:
        raise ValueError(f"sigma must be positive and finite; got {sigma}")
    unique = optional_vector("unique_tokens", unique_tokens, DOUBLE)
    thetas = assumed(the_law, theta)
    plans = {name: planned(the_law, n, d, values, unique) for name, values in thetas.items()}  # validates N and D
    flops = 100 * 6 * float((n * d).max()) if C is None else float(C)
    if not 0 < flops < np.inf:
        raise ValueError(f"C must be positive and finite; got {C}")
    where = targets(thetas, the_law, target, flops)
    k = _distinct(n, d)
    figures = {}
    for name, values in thetas.items():
        report = _core.report(plans[name])
        kappa, factorial, kappa_eq = (float(report[key][()]) for key in ("kappa", "factorial_kappa", "pair_kappa"))
        pair = the_law.has_data_exponent
        inner = the_law.inner_data_exponent(dict(zip(the_law.parameters, values, strict=True)))
        figures[name] = Figures(
            frozen(values),
            tpp_diversity(k, the_law.data_exponent(values), kappa_target) if pair else None,
            kappa_eq if pair else np.nan,
            _core.interval_inflation(kappa_eq) if pair else np.nan,
            r_min(inner, kappa_target) if pair else np.nan,
            kappa,
            kappa / factorial if np.isfinite(factorial) else np.nan,
            predicted_sd(plans[name], the_law, noise, where[name], flops),
        )
    return DesignCheck(the_law, frozen(n.copy()), frozen(d.copy()), figures, float(kappa_target), noise, where, flops)


def _runs(N: Any, D: Any, ratios: Any, sizes: Any, budgets: Any, tokens: Any) -> tuple[Array, Array]:
    recipes = {"ratios": ratios, "budgets": budgets, "tokens": tokens}
    named = [name for name, value in recipes.items() if value is not None]
    if D is None and is_table(N) and not named and sizes is None:
        N, D = counts_of(N)
    if N is not None or D is not None:
        if N is None or D is None or named or sizes is not None:
            raise TypeError("a design is N and D, or sizes with one of ratios, budgets and tokens")
        return vector("N", N, DOUBLE), vector("D", D, DOUBLE)
    if sizes is None or len(named) != 1:
        raise TypeError("a design is N and D, or sizes with one of ratios, budgets and tokens")
    if ratios is not None:
        return fan(ratios, sizes)
    return isoflop(budgets, sizes) if budgets is not None else grid(sizes, tokens)


def _distinct(N: Array, D: Array) -> Array:
    """Sorted tokens per parameter; those that whole counts tell apart by their rounding alone are one."""
    # A whole number stands for anything within half of one.
    half_N, half_D = (np.where(x == np.rint(x), 0.5 / x, 0) for x in (N, D))
    off = 1e-9 + half_N + half_D
    order = np.argsort(D / N)
    k, off = (D / N)[order], off[order]
    return np.asarray(k[np.concatenate([[True], np.diff(k) > (off[1:] + off[:-1]) * k[1:]])])


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    if low == high:
        return f"{low:.4g}"
    return f"{low:.4g}" if high - low <= 1e-4 * abs(high) or len(values) == 1 else f"{low:.4g} to {high:.4g}"
