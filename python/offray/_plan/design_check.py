# SPDX-License-Identifier: Apache-2.0
"""What a design will determine: the result of `offray.check`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offray._drawn import Drawn
from offray._identify.tpp import TppDiversity
from offray._input.arrays import Array
from offray._law import Law
from offray._plan.places import OfInputs, labels_of, of_N_and_D
from offray._text import Sheet
from offray._travel.record import Record

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
        Of the full unit-column Jacobian, and relative to a 3 x 3 factorial over the same ranges of N
        and D.
    sd : dict of str to float
        Predicted standard deviations: ``ln`` of every parameter (of one of either sign itself), ``loss@target``, and, of a law
        of N and D, ``ln TPP*`` at the compute C.
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
class DesignCheck(Record, Drawn, OfInputs):
    """What a design will determine, at several assumed theta; ``print`` shows ranges.

    Attributes
    ----------
    law : Law
    inputs : dict of str to (n,) ndarray
        The runs, by what the law reads: ``params`` and ``tokens``, which `N` and `D` are, or others.
    figures : dict of str to Figures
        By the name of the assumed theta.
    kappa_target, sigma : float
    target : dict of str to (t, k) ndarray
        Where the loss is to be predicted, by the name of the assumed theta; a column for each input.
    C : float
        The compute at which TPP* is; NaN for other inputs than N and D.
    confined_to : tuple of str
        Of other inputs than N and D: what all runs have in common, such as "width / depth = 64", where that leaves parameters
        open.
    """

    law: Law
    inputs: dict[str, Array]
    figures: dict[str, Figures]
    kappa_target: float
    sigma: float
    target: dict[str, Array]
    C: float
    confined_to: tuple[str, ...]

    def _brief(self) -> str:
        return f"{self.law.name}, {self._runs} runs, {'passes' if self.passes else 'fails'}"

    @property
    def _runs(self) -> int:
        return len(next(iter(self.inputs.values())))

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
        return distinct_ratios(self.N, self.D)

    @property
    def verdict(self) -> str:
        """One sentence."""
        kappa = _range([at.kappa_eq for at in self.figures.values()])
        pair = all(at.diversity is not None for at in self.figures.values())
        loss = _range([at.sd["loss@target"] for at in self.figures.values()])
        if self.passes:
            told = f"the two terms apart (kappa_eq {kappa}, target {self.kappa_target:g})" if pair else "the parameters apart"
            return f"These {self._runs} runs tell {told} and predict the loss at the target to {loss}."
        places, unknowns = len({*zip(*self.inputs.values(), strict=True)}), len(self.law.parameters)
        if places < unknowns:
            inputs = " and ".join(labels_of(self.law))
            return f"{places} different {inputs} are too few for the {unknowns} parameters of {self.law.name}: add runs."
        if self._parts:
            return self._ill_conditioned()
        low, high = self.ratios[0], self.ratios[-1]
        needed = max(at.r_min for at in self.figures.values())
        return (
            f"These {self._runs} runs hardly tell the two terms apart: kappa_eq {kappa} against a target of "
            f"{self.kappa_target:g}, tokens per parameter {low:.4g} to {high:.4g}, a factor {high / low:.3g}; rays a "
            f"factor {needed:.3g} apart would pass, such as {np.sqrt(low * high / needed):.3g} and "
            f"{np.sqrt(low * high * needed):.3g}."
        )

    def _ill_conditioned(self) -> str:
        """Why kappa_2 is too large, as far as the levels of the inputs tell."""
        worst = max(at.kappa_2 for at in self.figures.values())
        leave = f"These {self._runs} runs leave kappa_2 at {worst:.3g}, above 1000:"
        if self.confined_to:
            return f"{leave} {' and '.join(self.confined_to)} in all of them. Add runs where it is another."
        plural = {"params": "model sizes", "tokens": "token counts"}
        for name, levels in self.inputs.items():
            if (count := len(np.unique(levels))) < _LEVELS:
                return (
                    f"{leave} they have {count} {plural.get(name, f'values of {name}')}, and a power and a constant need "
                    f"{_LEVELS}. Add runs of others, far apart."
                )
        inputs = " and ".join(labels_of(self.law))
        each = ", each at small and large values of the others" if len(self.inputs) > 1 else ""
        return f"{leave} spread {inputs} over wider ranges{each}."

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
            *([("kappa_2 / factorial", [at.kappa_relative for at in every])] if of_N_and_D(self.law) else []),
            *((f"sd({name})", [at.sd[name] for at in every]) for name in every[0].sd),
        ]
        paper = "passes" if all(at.passes for at in of_rays) else "fails"
        criterion = (
            f"The paper's criterion V_K >= tau_K {paper} at {self.kappa_target:g}; it depends on the unit of tokens (here "
            "single tokens), kappa_eq does not."
        )
        ratios = f", {len(self.ratios)} ratios" if of_N_and_D(self.law) else ""
        setting = f"law {self.law.name}, {self._runs} runs{ratios}, sigma {self.sigma:g}, theta: {'; '.join(self.figures)}"
        cells = [("figure", "at every theta"), *((name, _range(values)) for name, values in rows)]
        return Sheet([self.verdict, setting], cells, [criterion] if of_rays else [])

    def __str__(self) -> str:
        return self._sheet().text()


def distinct_ratios(N: Array, D: Array) -> Array:
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
