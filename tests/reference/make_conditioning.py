# SPDX-License-Identifier: Apache-2.0
"""Writes conditioning.json anew: kappa_2 of the Jacobian with columns of length one.

On one ray as the exponents meet, and of the headline figure's designs with N and D in units of their geometric means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exact import LAWS, Law, gradient, read, text, write
from mpmath import mp, mpf

DIGITS = 20
HOFFMANN = [mpf(x) for x in ("1.69", "406.4", "410.7", "0.34", "0.28")]


def kappa(law: Law, runs: Sequence[tuple[Any, Any]], theta: Sequence[Any]) -> str:
    """Largest over smallest singular value, at digits enough for 1e30."""
    with mp.workdps(100):
        rows = [gradient(law, (N, D, None), theta) for N, D in runs]
        lengths = [mp.norm([row[j] for row in rows]) for j in range(len(theta))]
        singular = mp.svd_r(mp.matrix([[x / n for x, n in zip(row, lengths, strict=True)] for row in rows]), compute_uv=False)
        return text(max(singular) / min(singular), DIGITS)


def at_gap(law: str, gap: str, sizes: Sequence[int], k: int) -> str:
    """On the ray D = kN; the gap opens by alpha for Chinchilla, by alpha_D for Kaplan."""
    theta = {
        "chinchilla": [*HOFFMANN[:3], mpf("0.28") + mpf(gap), mpf("0.28")],
        "kaplan": [mpf("8.8e13"), mpf("5.4e13"), mpf("0.076"), mpf("0.076") + mpf(gap)],
    }[law]
    return kappa(LAWS[law], [(mpf(N), mpf(k * N)) for N in sizes], theta)


def in_geometric_means(runs: Sequence[tuple[int, int]]) -> str:
    """Chinchilla's law with Hoffmann's parameters, N and D counted in their geometric means."""
    N0, D0 = (mp.exp(mp.fsum(mp.log(x) for x in column) / len(runs)) for column in zip(*runs, strict=True))
    E, A, B, alpha, beta = HOFFMANN
    theta = [E, A * N0**-alpha, B * D0**-beta, alpha, beta]
    return kappa(LAWS["chinchilla"], [(N / N0, D / D0) for N, D in runs], theta)


if __name__ == "__main__":
    table = read("conditioning")
    sizes, k = table["sizes"], table["k"]
    for law, rows in table["laws"].items():
        table["laws"][law] = [{"gap": row["gap"], "kappa": at_gap(law, row["gap"], sizes, k)} for row in rows]
    table["geometric means"] = {
        "ray": in_geometric_means([(N, k * N) for N in sizes]),
        "grid": in_geometric_means([(N, D) for N in sizes for D in table["tokens"]]),
    }
    write("conditioning", table)
