# SPDX-License-Identifier: Apache-2.0
"""One isoFLOP curve."""

from __future__ import annotations

from dataclasses import dataclass

from offray._input.arrays import Array
from offray._travel.record import Record


@dataclass(frozen=True, repr=False, eq=False)
class Parabola(Record):
    """One isoFLOP curve: L = L* + h (ln N - ln N*)^2.

    Attributes
    ----------
    C : float
        Geometric mean of the runs' compute.
    runs : int
    N, D : float
        The minimum, N* and the D* of that compute. NaN where the parabola opens downwards.
    interval : (2,) ndarray
        Of N*, delta method on ln N*, Student's t. Of three runs, which leave nothing over, with the noise of the fitted law.
    loss : float
    curvature : float
        h.
    law_N, law_D : float
        N* and D* of the fitted law at this budget.
    bias : float
        ln of what the same parabola makes of the fitted law's own losses at these sizes, over `law_N`: its own bias.
    """

    C: float
    runs: int
    N: float
    D: float
    interval: Array
    loss: float
    curvature: float
    law_N: float  # noqa: N815 - the symbols of the field
    law_D: float  # noqa: N815
    bias: float

    def _brief(self) -> str:
        return f"C {self.C:.3g}, {self.runs} runs, N* {self.N:.4g}"
