# SPDX-License-Identifier: Apache-2.0
"""The experiment of Kricheli et al. 2026, arXiv:2605.08541, in simulation.

Its designs are as printed there. Its token counts off the fan, its noise and its parameters per corpus are not public; what
stands in for them here: a log-spaced grid of 12 token counts, `Setup.sigma`, and five published Chinchilla fits. An epoch count
scales all token counts to their effective number, which each law absorbs, so the three laws are refitted to three independent
data sets per corpus and seed; the repeated-data law is fitted to all three epoch counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from offray.experiment._arguments import count, positive
from offray.experiment._compare import Simulated, blocks
from offray.experiment._corpus import Corpus, as_law, published
from offray.experiment._design import Design
from offray.experiment._excess import Excess, TrainingMean

SIZES = np.geomspace(5.04e6, 76.5e6, 14)
FAN = (1, 1.5, 1.9, 2, 2.5, 2.7, 3, 3.3, 3.5, 4, 4.5, 5)
HELD_OUT_RAYS = (6, 6.2, 6.5, 6.7, 7)
HIGH_FAN = tuple(np.linspace(10, 15, 12).tolist())
EPOCHS = (1, 2, 3)
PLAIN_LAWS = ("chinchilla", "kaplan", "droppo_elibol")


@dataclass(frozen=True)
class Setup:
    """What the paper leaves open.

    Attributes
    ----------
    seeds : int
        Data sets per corpus, law and epoch count.
    sigma : float
        Noise of a loss, nats per token.
    grid_tokens : (float, float)
        Range of the grid's 12 token counts.
    held_out_tokens : (float, float)
        Range of the 3 token counts of the grid that are held out.
    corpora : tuple of Corpus
        Chinchilla truths with noise of their own. Default: five published fits, with noise `sigma`.
    """

    seeds: int = 30
    sigma: float = 0.005
    grid_tokens: tuple[float, float] = (5.04e6, 3e8)
    held_out_tokens: tuple[float, float] = (3.3e8, 4.01e8)
    corpora: tuple[Corpus, ...] = ()

    def __post_init__(self) -> None:
        count("seeds", self.seeds)
        if not 0 < self.sigma < np.inf:
            raise ValueError(f"sigma must be positive and finite; got {self.sigma}")
        for name in ("grid_tokens", "held_out_tokens"):
            ends = positive(name, getattr(self, name))
            if len(ends) != 2 or not ends[0] < ends[1]:
                raise ValueError(f"{name} must be a range, the smaller first; got {getattr(self, name)}")
        if not self.corpora:
            object.__setattr__(self, "corpora", published(self.sigma))
        for corpus in self.corpora:
            if corpus.law != "chinchilla":
                raise ValueError(f"corpora: {corpus.name!r} has the law {corpus.law}; they have to be Chinchilla's")

    @property
    def collinear(self) -> Design:
        """The fan CO: 14 sizes on 12 rays."""
        return Design.fan(FAN, SIZES)

    @property
    def spread(self) -> Design:
        """The grid NC: 14 sizes x 12 token counts."""
        return Design.grid(SIZES, np.geomspace(*self.grid_tokens, 12))

    @property
    def held_out(self) -> dict[str, Design]:
        """H_col, five rays above the fan, and H_nc, more tokens than the grid."""
        return {
            "H_col": Design.fan(HELD_OUT_RAYS, SIZES),
            "H_nc": Design.grid(SIZES, np.geomspace(*self.held_out_tokens, 3)),
        }


Scenario = Callable[[Setup], list[Simulated]]


def each_law_true(setup: Setup) -> list[Simulated]:
    """Every law fitted to losses that follow it: 5 corpora x seeds x (3 laws x 3 epoch counts + repeated data)."""
    everywhere = sum(setup.held_out.values(), setup.collinear + setup.spread)
    plain = [as_law(corpus, law, everywhere) for corpus in setup.corpora for law in PLAIN_LAWS]
    return _plain(setup, _epochs(plain), None) + _repeated(setup, setup.corpora)


def chinchilla_true(setup: Setup) -> list[Simulated]:
    """Losses that follow the Chinchilla law, to which Kaplan's is fitted too, which lacks the floor E."""
    return _plain(setup, _epochs(setup.corpora), PLAIN_LAWS) + _repeated(setup, setup.corpora)


def off_the_law(excess: Excess) -> Scenario:
    """As `chinchilla_true`, but short runs lie above the law, or losses are means over training."""

    def scenario(setup: Setup) -> list[Simulated]:
        corpora = [replace(corpus, name=f"{corpus.name}, {excess}", excess=excess) for corpus in setup.corpora]
        return _plain(setup, _epochs(corpora), PLAIN_LAWS) + _repeated(setup, corpora)

    return scenario


def training_mean(start: float, grid_tokens: tuple[float, float]) -> Scenario:
    """Losses that are means over training, one epoch, with these token counts of the grid; the three laws of N and D fitted."""

    def scenario(setup: Setup) -> list[Simulated]:
        mean = TrainingMean(start)
        corpora = [replace(corpus, name=f"{corpus.name}, {mean}", excess=mean) for corpus in setup.corpora]
        return _plain(replace(setup, grid_tokens=grid_tokens), corpora, PLAIN_LAWS)

    return scenario


def single_ray(setup: Setup) -> list[Simulated]:
    """The whole fan on its middle ray, as many runs as the grid; every law true, one epoch."""
    return _one_epoch(setup, {"ray": Design.ray(2.5, SIZES).repeated(12), "NC": setup.spread}, setup.held_out)


def high_fan(setup: Setup) -> list[Simulated]:
    """A fan at 10 to 15 tokens per parameter, judged on five rays that lie above it as the others above the first fan."""
    above = {"rays": Design.fan([3 * k for k in HELD_OUT_RAYS], SIZES)}
    return _one_epoch(setup, {"high fan": Design.fan(HIGH_FAN, SIZES), "NC": setup.spread}, above)


def high_fan_same_runs(setup: Setup) -> list[Simulated]:
    """The same fan, judged on the same runs as the others."""
    return _one_epoch(setup, {"high fan": Design.fan(HIGH_FAN, SIZES), "NC": setup.spread}, setup.held_out)


def precision(name: str) -> Scenario:
    """Every law true, one epoch, in another precision."""

    def scenario(setup: Setup) -> list[Simulated]:
        return _one_epoch(setup, {"CO": setup.collinear, "NC": setup.spread}, setup.held_out, name)

    return scenario


def _epochs(corpora: Sequence[Corpus]) -> list[Corpus]:
    return [replace(corpus, name=f"{corpus.name}, {e} epochs", epochs=e) for corpus in corpora for e in EPOCHS]


def _plain(setup: Setup, corpora: Sequence[Corpus], laws: Sequence[str] | None) -> list[Simulated]:
    return blocks({"CO": setup.collinear, "NC": setup.spread}, corpora, setup.held_out, laws, seeds=setup.seeds)


def _repeated(setup: Setup, corpora: Sequence[Corpus]) -> list[Simulated]:
    designs = {"CO": setup.collinear.over_epochs(EPOCHS), "NC": setup.spread.over_epochs(EPOCHS)}
    held_out = {name: design.over_epochs(EPOCHS) for name, design in setup.held_out.items()}
    truths = [as_law(corpus, "repeated_data", setup.collinear) for corpus in corpora]
    return blocks(designs, truths, held_out, seeds=setup.seeds)


def _one_epoch(
    setup: Setup, designs: dict[str, Design], held_out: dict[str, Design], precision: str = "double"
) -> list[Simulated]:
    everywhere = sum(setup.held_out.values(), setup.collinear + setup.spread)
    corpora = [as_law(corpus, law, everywhere) for corpus in setup.corpora for law in PLAIN_LAWS]
    return blocks(designs, corpora, held_out, precisions=(precision,), seeds=setup.seeds)
