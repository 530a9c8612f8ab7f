# SPDX-License-Identifier: Apache-2.0
"""Runs to be trained: what an experiment compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offray import designs, read
from offray.experiment._arguments import column, count

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Design:
    """Model parameters and training tokens of planned runs.

    Attributes
    ----------
    N, D : (n,) ndarray
    unique_tokens : (n,) ndarray or None
        Distinct tokens U; None where every token is seen once.
    """

    N: Array
    D: Array
    unique_tokens: Array | None = None

    def __post_init__(self) -> None:
        for name in ("N", "D", "unique_tokens"):
            given = getattr(self, name)
            if given is None and name == "unique_tokens":
                continue
            values = column(name, given)
            if len(values) != len(self.N):
                raise ValueError(f"{name} must hold one number per run; got {len(values)} for {len(self.N)} runs")
            object.__setattr__(self, name, values)

    @classmethod
    def ray(cls, k: float, sizes: Any) -> Design:
        """All sizes at k tokens per parameter."""
        return cls(*designs.fan([k], sizes))

    @classmethod
    def fan(cls, ratios: Any, sizes: Any) -> Design:
        """All sizes at several tokens per parameter."""
        return cls(*designs.fan(ratios, sizes))

    @classmethod
    def grid(cls, sizes: Any, tokens: Any) -> Design:
        """All sizes on several numbers of tokens."""
        return cls(*designs.grid(sizes, tokens))

    @classmethod
    def isoflop(cls, budgets: Any, sizes: Any) -> Design:
        """All sizes at several budgets C = 6 N D."""
        return cls(*designs.isoflop(budgets, sizes))

    @classmethod
    def factorial(cls, sizes: tuple[float, float], tokens: tuple[float, float], levels: int = 3) -> Design:
        """`levels` x `levels` log-spaced values over the ranges of N and D."""
        return cls(*designs.factorial(sizes, tokens, levels))

    @classmethod
    def from_table(cls, table: Any) -> Design:
        """Columns params and tokens, and unique_tokens where there is one, of whatever `offray.read` takes."""
        runs = read(table, required=("params", "tokens"))
        return cls(runs["params"], runs["tokens"], runs.get("unique_tokens"))

    @property
    def columns(self) -> tuple[Array, ...]:
        """What a law is called with: (N, D) or (N, D, U)."""
        return (self.N, self.D) if self.unique_tokens is None else (self.N, self.D, self.unique_tokens)

    def repeated(self, times: int) -> Design:
        """Every run `times` times."""
        return Design(*(np.tile(column, count("times", times)) for column in self.columns))

    def over_epochs(self, epochs: Iterable[float]) -> Design:
        """Every run once per number of epochs: the same D, from U = D / epochs distinct tokens."""
        counts = column("epochs", list(epochs))
        if counts.min() < 1:
            raise ValueError(f"epochs must be at least 1; got {counts.min()}")
        unique = np.concatenate([self.D / count for count in counts])
        return Design(np.tile(self.N, len(counts)), np.tile(self.D, len(counts)), unique)

    def __add__(self, other: Design) -> Design:
        if len(self.columns) != len(other.columns):
            raise ValueError("only one of the two designs has unique_tokens")
        return Design(*(np.concatenate(pair) for pair in zip(self.columns, other.columns, strict=True)))

    def __getitem__(self, rows: Any) -> Design:
        return Design(*(column[rows] for column in self.columns))

    def __len__(self) -> int:
        return len(self.N)

    def __repr__(self) -> str:
        k = self.D / self.N
        return f"<Design: {len(self)} runs, N {_range(self.N)}, D {_range(self.D)}, TPP {_range(k)}>"


def _range(x: Array) -> str:
    return f"{x.min():.3g}..{x.max():.3g}"
