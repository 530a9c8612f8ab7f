# SPDX-License-Identifier: Apache-2.0
"""Where simulated losses come from."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from offray import IdentifiabilityWarning, Law, fit, laws
from offray.experiment._design import Design
from offray.experiment._excess import Excess

Array = npt.NDArray[Any]

R_D = 15.387756
"""Decay of the value of repeated tokens, Muennighoff et al. 2023, arXiv:2305.16264."""
R_N = 5.309743


@dataclass(frozen=True)
class Corpus:
    """A true law with its parameters, and the noise of losses measured on it.

    Attributes
    ----------
    name : str
        With `seed` it fixes the noise: give every independent source its own.
    law : str
    theta : tuple of float
        In the order of ``offray.laws.<law>.parameters``.
    sigma : float
        Standard deviation of a loss, nats per token.
    excess : ShortRunExcess, TrainingMean or None
        Misspecification: no law follows it.
    epochs : float
        Each of D / epochs distinct tokens is seen so often, which is worth fewer tokens (`effective_tokens`).
    """

    name: str
    law: str
    theta: tuple[float, ...]
    sigma: float = 0.005
    excess: Excess | None = None
    epochs: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name: {self.name!r} is not text")
        parameters = self._law.parameters
        theta = tuple(float(x) for x in self.theta)
        if len(theta) != len(parameters):
            raise ValueError(f"theta must give {', '.join(parameters)}; got {len(theta)} numbers")
        for name, value in zip(parameters, theta, strict=True):
            if not 0 < value < np.inf:
                raise ValueError(f"theta: {name} = {value} must be positive and finite")
        if not 0 <= self.sigma < np.inf:
            raise ValueError(f"sigma must be finite and not negative; got {self.sigma}")
        if not 1 <= self.epochs < np.inf:
            raise ValueError(f"epochs must be at least 1; got {self.epochs}")
        for name, normal in (("theta", theta), ("sigma", float(self.sigma)), ("epochs", float(self.epochs))):
            object.__setattr__(self, name, normal)

    @property
    def _law(self) -> Law:
        if self.law not in dir(laws):
            raise ValueError(f"unknown law {self.law!r}; known laws: {', '.join(dir(laws))}")
        return getattr(laws, self.law)  # type: ignore[no-any-return]

    def effective_tokens(self, D: Array) -> Array:
        """D' = D / e (1 + R_D (1 - exp(-(e - 1) / R_D))) for e epochs: at one e a factor, which every law absorbs."""
        return np.asarray(D / self.epochs * (1 - R_D * np.expm1(-(self.epochs - 1) / R_D)))

    def seen(self, design: Design) -> tuple[Array, ...]:
        """What the true law is called with."""
        N, D, *unique = design.columns
        return (N, self.effective_tokens(D), *unique)

    def truth(self, design: Design) -> Array:
        """Losses without noise, (n,)."""

        def at(share: float) -> Array:
            N, D, *unique = design.columns
            return np.asarray(self._law((N, self.effective_tokens(share * D), *unique), *self.theta), float)

        return at(1.0) if self.excess is None else self.excess.measured(at, design.D)

    def losses(self, design: Design, seed: int, part: str) -> Array:
        """Noisy losses, (n,): the same numbers for the same corpus name, seed and part, whatever else is drawn."""
        words = np.frombuffer(hashlib.sha256(repr((self.name, seed, part)).encode()).digest(), np.uint32)
        loss = self.truth(design) + self.sigma * np.random.default_rng(words).standard_normal(len(design))
        for row in np.flatnonzero(~(loss > 0)):
            raise ValueError(
                f"sigma = {self.sigma} is too large for corpus {self.name!r}: seed {seed} has a loss of {loss[row]:.3g}"
            )
        return np.asarray(loss)


_NAMES = {
    "massivetext (Hoffmann et al. 2022)": "Hoffmann et al. 2022",
    "massivetext (Besiroglu et al. 2024)": "Besiroglu et al. 2024",
    "fineweb-edu (Brandfonbrener et al. 2024)": "Brandfonbrener et al. 2024, fineweb-edu",
    "slimpajama (Brandfonbrener et al. 2024)": "Brandfonbrener et al. 2024, slimpajama",
    "starcoder (Brandfonbrener et al. 2024)": "Brandfonbrener et al. 2024, starcoder",
}
_LAW = "chinchilla"
_FITS: dict[str, tuple[float, ...]] = getattr(laws, _LAW).published
PUBLISHED = {name: _FITS[source] for name, source in _NAMES.items()}
"""Published Chinchilla fits (E, A, B, alpha, beta): arXiv:2203.15556, 2404.10102, 2411.12925."""


def published(sigma: float = 0.005) -> tuple[Corpus, ...]:
    """Five corpora with published Chinchilla parameters."""
    return tuple(Corpus(name, "chinchilla", theta, sigma) for name, theta in PUBLISHED.items())


def as_law(corpus: Corpus, law: str, design: Design) -> Corpus:
    """The corpus with its truth replaced by the nearest member of another law: its least squares fit on the runs of `design`.

    For "repeated_data" a Chinchilla truth is taken over as it is, with the published decay of repeated tokens.
    """
    if law == corpus.law:
        return corpus
    name = f"{corpus.name}, {law}"
    if law == "repeated_data":
        return replace(corpus, name=name, law=law, theta=(*corpus.theta, R_N, R_D))
    N, D, *_ = corpus.seen(design)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)  # another law does not follow this one: that is the point
        nearest = fit(N, D, replace(corpus, excess=None).truth(design), law=law)
    if not nearest.converged:
        raise ValueError(f"law: {law} has no nearest member on these runs: {nearest.status}, {nearest.message}")
    return replace(corpus, name=name, law=law, theta=tuple(nearest.theta.tolist()))
