# SPDX-License-Identifier: Apache-2.0
"""The global optimum of every objective, against scipy on its own terms, and what the certificate says of it."""

import warnings

import numpy as np
import offray
import pytest
from helpers import LAW_NAMES
from scipy.optimize import least_squares, minimize
from truths import HOFFMANN, TRUTH


def simulated(law_name, seed=0, sigma=0.01, n=60):
    """Runs with noise and, for one run in ten, an outlier."""
    rng = np.random.default_rng(seed)
    N, D = np.exp(rng.uniform(np.log(1e7), np.log(1e10), n)), np.exp(rng.uniform(np.log(1e8), np.log(1e11), n))
    U = D / rng.choice([1, 4, 16], n) if law_name == "repeated_data" else None
    law = getattr(offray.laws, law_name)
    loss = law((N, D) if U is None else (N, D, U), *TRUTH[law_name]) * (1 + sigma * rng.normal(size=n))
    loss[::10] *= 1.2
    return law, N, D, U, loss


def residual_function(law, N, D, U, loss, log_loss):
    """r and its Jacobian in ln theta' about the geometric means, and the shift from ln theta'."""
    N0, D0 = np.exp(np.log(N).mean()), np.exp(np.log(D).mean())
    x = (N / N0, D / D0) if U is None else (N / N0, D / D0, U / D0)

    def to_centred(theta):
        phi = np.log(theta)
        if "A" in law.parameters:
            phi[1] -= theta[3] * np.log(N0)
            phi[2] -= theta[4] * np.log(D0)
        else:
            first = law.parameters.index("N_c" if "N_c" in law.parameters else "N_C")
            phi[first] -= np.log(N0)
            phi[first + 1] -= np.log(D0)
        return phi

    def residual(phi):
        value = law(x, *np.exp(np.clip(phi, -300, 300)))
        return np.nan_to_num(np.log(value / loss) if log_loss else value - loss, nan=1e6)

    def jacobian(phi):
        theta = np.exp(np.clip(phi, -300, 300))
        J = law.jacobian(x, *theta) * theta
        return np.nan_to_num(J / law(x, *theta)[:, None] if log_loss else J)

    return residual, jacobian, to_centred


def scipy_cost(problem, start, **options):
    """The cost that scipy reaches; its trial points may overflow."""
    residual, jacobian, _ = problem
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        tight = {"x_scale": "jac", "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 300}
        return least_squares(residual, start, jacobian, **(tight | options)).cost


@pytest.mark.parametrize("log_loss", [False, True], ids=["loss", "log-loss"])
@pytest.mark.parametrize("objective", ["huber", "soft_l1", "cauchy"])
@pytest.mark.parametrize("law_name", LAW_NAMES)
def test_scipy_finds_nothing_lower(law_name, objective, log_loss):
    """Same definition of the objective, and no lower value from the optimum, near it, or from the truth."""
    law, N, D, U, loss = simulated(law_name)
    delta = 0.02
    fit = offray.fit(N, D, loss, unique_tokens=U, law=law, objective=objective, delta=delta, log_loss=log_loss)
    assert fit.converged
    assert fit.certificate.interior
    assert fit.delta == delta
    problem = residual_function(law, N, D, U, loss, log_loss)
    here = problem[2](fit.theta)
    options = {"loss": objective, "f_scale": delta}
    np.testing.assert_allclose(fit.objective_value, scipy_cost(problem, here, max_nfev=1, **options), rtol=1e-9)
    rng = np.random.default_rng(1)
    for start in (here, problem[2](np.array(TRUTH[law_name])), *(here + 0.2 * rng.normal(size=(3, len(here))))):
        assert fit.objective_value <= scipy_cost(problem, start, **options) * (1 + 1e-9)


@pytest.mark.parametrize("quantile", [0.5, 0.1, 0.8])
def test_absolute_and_quantile(quantile):
    """Down to the vertex: Nelder-Mead from the optimum, and from the truth, gains no more than the stated gap."""
    law, N, D, U, loss = simulated("chinchilla", n=40)
    options = {"objective": "absolute"} if quantile == 0.5 else {"objective": "quantile", "quantile": quantile}
    fit = offray.fit(N, D, loss, **options)
    assert fit.converged
    assert 0 < fit.certificate.gap < 1e-6 * fit.objective_value
    residual, _, to_centred = residual_function(law, N, D, U, loss, False)
    up, down = (1, 1) if quantile == 0.5 else (1 - quantile, quantile)

    def objective(phi):
        r = residual(phi)
        return np.where(r > 0, up * r, -down * r).sum()

    here = to_centred(fit.theta)
    np.testing.assert_allclose(objective(here), fit.objective_value, rtol=1e-9)
    for start in (here, to_centred(np.array(HOFFMANN))):
        best = minimize(objective, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-10, "fatol": 1e-12})
        assert fit.objective_value <= best.fun + fit.certificate.gap
    half = offray.fit(N, D, loss, objective="quantile")
    np.testing.assert_allclose(
        2 * half.objective_value, offray.fit(N, D, loss, objective="absolute").objective_value, rtol=1e-7
    )


def test_random_problems():
    """Small and large, exact and noisy, steep and flat: never worse than scipy from the truth or from a few random starts."""
    rng = np.random.default_rng(5)
    law = offray.laws.chinchilla
    for _ in range(60):
        n = int(np.exp(rng.uniform(np.log(8), np.log(300))))
        N = np.exp(rng.uniform(np.log(1e7), np.log(1e10), n))
        D = N * np.exp(rng.uniform(0, np.log(300), n))
        alpha, beta = np.exp(rng.uniform(np.log(0.02), np.log(1.5), 2))
        N0, D0 = np.exp(np.log(N).mean()), np.exp(np.log(D).mean())
        theta = np.array(
            [rng.uniform(0.3, 2.5), rng.uniform(0.05, 2) * N0**alpha, rng.uniform(0.05, 2) * D0**beta, alpha, beta]
        )
        loss = law((N, D), *theta) * (1 + rng.choice([0, 1e-3, 0.01, 0.03]) * rng.normal(size=n))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = offray.fit(N, D, loss)
        assert fit.converged == fit.certificate.interior
        problem = residual_function(law, N, D, None, loss, False)
        rounding = n * (1e-14 * loss.max()) ** 2
        for scale in (0, 0.3, 1):
            cost = scipy_cost(problem, problem[2](theta) + scale * rng.normal(size=5))
            # A runaway exponent goes on improving the fit beyond every bound: then there is no optimum to compare.
            if fit.certificate.limit != "runaway":
                assert fit.rss <= 2 * cost * (1 + 1e-9) + rounding


def near_ray(spread, noise, alpha, beta, least_N, n=60):
    """Runs close to D = 20 N, computed in long double."""
    rng = np.random.default_rng(1)
    N = np.geomspace(least_N, 1e3 * least_N, n)
    D = 20 * N * np.exp(spread * rng.normal(size=n))
    wide = (N.astype(np.longdouble), D.astype(np.longdouble))
    theta = [np.longdouble(v) for v in ("1.7", "400", "400", alpha, beta)]
    return N, D, (offray.laws.chinchilla(wide, *theta) * (1 + noise * rng.normal(size=n))).astype(float)


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_terms_that_changed_places(dtype):
    """Near a ray N^-alpha and D^-beta may change places: two basins, of which the right one is lower."""
    runs = near_ray(0.01, 1e-5, ".34", ".30", 1e7)
    fit = offray.fit(*runs, dtype=dtype)
    local = offray.fit(*runs, dtype=dtype, start=[1.7, 400, 400, 0.34, 0.30])
    assert fit.converged
    assert fit.rss <= local.rss * (1 + 1e-9)
    swapped = [basin for basin in fit.certificate.basins if basin.theta[3] < basin.theta[4]]
    assert swapped
    assert swapped[0].objective_value > 2 * fit.objective_value


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
@pytest.mark.skipif(np.finfo(np.longdouble).eps >= 1e-18, reason="long double is no wider than 64 bits here")
@pytest.mark.parametrize(("spread", "noise", "digits"), [(0.3, 1e-3, 13), (3e-4, 1e-8, 11), (1e-6, 1e-12, 8.9)])
def test_digits_on_ill_conditioned_runs(spread, noise, digits):
    """Every parameter in double against long double; the last design has kappa_2 = 1e7."""
    runs = near_ray(spread, noise, ".322", ".318", 1e11)
    fit, exact = offray.fit(*runs), offray.fit(*runs, dtype=np.longdouble)
    assert fit.converged
    assert np.abs(fit.theta / exact.theta - 1).max() < 10**-digits


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_faces_and_rivals(grid):
    """What the fit is without a term, or with equal exponents, is never lower and is what a smaller law gives."""
    N, D, loss = grid
    fit = offray.fit(N, D, loss)
    faces = fit.certificate.faces
    assert list(faces) == ["E -> 0", "A -> 0", "B -> 0", "alpha = beta"]
    assert all(value >= fit.objective_value * (1 - 1e-12) for value in faces.values())
    tied = offray.fit(N, D, loss, tied=[("alpha", "beta")])
    np.testing.assert_allclose(float(faces["alpha = beta"]), tied.objective_value, rtol=1e-12)
    without = offray.fit(N, D, loss, law=offray.law("E + B*D**-beta"))
    np.testing.assert_allclose(float(faces["A -> 0"]), without.objective_value, rtol=1e-8)
    assert fit.certificate.search == "grid"
    assert offray.fit(N, D, loss, law="kaplan").certificate.search == "profile"
    assert offray.fit(N, D, loss, start=HOFFMANN).certificate.search == "start"
    # On a ray the terms may change places: two basins of one depth.
    N = np.geomspace(5e6, 8e7, 14)
    with pytest.warns(offray.IdentifiabilityWarning):
        twins = offray.fit(N, 20 * N, offray.laws.chinchilla((N, 20 * N), *HOFFMANN) * (1 + 1e-3 * np.sin(np.arange(14.0))))
    at = twins.certificate
    near = [basin for basin in at.basins[1:] if basin.objective_value <= 1.001 * at.basins[0].objective_value]
    assert list(at.rivals) == near
    assert ("within 0.1 %" in str(at)) == bool(near)


def test_certificate(grid):
    fit = offray.fit(*grid)
    at = fit.certificate
    assert (at.limit, at.parameter, at.interior, float(at.gap)) == ("interior", None, True, 0.0)
    assert at.scaled_gradient < 1e-9
    assert at.basins[0].objective_value == fit.objective_value
    np.testing.assert_array_equal(at.basins[0].theta, fit.theta)
    assert set(at.room) == set(fit.law.parameters)
    assert all(room > 1 for room in at.room.values())
    assert "interior" in str(fit)
    N, D, _ = grid
    with pytest.warns(offray.IdentifiabilityWarning):
        floorless = offray.fit(N, D, 20 * N**-0.1 - 0.4)
    assert not floorless.converged
    assert not floorless.certificate.interior
    local = offray.fit(*grid, start=HOFFMANN)
    assert len(local.certificate.basins) == 1


def test_one_ray_is_never_interior_and_determined():
    N = np.geomspace(5.04e6, 76.5e6, 14)
    exact = offray.laws.chinchilla((N, 20 * N), *HOFFMANN)
    rng = np.random.default_rng(2)
    for _ in range(300):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = offray.fit(N, 20 * N, exact + 0.005 * rng.normal(size=14))
        assert fit.converged == fit.certificate.interior
        assert fit.status != "evaluation_limit"
        assert not fit.identifiability.identified


def test_scale_from_the_data(sweep):
    fit = offray.fit(*sweep, objective="huber", delta="mad", log_loss=True)
    lad = offray.fit(*sweep, objective="absolute", log_loss=True)
    np.testing.assert_allclose(fit.delta, 1.345 * 1.4826 * np.sort(np.abs(lad.residuals))[120], rtol=1e-6)
    assert f"delta {fit.delta:.4g}" in str(fit)
    assert np.isnan(offray.fit(*sweep).delta)


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_paths_agree(sweep):
    """Every compiled code path gives the same figures to rounding."""
    try:
        fits = {}
        for path in ("baseline", "avx2", "avx512"):
            try:
                assert offray.simd(force=path) == path
            except ValueError:
                continue
            fits[path] = [offray.fit(*sweep, **o) for o in ({}, {"objective": "huber", "log_loss": True}, {"law": "kaplan"})]
    finally:
        offray.simd(force="best")
    reference, *others = fits.values()
    for other in others:
        for a, b in zip(reference, other, strict=True):
            np.testing.assert_allclose(a.objective_value, b.objective_value, rtol=1e-13)
            np.testing.assert_allclose(a.theta, b.theta, rtol=1e-11)
    with pytest.raises(ValueError, match="force must be one of best"):
        offray.simd(force="sse9")


def test_digits(sweep):
    """13 digits in the worst parameter on the 240 rows: double against long double."""
    if np.finfo(np.longdouble).eps > 2e-19:
        pytest.skip("long double is not 80-bit on this platform")
    fit = offray.fit(*sweep)
    wide = offray.fit(*sweep, dtype=np.longdouble)
    assert (np.abs(fit.theta / wide.theta - 1) < 1e-13).all()
