# SPDX-License-Identifier: Apache-2.0
"""Example runs that come with the package."""

from __future__ import annotations

import csv
from pathlib import Path


def path(name: str = "pile.csv") -> Path:
    """The file of an example."""
    return Path(__file__).with_name(name)


def pile() -> dict[str, list[float]]:
    """Pile test losses of Cerebras-GPT and Pythia: columns params, tokens, loss.

    7 Cerebras-GPT sizes at 20 tokens per parameter and 8 Pythia sizes on 300B tokens: same tokenizer, test set, evaluation.
    Dey et al. 2023, arXiv:2304.03208, Tables 3 and 8; loss in nats per token.
    """
    with path().open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in table] for name in ("params", "tokens", "loss")}
