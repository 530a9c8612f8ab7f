# SPDX-License-Identifier: Apache-2.0
"""Several laws on the same runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from offray import _core
from offray._drawn import Drawn
from offray._expression.known import any_law
from offray._fit import fit
from offray._identify.report import Identifiability
from offray._infer.fit_many import fit_many
from offray._infer.reach import LABELS
from offray._input.arrays import Array, choose_dtype
from offray._input.groups import dense
from offray._law import LAWS, Law, find_law
from offray._read.runs import run_columns
from offray._result import Fit
from offray._text import Sheet
from offray._travel.record import Record
from offray._warnings import ConvergenceWarning, IdentifiabilityWarning

_SHARE = 0.2

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, repr=False, eq=False)
class LawScore(Record):
    """How one law does on the runs.

    Attributes
    ----------
    fit : Fit
        Of all runs.
    AICc, BIC : float
        n ln(RSS / n) plus 2 K + 2 K (K + 1) / (n - K - 1), infinite where n <= K + 1; or plus K ln n; with K = p + 1 (the noise
        counts). Differences between laws matter, in one residual space only.
    leave_group_out : float
        Root mean square error of the runs of each group, predicted from all others.
    held_out : dict of str to float
        The same for the fifth of the runs with the largest compute 6 N D, with the largest N, and with the tokens per parameter
        furthest from the median, predicted from the rest; of other inputs with the largest of each. NaN where the rest is too
        little, or all runs are on one ray.
    """

    fit: Fit
    AICc: float
    BIC: float
    leave_group_out: float
    held_out: dict[str, float]

    def _brief(self) -> str:
        return f"{self.law.name}, RSS {self.rss:.5g}, AICc {self.AICc:.2f}"

    @property
    def law(self) -> Law:
        """The law."""
        return self.fit.law

    @property
    def rss(self) -> float:
        """Sum of squared residuals in the fitted space."""
        return float(self.fit.rss)

    @property
    def identifiability(self) -> Identifiability:
        """What the runs determine of this law."""
        return self.fit.identifiability


@dataclass(frozen=True, repr=False, eq=False)
class Comparison(Record, Drawn):
    """Laws on the same runs, the lowest AICc first; ``print`` shows the table.

    Attributes
    ----------
    scores : tuple of LawScore
    log_loss : bool
        Whether errors are of ln L.
    """

    scores: tuple[LawScore, ...]
    log_loss: bool

    def _brief(self) -> str:
        return ", ".join(score.law.name for score in self.scores)

    def __getitem__(self, law: str) -> LawScore:
        """The score of the law of this name."""
        for score in self.scores:
            if score.law.name == law:
                return score
        raise KeyError(law)

    def _sheet(self) -> Sheet:
        held_out = tuple(self.scores[0].held_out)
        head = ("law", "p", "RSS", "dAICc", "dBIC", "leave group out", *held_out, "kappa_2", "identified")
        least = min(s.AICc for s in self.scores), min(s.BIC for s in self.scores)
        rows = [
            (
                s.law.name,
                str(len(s.law.parameters)),
                f"{s.rss:.5g}",
                _difference(s.AICc, least[0]),
                _difference(s.BIC, least[1]),
                f"{s.leave_group_out:.4g}",
                *(f"{s.held_out[name]:.4g}" for name in held_out),
                f"{s.identifiability.kappa:.3g}",
                "yes" if s.identifiability.identified else ", ".join(s.identifiability.findings) or s.fit.status,
            )
            for s in self.scores
        ]
        space = "ln L" if self.log_loss else "L"
        note = f"Errors are root mean squares of {space}; held out: a fifth of the runs, predicted from the rest."
        return Sheet([], [head, *rows], [note])

    def __str__(self) -> str:
        return self._sheet().text()


def _difference(value: float, least: float) -> str:
    return f"{value - least:.2f}" if np.isfinite(value) else "inf"


def compare(
    N: Any = None,
    D: Any = None,
    loss: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    laws: str | Law | Iterable[str | Law] | None = None,
    unique_tokens: Any = None,
    weight: Any = None,
    params: str | None = None,
    tokens: str | None = None,
    log_loss: bool = False,
    group: Iterable[Any] | None = None,
    threads: int | None = None,
) -> Comparison:
    """Compare laws on the same runs: fit, information criteria, predictions of what was held out, identifiability.

    Least squares throughout, each fit its global optimum.

    Parameters
    ----------
    N, D, loss, inputs, unique_tokens, weight, params, tokens, log_loss
        As for `fit`: what any of the laws reads.
    laws : iterable of str or Law, optional
        Names, or formulas. Default: chinchilla, kaplan and droppo_elibol, and repeated_data where there are unique
        tokens.
    group : (n,) array_like, optional
        Labels for leaving groups out. Default: runs of one size N, or of one value of the first input, belong together.
    threads : int, optional
        Default: one per processor. The result does not depend on it.

    Raises
    ------
    ValueError
        For input that no fit can use, or an unknown law.

    Examples
    --------
    >>> import offray
    >>> comparison = offray.compare(offray.examples.pile(), laws=["chinchilla", "kaplan"])
    >>> comparison.scores[0].law.name
    'kaplan'
    """
    laws = [laws] if isinstance(laws, str | Law) else laws
    given = [any_law(law) for law in laws or ()]
    if laws is not None and not given:
        raise ValueError("laws is empty; name at least one")
    read = _Inputs(tuple(dict.fromkeys(name for law in given or [LAWS["chinchilla"]] for name in law.place)))
    columns = run_columns(read, N, D, loss, unique_tokens, weight, params, tokens, inputs or {})
    dtype = choose_dtype(None, *columns.values())
    named = ["chinchilla", "kaplan", "droppo_elibol"] + (["repeated_data"] if columns["unique_tokens"] is not None else [])
    chosen = given or [find_law(law) for law in named]
    arrays: dict[str, Any] = {key: None if value is None else np.asarray(value, dtype) for key, value in columns.items()}
    places = {LABELS.get(name, name): arrays[LABELS.get(name, name)] for name in read.place}
    first = next(iter(places.values()))
    # A law with more parameters than there are runs is left out, unless it is the only one.
    able = [law for law in chosen if len(law.parameters) <= len(first)] or chosen
    fits = [_fit(law, arrays, log_loss) for law in able]
    labels: npt.NDArray[Any] = first if group is None else np.array(dense(group, len(first)))
    groups = [labels == label for label in np.unique(labels)]
    scores = [_score(at, arrays, log_loss, groups, _held_out(places), threads) for at in fits]
    return Comparison(tuple(sorted(scores, key=lambda score: score.AICc)), log_loss)


class _Inputs(NamedTuple):
    """What several laws read together."""

    place: tuple[str, ...]

    @property
    def further(self) -> tuple[str, ...]:
        """Without N, D and unique tokens."""
        return tuple(name for name in self.place if name not in (*LABELS, "unique_tokens"))


def _held_out(places: Mapping[str, Array]) -> dict[str, Rows]:
    """The runs to predict from the rest, by what is special about them."""
    if not {"N", "D"} <= set(places):
        return {f"largest {name}": _top(x) for name, x in places.items()}
    size, seen = places["N"], places["D"]
    out = {"largest compute": _top(size * seen), "largest N": _top(size), "off-ray TPP": _top(_distance(seen / size))}
    if (seen / size).max() < _core.ONE_RAY * (seen / size).min():
        out["off-ray TPP"] = np.ones(len(size), bool)  # leaves nothing to predict from
    return out | {f"largest {name}": _top(x) for name, x in places.items() if name not in ("N", "D")}


def _given(law: Law, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a law reads, as `fit` takes them."""
    read = {LABELS.get(name, name) for name in law.place} | {"loss", "weight"}
    if law.reads("unique_tokens"):
        read.add("unique_tokens")
    plain = {key: value for key, value in columns.items() if key in read and key not in law.further and value is not None}
    return plain | ({"inputs": {name: columns[name] for name in law.further}} if law.further else {})


def _fit(law: Law, columns: dict[str, Any], log_loss: bool) -> Fit:
    with warnings.catch_warnings():  # the table says it
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        out: Fit = fit(**_given(law, columns), law=law, log_loss=log_loss)
    return out


def _distance(k: Array) -> Array:
    return np.abs(np.log(k / np.median(k)))


def _top(x: Array) -> Rows:
    """The fifth of the runs with the largest values; ties stay together."""
    rank = np.sort(x)[-max(1, round(_SHARE * len(x)))]
    return np.asarray(x >= rank * (1 - 1e-12))


def _score(
    at: Fit, columns: dict[str, Any], log_loss: bool, groups: list[Rows], held_out: dict[str, Rows], threads: int | None
) -> LawScore:
    n, p = len(at.residuals), len(at.law.parameters)
    K = p + 1
    fitted = n * np.log(float(at.rss) / n) if at.rss > 0 else -np.inf
    AICc = fitted + 2 * K + 2 * K * (K + 1) / (n - K - 1) if n > K + 1 else np.inf
    splits = [*groups, *held_out.values()]
    squares = _squares(at.law, columns, log_loss, splits, threads)
    out = {name: float(np.sqrt(s.mean())) for name, s in zip(held_out, squares[len(groups) :], strict=True)}
    left = float(np.sqrt(np.concatenate(squares[: len(groups)]).mean()))
    return LawScore(at, float(AICc), float(fitted + K * np.log(n)), left, out)


def _squares(law: Law, columns: dict[str, Any], log_loss: bool, splits: list[Rows], threads: int | None) -> list[Array]:
    """Squared errors of the runs of each split, predicted from the others; NaN where those are fewer than the parameters."""
    usable = [rows for rows in splits if (~rows).sum() >= len(law.parameters)]
    given = _given(law, columns)
    further = given.pop("inputs", {})
    kept: dict[str, Any] = {key: [value[~rows] for rows in usable] for key, value in given.items()}
    inputs = {name: [value[~rows] for rows in usable] for name, value in further.items()}
    thetas = iter(fit_many(**kept, inputs=inputs, law=law, log_loss=log_loss, threads=threads).theta if usable else ())
    names = (*law.place, *(["unique_tokens"] if law.built_in and "unique_tokens" in given else []))
    place = [columns[LABELS.get(name, name)] for name in names]
    out = []
    for rows in splits:
        if (~rows).sum() < len(law.parameters):
            out.append(np.full(rows.sum(), np.nan))
            continue
        predicted, seen = law(tuple(x[rows] for x in place), *next(thetas)), columns["loss"][rows]
        out.append((np.log(predicted / seen) if log_loss else predicted - seen) ** 2)
    return out
