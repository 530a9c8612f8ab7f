# SPDX-License-Identifier: Apache-2.0
"""One law on several curves that share some of its parameters."""

from offray._grouped.fit import fit_grouped
from offray._grouped.result import GroupedFit

__all__ = ["GroupedFit", "fit_grouped"]
