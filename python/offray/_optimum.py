# SPDX-License-Identifier: Apache-2.0
"""An optimum with its problem: what every analysis takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from offray import _core
from offray._choices import Covariance
from offray._conditioning import Conditioning
from offray._input.arrays import Array, frozen
from offray._input.groups import dense
from offray._law import Law
from offray._planes import InputPlane, entangled, planes
from offray._problem import Problem
from offray._reduction import reduction

if TYPE_CHECKING:
    from typing_extensions import Self


CONFINED = frozenset({"one_ray", "one_size", "one_token_count", "confined_inputs"})
"""Findings that leave the loss open off what the runs have in common."""


class Optimum:
    """The minimiser of a problem, and what the core says of it. Immutable.

    Attributes
    ----------
    problem : Problem
    core : object
        The core's fit.
    """

    problem: Problem
    core: Any

    def __init__(self, problem: Problem) -> None:
        self.__dict__["problem"] = problem
        self.__dict__["core"] = problem.minimise()

    @classmethod
    def of_core(cls, problem: Problem, core: Any) -> Self:
        """The optimum of a problem that the core has found already."""
        out = cls.__new__(cls)
        out.__dict__["problem"] = problem
        out.__dict__["core"] = core
        return out

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot assign to {name!r}: a fit is immutable")

    @classmethod
    def restored(cls, problem: Problem, state: Mapping[str, Any]) -> Self:
        """The optimum of a problem that was found elsewhere, out of its `state`."""
        out = cls.of_core(problem, problem.restore(state["core"]))
        out.__dict__["_found_before"] = {name: state[name] for name in ("reduced", "rivals") if name in state}
        return out

    def state(self) -> dict[str, Any]:
        """What the search found, and those of `reduced` and `rivals` where they were looked at."""
        out: dict[str, Any] = {"core": self.core.state, **self._found_before}
        known = self.__dict__
        if known.get("reduced") is not None:
            out["reduced"] = known["reduced"].state()
        if known.get("rivals"):
            out["rivals"] = [rival.state() for rival in known["rivals"]]
        return out

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).restored, (self.problem, self.state())

    _found_before: Mapping[str, Any] = MappingProxyType({})

    @property
    def law(self) -> Law:
        """The law."""
        return self.problem.law

    @property
    def objective(self) -> str:
        """Name of the objective."""
        return self.problem.options.objective

    @property
    def log_loss(self) -> bool:
        """Whether ln L was fitted."""
        return self.problem.options.log_loss

    @property
    def identify(self) -> str:
        """ "auto", or "force": the full law's figures even where the runs do not determine them."""
        return self.problem.identify

    @cached_property
    def findings(self) -> tuple[str, ...]:
        """What the runs leave open, by name; see `Identifiability.findings`."""
        return self._found[0]

    @property
    def loud(self) -> bool:
        """Whether one of the findings about the law or the runs is worth a warning, not only a note."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[tuple[str, ...], bool]:
        return self.core.found  # type: ignore[no-any-return]

    @cached_property
    def rivals(self) -> tuple[Self, ...]:
        """Other optima within the confidence region, 2 (F_b - F) / s^2 <= t^2: the runs do not tell which is the right one."""
        options = self.problem.options
        at = [np.array(self.core.basins[b][0], self.theta.dtype) for b in self.core.rivals]
        problems = [replace(self.problem, options=replace(options, start=theta)) for theta in at]
        if len(states := self._found_before.get("rivals", ())) == len(problems):
            return tuple(map(type(self).restored, problems, states))
        return tuple(map(type(self), problems))

    @cached_property
    def forced(self) -> Self:
        """The full law's figures, whatever the runs determine."""
        return type(self).of_core(replace(self.problem, identify="force"), self.core)

    @property
    def followed(self) -> Self:
        """Whose figures the runs follow: a ray that tells the exponents apart is followed by the full law."""
        return self if self.blended else self.reduced or self

    @property
    def on_ray(self) -> bool:
        """Whether all runs lie on one ray, D = k N, and do not tell the law's two terms apart."""
        return "one_ray" in self.findings

    @cached_property
    def confined_to(self) -> tuple[InputPlane, ...]:
        """What the inputs of all runs have in common, where the fit does not see past it: off these planes it says nothing.
        None for ``identify="force"``, and where `reduced` says what is left."""
        if self.identify == "force" or CONFINED.isdisjoint(self.findings) or self.reduced is not None:
            return ()
        return planes(self.law, self.problem.columns, _core.confining_planes(self.core))

    @cached_property
    def entangled(self) -> frozenset[str]:
        """Parameters of terms in inputs whose ratio is the same in all runs: not determined, whatever their standard errors."""
        each = (entangled(self.law, self.theta, self.problem.columns, plane) for plane in self.confined_to)
        return frozenset[str]().union(*each)

    @cached_property
    def reduced(self) -> Self | None:
        """Where the runs cannot tell the law's terms apart, the fit of what is left of it; else None.

        On one ray ``law.on_ray``: for Chinchilla L = E + psi N^-alpha with psi = A + B k^-alpha. At one token count, for a
        floor with a power of N and one of D, the power of N above the rest; at one size that of D.

        None, too, for ``identify="force"`` and where parameters that are lost are fixed, tied or bounded.
        """
        if self.identify == "force" or self.problem.reduction is not None:
            return None
        to = reduction(self.law, self.problem.columns, self.findings)
        left = None if to is None else self.problem.reduced(to)
        if left is None or "reduced" not in self._found_before:
            return None if left is None else type(self)(left)
        return type(self).restored(left, self._found_before["reduced"])

    @cached_property
    def blended(self) -> bool:
        """On one ray: whether the runs reject equal exponents, F = ((RSS_reduced - RSS) / (p - p_reduced)) / (RSS / (n - p)) at
        5 %. The exponent of the reduced law is then a blend of the two, and the full law predicts along the ray."""
        if self.reduced is None or not self.on_ray or self.objective != "squares":
            return False
        unknowns, left = (sum(at.core.free) for at in (self, self.reduced))
        below = len(self.residuals) - unknowns
        if below < 1 or not self.rss > 0:
            return False
        return (
            _core.f_tail(float((self.reduced.rss - self.rss) / (unknowns - left) / (self.rss / below)), unknowns - left, below)
            < 0.05
        )

    def in_full(self, values: Array, absent: Any) -> Array:
        """Rows of the reduced law at the places of the parameters that it shares with the law, `absent` elsewhere."""
        assert self.reduced is not None
        assert self.reduced.problem.reduction is not None
        shared = self.reduced.problem.reduction.shared
        out = np.full((len(self.law.parameters), *values.shape[1:]), absent, values.dtype)
        for row, name in zip(values, self.reduced.law.parameters, strict=True):
            if name in shared:
                out[self.law.parameters.index(shared[name])] = row
        return out

    @property
    def weighted(self) -> bool:
        """Whether the runs carry weights."""
        return bool(self.problem.weight.size)

    @cached_property
    def theta(self) -> Array:
        """The minimiser, (p,), natural units, in the order of ``law.parameters``; one of many where `se` is infinite."""
        return frozen(self.core.theta)  # type: ignore[no-any-return]

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """Estimates by name; on one ray NaN for what the runs do not determine."""
        estimates = self.theta if self.reduced is None else self.in_full(self.reduced.theta, np.nan)
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

    def covariance(self, kind: Covariance = "classical", *, group: Iterable[Any] | None = None) -> Array:
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
        if kind not in get_args(Covariance):
            raise ValueError(f"unknown kind {kind!r}; known kinds: {', '.join(get_args(Covariance))}")
        if group is not None and kind != "sandwich":
            raise ValueError("group belongs to the kind 'sandwich'")
        if self.reduced is not None:
            inner = self.reduced.covariance(kind, group=group)
            return frozen(self.in_full(self.in_full(inner, np.inf).T, np.inf))  # type: ignore[no-any-return]
        if kind == "classical":
            out = self.core.covariance()
        else:
            out = _core.sandwich(self.core, [] if group is None else dense(group, len(self.residuals)))
        if self.entangled:
            lost = [name in self.entangled for name in self.law.parameters]
            out[lost, :] = out[:, lost] = np.inf
        return frozen(out)  # type: ignore[no-any-return]

    @cached_property
    def noise_sd(self) -> Any:
        """Standard deviation of one run of unit weight about the law, in the fitted space.

        s = sqrt(RSS / (n - p)) for squares; 1.4826 median abs(sqrt(w) r) sqrt(n / (n - p)) for the other objectives.
        """
        return _core.noise(self.core)[1][()]

    @cached_property
    def tokens_per_parameter(self) -> tuple[Any, Any]:
        """Smallest and largest D / N of the runs."""
        k = self.problem.D / self.problem.N
        return k.min(), k.max()

    @property
    def rss(self) -> Any:
        """Sum of squared residuals in the fitted space, weights applied, whatever the objective."""
        return self.core.rss[()]

    @property
    def objective_value(self) -> Any:
        """The minimised sum of w rho(r), never a mean; half of `rss` for squares."""
        return self.core.objective_value[()]

    @property
    def status(self) -> str:
        """converged, at_bound, rank_deficient, stalled, evaluation_limit or evaluation_failed."""
        return self.core.status  # type: ignore[no-any-return]

    @property
    def message(self) -> str:
        """One sentence on `status`."""
        return self.core.message  # type: ignore[no-any-return]

    @property
    def converged(self) -> bool:
        """Whether the scaled gradient is small at an interior point where the Jacobian has full rank."""
        return self.status == "converged"

    @property
    def delta(self) -> Any:
        """Scale of a robust objective, given or estimated; NaN where the objective has none."""
        return self.core.delta[()] if self.objective in _core.SCALED_OBJECTIVES else self.theta.dtype.type(np.nan)

    @property
    def scaled_gradient(self) -> Any:
        """sqrt(g' (J'J)^-1 g) / sqrt(2 F): distance to the optimum in standard errors, divided by sqrt(n - p)."""
        return self.core.scaled_gradient[()]

    @property
    def evaluations(self) -> int:
        """Evaluations of residual and Jacobian in the run that gave this optimum."""
        return self.core.evaluations  # type: ignore[no-any-return]

    @cached_property
    def residuals(self) -> Array:
        """r = L_hat - L, or ln L_hat - ln L, (n,), unweighted."""
        return frozen(self.core.residual)  # type: ignore[no-any-return]

    @property
    def degrees_of_freedom(self) -> int:
        """n - rank, tied parameters counted once and fixed ones not at all; of what is left where the terms are one."""
        if self.reduced is not None:
            return self.reduced.degrees_of_freedom
        return self.core.degrees_of_freedom  # type: ignore[no-any-return]

    @cached_property
    def conditioning(self) -> Conditioning:
        """Of sqrt(w) J in the free parameters: unit columns, N and D in units of their geometric means."""
        return Conditioning.from_core(self.core.conditioning())

    @cached_property
    def sloppy_direction(self) -> Mapping[str, float]:
        """Components of ``conditioning.direction`` by parameter; tied ones appear as ``alpha=beta``.

        Moving the parameters along it (in unit columns) changes the losses of these runs least.
        """
        return MappingProxyType(self.core.sloppy_direction)
