# SPDX-License-Identifier: Apache-2.0
"""Bootstrap replicates and fits of many data sets."""

import signal
import subprocess
import sys
import threading

import numpy as np
import offray
import pytest
from helpers import LAW_NAMES
from scipy.optimize import least_squares
from truths import HOFFMANN
from truths import TRUTH as THETA

KINDS = ("pairs", "residual", "wild")
OBJECTIVES = ("squares", "huber", "soft_l1", "cauchy", "absolute", "quantile")


def runs_of(law):
    """48 runs of a law with a little noise: N, D, loss, U."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 8), np.geomspace(2e8, 1e11, 6)))
    U = D / (1 + np.arange(N.size) % 4)
    loss = getattr(offray.laws, law)((N, D, U), *THETA[law])
    return N, D, loss * (1 + 0.002 * np.sin(np.arange(N.size) * 2.3)), U


def spread():
    """240 runs on a grid that determines the law well, with normal noise."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 20), np.geomspace(2e8, 1e11, 12)))
    noise = 0.01 * np.random.default_rng(1).normal(size=N.size)
    return N, D, offray.laws.chinchilla((N, D), *HOFFMANN) + noise


def philox(counter, key):
    """The random words of one block: replicates are part of the interface, so that results can be repeated elsewhere."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words(seed, replicate, count):
    blocks = (philox((block, 0, replicate, 0), (seed, 0)) for block in range(count // 4 + 1))
    return np.array([w for block in blocks for w in block][:count], np.uint64)


# Bootstrap


@pytest.mark.parametrize("log_loss", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_replicates_are_refits_of_resampled_runs(grid, kind, log_loss):
    """Drawn by an independent generator, fitted by scipy."""
    N, D, loss = grid
    n = N.size
    fit = offray.fit(N, D, loss, log_loss=log_loss)
    boot = fit.bootstrap(4, kind=kind, seed=9)
    mean_N, mean_D = np.log(N).mean(), np.log(D).mean()
    log_N, log_D = np.log(N) - mean_N, np.log(D) - mean_D
    observed = np.log(loss) if log_loss else loss
    noise = -fit.residuals
    for replicate, theta in enumerate(boot.theta):
        draws = words(9, replicate, n)
        rows = (draws * np.uint64(n) >> np.uint64(32)).astype(int)
        weight, target = np.ones(n), observed + fit.residuals
        if kind == "pairs":
            weight, target = np.bincount(rows, minlength=n), observed
        elif kind == "residual":
            target = target + (noise - noise.mean())[rows]
        else:
            target = target + np.where(draws >> np.uint64(31), -1, 1) * noise

        def residual(x, weight=weight, target=target):
            value = x[0] + np.exp(x[1] - x[3] * log_N) + np.exp(x[2] - x[4] * log_D)
            return np.sqrt(weight) * ((np.log(value) if log_loss else value) - target)

        E, A, B, alpha, beta = fit.theta
        start = [E, np.log(A) - alpha * mean_N, np.log(B) - beta * mean_D, alpha, beta]
        found = least_squares(residual, start, method="lm", xtol=1e-14, ftol=1e-14)
        E, a, b, alpha, beta = found.x
        np.testing.assert_allclose(theta, [E, np.exp(a + alpha * mean_N), np.exp(b + beta * mean_D), alpha, beta], rtol=1e-5)
        assert boot.objective_value[replicate] <= found.cost * (1 + 1e-12)
        np.testing.assert_allclose(boot.objective_value[replicate], found.cost, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_standard_errors_agree_with_the_delta_method(kind):
    fit = offray.fit(*spread())
    boot = fit.bootstrap(4000, kind=kind)
    assert boot.usable == len(boot) == 4000
    assert boot.failed == 0
    assert boot.converged.all()
    np.testing.assert_allclose(boot.se, fit.se, rtol=0.2)
    np.testing.assert_allclose(boot.se, boot.theta.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(boot.cov, np.cov(boot.theta.T), rtol=1e-9)
    interval = boot.conf_int(0.9)
    np.testing.assert_allclose(interval.T, np.quantile(boot.theta, [0.05, 0.95], axis=0), rtol=1e-12)
    assert ((interval[:, 0] < fit.theta) & (fit.theta < interval[:, 1])).all()


def test_weights_scale_the_noise():
    """Half of the runs have a hundredth of the noise and say so: residuals are drawn on one scale."""
    N, D, loss = spread()
    sigma = np.where(np.arange(N.size) % 2, 1e-2, 1e-4)
    clean = offray.laws.chinchilla((N, D), *HOFFMANN)
    fit = offray.fit(N, D, clean + (loss - clean) * sigma / 1e-2, weight=1 / sigma**2)
    for kind in KINDS:
        np.testing.assert_allclose(fit.bootstrap(1500, kind=kind).se, fit.se, rtol=0.25)


def test_same_bits_for_any_number_of_threads(grid):
    fit = offray.fit(*grid, log_loss=True)
    one = fit.bootstrap(300, seed=2, threads=1)
    for threads in (None, 2, 5):
        np.testing.assert_array_equal(fit.bootstrap(300, seed=2, threads=threads).theta, one.theta)
    np.testing.assert_array_equal(fit.bootstrap(40, seed=2).theta, one.theta[:40])
    assert not np.array_equal(fit.bootstrap(300, seed=2**64 - 1).theta, one.theta)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("law", LAW_NAMES)
@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_every_law_and_objective(law, objective):
    N, D, loss, U = runs_of(law)
    unique = {"unique_tokens": U} if law == "repeated_data" else {}
    fit = offray.fit(N, D, loss, law=law, objective=objective, log_loss=True, start=THETA[law], **unique)
    many = offray.fit_many(N, D, [loss], law=law, objective=objective, log_loss=True, start=THETA[law], **unique)
    np.testing.assert_array_equal(many.theta[0], fit.theta)
    assert (many.objective_value[0], many.status[0], many.limit[0]) == (fit.objective_value, fit.status, fit.certificate.limit)
    for kind in KINDS:
        boot = fit.bootstrap(2, kind=kind)
        assert boot.theta.shape == (2, len(fit.theta))
        assert np.isfinite(boot.theta).all()
        # The refit of data that resemble those fitted has a similar objective, on the same scale.
        np.testing.assert_allclose(boot.objective_value, fit.objective_value, rtol=0.9)


def test_constraints_and_long_double(grid):
    N, D, loss = grid
    fit = offray.fit(N, D, loss.astype(np.longdouble), fixed={"E": 1.69}, tied=[("alpha", "beta")])
    boot = fit.bootstrap(20)
    assert boot.theta.dtype == boot.se.dtype == np.longdouble
    assert (boot.theta[:, 0] == np.longdouble(1.69)).all()
    assert (boot.theta[:, 3] == boot.theta[:, 4]).all()
    assert boot.se[0] == 0
    assert (boot.se[1:] > 0).all()


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_groups(grid):
    """Checkpoints of one run share their noise: groups widen the intervals as they should."""
    N, D, _ = grid
    owner = np.array([f"run {n:.0e}" for n in N])
    shared = dict(zip(np.unique(owner), 0.01 * np.random.default_rng(5).normal(size=7), strict=True))
    loss = offray.laws.chinchilla((N, D), *HOFFMANN) + [shared[o] for o in owner]
    fit = offray.fit(N, D, loss)
    together = fit.bootstrap(300, kind="wild", group=owner)
    apart = fit.bootstrap(300, kind="wild")
    assert together.se[3] > 1.3 * apart.se[3]
    labels = [(o, 1) for o in owner]
    np.testing.assert_array_equal(fit.bootstrap(300, kind="wild", group=labels).theta, together.theta)
    each = np.arange(N.size)
    for kind in KINDS:
        np.testing.assert_array_equal(fit.bootstrap(9, kind=kind, group=each).theta, fit.bootstrap(9, kind=kind).theta)


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_failed_replicates_are_counted(grid):
    N, D, loss = (a[[0, 8, 16, 27, 33, 41]] for a in grid)
    boot = offray.fit(N, D, loss).bootstrap(100)
    failed = boot.status == "evaluation_failed"
    assert 0 < boot.failed < 100
    assert boot.failed == failed.sum() == 100 - boot.usable
    np.testing.assert_array_equal(np.isnan(boot.theta).all(axis=1), failed)
    np.testing.assert_array_equal(np.isnan(boot.objective_value), failed)
    assert np.isfinite(boot.conf_int()).all()
    assert "100 replicates (pairs)" in repr(boot)


# Many data sets


def test_fit_many_is_fit_row_by_row(grid):
    N, D, loss = grid
    stack = loss + 0.003 * np.random.default_rng(0).normal(size=(6, loss.size))
    weight = np.linspace(1, 2, loss.size)
    for options in ({}, {"objective": "huber", "log_loss": True}, {"start": HOFFMANN}, {"delta": "mad", "objective": "cauchy"}):
        many = offray.fit_many(N, D, stack, weight=weight, **options)
        for row, theta in zip(stack, many.theta, strict=True):
            np.testing.assert_array_equal(theta, offray.fit(N, D, row, weight=weight, **options).theta)
        one = offray.fit_many(N, D, stack, weight=weight, threads=1, **options)
        np.testing.assert_array_equal(one.theta, many.theta)
        np.testing.assert_array_equal(one.objective_value, many.objective_value)
        assert many.converged.all()
    assert repr(many) == "<FitMany: chinchilla, 6 data sets, 6 converged>"


def test_fit_many_with_rows_of_their_own(grid):
    N, D, loss = grid
    columns = [np.stack([a, a[::-1]]) for a in (N, D, loss)]
    many = offray.fit_many(*columns)
    ragged = offray.fit_many(*([a, a[5:]] for a in (N, D, loss)), dtype=np.longdouble)
    np.testing.assert_array_equal(many.theta[1], offray.fit(N[::-1], D[::-1], loss[::-1]).theta)
    np.testing.assert_array_equal(ragged.theta[1], offray.fit(N[5:], D[5:], loss[5:], dtype=np.longdouble).theta)


# Progress and interrupts


def batches(grid):
    fit = offray.fit(*grid)
    stack = np.tile(grid[2], (3000, 1))
    return [
        lambda progress: fit.bootstrap(20000, threads=2, progress=progress),
        lambda progress: offray.fit_many(*grid[:2], stack, threads=2, progress=progress),
    ]


def test_progress(grid):
    for run in batches(grid):
        calls = []
        total = len(run(lambda done, total, calls=calls: calls.append((done, total, threading.get_ident()))))
        done = [call[0] for call in calls]
        assert done == sorted(set(done))
        assert calls[-1] == (total, total, threading.get_ident())
        assert {call[1:] for call in calls} == {(total, threading.get_ident())}


def test_exceptions_of_progress_come_through(grid):
    def fail(done, total):
        raise LookupError(f"{done} of {total}")

    def stop(done, total):
        raise KeyboardInterrupt

    for run in batches(grid):
        with pytest.raises(LookupError, match=" of "):
            run(fail)
        with pytest.raises(offray.Interrupted, match=" were done") as caught:
            run(stop)
        partial = caught.value.partial
        assert len(partial) > 0
        np.testing.assert_array_equal(partial.theta, run(None).theta[: len(partial)])


CTRL_C = """
import signal, numpy as np, offray
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 7), np.geomspace(2e8, 1e11, 6)))
fit = offray.fit(N, D, offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28) + 0.01 * np.sin(np.arange(42)))
said = []
def progress(done, total):
    if not said:
        said.append(print("ready", flush=True))
try:
    fit.bootstrap(10**7, threads=2, progress=progress)
except offray.Interrupted as error:
    kept = error.partial.theta
    assert (kept == fit.bootstrap(len(kept)).theta).all()
    print(0 < len(kept) < 10**7)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_ctrl_c_keeps_what_is_done():
    with subprocess.Popen([sys.executable, "-c", CTRL_C], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "True\n", "")


MEMORY = """
import resource, numpy as np, offray
N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 20), np.geomspace(2e8, 1e11, 12)))
fit = offray.fit(N, D, offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28) + 0.01 * np.sin(np.arange(240)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fit.bootstrap(10000, threads=2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count in other units, or not at all")
def test_memory():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000  # kB


# Bad input


def test_bad_bootstraps(grid):
    fit = offray.fit(*grid)
    holed = [float(k) for k in range(42)]
    holed[4] = np.nan
    for message, arguments in (
        ("n must be at least 1; got 0", {"n": 0}),
        ("n must be an integer; got 2.5", {"n": 2.5}),
        ("unknown kind 'rows'; known kinds: pairs, residual, wild", {"kind": "rows"}),
        ("threads must be at least 1; got 0", {"threads": 0}),
        ("seed must be at least 0; got -1", {"seed": -1}),
        ("seed must be below", {"seed": 2**64}),
        ("group has 3 labels, but there are 42 runs", {"group": [1, 2, 3]}),
        (r"group\[4\] = nan: every run needs a label", {"group": holed}),
        (r"group\[0\] = \[\]: every label must be hashable", {"group": [[]] * 42}),
        ("group: all runs are labelled 'a'", {"group": ["a"] * 42}),
    ):
        with pytest.raises(ValueError, match=message):
            fit.bootstrap(**{"n": 10} | arguments)
    with pytest.raises(ValueError, match="level must be in"):
        fit.bootstrap(3).conf_int(95)


def test_bad_data_sets(grid):
    N, D, loss = grid
    stack = np.tile(loss, (3, 1))
    holed = stack.copy()
    holed[1, 5] = np.nan
    for message, columns, options in (
        (r"loss\[1, 5\] = nan: every value must be positive", (N, D, holed), {}),
        (r"loss\[1, 2\] = -1.0: every value", ([N, N[:3]], [D, D[:3]], [loss, [3, 2, -1]]), {}),
        (r"N\[3\] = 0.0: every value", (np.where(np.arange(42) == 3, 0, N), D, stack), {}),
        (r"D must have shape \(42,\) or \(3, 42\); got shape \(41,\)", (N, D[1:], stack), {}),
        ("N must have one row per data set, as long as its losses", (N, D, [loss, loss[1:]]), {}),
        ("D must have as many rows as loss, of the same lengths", ([N, N[1:]], [D, D[2:]], [loss, loss[1:]]), {}),
        (r"loss must have two dimensions, one row per data set; got shape \(42,\)", (N, D, loss), {}),
        (r"weight\[2, 0\] = inf", (N, D, stack), {"weight": np.where(np.arange(126) == 84, np.inf, 1).reshape(3, 42)}),
        ("data set 0: 5 free parameters of chinchilla need at least as many runs; got 4", (N[:4], D[:4], stack[:, :4]), {}),
        ("unknown law 'powers'", (N, D, stack), {"law": "powers"}),
        ("unknown objective 'l2'", (N, D, stack), {"objective": "l2"}),
        ("delta belongs to", (N, D, stack), {"delta": 1.0}),
        ("quantile belongs to", (N, D, stack), {"quantile": 0.1}),
        ("threads must be an integer; got 'all'", (N, D, stack), {"threads": "all"}),
    ):
        with pytest.raises(ValueError, match=message):
            offray.fit_many(*columns, **options)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
@pytest.mark.parametrize("law", ["repeated_data", "droppo_elibol"])
def test_ctrl_c_ends_one_long_fit(law):
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(16, 23, 500_000)), np.exp(rng.uniform(20, 27, 500_000))
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28) * np.exp(0.01 * rng.normal(size=N.size))
    unique = D / np.exp(rng.uniform(0, 4, N.size)) if law == "repeated_data" else None
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            offray.fit(N, D, loss, unique_tokens=unique, law=law, objective="absolute")
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, handler)
