# SPDX-License-Identifier: Apache-2.0
"""Writes tpp_diversity.json anew: V_K, its thresholds and condition numbers of the sets of ratios that stand there."""

from __future__ import annotations

from typing import Any

from exact import read, text, write
from mpmath import mp, mpf

DIGITS = 20
TARGETS = (50, 100, 500, 1000)


def computed(design: dict[str, Any]) -> dict[str, Any]:
    """A design with the figures of the 2 x 2 Gram matrix with rows (1, k^-b), one per ratio k."""
    powers = [mpf(k) ** -mpf(design["beta"]) for k in design["k"]]
    K, S1, S2 = len(powers), mp.fsum(powers), mp.fsum(x**2 for x in powers)
    V = mp.fsum((x - S1 / K) ** 2 for x in powers) / K
    trace, determinant = K + S2, K**2 * V
    one_ray = len(set(design["k"])) == 1
    root = mp.sqrt(trace**2 - 4 * determinant)
    rho = S1 / mp.sqrt(K * S2)
    out = {
        **{key: design[key] for key in ("name", "k", "beta")},
        "V_K": text(V, DIGITS),
        "S2": text(S2, DIGITS),
        "kappa": "+inf" if one_ray else text((trace + root) ** 2 / (4 * determinant), DIGITS),
        "kappa_eq": "+inf" if one_ray else text((1 + rho) / (1 - rho), DIGITS),
    }
    for target in TARGETS:
        tau = trace**2 / (K**2 * mpf(target))
        exact = trace**2 / (K**2 * (target + 2 + mpf(1) / target))
        out |= {f"tau_{target}": text(tau, DIGITS), f"tau_exact_{target}": text(exact, DIGITS)}
        out[f"regime_{target}"] = design[f"regime_{target}"]
    return out


if __name__ == "__main__":
    table = read("tpp_diversity")
    write("tpp_diversity", {**table, "designs": [computed(design) for design in table["designs"]]})
