# SPDX-License-Identifier: Apache-2.0
"""What a fit returns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from offray._choices import IntervalMethod, Method, Objective, Resampling
from offray._drawn import Drawn
from offray._expression.written import law_as_plain
from offray._identify.certificate import Certificate, certify
from offray._input.arrays import Array
from offray._law import LAWS
from offray._optimum import Optimum
from offray._saved import from_parts, parts
from offray._text import Sheet
from offray._travel.document import VERSION, checked
from offray._travel.record import Read

if TYPE_CHECKING:
    from typing_extensions import Self

    from offray._identify.precision import WeightedConditioning
    from offray._identify.report import Identifiability
    from offray._infer.bootstrap import Bootstrap, Progress
    from offray._infer.intervals import Intervals
    from offray._infer.misfit import Misfit
    from offray._infer.optimal import ComputeOptimal
    from offray._infer.other_laws import OtherLaw
    from offray._infer.prediction import Prediction


class Fit(Optimum, Drawn, Read):
    """A fitted law. ``print(fit)`` shows it; costly parts are computed when first asked for.

    Where all runs lie on one ray, D = k N, the law has too many parameters for them: `reduced` then holds what they determine.
    `params`, `se`, `cov` and the intervals report the parameters that it shares with the law, and nothing for the others (NaN,
    infinite); `predict` follows the ray and refuses to leave it. `theta`, `rss`, `status` and `certificate` stay those of the
    law that was asked for: one of its many minimisers.
    """

    @cached_property
    def certificate(self) -> Certificate:
        """Basins found, distance to bounds, and whether the optimum is interior."""
        return certify(self)

    @cached_property
    def identifiability(self) -> Identifiability:
        """What the runs determine."""
        from offray._identify.report import assess

        return assess(self)

    @cached_property
    def misfit(self) -> Misfit:
        """Whether the law follows the runs, and whether they are runs of their own."""
        from offray._infer.misfit import misfit

        return misfit(self.reduced or self)

    @cached_property
    def other_laws(self) -> tuple[OtherLaw, ...]:
        """Known laws of N and D that follow the runs better, by an AICc lower by 10 or more, the best first; and what they
        say of TPP* and the loss at ten times the runs' compute. Three or four fits, when first asked for."""
        from offray._expression.known import known
        from offray._infer.other_laws import other_laws

        return other_laws(self, (*LAWS.values(), known("outer_exponent")))

    @cached_property
    def _law_matters(self) -> tuple[str, ...]:
        """Where the law does not follow the runs: another one that does, if that moves the answers."""
        if "lack_of_fit" not in self.findings:
            return ()
        return tuple(f"{other}." for other in self.other_laws[:1] if other.matters)

    @property
    def has_warnings(self) -> bool:
        """Whether `identifiability` has a warning; it costs less to ask."""
        from offray._identify.report import has_warnings

        return has_warnings(self)

    def conditioning_under(
        self, objective: Objective, *, delta: float | None = None, quantile: float | None = None
    ) -> WeightedConditioning:
        """kappa(J'WJ) with the weights w psi(r) / r of an objective at this optimum, beside kappa(J'J).

        Positive weights cannot cure a collinear design: the ratio of the two lies in [1 / kappa(W), kappa(W)].

        Parameters
        ----------
        objective, delta, quantile
            As for `offray.fit`.
        """
        from offray._identify.precision import weighted_conditioning

        return weighted_conditioning(self, objective, delta, quantile)

    def conf_int(
        self,
        level: float = 0.95,
        method: IntervalMethod = "auto",
        *,
        n: int = 1000,
        kind: Resampling = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> Array:
        """Confidence intervals, (p, 2), in the order of ``law.parameters``.

        Where another optimum is as good within the noise (`rivals`), they span those of both.

        Parameters
        ----------
        level : float
            In (0, 1).
        method : {"auto", "delta", "sandwich", "profile", "bootstrap"}
            "auto": the profile where it takes milliseconds, else "delta". "delta" and "sandwich": theta -/+ t se with
            Student's t on n - rank degrees of freedom and the covariance of that kind, of positive parameters on their
            logarithm.
            "profile": where 2 (F - F_min) / s^2 reaches t^2, F the objective minimised over all other parameters; for robust
            objectives s^2 is the matching scale. An end is 0 or infinite where the runs rule nothing out; not for the
            objectives with a kink. "bootstrap": percentiles of `bootstrap`.
        n, kind, seed
            For "bootstrap".
        group : (n,) array_like, optional
            For "sandwich" and "bootstrap".
        """
        from offray._infer.intervals import conf_int
        from offray._infer.request import METHODS, Draws, Request

        return conf_int(self, Request(level, method, Draws(n, kind, seed), group, METHODS))

    def intervals(
        self,
        level: float = 0.95,
        methods: Iterable[IntervalMethod] | IntervalMethod = ("delta", "profile", "bootstrap"),
        *,
        n: int = 1000,
        kind: Resampling = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> Intervals:
        """`conf_int` by several methods, side by side; arguments as there."""
        from offray._infer.intervals import intervals
        from offray._infer.request import Draws

        return intervals(self, level, methods, Draws(n, kind, seed), group)

    def predict(
        self,
        N: Any = None,
        D: Any = None,
        unique_tokens: Any = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        level: float = 0.95,
        method: Method = "delta",
        n: int = 1000,
        kind: Resampling = "pairs",
        seed: int = 0,
        group: Iterable[Any] | None = None,
    ) -> Prediction:
        """Predict the loss of runs with N parameters on D tokens.

        Parameters
        ----------
        N, D, unique_tokens : array_like
            Broadcast together; positive and finite.
        inputs : mapping of str to array_like
            What else the law reads, where it is one made by `offray.law`; N and D only where it reads them.
        level : float
            Level of the intervals.
        method : {"delta", "sandwich", "profile", "bootstrap"}
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
        from offray._infer.prediction import predict
        from offray._infer.request import Draws, Request

        asked = Request(level, method, Draws(n, kind, seed), group)
        return predict(self.followed, N, D, unique_tokens, inputs or {}, asked)

    def compute_optimal(
        self,
        C: Any,
        *,
        c: float = 6.0,
        inference_tokens: float = 0.0,
        level: float = 0.95,
        method: Method = "delta",
        n: int = 1000,
        kind: Resampling = "pairs",
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
        from offray._infer.optimal import compute_optimal
        from offray._infer.request import Draws, Request

        return compute_optimal(self, C, c, inference_tokens, Request(level, method, Draws(n, kind, seed), group))

    def bootstrap(
        self,
        n: int,
        *,
        kind: Resampling = "pairs",
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
        from offray._infer.bootstrap import bootstrap

        return bootstrap(self, n, kind=kind, seed=seed, threads=threads, group=group, progress=progress)

    def facts(self) -> list[tuple[str, str]]:
        """Figures on the fit as a whole, as ``print`` shows them: (label, text)."""
        from offray._show.report import facts

        return facts(self, self.identifiability)

    def notes(self) -> tuple[str, ...]:
        """What ``print`` notes: those of `identifiability`, and whether another law that follows the runs better matters."""
        return (*self.identifiability.notes, *self._law_matters)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table that ``print`` shows, its heading first: parameter, estimate, standard error, 95 % interval."""
        from offray._show.report import HEADER, rows

        return [HEADER, *rows(self)]

    def frame(self) -> dict[str, Any]:
        """The runs and what the fit says of each, as columns, (n,) each, that ``pandas.DataFrame`` or polars' take: ``row`` as
        the user knows it; the inputs; ``loss``; ``weight`` where given; ``fitted``, the law's loss; ``residual`` r, fitted less
        measured, of ln L with `log_loss`; ``standardised_residual`` sqrt(w) r / (s sqrt(1 - h)), s the noise's s.d., NaN where
        h = 1; ``leverage`` h, the share of a run's loss in its fitted one: the squared norm of its row of Q, sqrt(w) J = Q R.
        On a ray all this is of the law that predictions follow there."""
        from offray._infer.frame import frame

        return frame(self)

    def to_dict(self) -> dict[str, Any]:
        """The fit as plain data for JSON; None stands for an infinite figure. `from_dict` gives it back, all bits kept, unless
        its law is a function that is called back."""
        from offray._show.report import as_data

        data = as_data(self, self.identifiability, self._law_matters)
        kept = parts(self.problem, self.state()) if self.law.traced else {}
        return {"schema": "offray.fit", "version": VERSION, **data, **kept}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """`to_dict` as text; with a path, written there too. ``ValueError`` for a law that is called back."""
        law_as_plain(self.law)
        return super().to_json(path)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The fit that `to_dict` was of; ``ValueError`` for data that are damaged, or of something else."""
        checked(data, "offray.fit")
        return cls.restored(*from_parts(data))

    def __repr__(self) -> str:
        from offray._show.report import estimates

        return f"<Fit {self.law.name}: {self.status}, {estimates(self)}>"

    def _sheet(self) -> Sheet:
        from offray._show.report import sheet

        return sheet(self, self.identifiability, self._law_matters)

    def _repr_html_(self) -> str:
        return self._sheet().html()

    def __str__(self) -> str:
        return self._sheet().text()
