# SPDX-License-Identifier: Apache-2.0
"""Sweeps of real runs from files, for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from offray.cli.reading import Reading
from offray.experiment import Sweep

_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".pq", ".xlsx")
_FAMILIES = ("isoflop", "fit182")


def read_sweeps(
    data: Path,
    families: Sequence[str] | None,
    least_ratio: float,
    budgets: Mapping[str, tuple[float, ...]],
    reading: Reading,
) -> tuple[list[Sweep], dict[str, str]]:
    """One sweep per file, named after it; and the files of which no row is left, with the reason.

    Parameters
    ----------
    data
        A file, or a directory of files, with columns as `offray.fit` takes them; also read where they exist: flops, nominal
        compute, and family, a label.
    families
        Where a file has rows with one of these labels, its other rows are left out. Default: "isoflop" and "fit182".
    least_ratio
        Rows with fewer tokens per parameter are left out.
    budgets
        By file name without ending: nominal compute budgets.
    reading
        How each file is read.

    Raises
    ------
    ValueError
        For a file that is no table of runs, in words that name it; and for budgets of a file that is not there.
    """
    if not data.exists():
        raise ValueError(f"--data: {data} is neither a file nor a directory")
    files = sorted(filter(_holds_runs, data.iterdir())) if data.is_dir() else [data]
    if not files:
        raise ValueError(f"--data: no file of runs in {data}, such as CSV, JSON or Parquet")
    paths = {_stem(path): path for path in files}
    if not 0 <= least_ratio < np.inf:
        raise ValueError(f"--min-tpp must be finite and not negative; got {least_ratio}")
    unknown = set(budgets) - set(paths)
    if unknown:
        raise ValueError(f"--budgets: no file called {min(unknown)} in {data}")
    tables = {name: _complete(reading.read(path, also=("flops", "family"))) for name, path in paths.items()}
    for name, columns in tables.items():
        if "weight" in columns:
            raise ValueError(f"{paths[name]}: weight: designs are compared without weights; leave this column out")
    seen = {label for columns in tables.values() for label in columns.get("family", ())}
    strange = set(families or ()) - seen
    if strange:
        raise ValueError(f"--family: no row of any file is labelled {min(strange)!r}")
    chosen = _FAMILIES if families is None else families
    sweeps, left_out = [], {}
    for name, columns in tables.items():
        sweep = _sweep(name, columns, chosen, least_ratio, budgets.get(name))
        if sweep is None:
            left_out[name] = f"no run has one epoch and {least_ratio:g} tokens per parameter"
        else:
            sweeps.append(sweep)
    return sweeps, left_out


def _complete(table: Any) -> Any:
    """The table, every row checked before any is left out: one with a gap meets no condition."""
    for name in table.keys() & {"unique_tokens", "flops"}:
        for row, value in enumerate(table[name]):
            if not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
                raise ValueError(f"{table.cell(name, row)} = {value}: every value must be positive and finite")
    return table


def _holds_runs(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(_ENDINGS)


def _stem(path: Path) -> str:
    """The name of a file without its endings."""
    return Path(path.name.removesuffix(".gz")).stem


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
