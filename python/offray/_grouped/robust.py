# SPDX-License-Identifier: Apache-2.0
"""Smooth objectives of groups: slopes and curvatures of rho, and what their residuals say of the noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from offray._input.arrays import Array

SMOOTH = ("squares", "huber", "soft_l1", "cauchy")
"""The objectives that have a curvature."""

_LEAST = 1e-3
"""Of rho'' in units of psi(r) / r: what a residual beyond the bend of rho counts at least, so that steps stay downhill."""


class Rho(NamedTuple):
    """An objective and its scale."""

    objective: str
    delta: float

    def slope(self, r: Array) -> Array:
        """psi = rho'."""
        return r * self.majorizer(r)

    def majorizer(self, r: Array) -> Array:
        """psi(r) / r, the curvature of the parabola above rho that touches it at r."""
        z = r / self.delta
        if self.objective == "huber":
            return np.asarray(1 / np.maximum(np.abs(z), 1))
        if self.objective == "soft_l1":
            return np.asarray(1 / np.hypot(1, z))
        return np.asarray(1 / (1 + z * z)) if self.objective == "cauchy" else np.ones_like(r)

    def curvature(self, r: Array) -> Array:
        """rho'', but never less than a thousandth of psi(r) / r."""
        z, above = r / self.delta, self.majorizer(r)
        if self.objective == "huber":
            out = (np.abs(z) <= 1) * 1.0
        elif self.objective == "soft_l1":
            out = above**3
        else:
            out = (1 - z * z) * above**2 if self.objective == "cauchy" else above
        return np.asarray(np.maximum(out, _LEAST * above))


class Noise(NamedTuple):
    """What residuals say: the variance that (J'WJ)^-1 scales with, and the standard deviation of a new run."""

    variance: float
    sd: float


def noise(rho: Rho, r: Array, weight: Array, degrees: int) -> Noise:
    """As of a single fit: s^2 = RSS / (n - p) for squares, else the mean square of psi over the square of its mean slope in a
    window of the residuals' size (Huber 1981, ch. 7)."""
    if degrees <= 0:
        return Noise(np.inf, np.inf)
    w = weight if weight.size else np.ones_like(r)
    if rho.objective == "squares":
        variance = float(w @ r**2) / degrees
        return Noise(variance, float(np.sqrt(variance)))
    n = len(r)
    h = 1.06 * 1.4826 * float(np.median(np.abs(r))) * n**-0.2
    alike = r * np.sqrt(w)
    sd = 1.4826 * float(np.median(np.abs(alike - np.median(alike)))) * float(np.sqrt(n / degrees))
    if not h > 0:
        return Noise(0.0, sd)
    slope = float(w @ (rho.slope(r + h) - rho.slope(r - h))) / (2 * h) / float(w.sum())
    score = float(w @ rho.slope(r) ** 2) / degrees
    return Noise(score / slope**2 if slope > 0 else np.inf, sd)
