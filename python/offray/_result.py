# SPDX-License-Identifier: Apache-2.0
"""What a fit returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from offray import _core
from offray._arrays import EMPTY, Array, DType, frozen
from offray._certificate import Certificate, certify
from offray._condition import Conditioning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offray._batch import Bootstrap, Progress
    from offray._identifiability import Identifiability
    from offray._intervals import Intervals
    from offray._laws import Law
    from offray._optimal import ComputeOptimal
    from offray._precision import WeightedConditioning
    from offray._prediction import Prediction


@dataclass(frozen=True, init=False, repr=False, eq=False)
class Fit:
    """A fitted law. ``print(fit)`` shows it; costly parts are computed when first asked for.

    Where all runs lie on one ray, D = k N, the law has too many parameters for them: `reduced` then holds what they determine.
    `params`, `se`, `cov` and the intervals report the parameters that it shares with the law, and nothing for the others (NaN,
    infinite); `predict` follows the ray and refuses to leave it. `theta`, `rss`, `status` and `certificate` stay those of the
    law that was asked for: one of its many minimisers.

    Attributes
    ----------
    law : Law
    objective : str
    log_loss : bool
    identify : str
        "auto", or "force": the full law's figures even where the runs do not determine them.
    """

    law: Law
    _core: Any
    objective: str
    log_loss: bool
    identify: str
    _arguments: tuple[Any, ...]

    def __init__(self, law: Law, core: Any, objective: str, log_loss: bool, identify: str, arguments: tuple[Any, ...]) -> None:
        # In one go: what a frozen dataclass does field by field takes a tenth of a fit.
        self.__dict__.update(
            law=law, _core=core, objective=objective, log_loss=log_loss, identify=identify, _arguments=arguments
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # The fit is a deterministic function of its arguments: a copy repeats it.
        return _refit, (self.law, self.objective, self.log_loss, self.identify, self._arguments)

    @cached_property
    def reduced(self) -> Fit | None:
        """On one ray, the fit of ``law.on_ray``: for Chinchilla L = E + psi N^-alpha with psi = A + B k^-alpha. Else None.

        None, too, for ``identify="force"`` and where parameters are fixed, tied or bounded.
        """
        if self.identify == "force" or self.law.on_ray is None or self._arguments[-1] is not None or not self._on_ray:
            return None
        arguments = (*self._arguments[:-2], EMPTY[self._dtype], None)  # no start, no constraints
        return _refit(self.law.on_ray, self.objective, self.log_loss, self.identify, arguments)

    @property
    def _on_ray(self) -> bool:
        return bool(self._core.findings >> _core.FINDINGS.index("one_ray") & 1)

    def _in_full(self, values: Array, absent: Any) -> Array:
        """Rows of the reduced law at the places of the parameters that it shares with the law, `absent` elsewhere."""
        assert self.reduced is not None
        out = np.full((len(self.law.parameters), *values.shape[1:]), absent, values.dtype)
        for row, name in zip(values, self.reduced.law.parameters, strict=True):
            if name in self.law.parameters:
                out[self.law.parameters.index(name)] = row
        return out

    @property
    def weighted(self) -> bool:
        """Whether the runs carry weights."""
        return bool(self._arguments[3].size)

    @cached_property
    def theta(self) -> Array:
        """The minimiser, (p,), natural units, in the order of ``law.parameters``; one of many where `se` is infinite."""
        return frozen(self._core.theta)  # type: ignore[no-any-return]

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """Estimates by name; on one ray NaN for what the runs do not determine."""
        estimates = self.theta if self.reduced is None else self._in_full(self.reduced.theta, np.nan)
        return MappingProxyType(dict(zip(self.law.parameters, estimates, strict=True)))

    @cached_property
    def cov(self) -> Array:
        """Covariance of theta, (p, p): s^2 (J'WJ)^-1 from the QR factors of J, s^2 = RSS / (n - p) for squares.

        Zero for fixed parameters; infinite where the runs do not determine a parameter or n = p.
        """
        return self.covariance()

    @cached_property
    def se(self) -> Array:
        """Standard errors of theta, (p,)."""
        return frozen(np.sqrt(np.diagonal(self.cov)))  # type: ignore[no-any-return]

    def covariance(self, kind: str = "classical", *, group: Iterable[Any] | None = None) -> Array:
        """Covariance of theta, (p, p), natural units.

        Parameters
        ----------
        kind : {"classical", "sandwich"}
            "classical": `cov`, for independent noise of one size (up to the weights); for robust objectives scaled as
            M-estimates (Huber 1981). "sandwich": (J'WJ)^-1 (sum s s') (J'WJ)^-1 over the scores s of runs or groups, for noise
            of any size (White 1980; Liang & Zeger 1986), times n / (n - p), or G / (G - 1) (n - 1) / (n - p) for G groups. Its
            bread is never the exact Hessian of a robust objective, which can be singular.
        group : (n,) array_like, optional
            For "sandwich": labels of runs whose noise may have something in common.

        Raises
        ------
        ValueError
            For an unknown kind, a `group` that does not go with it, or labels that make no groups.
        """
        if kind not in ("classical", "sandwich"):
            raise ValueError(f"unknown kind {kind!r}; known kinds: classical, sandwich")
        if group is not None and kind != "sandwich":
            raise ValueError("group belongs to the kind 'sandwich'")
        if self.reduced is not None:
            inner = self.reduced.covariance(kind, group=group)
            return frozen(self._in_full(self._in_full(inner, np.inf).T, np.inf))  # type: ignore[no-any-return]
        if kind == "classical":
            return frozen(self._core.covariance())  # type: ignore[no-any-return]
        from offray._batch import dense

        return frozen(_core.sandwich(self._core, [] if group is None else dense(group, len(self.residuals))))  # type: ignore[no-any-return]

    @cached_property
    def noise_sd(self) -> Any:
        """Standard deviation of one run of unit weight about the law, in the fitted space.

        s = sqrt(RSS / (n - p)) for squares; 1.4826 median abs(sqrt(w) r) sqrt(n / (n - p)) for the other objectives.
        """
        return _core.noise(self._core)[1][()]

    @cached_property
    def tokens_per_parameter(self) -> tuple[Any, Any]:
        """Smallest and largest D / N of the runs."""
        k = self._arguments[1] / self._arguments[0]
        return k.min(), k.max()

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
        from offray._identifiability import assess

        return assess(self)

    def conditioning_under(
        self, objective: str, *, delta: float | None = None, quantile: float | None = None
    ) -> WeightedConditioning:
        """kappa(J'WJ) with the weights w psi(r) / r of an objective at this optimum, beside kappa(J'J).

        Positive weights cannot cure a collinear design: the ratio of the two lies in [1 / kappa(W), kappa(W)].

        Parameters
        ----------
        objective, delta, quantile
            As for `offray.fit`.
        """
        from offray._precision import weighted_conditioning

        return weighted_conditioning(self, objective, delta, quantile)

    def conf_int(
        self,
        level: float = 0.95,
        method: str = "delta",
        *,
        n: int = 1000,
        kind: str = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> Array:
        """Confidence intervals, (p, 2), in the order of ``law.parameters``.

        Parameters
        ----------
        level : float
            In (0, 1).
        method : {"delta", "sandwich", "profile", "bootstrap"}
            "delta" and "sandwich": theta -/+ t se with Student's t on n - p degrees of freedom and the covariance of that kind.
            "profile": where 2 (F - F_min) / s^2 reaches t^2, F the objective minimised over all other parameters; for robust
            objectives s^2 is the matching scale. An end is 0 or infinite where the runs rule nothing out; not for the
            objectives with a kink. "bootstrap": percentiles of `bootstrap`.
        n, kind, seed
            For "bootstrap".
        group : (n,) array_like, optional
            For "sandwich" and "bootstrap".
        """
        from offray._intervals import conf_int

        return conf_int(self, level, method, n, kind, seed, group)

    def intervals(
        self,
        level: float = 0.95,
        methods: Iterable[str] = ("delta", "profile", "bootstrap"),
        *,
        n: int = 1000,
        kind: str = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> Intervals:
        """`conf_int` by several methods, side by side; arguments as there."""
        from offray._intervals import intervals

        return intervals(self, level, methods, n=n, kind=kind, seed=seed, group=group)

    def predict(
        self,
        N: Any,
        D: Any,
        unique_tokens: Any = None,
        *,
        level: float = 0.95,
        method: str = "delta",
        n: int = 1000,
        kind: str = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> Prediction:
        """Predict the loss of runs with N parameters on D tokens.

        Parameters
        ----------
        N, D, unique_tokens : array_like
            Broadcast together; positive and finite.
        level : float
            Level of the intervals.
        method : {"delta", "profile", "bootstrap"}
            How the interval of the mean is made; `n`, `kind`, `seed`, `group` as for `conf_int`.

        Returns
        -------
        Prediction
            Arrays in the broadcast shape of the inputs.

        Raises
        ------
        ValueError
            For a value that is not positive and finite, naming it.
        NotIdentifiedError
            Off the ray, where all runs lie on one.

        Warns
        -----
        IdentifiabilityWarning
            For tokens per parameter outside the runs' range.
        """
        from offray._prediction import predict

        return predict(self.reduced or self, N, D, unique_tokens, level, method, n, kind, seed, group)

    def compute_optimal(
        self,
        C: Any,
        *,
        c: float = 6.0,
        inference_tokens: float = 0.0,
        level: float = 0.95,
        method: str = "delta",
        n: int = 1000,
        kind: str = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> ComputeOptimal:
        """The N and D of least loss for a budget C = c N D + 2 N T.

        For T = 0: N* = G (C/c)^(beta/(alpha+beta)), D* = C / (c N*), G = (alpha A / (beta B))^(1/(alpha+beta)) for Chinchilla
        and for repeated data with fresh tokens; the like for the other laws.

        Parameters
        ----------
        C : array_like
            Budgets in floating-point operations.
        c : float
            Operations per parameter and training token.
        inference_tokens : float
            T, tokens that the model will serve at 2 N operations each (Sardana et al. 2024, arXiv:2401.00448).
        level, method, n, kind, seed, group
            As for `predict`.

        Raises
        ------
        ValueError
            For a value out of range, naming it.
        NotIdentifiedError
            Where the runs do not determine the optimum, as on one ray.
        """
        from offray._optimal import compute_optimal

        return compute_optimal(self, C, c, inference_tokens, level, method, n, kind, seed, group)

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


def _refit(law: Law, objective: str, log_loss: bool, identify: str, arguments: tuple[Any, ...]) -> Fit:
    return Fit(law, _core.fit(law._index, *arguments), objective, log_loss, identify, arguments)
