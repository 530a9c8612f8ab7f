# SPDX-License-Identifier: Apache-2.0
"""Formulas that are known by name."""

FORMULAS = {
    "power": "E + A*x**-alpha",
    "outer_exponent": "E + (A*N**-alpha + B*D**-beta)**q",
    "logistic": "low + (high - low)/(1 + exp(-slope*(x - middle)))",
}
"""``power``: one input, such as compute or steps. ``outer_exponent``: a power of the sum. ``logistic``: a metric between two
asymptotes as a function of a loss or of a logarithm, rising or falling."""
