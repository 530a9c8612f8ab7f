# SPDX-License-Identifier: Apache-2.0
"""What scikit-learn 1.6 made a function."""

from __future__ import annotations

from typing import Any

try:
    from sklearn.utils.validation import validate_data
except ImportError:

    def validate_data(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
        return estimator._validate_data(X, y, **options)


def validated(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """X, or X and y, as arrays of finite numbers; what the estimator learns of them is set or compared."""
    return validate_data(estimator, X, y, **options)
