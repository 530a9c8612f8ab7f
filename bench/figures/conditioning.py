# SPDX-License-Identifier: Apache-2.0
"""kappa(J'J) on one ray as the gap between the exponents closes, in double and long double.

    python bench/figures/conditioning.py --output docs/figures

14 sizes at 20 tokens per parameter, N and D counted singly, columns of unit length; E, A, B, beta as Hoffmann et al. 2022,
alpha = beta + gap. Exact values: tests/reference/conditioning.json, worked out with 120 digits.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import offray
from drawing import BLUE, ORANGE, needs_long_double, page, parser, plt, slope

REFERENCE = json.loads((Path(__file__).parents[2] / "tests" / "reference" / "conditioning.json").read_text())
ROWS = REFERENCE["laws"]["chinchilla"]["rows"]
N = np.array(REFERENCE["sizes"], np.longdouble)
D = REFERENCE["k"] * N
WAYS = {  # attribute of a precision report: label and line
    "svd": ("singular values of J, double", {"color": ORANGE}),
    "eigenvalues": ("eigenvalues of J'J, double", {"color": ORANGE, "ls": "", "marker": "."}),
    "svd_long": ("singular values of J, long double", {"color": BLUE}),
    "eigenvalues_long": ("eigenvalues of J'J, long double", {"color": BLUE, "ls": "", "marker": "."}),
}
TOLERANCE = 0.1


def theta_at(gap):
    E, A, B, beta = (np.longdouble(t) for t in ("1.69", "406.4", "410.7", "0.28"))
    return [E, A, B, beta + gap, beta]


def full(gap):
    """kappa_2 of the whole law, four ways."""
    return offray.precision_report(N, D, theta=theta_at(gap), centred=False)


def pair(gap):
    """kappa_2 of the columns of A and B: as `full`, without the eigenvalues in long double."""
    J = [
        offray.laws.chinchilla.jacobian((N.astype(scalar), D.astype(scalar)), *map(scalar, theta_at(gap)))[:, 1:3]
        for scalar in (np.float64, np.longdouble)
    ]
    unit = J[0] / np.linalg.norm(J[0], axis=0)
    least, most = np.linalg.eigvalsh(unit.T @ unit)
    return {
        "svd": offray.condition(J[0]).kappa,
        "eigenvalues": np.sqrt(most / least) if least > 0 else np.nan,
        "svd_long": offray.condition(J[1]).kappa,
    }


def exact(name, gaps, power):
    """The reference between its rows, from a line through ln(kappa gap^power)."""
    at, kappa = (np.array([row[key] for row in ROWS[::-1]], np.longdouble).astype(float) for key in ("eps", name))
    return np.exp(np.interp(np.log(gaps), np.log(at), np.log(kappa * at**power))) / gaps**power


def followed_to(gaps, kappa, truth):
    """The last gap of those from the widest on down to which kappa is within 10 % of the truth."""
    wrong = np.flatnonzero(~(np.abs(kappa / truth - 1) <= TOLERANCE))
    return gaps[wrong[0] - 1] if len(wrong) else gaps[-1]


def digits(kappa, truth):
    """Correct digits, whole ones; empty where there are none."""
    error = abs(float(kappa / truth - 1))
    count = 19 if error == 0 else int(np.floor(-np.log10(error))) if error < 1 else 0
    return str(count) if count else "-"


def main():
    arguments = parser(__doc__).parse_args()
    needs_long_double()
    gaps = np.geomspace(0.2, 1e-6, 107)  # 20 per factor of 10
    reports, pairs = [full(gap) for gap in gaps], [pair(gap) for gap in gaps]
    squared = {way: np.array([float(getattr(report, way)) for report in reports]) ** 2 for way in WAYS}
    of_pair = {way: np.array([float(kappas[way]) for kappas in pairs]) ** 2 for way in pairs[0]}
    truth = exact("full_equil", gaps, 3)
    stops = {way: followed_to(gaps, np.sqrt(squared[way]), truth) for way in WAYS}
    slopes = [
        slope(gaps[near], kappa[near])
        for kappa, near in (
            (squared["svd_long"], (gaps < 1.1e-3) & (gaps > 0.9e-4)),
            (of_pair["svd_long"], gaps < 1.1e-3),
        )
    ]

    figure, axes = plt.subplots(figsize=(6, 4.3))
    for way in ("svd_long", "svd", "eigenvalues_long", "eigenvalues"):
        label, line = WAYS[way]
        axes.loglog(gaps, squared[way], label=label, ms=3.5, **line)
        if way in of_pair:
            axes.loglog(gaps, of_pair[way], ms=3.5, lw=3 if way == "svd_long" else 1.5, **line)
    for name in ("full_equil", "pair_equil"):
        at = [float(row["eps"]) for row in ROWS]
        label = "120 digits" if name == "full_equil" else None
        axes.loglog(at, [float(row[name]) ** 2 for row in ROWS], "o", mfc="none", mec="black", ms=6, mew=0.7, label=label)
    axes.text(1.5e-4, 1e26, f"whole law, slope {slopes[0]:.2f}", ha="right")
    axes.text(1.1e-6, 1e7, f"pair (A, B), slope {slopes[1]:.2f}")
    axes.set(xlabel=r"gap $\alpha - \beta$", ylabel="$\\kappa(J'J)$, unit columns", ylim=(1, 1e45))
    axes.legend(loc="upper right")

    rows = []
    for reference in ROWS:
        gap = np.longdouble(reference["eps"])
        whole, two = (np.longdouble(reference[name]) for name in ("full_equil", "pair_equil"))
        of_full, of_two = full(gap), pair(gap)
        rows.append(
            [
                f"{float(gap):g}",
                f"{float(whole) ** 2:.3e}",
                *(digits(getattr(of_full, way), whole) for way in WAYS),
                f"{float(two) ** 2:.3e}",
                *(digits(of_two[way], two) for way in ("svd", "eigenvalues", "svd_long")),
            ]
        )
    head = ["gap", "kappa(J'J), whole law", "SVD, double", "J'J, double", "SVD, long double", "J'J, long double"]
    head += ["kappa(J'J), pair", "SVD, double", "J'J, double", "SVD, long double"]
    text = (
        "Runs on one ray: 14 sizes from 5.04M to 76.5M at 20 tokens per parameter, the Chinchilla law with alpha = beta + gap, "
        "columns of J of unit length, N and D counted singly. With the exponents known only A and B are fitted, and "
        f"kappa(J'J) grows as gap^{slopes[1]:.2f}; with all five parameters as gap^{slopes[0]:.2f}. The figures are right to "
        f"10 % of kappa_2 = sqrt(kappa(J'J)) down to a gap of {stops['svd']:.0e} from the singular values of J in double and "
        f"{stops['svd_long']:.0e} in long double, but only to {stops['eigenvalues']:.0e} and {stops['eigenvalues_long']:.0e} "
        "from the eigenvalues of J'J, which square the condition number before it is read off (points that are missing are "
        "negative eigenvalues). All ways follow the pair over the whole range. Beside the exact kappa(J'J) the table has the "
        "correct digits of kappa_2 that each way leaves; where it is lost, its value is rounding noise and changes from one "
        "processor to another. Regenerate with `python bench/figures/conditioning.py --output docs/figures`."
    )
    page(arguments.output, "conditioning", "Condition number against the exponent gap", text, figure, head, rows)


if __name__ == "__main__":
    main()
