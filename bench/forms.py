# SPDX-License-Identifier: Apache-2.0
"""One fitting problem in the parameters that another engine may be given: natural ones, or centred ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Form:
    """What an engine that takes a residual needs, in parameters p of its own."""

    name: str
    value: Callable  # p -> (n,)
    jacobian: Callable  # p -> (n, p)
    observed: np.ndarray
    point: np.ndarray  # where to start
    natural: Callable  # p -> theta

    def residual(self, p):
        return self.value(p) - self.observed


class PlainChinchilla:
    """Value and Jacobian as a careful user of scipy writes them: logarithms once, exponentials shared by the two."""

    def __init__(self, log_N, log_D):
        self.log_N, self.log_D = log_N, log_D
        self.exponents = None

    def powers(self, t):
        # The Jacobian is wanted where the value has just been computed.
        if self.exponents != (t[3], t[4]):
            self.exponents = (t[3], t[4])
            self.last = np.exp(-t[3] * self.log_N), np.exp(-t[4] * self.log_D)
        return self.last

    def value(self, t):
        f, g = self.powers(t)
        return t[0] + t[1] * f + t[2] * g

    def jacobian(self, t):
        f, g = self.powers(t)
        J = np.empty((f.size, 5), order="F")
        J[:, 0] = 1
        J[:, 1] = f
        J[:, 2] = g
        J[:, 3] = -t[1] * f * self.log_N
        J[:, 4] = -t[2] * g * self.log_D
        return J


def plain_law(law, x):
    """Value and Jacobian of p; Chinchilla in numpy, the others by offray's own law objects."""
    if law.name == "chinchilla":
        plain = PlainChinchilla(np.log(x[0]), np.log(x[1]))
        return plain.value, plain.jacobian
    return lambda t: law(x, *t), lambda t: law.jacobian(x, *t)


def unit_shift(law, theta, log_N0, log_D0):
    """ln theta - ln theta', for theta' the same law with N counted in units of N0 and D in units of D0."""
    shift = np.zeros(len(theta))
    index = {name: k for k, name in enumerate(law.parameters)}
    if "A" in index:
        shift[index["A"]] = theta[index["alpha"]] * log_N0
        shift[index["B"]] = theta[index["beta"]] * log_D0
    else:
        first = 1 if "L_inf" in index else 0
        shift[first] = log_N0
        shift[first + 1] = log_D0
    return shift


def raw_form(law, x, loss, theta):
    """Natural parameters."""
    return Form("raw", *plain_law(law, x), loss, theta, np.asarray)


def centred_form(law, x, loss, theta):
    """Natural parameters, with N and D in units of their geometric means."""
    log_N0, log_D0 = (np.log(a).mean() for a in x[:2])
    value, jacobian = plain_law(law, (x[0] / np.exp(log_N0), *(a / np.exp(log_D0) for a in x[1:])))
    start = theta * np.exp(-unit_shift(law, theta, log_N0, log_D0))
    return Form("centred", value, jacobian, loss, start, lambda p: p * np.exp(unit_shift(law, p, log_N0, log_D0)))


def centred_logs_form(law, x, loss, theta):
    """Logarithms of the centred parameters."""
    form = centred_form(law, x, loss, theta)

    def jacobian(p):
        t = np.exp(p)
        return form.jacobian(t) * t

    return Form(
        "centred logs",
        lambda p: form.value(np.exp(p)),
        jacobian,
        loss,
        np.log(form.point),
        lambda p: form.natural(np.exp(p)),
    )


def in_logarithms(form):
    """The same form for ln L."""

    def jacobian(p):
        return form.jacobian(p) / form.value(p)[:, None]

    return replace(form, value=lambda p: np.log(form.value(p)), jacobian=jacobian, observed=np.log(form.observed))


FORMS = {"raw": raw_form, "centred": centred_form, "centred logs": centred_logs_form}
