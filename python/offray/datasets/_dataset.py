# SPDX-License-Identifier: Apache-2.0
"""What a data set holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

HOST = "https://raw.githubusercontent.com"
HUB = "https://huggingface.co"

Numbers = npt.NDArray[np.float64]
Labels = npt.NDArray[np.str_]
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Source:
    """A file in a public repository.

    Attributes
    ----------
    repository, commit, path : str
    bytes : int
        Its size.
    sha256 : str
    of_hub : bool
        Whether the repository is a data set of the hub, where the checksum stands for the commit.
    """

    repository: str
    commit: str
    path: str
    bytes: int
    sha256: str
    of_hub: bool = False

    @property
    def file(self) -> str:
        """Its name in the cache: the owner of the repository and the last part of the path."""
        return f"{self.repository.partition('/')[0]}__{self.path.rpartition('/')[2]}"

    @property
    def url(self) -> str:
        """Where it is fetched."""
        if self.of_hub:
            return f"{HUB}/datasets/{self.repository}/resolve/{self.commit}/{self.path}"
        return f"{HOST}/{self.repository}/{self.commit}/{self.path}"


@dataclass(frozen=True, kw_only=True)
class About:
    """All of a data set but the numbers; see `Dataset`."""

    corpus: str
    params_definition: str
    loss_unit: str
    licence: str
    citation: str
    note: str
    source: Source | None
    fit_family: str | None = None
    budgets: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset(About):
    """Published runs of one source; ``print`` says what they are.

    Columns are read-only and, where the source does not give them, None.

    Attributes
    ----------
    name : str
    params, tokens, loss : (n,) ndarray
        N, D and the final loss of each run.
    unique_tokens : (n,) ndarray or None
        Distinct training tokens.
    flops : (n,) ndarray or None
        As the source states it.
    run, family : (n,) ndarray of str or None
        Labels.
    corpus : str
        What the models were trained on.
    params_definition : str
        What N counts.
    loss_unit : str
        The unit, and which loss it is.
    licence : str
        Of the source, which this package does not contain ("pile" apart).
    citation, note : str
    source : Source or None
        The file; None where it comes with the package.
    fit_family : str or None
        The family to fit, where the others are to be kept apart.
    budgets : tuple of float or None
        Published compute budgets of isoFLOP curves, where `flops` does not say them.
    """

    name: str
    params: Numbers
    tokens: Numbers
    loss: Numbers
    unique_tokens: Numbers | None = None
    flops: Numbers | None = None
    run: Labels | None = None
    family: Labels | None = None

    @property
    def fit_rows(self) -> Rows:
        """Which rows to fit."""
        if self.family is None or self.fit_family is None:
            return np.ones(len(self.loss), bool)
        return np.asarray(self.family == self.fit_family)

    @property
    def runs(self) -> dict[str, Numbers]:
        """The rows to fit, as `offray.fit` takes them: params, tokens, loss and, where known, unique_tokens."""
        columns: dict[str, Any] = {name: getattr(self, name) for name in ("params", "tokens", "loss", "unique_tokens")}
        return {name: column[self.fit_rows] for name, column in columns.items() if column is not None}

    def keys(self) -> tuple[str, ...]:
        """The columns there are: ``dict(dataset)`` and ``pandas.DataFrame(dict(dataset))`` hold all rows."""
        names = ("params", "tokens", "loss", "unique_tokens", "flops", "run", "family")
        return tuple(name for name in names if getattr(self, name) is not None)

    def __getitem__(self, column: str) -> npt.NDArray[Any]:
        """A column by name."""
        if column not in self.keys():
            raise KeyError(f"{self.name} has no column {column!r}; it has {', '.join(self.keys())}")
        return np.asarray(getattr(self, column))

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self._rows()})"

    def __str__(self) -> str:
        lines = {
            "corpus": self.corpus,
            "N": f"{_range(self.params)}, {self.params_definition}",
            "D": f"{_range(self.tokens)} tokens, {_range(self.tokens / self.params)} per parameter",
            "loss": f"{_range(self.loss)} {self.loss_unit}",
            "citation": self.citation,
            "licence": self.licence,
            "source": "part of this package" if self.source is None else self.source.url,
            "note": self.note,
        }
        return "\n".join((f"{self.name}: {self._rows()}", *(f"  {name:<10}{text}" for name, text in lines.items())))

    def _rows(self) -> str:
        n, fitted = len(self.loss), int(self.fit_rows.sum())
        return f"{n} runs" if fitted == n else f"{n} runs, {fitted} to fit"


def _range(x: Numbers) -> str:
    least, most = (f"{value:.3g}" for value in (x.min(), x.max()))
    return least if least == most else f"{least}..{most}"
