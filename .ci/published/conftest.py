# SPDX-License-Identifier: Apache-2.0
"""Comparisons with published runs: ``OFFRAY_PUBLISHED=DIRECTORY pytest .ci/published``."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "python"))


@pytest.fixture
def massivetext():
    from published import read_data

    return read_data("chinchilla_massivetext")[:3]
