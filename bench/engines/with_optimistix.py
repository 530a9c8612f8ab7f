# SPDX-License-Identifier: Apache-2.0
"""optimistix: its solvers compiled by JAX, which differentiates by itself."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import optimistix
from problem import TOLERANCE

from engines.engine import Engine

jax.config.update("jax_enable_x64", True)
SOLVERS = {
    "LM": optimistix.LevenbergMarquardt(TOLERANCE, TOLERANCE),
    # Its fastest, undamped and by the normal equations: good where the start is.
    "Gauss-Newton": optimistix.GaussNewton(TOLERANCE, TOLERANCE, linear_solver=lineax.Normal(lineax.Cholesky())),
}


def residual(p, data, logs):
    E, A, B, alpha, beta = jnp.exp(p) if logs else p
    log_N, log_D, loss = data
    return E + A * jnp.exp(-alpha * log_N) + B * jnp.exp(-beta * log_D) - loss


def minimise(point, data, solver, logs):
    solution = optimistix.least_squares(
        partial(residual, logs=logs), SOLVERS[solver], point, args=data, max_steps=1000, throw=False
    )
    return solution.value, solution.stats["num_steps"]


ONE = jax.jit(minimise, static_argnums=(2, 3))
MANY = jax.jit(jax.vmap(minimise, in_axes=(0, 0, None, None)), static_argnums=(2, 3))


def arrays(problem, form):
    log_N, log_D = np.log(problem.x[0]), np.log(problem.x[1])
    if form.name != "raw":
        log_N, log_D = log_N - log_N.mean(), log_D - log_D.mean()
    return np.stack([log_N, log_D, problem.loss])


def prepare(problem, form, solver):
    point, data = jnp.array(form.point), jnp.array(arrays(problem, form))
    return lambda: jax.block_until_ready(ONE(point, data, solver, form.name == "centred logs"))


def prepare_many(problems, forms, solver):
    """All fits in one call: what JAX is best at."""
    points = jnp.array(np.stack([form.point for form in forms]))
    data = jnp.array(np.stack([arrays(problem, form) for problem, form in zip(problems, forms, strict=True)]))
    return lambda: jax.block_until_ready(MANY(points, data, solver, forms[0].name == "centred logs"))


def read(result):
    return np.array(result[0]), int(result[1])


ENGINES = [
    Engine(
        f"optimistix {name}, jit",
        partial(prepare, solver=name),
        read,
        refits=True,
        prepare_many=partial(prepare_many, solver=name),
        compiles=True,
    )
    for name in SOLVERS
]
