# SPDX-License-Identifier: Apache-2.0
"""What a fit returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from offray import _core
from offray._arrays import Array, DType, frozen, numbers
from offray._certificate import Certificate, certify
from offray._condition import Conditioning
from offray._identifiability import Identifiability, assess

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offray._batch import Bootstrap, Progress
    from offray._laws import Law


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted loss.

    Attributes
    ----------
    value : ndarray
        Loss in nats per token.
    se : ndarray
        Standard error of the mean prediction, delta method; infinite where the runs do not determine it.
    interval : ndarray, shape (..., 2)
        value -/+ t se, Student's t with n - p degrees of freedom.
    level : float
        Level of `interval`.
    """

    value: Array
    se: Array
    interval: Array
    level: float


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Fit:
    """A fitted law. ``print(fit)`` shows it; costly parts are computed when first asked for.

    Attributes
    ----------
    law : Law
    objective : str
    log_loss : bool
    """

    law: Law
    _core: Any
    objective: str
    log_loss: bool
    _arguments: tuple[Any, ...]

    def __init__(self, law: Law, core: Any, objective: str, log_loss: bool, arguments: tuple[Any, ...]) -> None:
        # In one go: what a frozen dataclass does field by field takes a tenth of a fit.
        self.__dict__.update(law=law, _core=core, objective=objective, log_loss=log_loss, _arguments=arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        # The fit is a deterministic function of its arguments: a copy repeats it.
        return _refit, (self.law, self.objective, self.log_loss, self._arguments)

    @property
    def weighted(self) -> bool:
        """Whether the runs carry weights."""
        return bool(self._arguments[3].size)

    @cached_property
    def theta(self) -> Array:
        """Estimates, (p,), natural units, in the order of ``law.parameters``."""
        return frozen(self._core.theta)  # type: ignore[no-any-return]

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """Estimates by name."""
        return MappingProxyType(dict(zip(self.law.parameters, self.theta, strict=True)))

    @cached_property
    def cov(self) -> Array:
        """Covariance of theta, (p, p): s^2 (J'WJ)^-1 from the QR factors of J, s^2 = RSS / (n - p) for squares.

        Zero for fixed parameters; infinite where the runs do not determine a parameter or n = p.
        """
        return frozen(self._core.covariance())  # type: ignore[no-any-return]

    @cached_property
    def se(self) -> Array:
        """Standard errors of theta, (p,)."""
        return frozen(np.sqrt(np.diagonal(self.cov)))  # type: ignore[no-any-return]

    @property
    def rss(self) -> Any:
        """Sum of squared residuals in the fitted space, weights applied, whatever the objective."""
        return self._core.rss[()]

    @property
    def objective_value(self) -> Any:
        """The minimised sum of w rho(r), never a mean; half of `rss` for squares."""
        return self._core.objective_value[()]

    @property
    def status(self) -> str:
        """converged, at_bound, rank_deficient, stalled, evaluation_limit or evaluation_failed."""
        return self._core.status  # type: ignore[no-any-return]

    @property
    def message(self) -> str:
        """One sentence on `status`."""
        return self._core.message  # type: ignore[no-any-return]

    @property
    def converged(self) -> bool:
        """Whether the scaled gradient is small at an interior point where the Jacobian has full rank."""
        return self.status == "converged"

    @property
    def delta(self) -> Any:
        """Scale of a robust objective, given or estimated; NaN where the objective has none."""
        return self._core.delta[()] if self.objective in _core.SCALED_OBJECTIVES else self._dtype.type(np.nan)

    @cached_property
    def certificate(self) -> Certificate:
        """Basins found, distance to bounds, and whether the optimum is interior."""
        return certify(self)

    @property
    def scaled_gradient(self) -> Any:
        """sqrt(g' (J'J)^-1 g) / sqrt(2 F): distance to the optimum in standard errors, divided by sqrt(n - p)."""
        return self._core.scaled_gradient[()]

    @property
    def evaluations(self) -> int:
        """Evaluations of residual and Jacobian in the run that gave this optimum."""
        return self._core.evaluations  # type: ignore[no-any-return]

    @cached_property
    def residuals(self) -> Array:
        """r = L_hat - L, or ln L_hat - ln L, (n,), unweighted."""
        return frozen(self._core.residual)  # type: ignore[no-any-return]

    @property
    def degrees_of_freedom(self) -> int:
        """n - p, tied parameters counted once and fixed ones not at all."""
        return self._core.degrees_of_freedom  # type: ignore[no-any-return]

    @cached_property
    def conditioning(self) -> Conditioning:
        """Of sqrt(w) J in the free parameters: unit columns, N and D in units of their geometric means."""
        return Conditioning._from_core(self._core.conditioning())

    @cached_property
    def sloppy_direction(self) -> Mapping[str, float]:
        """Components of ``conditioning.direction`` by parameter; tied ones appear as ``alpha=beta``.

        Moving the parameters along it (in unit columns) changes the losses of these runs least.
        """
        return MappingProxyType(self._core.sloppy_direction)

    @cached_property
    def identifiability(self) -> Identifiability:
        """What the runs determine."""
        return assess(self)

    def conf_int(self, level: float = 0.95, method: str = "delta") -> Array:
        """Confidence intervals, (p, 2), in the order of ``law.parameters``.

        Parameters
        ----------
        level : float
            In (0, 1).
        method : {"delta"}
            theta -/+ t se with Student's t on n - p degrees of freedom.
        """
        if method != "delta":
            raise ValueError(f"unknown method {method!r}; known methods: delta")
        # A fixed parameter has no interval, whatever the noise: not 0 times infinity.
        half = np.where(self.se == 0, 0, self._half_width(level)) * self.se
        return np.stack([self.theta - half, self.theta + half], axis=1)

    def predict(self, N: Any, D: Any, unique_tokens: Any = None, *, level: float = 0.95) -> Prediction:
        """Predict the loss of runs with N parameters on D tokens.

        Parameters
        ----------
        N, D, unique_tokens : array_like
            Broadcast together; positive and finite.
        level : float
            Level of the interval for the mean prediction.

        Returns
        -------
        Prediction
            Arrays in the broadcast shape of the inputs.

        Raises
        ------
        ValueError
            For a value that is not positive and finite, naming it.
        """
        dtype = self._dtype
        given = {"N": N, "D": D} | ({} if unique_tokens is None else {"unique_tokens": unique_tokens})
        inputs = np.broadcast_arrays(*(numbers(name, v, dtype) for name, v in given.items()))
        shape = inputs[0].shape
        flat = [np.ascontiguousarray(a).ravel() for a in inputs]
        if unique_tokens is None:
            flat.append(np.empty(0, dtype))
        value, se = (a.reshape(shape) for a in self._core.predict(*flat))
        half = self._half_width(level) * se
        interval = np.stack([value - half, value + half], axis=-1)
        return Prediction(frozen(value), frozen(se), frozen(interval), level)

    def bootstrap(
        self,
        n: int,
        *,
        kind: str = "pairs",
        seed: int = 0,
        threads: int | None = None,
        group: Iterable[Any] | None = None,
        progress: Progress | None = None,
    ) -> Bootstrap:
        """Refit resampled runs, each time from this optimum, with the same objective and constraints.

        Parameters
        ----------
        n : int
            Number of replicates.
        kind : {"pairs", "residual", "wild"}
            "pairs" draws runs with replacement; "residual" keeps the runs and adds residuals drawn from all (centred, and
            scaled by the weights) to the fitted losses; "wild" adds each run's own residual with a random sign. With `log_loss`
            to their logarithms.
        seed : int
            In [0, 2**64). Replicate i depends on the fit, `kind`, `seed`, `group` and i alone.
        threads : int, optional
            Default: one per processor. The result does not depend on it.
        group : (n,) array_like, optional
            Labels of runs that are resampled together, such as checkpoints of one training run: whole groups are drawn, their
            residuals are taken together, or they share one sign.
        progress : callable, optional
            Called as ``progress(done, total)`` every now and then, and at the end. What it raises stops the refits.

        Returns
        -------
        Bootstrap

        Raises
        ------
        ValueError
            For bad input, naming the argument and its value.
        Interrupted
            On Ctrl-C, with the replicates that were done.
        """
        from offray._batch import bootstrap

        return bootstrap(self, n, kind=kind, seed=seed, threads=threads, group=group, progress=progress)

    def __repr__(self) -> str:
        estimates = ", ".join(f"{name}={value:.6g}" for name, value in self.params.items())
        return f"<Fit {self.law.name}: {self.status}, {estimates}>"

    def __str__(self) -> str:
        from offray._report import as_text

        return as_text(self)

    @property
    def _dtype(self) -> DType:
        return self.theta.dtype

    def _half_width(self, level: float) -> float:
        if not 0 < level < 1:
            raise ValueError(f"level must be in (0, 1); got {level}")
        return _core.student_t_half_width(level, self.degrees_of_freedom)


def _refit(law: Law, objective: str, log_loss: bool, arguments: tuple[Any, ...]) -> Fit:
    return Fit(law, _core.fit(law._index, *arguments), objective, log_loss, arguments)
