# SPDX-License-Identifier: Apache-2.0
"""What scikit-learn 1.6 made a function and renamed."""

from __future__ import annotations

from typing import Any

try:
    from sklearn.utils.validation import validate_data

    _ANYTHING = {"dtype": None, "ensure_all_finite": False}
except ImportError:

    def validate_data(estimator: Any, X: Any, y: Any, **options: Any) -> Any:
        return estimator._validate_data(X, y, **options)

    _ANYTHING = {"dtype": None, "force_all_finite": False}


def validated(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """X as rows and columns of anything, y as finite numbers; the width of X and its names are noted, or compared."""
    return validate_data(estimator, X, y, **_ANYTHING, **options)
