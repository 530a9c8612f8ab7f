# SPDX-License-Identifier: Apache-2.0
"""Warning categories and errors."""


class IdentifiabilityWarning(UserWarning):
    """The runs do not determine something that was asked for; the message says what, by how much, and what would help."""


class ConvergenceWarning(RuntimeWarning):
    """The iteration ended before the scaled gradient was small."""


class NotIdentifiedError(ValueError):
    """The runs say nothing about what was asked for; the message says why, and what would help."""
