# SPDX-License-Identifier: Apache-2.0
"""What a fit of several curves with shared parameters is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from offray import _core
from offray._expression.written import law_as_plain
from offray._grouped.written import fields_from, kept
from offray._input import check
from offray._input.arrays import Array, numbers
from offray._law import Law
from offray._text import Sheet, rounded, two_digits
from offray._travel.document import VERSION, checked
from offray._travel.record import Read, Told, schema_of

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, eq=False, repr=False)
class GroupedFit(Told, Read):
    """A law fitted to several groups of runs at once; ``print`` shows the table.

    Attributes
    ----------
    law : Law
    groups : tuple
        The labels, in the order of their first runs.
    shared : tuple of str
        The parameters that all groups share.
    params, se : mapping of label to mapping of str to floating
        Estimates and standard errors by group, shared ones among them; delta method, with the noise of all groups together:
        s^2 = RSS / (n - p), or of a robust objective what takes its place.
    objective_value, rss : floating
        The weighted sum of rho, and that of squares, in the fitted space.
    degrees_of_freedom : int
        n - p, p being the shared parameters once and the others once for each group.
    status : str
        ``converged``; ``rank_deficient`` where the runs do not determine all parameters; ``stalled``.
    residuals : (n,) ndarray
        L_hat - L, or of the logarithms, in the order of the runs.
    objective : str
        "squares", "huber", "soft_l1" or "cauchy".
    delta : float
        Its scale, the same for all groups; NaN for squares.
    noise_sd : float
        Standard deviation of one run of unit weight: sqrt(RSS / (n - p)), of a robust objective from the median deviation.
    """

    law: Law
    groups: tuple[Any, ...]
    shared: tuple[str, ...]
    params: Mapping[Any, Mapping[str, Any]]
    se: Mapping[Any, Mapping[str, Any]]
    objective_value: Any
    rss: Any
    degrees_of_freedom: int
    status: str
    residuals: Array
    log_loss: bool
    objective: str
    delta: float
    noise_sd: float
    _cov: Mapping[Any, Array]

    def _brief(self) -> str:
        first = self.groups[0]
        values = ", ".join(f"{name}={rounded(self.params[first][name], self.se[first][name])}" for name in self.shared)
        return f"{self.law.name}, {len(self.groups)} groups, {self.status}, shared {values}"

    @property
    def converged(self) -> bool:
        """Whether the scaled gradient is small and every parameter is determined."""
        return self.status == "converged"

    def conf_int(self, level: float = 0.95) -> Mapping[Any, Mapping[str, tuple[Any, Any]]]:
        """Intervals by group and parameter, of positive ones on their logarithm, so that they stay positive."""
        check.level(level)
        t = _core.student_t_half_width(level, self.degrees_of_freedom)
        return {label: {p: self._ends(label, p, t) for p in self.law.parameters} for label in self.groups}

    def _ends(self, label: Any, name: str, t: float) -> tuple[Any, Any]:
        value, se = self.params[label][name], self.se[label][name]
        with np.errstate(all="ignore"):
            if dict(zip(self.law.parameters, self.law.roles, strict=True))[name].role == "real":
                return value - t * se, value + t * se
            return value * np.exp(-t * se / value), value * np.exp(t * se / value)

    def predict(
        self, group: Any, N: Any = None, D: Any = None, *, inputs: Mapping[str, Any] | None = None
    ) -> tuple[Array, Array]:
        """Loss of new runs of one group, and its standard error; arguments as for `Fit.predict`."""
        if group not in self.params:
            raise ValueError(f"group: {group!r} is none of {', '.join(map(repr, self.groups))}")
        given = {"params": N, "tokens": D, **(inputs or {})}
        theta = np.array([self.params[group][name] for name in self.law.parameters])
        names = self.law.place
        if missing := [name for name in names if given.get(name) is None]:
            raise TypeError(f"predict needs {', '.join(missing)} for the law {self.law.name}")
        arrays = np.broadcast_arrays(*(numbers(name, given[name], theta.dtype) for name in names))
        columns = {name: np.ascontiguousarray(a).ravel() for name, a in zip(names, arrays, strict=True)}
        at = self.law.core_columns(columns)
        value, J = (self.law.core.evaluate(theta, at, jacobian) for jacobian in (False, True))
        variance = np.einsum("ij,jk,ik->i", J, self._cov[group], J)
        return value.reshape(arrays[0].shape), np.sqrt(variance).reshape(arrays[0].shape)

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain data, ready for JSON; None stands for an infinite figure. Labels become text, but in ``state``, from
        which `from_dict` gives the fit back with all of its bits; it is missing for a law that is called back."""

        def plain(value: Any) -> float | None:
            return float(value) if np.isfinite(value) else None

        intervals = self.conf_int()
        return {
            "schema": schema_of(GroupedFit),
            "version": VERSION,
            "law": self.law.name,
            "log_loss": self.log_loss,
            "objective": self.objective,
            "delta": plain(self.delta),
            "runs": len(self.residuals),
            "degrees_of_freedom": self.degrees_of_freedom,
            "shared": list(self.shared),
            "rss": plain(self.rss),
            "status": self.status,
            "groups": {
                str(label): {
                    "params": {name: plain(value) for name, value in self.params[label].items()},
                    "se": {name: plain(value) for name, value in self.se[label].items()},
                    "interval": {name: [plain(low), plain(high)] for name, (low, high) in intervals[label].items()},
                }
                for label in self.groups
            },
            **(kept(self) if self.law.traced else {}),
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """`to_dict` as text; with a path, written there too. ``ValueError`` for a law that is called back."""
        law_as_plain(self.law)
        return super().to_json(path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The fit that `to_dict` was of; ``ValueError`` for data that are damaged, or of something else."""
        checked(data, schema_of(cls))
        return cls(**fields_from(data))

    def _sheet(self) -> Sheet:
        space = "log loss" if self.log_loss else "loss"
        scale = "" if self.objective == "squares" else f" (delta {self.delta:.4g})"
        head = [
            f"law:          {self.law.name}, {len(self.groups)} groups sharing {', '.join(self.shared)}",
            f"runs:         {len(self.residuals)} ({self.degrees_of_freedom} degrees of freedom)",
            f"objective:    {self.objective}{scale} on {space} = {self.objective_value:.9g}, RSS = {self.rss:.9g}",
            f"status:       {self.status}",
            "",
        ]
        intervals = self.conf_int()
        rows = [("group", "parameter", "estimate", "s.e.", "95 % interval")]
        first = self.groups[0]
        for label, name in [("(shared)", name) for name in self.shared] + [
            (label, name) for label in self.groups for name in self.law.parameters if name not in self.shared
        ]:
            of = first if label == "(shared)" else label
            (low, high), se = intervals[of][name], self.se[of][name]
            ends = f"{rounded(low, se)} .. {rounded(high, se)}"
            rows.append((str(label), name, rounded(self.params[of][name], se), two_digits(se), ends))
        return Sheet(head, rows)

    def __str__(self) -> str:
        return self._sheet().text()
