# SPDX-License-Identifier: Apache-2.0
"""What scikit-learn 1.6 made a function: X, or X and y, as arrays of finite numbers."""

from __future__ import annotations

from typing import Any

try:
    from sklearn.utils.validation import validate_data as validated
except ImportError:

    def validated(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
        return estimator._validate_data(X, y, **options)


__all__ = ["validated"]
