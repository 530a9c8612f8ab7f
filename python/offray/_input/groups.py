# SPDX-License-Identifier: Apache-2.0
"""Labels of runs that belong together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def dense(group: Iterable[Any], runs: int) -> list[int]:
    """Labels as 0, 1, ... in the order of their first run."""
    labels = group.tolist() if isinstance(group, np.ndarray) else list(group)
    if len(labels) != runs:
        raise ValueError(f"group has {len(labels)} labels, but there are {runs} runs: one per run is needed")
    seen: dict[Any, int] = {}
    out = []
    for row, label in enumerate(labels):
        try:
            known = seen.setdefault(label, len(seen))
        except TypeError:
            raise ValueError(f"group[{row}] = {label!r}: every label must be hashable") from None
        if label is None or label != label:  # NaN, which is no group
            raise ValueError(f"group[{row}] = {label!r}: every run needs a label")
        out.append(known)
    if len(seen) < 2:
        raise ValueError(f"group: all runs are labelled {labels[0]!r}; at least two groups are needed")
    return out
