# SPDX-License-Identifier: Apache-2.0
"""What every engine is asked to solve."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from forms import FORMS, in_logarithms

START = np.array([1.69, 406.4, 410.7, 0.34, 0.28])  # Hoffmann et al. 2022, the values everyone has at hand
TOLERANCE = 1e-10  # relative, of every engine that takes one


@dataclass(frozen=True)
class Problem:
    """Squares on the loss, or Huber's function of the log loss where `delta` is given."""

    law: object
    x: tuple
    loss: np.ndarray
    start: np.ndarray
    delta: float | None = None
    least: float = np.nan  # the objective at the optimum, for engines whose tolerance is absolute

    def form(self, name):
        form = FORMS[name](self.law, self.x, self.loss, self.start)
        return form if self.delta is None else in_logarithms(form)

    def objective(self, theta):
        value = self.law(self.x, *theta)
        if self.delta is None:
            return 0.5 * np.sum((value - self.loss) ** 2)
        return np.sum(huber(np.log(value) - np.log(self.loss), self.delta))

    def resampled(self, rows):
        return replace(self, x=tuple(a[rows] for a in self.x), loss=self.loss[rows])


def huber(r, delta):
    size = np.abs(r)
    return np.where(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta))
