# SPDX-License-Identifier: Apache-2.0
"""The laws at 60 digits, from their formulas alone: what the scripts beside this file make the reference values with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mpmath import mp, mpf

mp.dps = 60
HERE = Path(__file__).parent
Number: TypeAlias = Any
Law: TypeAlias = Callable[..., Number]


def text(x: Number, digits: int) -> str:
    """A number with so many significant digits."""
    return str(mp.nstr(x, digits, strip_zeros=True))


def chinchilla(N: Number, D: Number, U: Number, E: Number, A: Number, B: Number, alpha: Number, beta: Number) -> Number:
    """L = E + A N^-alpha + B D^-beta."""
    return E + A * N**-alpha + B * D**-beta


def kaplan(N: Number, D: Number, U: Number, N_c: Number, D_c: Number, alpha_N: Number, alpha_D: Number) -> Number:
    """L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D."""
    return ((N_c / N) ** (alpha_N / alpha_D) + D_c / D) ** alpha_D


def kaplan_floor(
    N: Number, D: Number, U: Number, E: Number, N_c: Number, D_c: Number, alpha_N: Number, alpha_D: Number
) -> Number:
    """The same above a floor."""
    return E + kaplan(N, D, U, N_c, D_c, alpha_N, alpha_D)


def droppo_elibol(
    N: Number,
    D: Number,
    U: Number,
    L_inf: Number,
    N_C: Number,
    D_C: Number,
    alpha_N: Number,
    alpha_D: Number,
    alpha: Number,
) -> Number:
    """L = [L_inf^(1/alpha) + (N_C/N)^(alpha_N/alpha) + (D_C/D)^(alpha_D/alpha)]^alpha."""
    return (L_inf ** (1 / alpha) + (N_C / N) ** (alpha_N / alpha) + (D_C / D) ** (alpha_D / alpha)) ** alpha


def repeated(
    N: Number,
    D: Number,
    U: Number,
    E: Number,
    A: Number,
    B: Number,
    alpha: Number,
    beta: Number,
    R_N: Number,
    R_D: Number,
) -> Number:
    """L = E + A N'^-alpha + B D'^-beta (Muennighoff et al. 2023)."""

    def worth(total: Number, unique: Number, R: Number) -> Number:
        return unique * (1 - R * mp.expm1(-(total / unique - 1) / R))

    U = D if U is None else min(U, D)
    N_opt = (alpha * A * U**beta / (beta * B)) ** (1 / alpha)
    return E + A * worth(N, min(N_opt, N), R_N) ** -alpha + B * worth(D, U, R_D) ** -beta


LAWS: Mapping[str, Law] = {
    "chinchilla": chinchilla,
    "repeated": repeated,
    "kaplan": kaplan,
    "droppo_elibol": droppo_elibol,
    "kaplan_floor": kaplan_floor,
}


def gradient(law: Law, where: Sequence[Number], theta: Sequence[Number]) -> list[Number]:
    """dL/dtheta by central differences of relative width 1e-40 at 200 digits: good to 75, to 40 at the kink of `repeated`,
    where the slopes of both sides agree. What would change L by less than 1e-60 of itself counts as zero."""
    with mp.workdps(200):
        out = []
        for j, value in enumerate(theta):
            step = value * mpf(10) ** -40
            above, below = list(theta), list(theta)
            above[j], below[j] = value + step, value - step
            change = (law(*where, *above) - law(*where, *below)) / 2
            out.append(change / step if abs(change) > mpf(10) ** -100 * abs(law(*where, *theta)) else mpf(0))
        return out


def read(name: str) -> Any:
    """A file of reference values."""
    return json.loads((HERE / f"{name}.json").read_text())


def write(name: str, data: Any) -> None:
    """The file anew."""
    (HERE / f"{name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
