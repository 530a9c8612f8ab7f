# SPDX-License-Identifier: Apache-2.0
"""offray.OnlineFit: a fit that follows runs as they come."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._choices import Identify, Objective
from offray._expression.written import law_as_plain, law_from
from offray._fit import law_of
from offray._input.arrays import DOUBLE, EMPTY, LONG_DOUBLE, Array, DType, choose_dtype, numbers
from offray._input.objective import check_objective
from offray._law import Law
from offray._problem import Limits, Options, Problem, check_identify, limits_of, mapping, options_of
from offray._result import Fit
from offray._saved import DTYPES, limits_from, name_of, options_from, plain_limits, plain_options
from offray._travel.document import VERSION, checked, from_file, member
from offray._travel.record import Read

if TYPE_CHECKING:
    from typing_extensions import Self

    from offray._identify.report import Identifiability
    from offray._infer.prediction import Prediction

_CORES: dict[DType, Any] = {DOUBLE: _core.OnlineDouble, LONG_DOUBLE: _core.OnlineLongDouble}
_ARGUMENTS = ("N", "D", "loss", "weight", "unique_tokens")


class OnlineFit(Read):
    """A law's fit to runs, or checkpoints of runs, that come one by one.

    What it says is what `offray.fit` says of the same runs, to about 1e-10, where they determine the parameters; it says so in
    microseconds, since the optimum is followed from the last one where that can be trusted (`searched`).

    Parameters
    ----------
    law, objective, delta, quantile, log_loss, fixed, tied, bounds, identify, dtype
        As for `offray.fit`. A law of your own must read nothing but N, D and unique tokens. Objectives other than squares,
        huber and soft_l1, and ``delta="mad"``, are searched for globally at every step.
    reserve : int
        Runs to make room for.

    Raises
    ------
    ValueError
        As `offray.fit`, or for a law of other inputs.

    Notes
    -----
    Not to be changed by one thread while another one asks. Copies and pickles continue with the same bits.

    Examples
    --------
    >>> import offray
    >>> online = offray.OnlineFit(reserve=100)
    >>> for N in (1e7, 3e7, 1e8):
    ...     for D in (1e9, 3e9, 1e10):
    ...         first_or_last = online.add(N, D, offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28))
    >>> round(online.params["alpha"], 6)
    0.34
    >>> len(online), online.fit.converged
    (9, True)
    """

    def __init__(
        self,
        law: str | Law = "chinchilla",
        *,
        objective: Objective = "squares",
        delta: float | Literal["mad"] | None = None,
        quantile: float | None = None,
        log_loss: bool = False,
        fixed: Mapping[str, float] | None = None,
        tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        identify: Identify = "auto",
        dtype: npt.DTypeLike | None = None,
        reserve: int = 0,
    ) -> None:
        check_objective(objective, delta, quantile)
        check_identify(identify)
        self._law = _of_runs(law_of(law))
        self._identify: str = identify
        self._dtype = choose_dtype(dtype, delta)
        self._options: Options = options_of(objective, delta, quantile, log_loss, EMPTY[self._dtype], self._dtype)
        self._limits: Limits | None = limits_of(self._law, mapping("fixed", fixed, self._law), tied, bounds, self._dtype)
        limits = None if self._limits is None else self._limits.of(self._law, self._dtype)
        self._core: Any = _CORES[self._dtype](self._law.core, self._options.core, limits)
        self._fit: Fit | None = None
        if reserve:
            self.reserve(reserve)

    def reserve(self, runs: int, *, weighted: bool = False) -> None:
        """Make room for so many runs, `weighted` or not, so that adding them asks for no memory."""
        if runs < 0:
            raise ValueError(f"runs must not be negative; got {runs}")
        self._core.reserve(runs, weighted)

    def add(self, N: Any, D: Any, loss: Any, weight: Any = 1.0, *, unique_tokens: Any = np.inf) -> int:
        """Add a run, or a checkpoint of one.

        Parameters
        ----------
        N, D : float
            Model parameters; training tokens so far, counted with repetitions.
        loss : float
            Nats per token.
        weight : float
            As in `offray.fit`: 1 / sigma**2 for known noise.
        unique_tokens : float
            Distinct tokens among D, for the repeated-data law; default: every token fresh.

        Returns
        -------
        int
            The run's name for `remove`: 0 for the first run, 1 for the next.

        Raises
        ------
        ValueError
            For a value that is not a positive, finite number; nothing is added.
        """
        run = np.empty(len(_ARGUMENTS), self._dtype)
        for k, (name, value) in enumerate(zip(_ARGUMENTS, (N, D, loss, weight, unique_tokens), strict=True)):
            number = numbers(name, value, self._dtype)
            if number.ndim != 0:
                raise ValueError(f"{name} must be one number: a run is added at a time; got shape {number.shape}")
            run[k] = number
        name_of_run: int = self._core.add(run)
        self._fit = None
        return name_of_run

    def remove(self, run: int) -> None:
        """Take a run out; ``KeyError`` where there is none of this name."""
        if not self._core.remove(run):
            raise KeyError(run)
        self._fit = None

    def __len__(self) -> int:
        return len(self._core.ids())

    def __contains__(self, run: object) -> bool:
        return run in self._core.ids()

    @property
    def ids(self) -> tuple[int, ...]:
        """Names of the runs that are there, in the order in which they were added."""
        return tuple(self._core.ids())

    @property
    def runs(self) -> Mapping[str, Array]:
        """The runs that are there, in the order of `ids`: N, D, loss, weight, (n,) each."""
        columns = self._core.columns()
        names = {"N": "params", "D": "tokens", "loss": "loss", "weight": "weight"}
        return MappingProxyType({name: columns[column] for name, column in names.items()})

    @property
    def law(self) -> Law:
        """The law."""
        return self._law

    @property
    def theta(self) -> Array:
        """The minimiser, (p,), natural units, in the order of ``law.parameters``; ``ValueError`` for too few runs."""
        return self._core.theta()  # type: ignore[no-any-return]

    @property
    def params(self) -> Mapping[str, Any]:
        """The same by name, whatever the runs determine: see `fit` for what they do."""
        return MappingProxyType(dict(zip(self._law.parameters, self.theta, strict=True)))

    @property
    def searched(self) -> str:
        """Why the present optimum was searched for globally; "followed" where it was followed from the last one.

        "first"; "few": fewer than 6 runs per unknown; "changed": a quarter as many runs came or went as the last search saw;
        "not_interior": a parameter at its bound, or undetermined; "surprised": the new runs miss the last optimum by more than
        4 standard deviations; "fell", "rival": a lower optimum showed up; "not_followable": the objective.
        """
        return self._core.searched()  # type: ignore[no-any-return]

    @property
    def fit(self) -> Fit:
        """The present optimum as `offray.fit` would return it, made when first asked for; ``ValueError`` for too few runs."""
        if self._fit is None:
            self._fit = Fit.of_core(self._problem(), self._core.fit())
        return self._fit

    @property
    def identifiability(self) -> Identifiability:
        """What the runs determine so far."""
        return self.fit.identifiability

    def predict(self, N: Any, D: Any, **options: Any) -> Prediction:
        """Losses at N, D with intervals: `Fit.predict` of the present fit, which takes the same options."""
        return self.fit.predict(N, D, **options)

    def _problem(self) -> Problem:
        columns = self._core.columns()
        loss, weight, unique = columns.pop("loss"), columns.pop("weight"), columns["unique_tokens"]
        if not self._law.reads("unique_tokens") or not np.isfinite(unique).all():
            columns["unique_tokens"] = np.minimum(unique, columns["tokens"])
        if not self._law.reads("unique_tokens"):
            del columns["unique_tokens"]
        equal = bool((weight == 1).all())
        return Problem(
            self._law, columns, loss, EMPTY[self._dtype] if equal else weight, self._options, self._limits, self._identify
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, for JSON; `from_dict` continues with the same bits."""
        return {
            "schema": "offray.online_fit",
            "version": VERSION,
            "law": law_as_plain(self._law) if self._law.traced else self._law.name,
            "dtype": name_of(self._dtype),
            "identify": self._identify,
            "options": plain_options(self._options),
            "limits": plain_limits(self._limits),
            "state": self._core.serialise(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, law: str | Law | None = None) -> Self:
        """What `to_dict` gave.

        Parameters
        ----------
        data : mapping
        law : str or Law, optional
            The law, where it is a function that is called back, which no document holds.

        Raises
        ------
        ValueError
            For data that is damaged, of another law or of another version.
        """
        checked(data, "offray.online_fit")
        try:
            dtype = DTYPES[member(data, "dtype", str)]
            out = cls.__new__(cls)
            out._law = _of_runs(law_from(data["law"]) if law is None else law_of(law))
            out._identify = member(data, "identify", str)
            check_identify(out._identify)
            out._dtype = dtype
            out._options = options_from(member(data, "options"), dtype)
            out._limits = limits_from(data["limits"], dtype)
            out._core = _CORES[dtype].deserialise(member(data, "state", str), out._law.core)
            out._fit = None
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"this is no fit that follows runs: {error}") from None
        return out

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, law: str | Law | None = None) -> Self:
        """Read what `save` wrote; arguments and errors as `from_dict`."""
        return from_file(path, lambda data: cls.from_dict(data, law=law))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.to_dict(), self._law)

    def __copy__(self) -> Self:
        return self.from_dict(self.to_dict(), law=self._law)

    def __repr__(self) -> str:
        return f"<offray.OnlineFit of {self._law.name}: {len(self)} runs>"


def _of_runs(law: Law) -> Law:
    if law.further:
        raise ValueError(f"law: a run is added as N, D and unique tokens; the law {law.name} reads {', '.join(law.further)}")
    return law


def _restore(cls: type[OnlineFit], data: Mapping[str, Any], law: Law) -> OnlineFit:
    return cls.from_dict(data, law=law)
