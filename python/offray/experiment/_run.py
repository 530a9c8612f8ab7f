# SPDX-License-Identifier: Apache-2.0
"""A map over independent blocks of work: here or on any executor, resumable, the same bits either way."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from offray import simd
from offray.experiment._comparisons import LABELS
from offray.experiment._store import Store

Row = dict[str, Any]
Progress = Callable[[int, int], object]


class Block(Protocol):
    """Rows that are worked out together: a frozen dataclass that can be pickled."""

    def __call__(self, threads: int | None) -> list[Row]:
        """The rows; threads change nothing but the time."""

    def __len__(self) -> int:
        """How many rows."""


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with the rows of the blocks that were done."""

    def __init__(self, rows: list[Row], total: int) -> None:
        super().__init__(f"{len(rows)} of {total} comparisons were done")
        self.rows = rows


def run(
    blocks: Sequence[Block],
    store: str | Path | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """The rows of all blocks, in the order of the blocks."""
    keys = [digest(block) for block in blocks]
    kept = Store(store)
    sizes = dict(zip(keys, map(len, blocks), strict=True))
    # A block of which rows are missing is done again.
    missing = {key: block for key, block in zip(keys, blocks, strict=True) if len(kept.rows(key)) != sizes[key]}
    total, times = sum(map(len, blocks)), Counter(keys)
    done = total - sum(sizes[key] * times[key] for key in missing)

    def finish(key: str, rows: list[Row]) -> None:
        nonlocal done
        kept.add(key, [ordered(row) for row in rows])
        done += sizes[key] * times[key]
        if progress is not None:
            progress(done, total)

    try:
        try:
            if executor is None:
                for key, block in missing.items():
                    finish(key, block(threads))
            else:
                _spread(executor, missing, finish)
        finally:
            kept.flush()
    except KeyboardInterrupt:
        raise Stopped([row for key in keys for row in kept.rows(key)], total) from None
    return [row for key in keys for row in kept.rows(key)]


def _spread(executor: Executor, blocks: dict[str, Block], finish: Callable[[str, list[Row]], None]) -> None:
    futures = {executor.submit(_elsewhere, block, simd()): key for key, block in blocks.items()}
    try:
        for future in as_completed(futures):
            finish(futures[future], future.result())
    finally:
        for future in futures:  # those that have not begun, after Ctrl-C or an error
            future.cancel()


def _elsewhere(block: Block, path: str) -> list[Row]:
    """The rows of a block, in a worker: on one thread, and on the same instructions, or the bits would differ."""
    if simd() != path:
        raise RuntimeError(f"executor: a worker runs offray on {simd()!r}, this process on {path!r}; the bits would differ")
    return block(1)


def ordered(row: Row) -> Row:
    """Labels first, then by name: the same whether a row is fresh or was read from a file."""
    labels = [name for name in LABELS if name in row]
    return {name: row[name] for name in (*labels, *sorted(row.keys() - set(labels)))}


def digest(block: Block) -> str:
    """Names a block by all that its rows depend on: its contents, the code, and the instructions that it runs on."""
    sha = hashlib.sha256(f"{_code()} {np.__version__} {simd()}".encode())
    _feed(sha, block)
    return sha.hexdigest()[:32]


@lru_cache
def _code() -> str:
    """Of the compiled core and of these modules."""
    sha = hashlib.sha256()
    core = find_spec("offray._core")
    for path in (*([Path(core.origin)] if core and core.origin else []), *sorted(Path(__file__).parent.glob("*.py"))):
        sha.update(path.read_bytes())
    return sha.hexdigest()


def _feed(sha: Any, x: Any) -> None:
    if dataclasses.is_dataclass(x):
        _feed(sha, (type(x).__name__, *((field.name, getattr(x, field.name)) for field in dataclasses.fields(x))))
    elif isinstance(x, np.ndarray):
        _feed(sha, (str(x.dtype), str(x.shape)))
        sha.update(np.ascontiguousarray(x).tobytes())
    elif isinstance(x, tuple):
        sha.update(f"({len(x)}".encode())
        for part in x:
            _feed(sha, part)
    else:
        sha.update(f"{type(x).__name__} {x!r};".encode())
