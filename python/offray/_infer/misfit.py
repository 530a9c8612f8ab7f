# SPDX-License-Identifier: Apache-2.0
"""Whether the law follows the runs, and whether they are runs of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._input.arrays import Array
from offray._optimum import Optimum
from offray._text import aligned
from offray._travel.document import VERSION
from offray._travel.record import Record, Told

LARGE: float = _core.LARGE_MISFIT
"""Share of the loss from which a misfit is worth a warning: more than seeds make."""
HUGE: float = _core.HUGE_NOISE
"""Share of the loss that no usual noise reaches."""
UNLIKELY: float = _core.UNLIKELY
DEPENDENT: float = _core.DEPENDENT
_WORST = 5


class FTest(NamedTuple):
    """One mean square against another, under normal noise.

    Attributes
    ----------
    F : float
        Their ratio; NaN where there is nothing to test.
    p : float
        How often chance makes it as large.
    dof : (int, int)
        Degrees of freedom above and below.
    """

    F: float
    p: float
    dof: tuple[int, int]

    def __str__(self) -> str:
        return (
            f"F = {self.F:.3g} on {self.dof[0]} and {self.dof[1]}, p = {self.p:.2g}" if self.F == self.F else "nothing to test"
        )


class Departure(NamedTuple):
    """One way in which runs are known to leave a law, tested alone.

    Attributes
    ----------
    test : FTest
        Of the residuals' part in that direction, on one degree of freedom.
    pattern : float
        Its root mean square, in the fitted space.
    found : bool
        Whether p is so small that chance is no explanation: below .005, for an outer power below .01.
    """

    test: FTest
    pattern: float
    found: bool


class Share(NamedTuple):
    """Runs of one size or budget: where, how many, mean and root mean square of their residuals."""

    low: float
    high: float
    runs: int
    mean: float
    rms: float


class Origin(NamedTuple):
    """The law fitted to the smaller runs, judged on the larger ones.

    Attributes
    ----------
    runs : int
        How many were fitted, the smallest in compute.
    horizon : float
        Root mean square of ln(compute / largest compute fitted) over the others.
    error, expected : float
        Root mean square of ln(loss / prediction) over the others, and what noise and standard errors explain of it.
    """

    runs: int
    horizon: float
    error: float
    expected: float


@dataclass(frozen=True, repr=False, eq=False)
class Rolling(Record):
    """Forecasts of the larger runs from the smaller ones.

    Attributes
    ----------
    origins : tuple of Origin
        Half to nine tenths of the runs fitted, the rest predicted.
    slope : float
        Relative error per unit of ln(compute) in excess of what noise explains: error^2 - expected^2 = slope^2 horizon^2.
    log_compute : float
        ln of the largest compute N D of the runs (of the law's one input, where it has one).
    """

    origins: tuple[Origin, ...]
    slope: float
    log_compute: float

    def _brief(self) -> str:
        return f"{len(self.origins)} origins, beyond noise {100 * self.slope * np.log(10):.2g} % for every ten times"


def far_off(row: str, deviations: float) -> str:
    """A run that is far from the law, in words."""
    return f"{row} ({abs(deviations):.1f} s.d. {'above' if deviations > 0 else 'below'})"


@dataclass(frozen=True, repr=False, eq=False)
class Misfit(Told):
    """What the residuals say of the law and of the runs; ``print`` shows it.

    Attributes
    ----------
    residual_sd : float
        s = sqrt(RSS / (n - rank)) in the fitted space; infinite where n = rank.
    relative_sd : float
        The same as a share of the loss.
    pure_error, pure_error_dof : float, int
        Standard deviation among runs of equal inputs, and its degrees of freedom; NaN and 0 where none repeat.
    distinct : int
        Different inputs; repeats tell of the noise, not of the law.
    trend : FTest
        Of a curve: squares and products of the centred logarithms of the inputs (N and D / N), without what the parameters
        could take up.
    pattern : float
        Root mean square of that curve, in the fitted space.
    departures : mapping of str to Departure
        Directions that runs are known to leave a law in: outer_power, of a law that has none, L = E + z^q with q near one, z
        the loss above the floor; short_runs, an excess of 1 / D; large_models, a jump of the loss at the geometric mean of N
        (where `by_size` does not compare the sizes).
    lack_of_fit : FTest
        Means of repeated runs about the law, against the scatter within.
    by_size : FTest
        Residuals of runs of one N against those of another, without the curve.
    serial, in_series : float, bool
        Correlation of the residuals of neighbours in D among the runs of one N (0 for fewer than six each), without the curve,
        and whether it is as among checkpoints of one run.
    repeated_rows : int
        Rows that equal an earlier one, loss and all.
    outliers : tuple of int
        Rows whose residual is more than 6 robust standard deviations from zero, where they make the residual s.d. half as large
        again as that of the others; squares only.
    """

    residual_sd: float
    relative_sd: float
    pure_error: float
    pure_error_dof: int
    distinct: int
    trend: FTest
    pattern: float
    departures: Mapping[str, Departure]
    lack_of_fit: FTest
    by_size: FTest
    serial: float
    in_series: bool
    repeated_rows: int
    outliers: tuple[int, ...]
    _fit: Optimum = field(repr=False)

    @property
    def relative_pattern(self) -> float:
        """The curve as a share of the loss."""
        return self.share(self.pattern)

    def share(self, size: float) -> float:
        """A size in the fitted space as a share of the loss."""
        return size * self.relative_sd / self.residual_sd if 0 < self.residual_sd < np.inf else 0.0

    @property
    def departure(self) -> str | None:
        """The departure that was found; of several, the least likely."""
        found = [name for name, at in self.departures.items() if at.found]
        return min(found, key=lambda name: self.departures[name].test.p, default=None)

    @property
    def unexplained(self) -> float:
        """The largest of the curve, the departures, and of what the means of repeated runs are off the law beyond their
        scatter, as a share of the loss; 0 where chance explains all."""
        sizes = [0.0, *(at.pattern for at in self.departures.values() if at.found)]
        if self.trend.p < UNLIKELY:
            sizes.append(self.pattern)
        if self.lack_of_fit.p < UNLIKELY:
            sizes.append(max(self.lack_of_fit.F - 1, 0) ** 0.5 * self.pure_error)
        return self.share(max(sizes))

    @cached_property
    def rolling(self) -> Rolling:
        """Forecasts of the larger runs from the smaller ones: five fits."""
        slope, largest, origins = _core.rolling(self._fit.core)
        found = tuple(Origin(runs, float(h), float(error), float(expected)) for runs, _, h, error, expected in origins)
        return Rolling(found, float(slope), float(largest))

    @property
    def _size(self) -> str:
        """What `rolling` goes by, in words."""
        law, to = self._fit.law, self._fit.problem.reduction
        if law.of_N_and_D:
            return "compute"
        if law.on_one_ray:
            return "tokens" if to is not None and to.where == "one_size" else "parameters"
        return {"params": "parameters", "tokens": "tokens"}.get(law.inputs[0], law.inputs[0])

    @cached_property
    def by_budget(self) -> tuple[Share, ...]:
        """Residuals by compute 6 N D, in fifths of the runs."""
        fit = self._fit
        if not fit.law.of_N_and_D:
            return ()
        order = np.argsort(fit.problem.N * fit.problem.D, kind="stable")
        return tuple(_share(fit, rows, 6 * fit.problem.N * fit.problem.D) for rows in np.array_split(order, 5) if len(rows))

    @cached_property
    def sizes(self) -> tuple[Share, ...]:
        """Residuals by N, where at least two runs share each on average; else in fifths of the runs."""
        fit = self._fit
        N = fit.problem.columns.get("params")
        if N is None:
            return ()
        levels, of = np.unique(N, return_inverse=True)
        if len(N) >= 2 * len(levels):
            return tuple(_share(fit, np.flatnonzero(of == k), N) for k in range(len(levels)))
        return tuple(_share(fit, rows, N) for rows in np.array_split(np.argsort(N, kind="stable"), 5) if len(rows))

    @cached_property
    def worst(self) -> tuple[tuple[str, float], ...]:
        """The runs furthest off: how the user knows the row, and its loss above the law in standard deviations."""
        sd = self.residual_sd if 0 < self.residual_sd < np.inf else 1.0
        r = -weighted_residuals(self._fit) / sd
        return tuple((self._fit.problem.row(int(i)), float(r[i])) for i in np.argsort(-np.abs(r), kind="stable")[:_WORST])

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; None stands for what is not known."""

        def plain(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {key: plain(at) for key, at in value.items()}
            if isinstance(value, Departure):
                return {**plain(value.test), "pattern": plain(value.pattern), "found": value.found}
            if isinstance(value, FTest):
                return {"F": plain(value.F), "p": value.p, "dof": list(value.dof)}
            return (
                float(value) if isinstance(value, float) and np.isfinite(value) else None if isinstance(value, float) else value
            )

        names = [name for name in self.__dataclass_fields__ if name not in ("_fit", "outliers")]
        figures = {name: plain(getattr(self, name)) for name in names}
        return {"schema": "offray.misfit", "version": VERSION, **figures, "outliers": list(self.outliers)}

    def __str__(self) -> str:
        unit = "of ln L" if self._fit.log_loss else "nats"
        lines = [f"residual s.d.:  {self.residual_sd:.3g} {unit}, {100 * self.relative_sd:.2g} % of the loss"]
        if self.pure_error_dof:
            lines.append(
                f"repeats:        s.d. {self.pure_error:.3g} on {self.pure_error_dof}; {self.distinct} different inputs"
            )
        lines.append(f"curve:          {self.pattern:.3g} {unit} r.m.s.; {self.trend}")
        tested = {name: at for name, at in self.departures.items() if at.test.F == at.test.F}
        if tested:
            each = ", ".join(f"{name} p = {at.test.p:.2g}" for name, at in tested.items())
            lines.append(f"departures:     {each}")
        if self.pure_error_dof:
            lines.append(f"lack of fit:    {self.lack_of_fit}")
        if self.by_size.F == self.by_size.F:
            lines.append(f"by size:        {self.by_size}")
        lines.append("worst runs:     " + ", ".join(far_off(row, r) for row, r in self.worst))
        if self.by_budget:
            rows = [(f"{s.low:.2e} .. {s.high:.2e}", str(s.runs), f"{s.mean:+.2g}", f"{s.rms:.2g}") for s in self.by_budget]
            lines += ["", aligned([("FLOP", "runs", "mean residual", "r.m.s."), *rows])]
        if self.rolling.origins:
            rows = [
                (str(o.runs), f"{np.exp(o.horizon):.3g}", f"{100 * o.error:.2g} %", f"{100 * o.expected:.2g} %")
                for o in self.rolling.origins
            ]
            size = self._size
            lines += ["", aligned([("smallest runs fitted", f"times the {size}", "error", "explained by noise"), *rows])]
            lines.append(f"beyond noise: {100 * self.rolling.slope * np.log(10):.2g} % for every ten times the {size}")
        return "\n".join(lines)


def weighted_residuals(fit: Optimum) -> Array:
    """sqrt(w) r, (n,)."""
    return np.asarray(fit.residuals * np.sqrt(fit.problem.weight) if fit.weighted else fit.residuals)


def _share(fit: Optimum, rows: npt.NDArray[np.intp], x: Array) -> Share:
    r = -fit.residuals[rows]
    return Share(float(x[rows].min()), float(x[rows].max()), len(rows), float(r.mean()), float(np.sqrt((r**2).mean())))


def misfit(fit: Optimum) -> Misfit:
    """What `Fit.misfit` is."""
    at = _core.misfit(fit.core)

    def test(figures: tuple[Any, Any, int, int]) -> FTest:
        F, p, above, below = figures
        return FTest(float(F), float(p), (above, below))

    departures = {
        name: Departure(test(figures), float(pattern), found) for name, (figures, pattern, found) in at["departures"].items()
    }

    return Misfit(
        float(at["residual_sd"]),
        float(at["relative_sd"]),
        float(at["pure_error"]) if at["pure_dof"] else float("nan"),
        at["pure_dof"],
        at["distinct"],
        test(at["trend"]),
        float(at["pattern"]),
        MappingProxyType(departures),
        test(at["lack_of_fit"]),
        test(at["by_size"]),
        float(at["serial"]),
        at["in_series"],
        at["repeated"],
        tuple(at["outliers"]),
        fit,
    )
