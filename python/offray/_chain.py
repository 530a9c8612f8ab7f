# SPDX-License-Identifier: Apache-2.0
"""A task metric as a function of a predicted loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from offray import _core
from offray._choices import ChainMethod
from offray._infer.intervals import bootstrap_interval
from offray._input import check
from offray._input.arrays import Array, frozen
from offray._result import Fit
from offray._travel.record import Record

_STEP = 1e-6
"""Relative step of the metric's derivative by the loss, a central difference: its error is 1e-12 of the third derivative."""


@dataclass(frozen=True, repr=False, eq=False)
class ChainPrediction(Record):
    """A predicted metric.

    Attributes
    ----------
    loss : ndarray
        The predicted loss that it is a function of.
    value, se : ndarray
        The metric and its standard error through both stages.
    interval : ndarray, shape (..., 2)
        Of the mean.
    level : float
    method : str
    """

    loss: Array
    value: Array
    se: Array
    interval: Array
    level: float
    method: str

    def _brief(self) -> str:
        return f"{self.value!s:.60}, s.e. {self.se!s:.40}"


@dataclass(frozen=True, repr=False, eq=False)
class Chain(Record):
    """Two fits in a row; see `chain`.

    Attributes
    ----------
    loss, metric : Fit
    """

    loss: Fit
    metric: Fit

    def _brief(self) -> str:
        return f"{self.loss.law.name}, then {self.metric.law.name}"

    def predict(
        self,
        N: Any = None,
        D: Any = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        level: float = 0.95,
        method: ChainMethod = "delta",
        n: int = 1000,
        seed: int = 0,
    ) -> ChainPrediction:
        """The metric of runs, through their predicted loss.

        Parameters
        ----------
        N, D, inputs
            As for `Fit.predict` of the loss.
        level : float
        method : {"delta", "bootstrap"}
            "delta" adds the variances of both stages, as if their errors were independent. "bootstrap" refits both stages on
            the same resampled runs, which needs them to be fits of the same runs in the same order; `n` replicates.

        Raises
        ------
        ValueError
            For an unknown method, or a bootstrap of fits of different numbers of runs.
        """
        check.level(level)
        if method not in get_args(ChainMethod):
            raise ValueError(f"method must be 'delta' or 'bootstrap'; got {method!r}")
        stage = self.loss.predict(N, D, inputs=inputs, level=level)
        law, theta = self.metric.law, self.metric.theta
        at = np.atleast_1d(stage.value)
        value = law(at, *theta)
        step = _STEP * at
        slope = (law(at + step, *theta) - law(at - step, *theta)) / (2 * step)
        J = law.jacobian(at, *theta)
        own = np.einsum("ij,jk,ik->i", J, self.metric.cov, J)
        se = np.sqrt((slope * np.atleast_1d(stage.se)) ** 2 + own)
        if method == "bootstrap":
            interval = bootstrap_interval(self.metric, self._drawn(N, D, inputs or {}, at.shape, n, seed), level)
        else:
            degrees = min(self.loss.degrees_of_freedom, self.metric.degrees_of_freedom)
            half = _core.student_t_half_width(level, degrees) * se
            interval = np.stack([value - half, value + half], axis=-1)
        shape = stage.value.shape
        return ChainPrediction(
            stage.value,
            frozen(value.reshape(shape)),
            frozen(se.reshape(shape)),
            frozen(interval.reshape(*shape, 2)),
            level,
            method,
        )

    def _drawn(self, N: Any, D: Any, inputs: Mapping[str, Any], shape: tuple[int, ...], n: int, seed: int) -> Array:
        if len(self.loss.residuals) != len(self.metric.residuals):
            raise ValueError(
                f"method 'bootstrap' resamples both stages together: {len(self.loss.residuals)} runs and "
                f"{len(self.metric.residuals)} are not the same runs"
            )
        # The same seed and number of runs draw the same rows.
        refits = [fit.bootstrap(n, seed=seed) for fit in (self.loss, self.metric)]
        usable = np.logical_and(*(each.status != "evaluation_failed" for each in refits))
        first, second = (each.theta[usable] for each in refits)
        given = {"params": N, "tokens": D, **inputs}
        names = self.loss.law.place
        where = [np.atleast_1d(np.asarray(given[name], float)) for name in names]
        x = where if len(where) > 1 else where[0]
        drawn = [self.metric.law(self.loss.law(x, *one), *two) for one, two in zip(first, second, strict=True)]
        return np.array(drawn).reshape(len(drawn), *shape)


def chain(loss: Fit, metric: Fit) -> Chain:
    """A task metric as a function of a predicted loss, in two stages: runs to loss, loss to metric.

    Parameters
    ----------
    loss : Fit
        Of the loss, in whatever its law reads.
    metric : Fit
        Of the metric, by a law of one input, the loss: ``offray.fit(inputs={"x": losses}, loss=accuracies,
        law=offray.laws.logistic)``.

    Returns
    -------
    Chain
        Its `predict` gives the metric of further runs, with intervals through both stages.

    Raises
    ------
    ValueError
        For a metric whose law reads more than one input.

    Examples
    --------
    >>> import numpy as np, offray
    >>> N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    >>> loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    >>> accuracy = 0.25 + 0.6 / (1 + np.exp(3 * (loss - 2.6)))
    >>> stages = offray.chain(offray.fit(N, D, loss), offray.fit(inputs={"x": loss}, loss=accuracy, law="logistic"))
    >>> print(f"{stages.predict(7e10, 1.4e12).value:.3f}")
    0.789
    """
    if metric.law.built_in or len(metric.law.inputs) != 1:
        raise ValueError(
            f"metric: the second stage is a law of one input, the loss; {metric.law.name} reads {', '.join(metric.law.inputs)}"
        )
    return Chain(loss, metric)
