# SPDX-License-Identifier: Apache-2.0
"""Warning categories and errors."""

import sys
import warnings


class IdentifiabilityWarning(UserWarning):
    """The runs do not determine something that was asked for; the message says what, by how much, and what would help."""


class ConvergenceWarning(RuntimeWarning):
    """The iteration ended before the scaled gradient was small."""


class NotIdentifiedError(ValueError):
    """The runs say nothing about what was asked for; the message says why, and what would help."""


def ignored(category: type[Warning]) -> bool:
    """Whether a filter ignores every warning of a category, whatever its text and wherever it is raised."""
    for action, message, of, module, line in warnings.filters:
        if issubclass(category, of):
            return action == "ignore" and message is None and module is None and line == 0
    return False


def warning_category() -> type[Warning]:
    """IdentifiabilityWarning, and where scipy.optimize is in use an OptimizeWarning too, which its filters catch."""
    optimize = sys.modules.get("scipy.optimize")
    if optimize is None:
        return IdentifiabilityWarning
    return type("IdentifiabilityWarning", (IdentifiabilityWarning, optimize.OptimizeWarning), {"__module__": "offray"})
