# SPDX-License-Identifier: Apache-2.0
"""A block of code with the name of a file, as the tests know it, becomes a block with that title."""

from __future__ import annotations

import re
from typing import Any

NAMED = re.compile(r"^```(\w+) ([\w.]+)$", re.M)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Titles in place of names."""
    return NAMED.sub(r'```\1 title="\2"', markdown)
