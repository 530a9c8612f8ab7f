# SPDX-License-Identifier: Apache-2.0
"""How far beyond the runs a prediction is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from offray import _core
from offray._input.arrays import Array, frozen
from offray._optimum import Optimum
from offray._travel.record import Record

LABELS = {"params": "N", "tokens": "D"}


@dataclass(frozen=True, repr=False, eq=False)
class Reach(Record):
    """How far beyond the runs a prediction is: factors of at least 1, which is within their range.

    Attributes
    ----------
    factors : dict of str to ndarray
        By what: ``compute`` (N D over the largest of the runs), ``N``, ``D`` and ``tokens per parameter`` beyond the range of
        theirs, upwards or downwards; of a law of other inputs those whose logarithm it takes.
    spans : dict of str to ndarray
        Of the others, such as losses and logarithms: the distance to the runs' range in lengths of that range, 0 within.
    """

    factors: dict[str, Array]
    spans: dict[str, Array] = field(default_factory=dict)

    @property
    def compute(self) -> Array:
        """Of the compute; 1 where the law does not read both N and D."""
        return self._of("compute")

    @property
    def N(self) -> Array:
        """Of the parameters."""
        return self._of("N")

    @property
    def D(self) -> Array:
        """Of the tokens."""
        return self._of("D")

    @property
    def TPP(self) -> Array:
        """Of the tokens per parameter."""
        return self._of("tokens per parameter")

    def _of(self, name: str) -> Array:
        return self.factors.get(name, np.ones_like(next(iter((self.factors or self.spans).values()))))

    @property
    def beyond(self) -> bool:
        """Whether any is beyond by more than a tenth."""
        return bool(self._far())

    def reshaped(self, shape: tuple[int, ...]) -> Reach:
        """The same in another shape."""
        return Reach(*({name: frozen(a.reshape(shape)) for name, a in of.items()} for of in (self.factors, self.spans)))

    def _far(self) -> list[str]:
        times = [f"{a.max():.3g} times in {name}" for name, a in self.factors.items() if a.size and a.max() > _core.ONE_RAY]
        spans = ((name, a.max()) for name, a in self.spans.items() if a.size)
        return times + [f"by {most:.2g} of their range in {name}" for name, most in spans if most > _FAR]

    def __str__(self) -> str:
        far = self._far()
        return f"beyond the runs {', '.join(far)}" if far else "within the runs"


_FAR = 0.1
"""Of the runs' range, which counts as within it."""


def _beyond(x: Array, of: Array) -> Array:
    return np.asarray(np.maximum(np.maximum(x / of.max(), of.min() / x), 1))


def _outside(x: Array, of: Array) -> Array:
    length = np.ptp(of) or np.abs(of).max() or of.dtype.type(1)
    return np.asarray(np.maximum(np.maximum(x - of.max(), of.min() - x), 0) / length)


def reach_of(fit: Optimum, columns: dict[str, Array]) -> tuple[Reach, Array]:
    """How far beyond the runs; and ln of the factor in what `Rolling` goes by, not below 0."""
    runs, to = fit.problem.columns, fit.problem.reduction
    spans: dict[str, Array] = {}
    if to is not None and to.where != "one_ray":  # both columns are the one input that varies
        moves = "D" if to.where == "one_size" else "N"
        factors = {name: _beyond(columns["params"], runs["params"]) for name in ("compute", moves, "tokens per parameter")}
        grows = columns["params"] / runs["params"].max()
    elif fit.law.of_N_and_D or fit.law.on_one_ray:
        N, D = columns["params"], columns["tokens"]
        factors = {
            "compute": np.maximum(N * D / (runs["params"] * runs["tokens"]).max(), 1),
            "N": _beyond(N, runs["params"]),
            "D": _beyond(D, runs["tokens"]),
            "tokens per parameter": _beyond(D / N, runs["tokens"] / runs["params"]),
        }
        grows = N / runs["params"].max() if fit.law.on_one_ray else factors["compute"]
    else:
        ratios = [name for name in columns if name in LABELS or f"ln {name}" in fit.law.core.inputs]
        factors = {LABELS.get(name, name): _beyond(columns[name], runs[name]) for name in ratios}
        spans = {name: _outside(a, runs[name]) for name, a in columns.items() if name not in ratios}
        first = next(iter(columns))
        alone = len(columns) == 1 and (runs[first] > 0).all() and (columns[first] > 0).all()
        grows = columns[first] / runs[first].max() if alone else np.ones(len(columns[first]))
    return Reach(_frozen(factors), _frozen(spans)), np.log(np.maximum(grows, 1))


def _frozen(each: Mapping[str, Array]) -> dict[str, Array]:
    return {name: frozen(a) for name, a in each.items()}
