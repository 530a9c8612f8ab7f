# SPDX-License-Identifier: Apache-2.0
"""A metric through a predicted loss."""

import warnings

import numpy as np
import offray
import pytest
from truths import HOFFMANN, simulated

TARGET = (3e9, 3e11)


def accuracy(loss):
    return 0.25 + 0.6 / (1 + np.exp(3 * (loss - 2.6)))


def stages(seed=0, sigma=0.01):
    N, D, loss, _ = simulated("chinchilla", "spread", seed=seed)
    noise = sigma * np.random.default_rng(seed + 1000).normal(size=len(N))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = offray.fit(N, D, loss)
        second = offray.fit(inputs={"x": loss}, loss=accuracy(loss) + noise, law="logistic")
    return offray.chain(first, second)


def test_value_and_both_intervals():
    chain = stages()
    truth = accuracy(offray.laws.chinchilla(TARGET, *HOFFMANN))
    delta = chain.predict(*TARGET)
    bootstrap = chain.predict(*TARGET, method="bootstrap", n=300, seed=1)
    assert delta.value == chain.metric.law(chain.loss.predict(*TARGET).value, *chain.metric.theta)
    assert abs(delta.value - truth) < 4 * delta.se
    width = np.diff(bootstrap.interval) / np.diff(delta.interval)
    assert 0.4 < float(width[0]) < 2.5
    several = chain.predict([1e9, 3e9], [1e11, 3e11])
    assert several.interval.shape == (2, 2)
    assert several.value[1] == delta.value


def test_intervals_cover():
    truth = accuracy(offray.laws.chinchilla(TARGET, *HOFFMANN))
    inside = 0
    for seed in range(100):
        low, high = stages(seed).predict(*TARGET).interval
        inside += low <= truth <= high
    assert inside >= 87


def test_what_is_no_chain():
    chain = stages()
    with pytest.raises(ValueError, match="a law of one input, the loss; chinchilla reads params, tokens"):
        offray.chain(chain.metric, chain.loss)
    with pytest.raises(ValueError, match="method must be 'delta' or 'bootstrap'"):
        chain.predict(*TARGET, method="profile")
    few = offray.fit(inputs={"x": np.linspace(2, 4, 9)}, loss=accuracy(np.linspace(2, 4, 9)), law="logistic")
    with pytest.raises(ValueError, match="36 runs and 9 are not the same runs"):
        offray.chain(chain.loss, few).predict(*TARGET, method="bootstrap")
