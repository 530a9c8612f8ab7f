# SPDX-License-Identifier: Apache-2.0
"""The words that options take, once: for type checkers, and for what is checked when a call is made."""

from __future__ import annotations

from typing import Literal, TypeAlias

Objective: TypeAlias = Literal["squares", "huber", "soft_l1", "cauchy", "absolute", "quantile"]
Identify: TypeAlias = Literal["auto", "force"]
Covariance: TypeAlias = Literal["classical", "sandwich"]
Method: TypeAlias = Literal["delta", "sandwich", "profile", "bootstrap"]
"""Of intervals of predictions and of compute-optimal points."""
IntervalMethod: TypeAlias = Literal["auto", "delta", "sandwich", "profile", "bootstrap"]
"""Of intervals of parameters."""
ChainMethod: TypeAlias = Literal["delta", "bootstrap"]
Resampling: TypeAlias = Literal["pairs", "residual", "wild"]
Criterion: TypeAlias = Literal["I", "D"]
LossUnit: TypeAlias = Literal["nats", "bits", "perplexity"]
Decimal: TypeAlias = Literal[".", ","]
