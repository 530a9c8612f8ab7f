# SPDX-License-Identifier: Apache-2.0
"""How much wider the interval of A is for fitting the data term too: on one ray, and as rays part.

    python bench/figures/inflation.py --output docs/figures

14 sizes; E, A, B, beta as Hoffmann et al. 2022, alpha = beta + gap. CI(A) with the data term fitted over CI(A) with it known,
from the variance inflation factors of the two Jacobians, in long double.
"""

from __future__ import annotations

import numpy as np
import offray
from drawing import BLUE, GREEN, GREY, ORANGE, needs_long_double, page, parser, plt, slope

N = np.geomspace(np.longdouble("5.04e6"), np.longdouble("76.5e6"), 14)
E, A, B, BETA = (np.longdouble(t) for t in ("1.69", "406.4", "410.7", "0.28"))
# Columns of (E, A, B, alpha, beta) with the data term, and without; A first.
MODELS = {
    "exponents and E known": ([1, 2], [1]),
    "exponents known, E fitted": ([1, 2, 0], [1, 0]),
    "all fitted": ([1, 2, 0, 3, 4], [1, 0, 3]),
}
LOOKS = dict(zip(MODELS, ((BLUE, "-"), (GREEN, "--"), (ORANGE, "-.")), strict=True))
SIGMA = 0.005
GAP = "0.06"
AT_100 = 101 / 20
"""(kappa_eq + 1) / (2 sqrt(kappa_eq)) at kappa_eq = 100, exponents and E known."""


def jacobian(ratios, gap, centred=True):
    """Of the law on rays, N and D in units of their geometric means, or counted singly."""
    n = np.tile(N, len(ratios))
    d = np.concatenate([np.longdouble(k) * N for k in ratios])
    J = offray.laws.chinchilla.jacobian((n, d), E, A, B, BETA + np.longdouble(gap), BETA)
    if centred:
        J[:, 3] += A * np.log(n).mean() * J[:, 1]
        J[:, 4] += B * np.log(d).mean() * J[:, 2]
    return J


def parted(s):
    """Three rays about 20 tokens per parameter."""
    return 20 / np.longdouble(s), np.longdouble(20), 20 * np.longdouble(s)


def inflation(J, model):
    """CI(A) with the data term fitted over CI(A) with it known, on one ray CI(A)/CI(psi)."""
    own, without = (offray.condition(J[:, columns]).variance_inflation[0] for columns in MODELS[model])
    ratio = float(np.sqrt(own / without))
    return ratio if np.isfinite(ratio) else np.nan  # beyond the rank that long double can tell


def sd_log_A(J):
    """Standard deviation of ln A, all fitted."""
    at_A = J[:, 1] * A
    return float(SIGMA * np.sqrt(offray.condition(J).variance_inflation[1] / (at_A @ at_A)))


def cells(ratios, gap):
    """A row of the table."""
    J, counted = jacobian(ratios, gap), jacobian(ratios, gap, centred=False)
    figures = [*(inflation(J, model) for model in MODELS), inflation(counted, "all fitted"), sd_log_A(J)]
    return [", ".join(f"{k:.4g}" for k in ratios), gap, *(f"{figure:.3g}" for figure in figures)]


def main():
    arguments = parser(__doc__).parse_args()
    needs_long_double()
    gaps, parts = np.geomspace(0.2, 0.002, 41), np.geomspace(1e-6, 4, 133)  # parts: s - 1
    on_one = [jacobian([20], gap) for gap in gaps]
    on_three = [jacobian(parted(1 + part), GAP) for part in parts]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.4), layout="constrained")
    slopes, curves = [], []
    for model, (color, style) in LOOKS.items():
        curve = np.array([inflation(J, model) for J in on_one])
        narrow = np.flatnonzero(np.isfinite(curve))[-9:]
        slopes.append(slope(gaps[narrow], curve[narrow]))
        curves.append(np.array([inflation(J, model) for J in on_three]))
        left.loglog(gaps, curve, color=color, ls=style, label=model)
        left.plot(float(GAP), inflation(jacobian([20], GAP), model), "o", color=color)
        right.loglog(parts, curves[-1], color=color, ls=style)
    right.axhline(AT_100, color=GREY, lw=0.8, ls=":")
    right.text(1e-6, AT_100 * 0.9, r"$\kappa_\mathrm{eq} = 100$", color=GREY, va="top")
    right.axvline(0.05, color=GREY, lw=0.8, ls=":")
    right.text(0.06, 1e5, "$s$ = 1.05", color=GREY, va="top")
    left.set(xlabel=r"gap $\alpha - \beta$, on the ray $k = 20$", ylabel="CI($A$), data term fitted / known")
    left.legend()
    right.set(xlabel=r"$s - 1$, on the rays $k = 20/s,\ 20,\ 20\,s$ (gap .06)", ylim=(0.8, None))

    rows = [cells([20], gap) for gap in ("0.2", "0.1", GAP, "0.03", "0.02", "0.01", "0.005", "0.003")]
    rows += [cells(parted(s), GAP) for s in (1.05, 1.1, 1.2, 1.35, 1.5, 2, 3, 4, 5)]
    head = ["k", "gap", *MODELS, "all fitted, N and D counted singly", "s.d. of ln A, all fitted"]
    enough = 1 + float(np.interp(-AT_100, -curves[0], parts))
    text = (
        "What it costs to fit the data term B D^-beta beside A N^-alpha: the width of the interval of A over its width with "
        "the data term known, which on one ray is CI(A)/CI(psi), psi = A + B k^-alpha. 14 sizes from 5.04M to 76.5M; alpha = "
        ".28 + gap, the other parameters as Hoffmann et al. 2022. Where alpha is fitted the ratio depends on the unit of N: A "
        "is that of N in units of its geometric mean, and a column of the table has it for N counted singly. On one ray (left) "
        f"the ratio grows as gap^{slopes[0]:.2f} with exponents and E known, gap^{slopes[1]:.2f} with E fitted, and "
        f"gap^{slopes[2]:.2f} with all fitted (slopes over the smallest gaps drawn). As rays part (right) the costliest case "
        "gains first: the fit then separates the terms by what k does to them, not by the small difference of two exponents. "
        "With exponents and E known, where A alone is known best, the ratio reaches that of kappa_eq = 100 at "
        f"s = {enough:.2f}. A ratio near 1 says only that the data term costs nothing more; the last column has the standard "
        f"deviation of ln A itself, all fitted, for a noise of {SIGMA}. Regenerate with `python bench/figures/inflation.py "
        "--output docs/figures`."
    )
    title = "Interval of A against the exponent gap and the spread of the rays"
    page(arguments.output, "inflation", title, text, figure, head, rows)


if __name__ == "__main__":
    main()
