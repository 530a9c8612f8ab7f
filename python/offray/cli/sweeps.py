# SPDX-License-Identifier: Apache-2.0
"""Sweeps of real runs from the files of a directory, for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from offray import read
from offray.experiment import Sweep

_SUFFIXES = (".csv", ".parquet", ".pq")
_FAMILIES = ("isoflop", "fit182")


def read_sweeps(
    directory: Path, families: Sequence[str] | None, least_ratio: float, budgets: Mapping[str, tuple[float, ...]]
) -> tuple[list[Sweep], dict[str, str]]:
    """One sweep per file, named after it; and the files of which no row is left, with the reason.

    Parameters
    ----------
    directory
        CSV or Parquet files with columns as `offray.fit` takes them; also read where they exist: flops, nominal compute, and
        family, a label.
    families
        Where a file has rows with one of these labels, its other rows are left out. Default: "isoflop" and "fit182".
    least_ratio
        Rows with fewer tokens per parameter are left out.
    budgets
        By file name without ending: nominal compute budgets.

    Raises
    ------
    ValueError
        For a file that is no table of runs, in words that name it; and for budgets of a file that is not there.
    """
    if not directory.is_dir():
        raise ValueError(f"--data: {directory} is not a directory")
    paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise ValueError(f"--data: no CSV or Parquet file in {directory}")
    if not 0 <= least_ratio < np.inf:
        raise ValueError(f"--min-tpp must be finite and not negative; got {least_ratio}")
    unknown = set(budgets) - {path.stem for path in paths}
    if unknown:
        raise ValueError(f"--budgets: no file called {min(unknown)} in {directory}")
    tables = {path: _columns(path) for path in paths}
    for path, columns in tables.items():
        if "weight" in columns:
            raise ValueError(f"{path}: weight: designs are compared without weights; leave this column out")
    seen = {label for columns in tables.values() for label in columns.get("family", ())}
    strange = set(families or ()) - seen
    if strange:
        raise ValueError(f"--family: no row of any file is labelled {min(strange)!r}")
    chosen = _FAMILIES if families is None else families
    sweeps, left_out = [], {}
    for path, columns in tables.items():
        sweep = _sweep(path.stem, columns, chosen, least_ratio, budgets.get(path.stem))
        if sweep is None:
            left_out[path.stem] = f"no run has one epoch and {least_ratio:g} tokens per parameter"
        else:
            sweeps.append(sweep)
    return sweeps, left_out


def _columns(path: Path) -> dict[str, Any]:
    """All columns that are used, every row checked before any is left out: one with a gap meets no condition."""
    try:
        columns = read(path, also=("flops", "family"))
        return {
            name: column if name == "family" else _positive(name, column, columns.row_name) for name, column in columns.items()
        }
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None


def _positive(name: str, column: Any, row_name: Any) -> Any:
    """Numbers that are positive and finite; ``ValueError`` names the first that is none."""
    for row, value in enumerate(column):
        if not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
            where = "" if row_name is None else f" ({row_name(row)})"
            raise ValueError(f"{name}[{row}]{where} = {value}: every value must be positive and finite")
    return np.asarray(column, float)


def _sweep(
    name: str, columns: dict[str, Any], families: Sequence[str], least_ratio: float, budgets: tuple[float, ...] | None
) -> Sweep | None:
    N, D = columns["params"], columns["tokens"]
    # One epoch only: the laws compared know no repetition.
    keep = (columns.get("unique_tokens", D) >= D) & (least_ratio * N <= D)
    if "family" in columns and np.isin(columns["family"], families).any():
        keep &= np.isin(columns["family"], families)
    if not keep.any():
        return None
    flops = columns["flops"][keep] if "flops" in columns else None
    return Sweep(name, N[keep], D[keep], columns["loss"][keep], flops, budgets)
