# SPDX-License-Identifier: Apache-2.0
"""One law fitted to many data sets."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._choices import Identify, Objective
from offray._infer.bootstrap import Names, Progress
from offray._input import check
from offray._input.arrays import Array, choose_dtype, frozen
from offray._input.objective import check_objective
from offray._input.stack import Stack, is_ragged
from offray._interrupted import Interrupted
from offray._law import Law
from offray._problem import check_identify, limits_of, mapping, options_of, start_of
from offray._travel.record import Record
from offray._warnings import IdentifiabilityWarning

_STATUSES = np.array(_core.STATUSES)
_LIMITS = np.array(_core.LIMITS)


@dataclass(frozen=True, repr=False, eq=False)
class FitMany(Record):
    """One law fitted to many data sets.

    Attributes
    ----------
    law : Law
    theta : (k, p) ndarray
        Estimates, one row per data set, natural units, in the order of ``law.parameters``.
    objective_value : (k,) ndarray
        The minimised sum of w rho(r).
    status, limit : (k,) ndarray of str
        As `Fit.status` and `Certificate.limit`.
    """

    law: Law
    theta: Array
    objective_value: Array
    status: Names
    limit: Names

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which fits converged, (k,)."""
        return np.asarray(self.status == "converged")

    def __len__(self) -> int:
        return len(self.theta)

    def _brief(self) -> str:
        return f"{self.law.name}, {len(self)} data sets, {int(self.converged.sum())} converged"


def fit_many(
    N: Any = None,
    D: Any = None,
    loss: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    unique_tokens: Any = None,
    weight: Any = None,
    law: str | Law = "chinchilla",
    objective: Objective = "squares",
    delta: float | Literal["mad"] | None = None,
    quantile: float | None = None,
    log_loss: bool = False,
    fixed: Mapping[str, Any] | None = None,
    tied: Iterable[tuple[str, str]] | Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[Any, Any]] | None = None,
    start: Mapping[str, float] | npt.ArrayLike | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    identify: Identify = "auto",
    dtype: npt.DTypeLike | None = None,
) -> FitMany:
    """Fit a scaling law to many data sets, each as `fit` does, bit for bit, on several threads.

    Parameters
    ----------
    N, D : (n,) or (k, n) array_like
        Model parameters and training tokens of each run: shared by all data sets, or one row per set.
    loss : (k, n) array_like
        Final losses, one row per data set. Sets of different sizes: a list of k arrays, and so for N, D and the others.
    inputs : mapping of str to (n,) or (k, n) array_like, optional
        What else a law of your own reads (`offray.law`); N and D only where it reads them.
    unique_tokens, weight : (n,) or (k, n) array_like, optional
        As for `fit`.
    law, objective, delta, quantile, log_loss, fixed, tied, bounds, start, dtype
        As for `fit`; the same for every data set.
    threads : int, optional
        Default: one per processor. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)`` every now and then, and at the end. What it raises stops the fits.
    identify : {"auto", "force"}
        "force": no warning of runs that cannot tell the law's terms apart.

    Returns
    -------
    FitMany
        Without most warnings of `fit`: look at `FitMany.converged` and `FitMany.limit`.

    Raises
    ------
    ValueError
        For input that no fit can use: the message names the argument, the data set and the run (from 0), and the value.
    Interrupted
        On Ctrl-C, with the data sets that were done.

    Warns
    -----
    IdentifiabilityWarning
        Where all runs of a data set have one N, one D or one ratio of the two.

    Examples
    --------
    >>> import numpy as np, offray
    >>> N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    >>> loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    >>> noise = np.random.default_rng(0).normal(scale=0.001, size=(100, 25))
    >>> offray.fit_many(N, D, loss + noise)
    <FitMany: chinchilla, 100 data sets, 100 converged>
    """
    from offray._expression.known import any_law  # for formulas alone

    the_law = any_law(law)
    check_objective(objective, delta, quantile)
    check_identify(identify)
    columns = _columns(the_law, N, D, unique_tokens, inputs or {})
    given = (*columns.values(), loss, weight)
    scalar = choose_dtype(dtype, *(row for values in given for row in (values if is_ragged(values) else [values])))
    stack = Stack(loss, scalar)
    stacked = {
        name: stack.column(_NAMES.get(name, name), values, positive=the_law.built_in or name in the_law.positive_inputs)
        for name, values in columns.items()
    }
    held = mapping("fixed", fixed, the_law)
    options = options_of(objective, delta, quantile, log_loss, start_of(the_law, start, held, scalar), scalar)
    limits = limits_of(the_law, held, tied, bounds, scalar)
    theta, value, status, limit, interrupted = _core.fit_many(
        the_law.core,
        dict(the_law.core_columns(stacked)),
        stack.column("loss", loss),
        stack.column("weight", weight),
        stack.offsets.tolist(),
        options.core,
        None if limits is None else limits.of(the_law, scalar),
        check.threads(threads),
        progress,
    )
    out = FitMany(the_law, frozen(theta), frozen(value), frozen(_STATUSES[status]), frozen(_LIMITS[limit]))
    if identify == "auto":
        _warn_of_rays(the_law, stack, stacked)
    if interrupted:
        raise Interrupted(f"{len(out)} of {len(stack.offsets) - 1} data sets were done", out)
    return out


_NAMES = {"params": "N", "tokens": "D"}


def _warn_of_rays(law: Law, stack: Stack, columns: Mapping[str, Array]) -> None:
    """What every fit would say of its runs alone: an estimate of a law's two terms where the runs see one is one of many."""
    if not law.of_N_and_D or law.further or columns.get("unique_tokens", np.empty(0)).size:
        return
    N, D = (stack.rows_of(columns[name]) for name in ("params", "tokens"))
    for what, values in (("N", [N]), ("D", [D]), ("D / N", [D, N])):
        ratio = values[0] if len(values) == 1 else [d / n for d, n in zip(*values, strict=True)]
        alike = [k for k, x in enumerate(ratio) if x.size and x.max() < _core.ONE_RAY * x.min()]
        if alike:
            warnings.warn(
                f"in {len(alike)} of {len(ratio)} data sets (the first is {alike[0]}) all runs have one {what}, so that the "
                "terms in N and in D cannot be told apart: theta is one of many that fit as well. offray.fit says what such "
                "runs tell; identify='force' silences this.",
                IdentifiabilityWarning,
                stacklevel=3,
            )


def _columns(law: Law, N: Any, D: Any, unique_tokens: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the law reads, by column; ``ValueError`` for what is missing, or read by none."""
    if set(inputs) != set(law.further):
        raise ValueError(
            f"inputs: the law {law.name} reads {', '.join(law.further) or 'N and D alone'}; got {', '.join(inputs)}"
        )
    given = {"params": N, "tokens": D}
    needed = [name for name in given if law.built_in or law.reads(name)]
    for name in needed:
        if given[name] is None:
            raise TypeError(f"fit_many needs {_NAMES[name]} for the law {law.name}")
    out = {name: given[name] for name in needed}
    if unique_tokens is not None:
        out["unique_tokens"] = unique_tokens
    return out | {name: inputs[name] for name in law.further}
