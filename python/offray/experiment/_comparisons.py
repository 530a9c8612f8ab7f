# SPDX-License-Identifier: Apache-2.0
"""Paired comparisons as a tidy table, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from offray.experiment._text import aligned

Row = dict[str, Any]

LABELS = ("corpus", "law", "precision", "objective", "seed", "data_set", "base", "design", "split")
"""Columns that say what a comparison is of."""


@dataclass(frozen=True, repr=False, eq=False)
class Summary:
    """Comparisons in groups; ``print`` shows the table.

    Attributes
    ----------
    rows : tuple of dict
        One per group: its labels; ``comparisons``; ``data sets``; ``win rate`` with its 95 % Wilson interval ``low``, ``high``
        counted over data sets (fits of the same losses are not independent); medians of the errors and of kappa_2, and means
        of R^2, of both sides; shares that converged; geometric means of the ratios of interval widths, base over design, of
        the scale coefficients: infinite where the base leaves one undetermined, NaN where the design does.
    """

    rows: tuple[Row, ...]

    def __str__(self) -> str:
        if not self.rows:
            return "no comparisons"
        head = list(self.rows[0])
        return aligned([head, *([_cell(row[name]) for name in head] for row in self.rows)])


@dataclass(frozen=True, repr=False, eq=False)
class Comparisons:
    """One row per paired comparison.

    Attributes
    ----------
    rows : tuple of dict
        Labels (corpus, law, precision, objective, seed, data_set, base, design), ``win``, and for both sides, ending in
        ``_base`` and ``_design``: status, theta, ``rmse_`` and ``r2_`` on the training set and on every set of held-out runs,
        kappa, sd_scale_N and sd_scale_D (standard deviations of the logarithms of the scale coefficients).
    """

    rows: tuple[Row, ...]

    @property
    def table(self) -> dict[str, npt.NDArray[Any]]:
        """The rows as columns, for ``pandas.DataFrame(...)``; lists of parameters stay lists."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: _column([row.get(name, np.nan) for row in self.rows]) for name in names}

    def summary(self, by: str | Iterable[str] = ("design",)) -> Summary:
        """Group the comparisons by labels, in the order of their first row."""
        names = [by] if isinstance(by, str) else list(by)
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for name in names:
            if name not in LABELS:
                raise ValueError(f"by: {name!r} is no label; the labels are {', '.join(LABELS)}")
        for row in self.rows:
            groups.setdefault(tuple(row[name] for name in names), []).append(row)
        return Summary(tuple({**dict(zip(names, key, strict=True)), **summarise(rows)} for key, rows in groups.items()))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Comparisons: {len(self)}>"


def summarise(rows: Sequence[Row]) -> Row:
    """What the comparisons of one group add up to."""
    rate = float(np.mean([row["win"] for row in rows]))
    data_sets = len({row["data_set"] for row in rows})
    low, high = wilson(rate, data_sets)

    def middle(name: str) -> float:
        return float(np.median([row[name] for row in rows]))

    def ratio(name: str) -> float:
        base, design = np.array([(row[f"{name}_base"], row[f"{name}_design"]) for row in rows]).T
        if not np.isfinite(design).all():
            return np.nan
        return float(np.exp(np.mean(np.log(base / design))))

    def converged(side: str) -> float:
        return float(np.mean([row[f"status_{side}"] == "converged" for row in rows]))

    def mean(name: str) -> float:
        return float(np.mean([row[name] for row in rows]))

    sides = ("base", "design")
    return {
        "comparisons": len(rows),
        "data sets": data_sets,
        "win rate": rate,
        "low": low,
        "high": high,
        **{f"converged, {side}": converged(side) for side in sides},
        **{f"RMSE H, {side}": middle(f"rmse_H_{side}") for side in sides},
        **{f"RMSE train, {side}": middle(f"rmse_train_{side}") for side in sides},
        **{f"R2 H, {side}": mean(f"r2_H_{side}") for side in sides},
        **{f"R2 train, {side}": mean(f"r2_train_{side}") for side in sides},
        **{f"kappa, {side}": middle(f"kappa_{side}") for side in sides},
        "width ratio N": ratio("sd_scale_N"),
        "width ratio D": ratio("sd_scale_D"),
    }


def wilson(rate: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927) seen in n independent trials."""
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _column(values: list[Any]) -> npt.NDArray[Any]:
    if isinstance(values[0], list):
        out = np.empty(len(values), object)
        out[:] = values
        return out
    return np.array(values)
