# SPDX-License-Identifier: Apache-2.0
"""What a set of tokens-per-parameter ratios can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offray import _core
from offray._input.arrays import DOUBLE, vector
from offray._travel.record import Record


@dataclass(frozen=True, repr=False)
class TppDiversity(Record):
    """Figures of the 2 x 2 Gram matrix with rows (1, k^-b), one per ratio k.

    Attributes
    ----------
    V_K : float
        Variance of k^-b over the ratios. Depends, as `tau_K`, `tau_exact` and `kappa` do, on the unit of tokens.
    tau_K : float
        (K + S2)^2 / (K^2 kappa_target), S2 = sum k^-2b: the paper's threshold. V_K >= tau_K certifies
        kappa + 2 + 1/kappa <= kappa_target.
    tau_exact : float
        The threshold for which V_K >= tau_exact says that kappa <= kappa_target, no more and no less.
    kappa : float
        Condition number of the matrix.
    kappa_eq : float
        The same for unit columns: free of units, and the least over all column scalings.
    passes : bool
        V_K >= tau_K.
    """

    V_K: float
    tau_K: float  # noqa: N815 - theory's symbol
    tau_exact: float
    kappa: float
    kappa_eq: float

    def _brief(self) -> str:
        verdict = "passes" if self.passes else "fails"
        return f"V_K {self.V_K:.4g}, tau_K {self.tau_K:.4g}, kappa_eq {self.kappa_eq:.4g}, {verdict}"

    @property
    def passes(self) -> bool:
        """Whether V_K >= tau_K, the paper's criterion."""
        return self.tau_K <= self.V_K


def tpp_diversity(k: Any, exponent: float, kappa_target: float = 100.0) -> TppDiversity:
    """How well a set of tokens-per-parameter ratios tells the data term from the model term (arXiv:2605.08541, Proposition 2).

    Parameters
    ----------
    k : (K,) array_like
        Ratios D / N of the rays, each once.
    exponent : float
        The law's data exponent b: beta for Chinchilla, alpha_D for Kaplan, alpha_D / alpha for Droppo-Elibol.
    kappa_target : float
        The condition number to keep below; above 1.

    Raises
    ------
    ValueError
        For a value out of range, naming it.

    Examples
    --------
    >>> import offray
    >>> offray.tpp_diversity([15, 20, 25, 30], 0.28).passes
    False
    >>> offray.tpp_diversity([5, 100], 0.28).passes
    True
    """
    return TppDiversity(*_core.tpp_diversity(vector("k", k, DOUBLE), float(exponent), float(kappa_target)))


def r_min(
    exponent: float, kappa_target: float = 100.0, *, k1: float | None = None, k_geo: float | None = None, exact: bool = False
) -> float:
    """The least ratio R = k_2 / k_1 of two rays that meets a target; infinite where none does.

    With neither `k1` nor `k_geo`: for kappa_eq <= kappa_target, whatever the unit of tokens; about
    exp(4 / (b sqrt(kappa_target))).

    Parameters
    ----------
    exponent, kappa_target : float
        As for `tpp_diversity`.
    k1 : float, optional
        The smaller of the two ratios, for the criterion V_K >= tau_K.
    k_geo : float, optional
        Their geometric mean, for the same criterion.
    exact : bool
        Use tau_exact in place of tau_K.

    Raises
    ------
    ValueError
        For a value out of range, naming it, and for both `k1` and `k_geo`.

    Examples
    --------
    >>> import offray
    >>> round(offray.r_min(0.28), 2)
    4.32
    """
    exponent, kappa_target = float(exponent), float(kappa_target)
    for name, value, least in (
        ("exponent", exponent, 0),
        ("kappa_target", kappa_target, 1),
        ("k1", k1, 0),
        ("k_geo", k_geo, 0),
    ):
        if value is not None and not least < value < float("inf"):
            raise ValueError(f"{name} must be above {least} and finite; got {value}")
    M = kappa_target + 2 + 1 / kappa_target if exact else kappa_target
    if k1 is not None and k_geo is not None:
        raise ValueError("k1 and k_geo are two ways to place the rays; give one of them")
    if k1 is not None:
        return _core.least_ratio_from(float(k1), exponent, M)
    if k_geo is not None:
        return _core.ratios_about(float(k_geo), exponent, M)[0]
    return _core.least_ratio(exponent, kappa_target)
