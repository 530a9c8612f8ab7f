# SPDX-License-Identifier: Apache-2.0
"""What a page needs to work out predictions, and what one more run would change of them."""

from __future__ import annotations

import warnings
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import offray
from offray.report._answer import FLOPS_PER_TOKEN

Array = npt.NDArray[Any]
_STEPS = 36
_BELOW, _ABOVE = 3.0, 100.0
_SAME = 0.02
"""How close kappa as worked out here must be to that of the fit to be shown."""
_UNSEEN = 1e-3
"""Share of the largest singular value."""


@dataclass(frozen=True)
class _Law:
    """A law with its parameters, and how well they are known.

    Attributes
    ----------
    name : str
        Whose parameters: "fitted", or a published fit where the runs determine none.
    theta : (p,) ndarray
    factor : (p, r) ndarray
        F with F F' = covariance / s^2.
    columns : (p, m) ndarray
        From derivatives by theta to the columns that kappa_2 is of.
    """

    name: str
    theta: Array
    factor: Array
    columns: Array


def explorer(fit: offray.Fit) -> dict[str, Any] | None:
    """Loss, whitened gradients and Jacobian columns over the (N, D) plane; None where there is nothing to work out.

    The standard deviation of a predicted loss is s |u| with u = F' g / s; one more run at a place with u0 leaves
    |u|^2 - (u u0)^2 / (1 + |u0|^2).
    """
    problem = fit.problem
    if set(problem.columns) - {"unique_tokens"} != {"params", "tokens"} or not np.isfinite(fit.noise_sd):
        return None
    if fit.law.on_one_ray:  # it says nothing of the rest of the plane
        return None
    law = _known(fit) or _assumed(fit)
    if law is None:
        return None
    N, D = (np.asarray(problem.columns[name], float) for name in ("params", "tokens"))
    ends = [(float(x.min()) / _BELOW, float(x.max()) * _ABOVE) for x in (N, D)]
    n, d = np.meshgrid(np.geomspace(*ends[0], _STEPS), np.geomspace(*ends[1], _STEPS))
    loss = fit.law((n, d), *law.theta)
    J, at_runs = (fit.law.jacobian(x, *law.theta) for x in ((n, d), _inputs(fit)))
    if fit.log_loss:
        J, at_runs = J / loss[..., None], at_runs / fit.law(_inputs(fit), *law.theta)[:, None]
    if not np.isfinite(J).all() or not (loss > 0).all():
        return None
    shown = fit.reduced or fit
    weight = np.sqrt(problem.weight)[:, None] if problem.weight.size else 1.0
    gram = (weight * at_runs) @ law.columns
    k = D / N
    on_ray = law.name != "fitted" and "one_ray" in fit.identifiability.findings
    return {
        "law": law.name,
        "log": fit.log_loss,
        "N": [float(np.log(x)) for x in ends[0]],
        "D": [float(np.log(x)) for x in ends[1]],
        "steps": _STEPS,
        "parts": law.factor.shape[1],
        "columns": law.columns.shape[1],
        "loss": _packed(np.log(loss)),
        "u": _packed(J @ law.factor),
        "c": _packed(J @ law.columns),
        "gram": _packed(gram.T @ gram),
        "kappa": _is_that_of_the_fit(fit, law, gram),
        "s": float(shown.noise_sd),
        "t": _student_t(fit),
        "model": _model(fit),
        "runs": [[float(x), float(y)] for x, y in zip(N, D, strict=True)],
        "largest": FLOPS_PER_TOKEN * float((N * D).max()),
        "ray": [float(k.min()), float(k.max())] if on_ray else None,
        "along": _along(fit, ends[0], float(np.sqrt(k.min() * k.max()))) if on_ray else None,
    }


def _inputs(fit: offray.Fit) -> tuple[Array, ...]:
    return tuple(fit.problem.columns[name] for name in ("params", "tokens", "unique_tokens") if name in fit.problem.columns)


def _known(fit: offray.Fit) -> _Law | None:
    """The fitted law, where every parameter has a standard error."""
    if fit.reduced is not None or not np.isfinite(fit.cov).all() or fit.degrees_of_freedom < 1:
        return None
    theta = np.asarray(fit.theta, float)
    columns = _columns(fit, theta)
    unit = np.where(theta != 0, np.abs(theta), 1.0)
    values, vectors = np.linalg.eigh(np.asarray(fit.cov, float) / np.outer(unit, unit))
    factor = unit[:, None] * vectors * np.sqrt(np.maximum(values, 0)) / float(fit.noise_sd)
    return _Law("fitted", theta, factor, columns)


def _assumed(fit: offray.Fit) -> _Law | None:
    """A published fit, with the covariance that the runs would have under it: for what one more run would bring."""
    if not fit.law.published or fit.problem.limits is not None:
        return None
    name, values = next(iter(fit.law.published.items()))
    theta = np.asarray(values, float)
    columns = _columns(fit, theta)
    J = fit.law.jacobian(_inputs(fit), *theta)
    if fit.log_loss:
        J = J / fit.law(_inputs(fit), *theta)[:, None]
    seen, J = J, J @ columns
    size = np.maximum(np.linalg.norm(J, axis=0), _UNSEEN * np.linalg.norm(seen, axis=0))
    _, singular, V = np.linalg.svd(J / size, full_matrices=False)
    if len(singular) < len(theta):
        return None
    # Directions that the runs do not see are bounded: the page works in single precision between points of a grid.
    singular = np.maximum(singular, _UNSEEN * singular[0])
    return _Law(name, theta, columns / size @ (V.T / singular), columns)


def _columns(fit: offray.Fit, theta: Array) -> Array:
    """From derivatives by theta to free columns with N and D in units of their geometric means, tied parameters as one."""
    law, limits = fit.law, fit.problem.limits
    names = law.parameters
    out = np.eye(len(names))
    for axis, column in (("N", "params"), ("D", "tokens")):
        middle = float(np.log(np.asarray(fit.problem.columns[column], float)).mean())
        for coefficient in law.named("coefficient", axis=axis):
            for exponent in law.named("exponent", axis=axis):
                row = names.index(coefficient)
                out[row, names.index(exponent)] = theta[row] * middle
    if limits is None:
        return out
    for first, second in limits.tied:
        out[:, names.index(first)] += out[:, names.index(second)]
    gone = {*limits.fixed, *(second for _, second in limits.tied)}
    return out[:, [k for k, name in enumerate(names) if name not in gone]]


def _is_that_of_the_fit(fit: offray.Fit, law: _Law, jacobian: Array) -> bool:
    """Whether kappa_2 as the page works it out is that of the fit."""
    kappa = float(offray.condition(jacobian).kappa)
    return law.name != "fitted" or bool(abs(np.log(kappa / float(fit.conditioning.kappa))) < _SAME)


def _student_t(fit: offray.Fit) -> float:
    """Half-width of a 95 % interval in standard errors; the narrowest of the runs', since rival optima widen some."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        at = fit.predict(fit.problem.N, fit.problem.D)
    return float((np.abs(at.statistical - at.value[:, None]) / at.se[:, None]).min())


def _model(fit: offray.Fit) -> float:
    """Half-width for the law's own error, as a share of the loss, for every factor e of compute beyond the largest run."""
    N, D = (np.asarray(fit.problem.columns[name], float) for name in ("params", "tokens"))
    largest = int(np.argmax(N * D))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        try:
            at = fit.predict(np.e * N[largest], np.e * D[largest])
        except offray.NotIdentifiedError:
            return 0.0
    return float(at.model / at.value / 2)


def _along(fit: offray.Fit, sizes: tuple[float, float], k: float) -> dict[str, str]:
    """The loss on a ray and its standard error, over ln N."""
    N = np.geomspace(*sizes, _STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        at = fit.predict(N, k * N)
    return {"loss": _packed(np.log(at.value)), "se": _packed(np.log(at.se))}


def _packed(values: Array) -> str:
    """Single precision, little-endian, in base 64."""
    return b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")
