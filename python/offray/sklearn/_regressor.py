# SPDX-License-Identifier: Apache-2.0
"""`ScalingLawRegressor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted

import offray
from offray.sklearn._columns import check_rows, inputs_of, law_of, places
from offray.sklearn._versions import validated


class ScalingLawRegressor(RegressorMixin, BaseEstimator):
    """`offray.fit` as an estimator: X holds the law's inputs, y the losses.

    Parameters
    ----------
    law : str or Law
        A name or an object of `offray.laws`, a formula such as ``"E + A*C**-alpha"``, or what `offray.law` makes.
    columns : sequence of str or int, optional
        The columns of X that are the law's inputs, in the order of ``law.inputs``, by name or from 0. Default: those of a data
        frame that have usual names (params, tokens, N, n_tokens, ...); else X has as many columns as the law has inputs, in
        their order, N before D.
    objective, delta, quantile, log_loss, fixed, tied, bounds, start, identify
        As for `offray.fit`.

    Attributes
    ----------
    fit_ : Fit
        What `offray.fit` returned: estimates, intervals, findings.
    law_ : Law
        The law's object.
    params_ : dict of str to float
        Estimates by name; NaN where the runs do not determine them.
    columns_ : tuple of int
        The columns of X that are read.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X is a data frame.

    Notes
    -----
    Warnings are those of `offray.fit` and `Fit.predict`: ``offray.IdentifiabilityWarning`` for what the runs do not determine.
    ``error_score="raise"`` keeps scikit-learn from turning a refusal (``offray.NotIdentifiedError``) into a score of NaN.

    Examples
    --------
    >>> import numpy as np, offray.sklearn
    >>> X = np.array([[n, d] for n in (1e7, 1e8, 1e9) for d in (1e9, 1e10, 1e11)])
    >>> y = offray.laws.chinchilla(X.T, 1.69, 406.4, 410.7, 0.34, 0.28)
    >>> model = offray.sklearn.ScalingLawRegressor(tied=[("alpha", "beta")], fixed={"E": 1.69}).fit(X, y)
    >>> model.predict([[1e10, 1e12]]).shape
    (1,)
    """

    def __init__(
        self,
        law: str | offray.Law = "chinchilla",
        *,
        columns: Sequence[str | int] | None = None,
        objective: str = "squares",
        delta: float | str | None = None,
        quantile: float | None = None,
        log_loss: bool = False,
        fixed: Mapping[str, float] | None = None,
        tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        start: Mapping[str, float] | npt.ArrayLike | None = None,
        identify: str = "auto",
    ) -> None:
        self.law = law
        self.columns = columns
        self.objective = objective
        self.delta = delta
        self.quantile = quantile
        self.log_loss = log_loss
        self.fixed = fixed
        self.tied = tied
        self.bounds = bounds
        self.start = start
        self.identify = identify

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ScalingLawRegressor:
        """Fit the law.

        Parameters
        ----------
        X : (n, k) array_like or data frame
            The law's inputs, a run in each row; see `columns`. Positive, for the laws of `offray.laws`.
        y : (n,) array_like
            Losses in nats per token.
        sample_weight : (n,) array_like, optional
            Weights as `weight` of `offray.fit`; a run of weight 0 is left out.

        Returns
        -------
        ScalingLawRegressor
            Itself.

        Raises
        ------
        ValueError
            For input that no fit can use; the message names it.
        """
        X, y = validated(self, X, y, y_numeric=True, ensure_min_samples=2)
        self.law_ = law_of(self.law)
        self.columns_ = places(self.law_.inputs, self.n_features_in_, getattr(self, "feature_names_in_", None), self.columns)
        X = self._chosen(X)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=X.dtype)
        if weight is not None and (weight == 0).any():
            check_rows(self.law_, X, y, weight)  # while rows have the user's places
            X, y, weight = X[weight != 0], y[weight != 0], weight[weight != 0]
        options = {name: value for name, value in self.get_params(deep=False).items() if name not in ("law", "columns")}
        given = inputs_of(X, self.law_.inputs)
        self.fit_ = offray.fit(**given, loss=y, weight=weight, law=self.law_, **options)
        self.params_ = {name: float(value) for name, value in self.fit_.params.items()}
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Losses of further runs.

        Parameters
        ----------
        X : (m, k) array_like or data frame
            Columns as in `fit`.
        return_std : bool
            Return the standard errors of the mean as well. ``fit_.predict`` gives intervals, of the mean and of a new run.

        Returns
        -------
        ndarray (m,), or two of them

        Raises
        ------
        NotIdentifiedError
            For runs off the ray that all fitted runs share.

        Warns
        -----
        IdentifiabilityWarning
            For tokens per parameter that no run has come near.
        """
        check_is_fitted(self)
        X = self._chosen(validated(self, X, reset=False))
        predicted = self.fit_.predict(**inputs_of(X, self.law_.inputs))
        return (predicted.value.copy(), predicted.se.copy()) if return_std else predicted.value.copy()

    def _chosen(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The columns that are read, as finite numbers; what else is in X does not matter."""
        chosen = X[:, list(self.columns_)]
        return np.asarray(check_array(chosen, dtype=(np.float64, np.longdouble), estimator=self, input_name="X"))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self._positive()
        tags.regressor_tags.poor_score = True  # on data that are no losses of such runs
        return tags

    def _more_tags(self) -> dict[str, Any]:
        """The same before scikit-learn 1.6."""
        return {"requires_positive_X": self._positive(), "poor_score": True}

    def _positive(self) -> bool:
        try:
            law = law_of(self.law)
        except ValueError:  # which `fit` raises; tags are asked for before it
            return False
        return set(law.inputs) == set(law.positive_inputs)
