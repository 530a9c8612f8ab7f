# SPDX-License-Identifier: Apache-2.0
"""From a name to a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from offray import examples
from offray.datasets._dataset import About, Dataset
from offray.datasets._fetch import directory, fetch
from offray.datasets._parse import Run
from offray.datasets._sources import SETS


def names() -> tuple[str, ...]:
    """The data sets there are."""
    return tuple(SETS)


def about(name: str) -> About:
    """All of a data set but its numbers, which need not be there; ``ValueError`` for an unknown name."""
    return _known(name)[0]


def location(name: str) -> Path | None:
    """Where the file of a data set is looked for, there or not; ``ValueError`` for an unknown name.

    None where it cannot be told: neither OFFRAY_DATA_DIR is set nor pooch installed.
    """
    source, folder = about(name).source, directory()
    if source is None:
        return examples.path()
    return None if folder is None else folder / source.file


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
    said, parse = _known(name)
    text = examples.path().read_text(encoding="utf-8") if said.source is None else fetch(name, said.source)
    runs = parse(text)
    columns = {field: _column([getattr(run, field) for run in runs]) for field in Run._fields}
    return Dataset(name=name, **columns, **vars(said))


def _known(name: str) -> tuple[About, Callable[[str], list[Run]]]:
    if not isinstance(name, str) or name not in SETS:
        raise ValueError(f"unknown data set {name!r}; there are {', '.join(SETS)}")
    return SETS[name]


def _column(values: list[Any]) -> Any:
    if values[0] is None:
        return None
    column = np.array(values, str if isinstance(values[0], str) else np.float64)
    column.setflags(write=False)
    return column
