# SPDX-License-Identifier: Apache-2.0
"""From a name to a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from offray import examples
from offray.datasets._dataset import Dataset
from offray.datasets._fetch import fetch
from offray.datasets._parse import Run
from offray.datasets._sources import SETS


def names() -> tuple[str, ...]:
    """The data sets there are."""
    return tuple(SETS)


def load(name: str) -> Dataset:
    """A data set of published runs.

    Fetched once, at a pinned commit or by its checksum; "pile" comes with the package. Losses of different sets are not
    comparable: tokenizers and evaluation sets differ.

    Parameters
    ----------
    name : str
        One of `names`.

    Raises
    ------
    ValueError
        For an unknown name, for a file whose checksum is not the expected one, and for tables of the paper in a layout other
        than the one that is written of (`names` that begin with "paper_" have not been tried on the real files).
    FileNotFoundError
        Where the file is neither in the cache nor to be had from the network.
    ModuleNotFoundError
        Where it would have to be fetched and pooch is not installed.

    Examples
    --------
    >>> import offray.datasets
    >>> pile = offray.datasets.load("pile")
    >>> pile
    Dataset('pile', 15 runs)
    >>> offray.fit(pile.runs, law="kaplan").status
    'converged'
    """
    if not isinstance(name, str) or name not in SETS:
        raise ValueError(f"unknown data set {name!r}; there are {', '.join(SETS)}")
    about, parse = SETS[name]
    text = examples.path().read_text(encoding="utf-8") if about.source is None else fetch(name, about.source)
    runs = parse(text)
    columns = {field: _column([getattr(run, field) for run in runs]) for field in Run._fields}
    return Dataset(name=name, **columns, **vars(about))


def _column(values: list[Any]) -> Any:
    if values[0] is None:
        return None
    column = np.array(values, str if isinstance(values[0], str) else np.float64)
    column.setflags(write=False)
    return column
