# SPDX-License-Identifier: Apache-2.0
"""Values to 20 digits and more, in double and long double, through the public interface."""

import numpy as np
import offray
import pytest
from helpers import law_of, reference
from truths import HOFFMANN

EXTENDED = np.finfo(np.longdouble).eps < 2e-19
needs_extended = pytest.mark.skipif(not EXTENDED, reason="long double is not 80-bit on this platform")
PRECISIONS = [pytest.param(np.float64, id="double"), pytest.param(np.longdouble, id="long-double", marks=needs_extended)]
LAW_CASES = reference("laws")["cases"]
FITS = reference("fits")["fits"]


@pytest.mark.parametrize("scalar", PRECISIONS)
@pytest.mark.parametrize("case", LAW_CASES, ids=[f"{c['law']}-{c['label']}" for c in LAW_CASES])
def test_value_and_gradient(case, scalar):
    law = law_of(case["law"])
    theta = [scalar(case["theta"][name]) for name in law.parameters]
    x = [np.array([case[key]], scalar) for key in ("N", "D", "U") if case[key] is not None]
    value = law(x, *theta)
    log_gradient = law.jacobian(x, *theta)[0] * np.array(theta)
    assert value.dtype == scalar
    expected = np.longdouble(case["value"])
    gradient = np.array([np.longdouble(case["grad_log"][name]) for name in law.parameters])
    for_value, for_gradient = (1e-13, 1e-12) if scalar is np.float64 else (1e-16, 1e-15)
    assert abs(value[0] - expected) <= for_value * abs(expected)
    assert (np.abs(log_gradient - gradient) <= for_gradient * np.maximum(np.abs(gradient), abs(expected))).all()


@pytest.mark.parametrize("scalar", PRECISIONS)
@pytest.mark.parametrize("case", FITS, ids=[f"{f['law']}-{f['design']}" for f in FITS])
def test_certified_fit(case, scalar):
    law = law_of(case["law"])
    N, D, loss = (np.array(case[key], scalar) for key in ("N", "D", "L"))
    U = None if case["U"] is None else np.array(case["U"], scalar)
    fit = offray.fit(N, D, loss, unique_tokens=U, law=law)
    assert fit.converged
    assert fit.identifiability.identified
    assert fit.theta.dtype == scalar

    def certified(key):
        return np.array([np.longdouble(case[key][name]) for name in law.parameters])

    # Far inside the reference's own tolerances (1e-6, 1e-10, 1e-5): what the solver really reaches.
    np.testing.assert_allclose(fit.theta, certified("theta"), rtol=1e-10 if scalar is np.float64 else 1e-13)
    np.testing.assert_allclose(fit.rss, np.longdouble(case["rss"]), rtol=1e-12)
    np.testing.assert_allclose(fit.se / fit.theta, certified("se_ln_theta"), rtol=1e-10)
    x = (N, D) if U is None else (N, D, U)
    kappa = offray.condition(law.jacobian(x, *fit.theta)).kappa
    np.testing.assert_allclose(kappa, np.longdouble(case["kappa_unit_columns"]), rtol=1e-10)
    for target in case["predictions"]:
        prediction = fit.predict(target["N"], target["D"], target["U"])
        np.testing.assert_allclose(prediction.value, float(target["L"]), rtol=1e-10)
        np.testing.assert_allclose(prediction.se, float(target["se"]), rtol=1e-10)


def test_certified_huber():
    case = FITS[0]
    fit = offray.fit(case["N"], case["D"], case["L"], objective="huber", delta=1e-3, log_loss=True)
    assert fit.converged
    np.testing.assert_allclose(fit.objective_value, case["log_huber_1e-3_objective"], rtol=1e-9)
    np.testing.assert_allclose(fit.theta, case["log_huber_1e-3_theta"], rtol=1e-6)


def one_ray(law, gap, scalar, sizes):
    """The Jacobian of the reference on the ray k = 20; the gap opens by alpha for Chinchilla, by alpha_D for Kaplan."""
    theta = {
        "chinchilla": [scalar("1.69"), scalar("406.4"), scalar("410.7"), scalar("0.28") + scalar(gap), scalar("0.28")],
        "kaplan": [scalar("8.8e13"), scalar("5.4e13"), scalar("0.076"), scalar("0.076") + scalar(gap)],
    }[law]
    N = np.array(sizes, scalar)
    return law_of(law).jacobian((N, 20 * N), *theta)


@pytest.mark.parametrize("scalar", PRECISIONS)
@pytest.mark.parametrize("law", ["chinchilla", "kaplan"])
def test_conditioning_as_the_gap_closes(law, scalar):
    table = reference("conditioning")
    limit = 1e8 if scalar is np.float64 else 1e11
    for row in table["laws"][law]:
        at = offray.condition(one_ray(law, row["gap"], scalar, table["sizes"]))
        kappa = float(row["kappa"])
        if kappa < limit:
            assert abs(at.kappa / np.longdouble(row["kappa"]) - 1) < 1e-6
            assert at.rank == len(at.singular_values)
        elif kappa > 10 * limit:
            assert at.rank < len(at.singular_values)
    # At gap zero: Chinchilla 3 of 5, Kaplan 2 of 4.
    assert offray.condition(one_ray(law, "0", scalar, table["sizes"])).rank == {"chinchilla": 3, "kaplan": 2}[law]


def test_headline_figures_at_geometric_mean_reference():
    """Exact data, fitted: kappa_2 of the fit is that of the design, N and D in units of their geometric means."""
    table = reference("conditioning")
    sizes = np.array(table["sizes"], float)
    N, D = (a.ravel() for a in np.meshgrid(sizes, np.array(table["tokens"], float)))
    fit = offray.fit(N, D, offray.laws.chinchilla((N, D), *HOFFMANN))
    expected = float(table["geometric means"]["grid"])
    np.testing.assert_allclose(fit.conditioning.kappa, expected, rtol=1e-6)

    ray = sizes, 20 * sizes
    with pytest.warns(offray.IdentifiabilityWarning):
        fit = offray.fit(*ray, offray.laws.chinchilla(ray, *HOFFMANN), start=HOFFMANN)
    expected = float(table["geometric means"]["ray"])
    np.testing.assert_allclose(fit.conditioning.kappa, expected, rtol=1e-2)


def test_long_double_keeps_its_digits():
    if not EXTENDED:
        pytest.skip("long double is not 80-bit on this platform")
    theta = [np.longdouble(t) for t in ("1.69", "406.4", "410.7", "0.34", "0.28")]
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 7), np.geomspace(2e8, 1e11, 6)))
    loss = offray.laws.chinchilla((N.astype(np.longdouble), D), *theta)
    fit = offray.fit(N, D, loss)
    assert (np.abs(fit.theta / np.array(theta) - 1) < 1e-17).all()
    assert fit.rss.dtype == fit.conditioning.kappa.dtype == np.longdouble
    assert all(type(value) is np.longdouble for value in fit.params.values())
    fixed = offray.fit(N, D, loss, fixed={"alpha": np.longdouble("0.34")})
    assert abs(fixed.params["alpha"] / np.longdouble("0.34") - 1) < 2e-19


@pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning")
def test_default_fit_finds_exact_data():
    """Exact, well-spread data of many parameter sets are fitted to rounding without a start."""
    N, D = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e12, 5)))
    for A in (30, 100, 400, 800):
        for B in (30, 100, 400, 800):
            for alpha in (0.25, 0.35, 0.45):
                for beta in (0.25, 0.35, 0.45):
                    theta = (1.5, A, B, alpha, beta)
                    fit = offray.fit(N, D, offray.laws.chinchilla((N, D), *theta))
                    assert fit.converged, theta
                    np.testing.assert_allclose(fit.theta, theta, rtol=1e-7)
