# SPDX-License-Identifier: Apache-2.0
"""A map over independent blocks of work: here or on any executor, resumable, the same bits either way."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from offray import __version__, simd
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
    total = sum(map(len, blocks))
    open_ = {key: block for key, block in zip(keys, blocks, strict=True) if key not in kept}

    def finish(key: str, rows: list[Row]) -> None:
        kept.add(key, rows)
        if progress is not None:
            progress(sum(len(block) for key, block in zip(keys, blocks, strict=True) if key in kept), total)

    try:
        if executor is None:
            for key, block in open_.items():
                finish(key, block(threads))
        else:
            _spread(executor, open_, finish)
    except KeyboardInterrupt:
        rows = [row for key in keys if key in kept for row in kept[key]]
        raise Stopped(rows, total) from None
    finally:
        kept.flush()
    return [row for key in keys for row in kept[key]]


def _spread(executor: Executor, blocks: dict[str, Block], finish: Callable[[str, list[Row]], None]) -> None:
    futures = {executor.submit(block, 1): key for key, block in blocks.items()}
    try:
        for future in as_completed(futures):
            finish(futures[future], future.result())
    finally:
        for future in futures:  # those that have not begun, after Ctrl-C or an error
            future.cancel()


def digest(block: Block) -> str:
    """Names a block by all that its rows depend on: its contents, the version, and the instructions that fits run on."""
    sha = hashlib.sha256(f"{__version__} {simd()}".encode())
    _feed(sha, block)
    return sha.hexdigest()[:32]


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
