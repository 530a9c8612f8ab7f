# SPDX-License-Identifier: Apache-2.0
"""What the runs determine: report, warnings, the reduced law on a ray."""

import itertools
import json
import pickle
import re
import subprocess
import sys
import warnings

import numpy as np
import offray
import pytest
from helpers import reference
from truths import HOFFMANN

SIZES = np.geomspace(5e6, 8e7, 14)


def rays(*ratios, sizes=SIZES, sigma=0.005, seed=0):
    N = np.tile(sizes, len(ratios))
    D = np.concatenate([k * sizes for k in ratios])
    loss = offray.laws.chinchilla((N, D), *HOFFMANN)
    return N, D, loss + sigma * np.random.default_rng(seed).normal(size=N.size)


def quiet_fit(*runs, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return offray.fit(*runs, **options)


@pytest.mark.parametrize("seed", range(20))
def test_one_ray(seed):
    with pytest.warns(offray.IdentifiabilityWarning, match="one ray") as caught:
        fit = offray.fit(*rays(20, seed=seed))
    text = str(caught[0].message)
    assert "A and B exchange" in text
    assert "psi = A + B k^-alpha" in text
    assert not fit.identifiability.identified
    assert fit.reduced.converged
    psi, alpha = fit.reduced.params["psi"], fit.reduced.params["alpha"]
    # At 20 tokens per parameter the two terms make 406.4 N^-.34 + 178 N^-.28.
    assert 100 < psi < 2000
    assert 0.25 < alpha < 0.38
    assert fit.params["alpha"] == alpha
    assert np.isnan([fit.params[name] for name in ("A", "B", "beta")]).all()
    assert np.isinf(fit.se[[1, 2, 4]]).all()
    assert np.isfinite(fit.se[[0, 3]]).all()
    np.testing.assert_array_equal(fit.conf_int()[1], [-np.inf, np.inf])
    np.testing.assert_array_equal(fit.conf_int()[3], fit.reduced.conf_int()[2])
    determined = fit.identifiability.determined
    assert determined["alpha"]
    assert not any(determined[name] for name in ("A", "B", "beta", "loss off the ray", "compute-optimal"))
    # Along the ray at 100 times the largest compute: a few sigma. Off it, nothing.
    far = fit.predict(8e8, 1.6e10)
    assert far.se < 10 * fit.reduced.noise_sd
    assert far.interval[0] < offray.laws.chinchilla((8e8, 1.6e10), *HOFFMANN) + 0.1
    with pytest.raises(offray.NotIdentifiedError, match="tokens per parameter"):
        fit.predict(8e8, 3.2e10)
    with pytest.raises(offray.NotIdentifiedError, match="compute-optimal"):
        fit.compute_optimal(1e21)
    shown = str(fit)
    assert "E + psi N^-alpha" in shown
    assert shown.count("not determined") == 3
    again = pickle.loads(pickle.dumps(fit))
    assert again.params["alpha"] == alpha


def test_force_gives_the_full_law():
    runs = rays(20, seed=1)
    fit = quiet_fit(*runs, identify="force")
    assert fit.reduced is None
    assert not fit.identifiability.identified
    np.testing.assert_array_equal(list(fit.params.values()), fit.theta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit.predict(8e8, 3.2e10)
    with pytest.raises(ValueError, match="identify must be"):
        offray.fit(*runs, identify="please")


@pytest.mark.parametrize(
    ("law", "unknown"), [("kaplan", ["N_c", "D_c", "alpha_D"]), ("droppo_elibol", ["N_C", "D_C", "alpha_D"])]
)
def test_other_laws_on_a_ray(law, unknown):
    fit = quiet_fit(*rays(20), law=law)
    assert fit.reduced.law is fit.law.on_ray
    if fit.blended:  # Kaplan's law, of losses that are none of its, tells two exponents
        assert law == "kaplan"
        fit = fit.reduced
    theta = (fit.reduced or fit).params
    assert fit.reduced is None or np.isnan([fit.params[name] for name in unknown]).all()
    N = SIZES[5]
    k = 20.0
    if law == "kaplan":
        loss = (theta["psi"] / N) ** theta["alpha_N"]
    else:
        a = theta["alpha"]
        loss = (theta["L_inf"] ** (1 / a) + (theta["psi"] / N) ** (theta["alpha_N"] / a)) ** a
    np.testing.assert_allclose(fit.predict(N, k * N).value, loss, rtol=1e-12)


def test_reduced_law_is_the_full_one_at_equal_exponents():
    E, A, B, alpha, k = 1.7, 400.0, 900.0, 0.33, 20.0
    loss = offray.laws.chinchilla((SIZES, k * SIZES), E, A, B, alpha, alpha)
    fit = quiet_fit(SIZES, k * SIZES, loss)
    np.testing.assert_allclose(fit.reduced.theta, [E, A + B * k**-alpha, alpha], rtol=1e-9)
    assert offray.laws.repeated_data.on_ray is None


def test_a_second_ray_clears_the_warning(tmp_path):
    """The command line alike: exit code 3 on the ray, 0 with a ray at 200 added."""
    runs = rays(20, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert offray.fit(*runs).identifiability.identified
    codes, outputs = [], []
    for name, rows in (("one.csv", slice(14)), ("two.csv", slice(None))):
        table = "\n".join(",".join(map(repr, map(float, row))) for row in zip(*(a[rows] for a in runs), strict=True))
        (tmp_path / name).write_text(f"N,D,loss\n{table}\n")
        shown = subprocess.run(
            [sys.executable, "-m", "offray", "fit", str(tmp_path / name), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        codes.append(shown.returncode)
        outputs.append(json.loads(shown.stdout))
    assert codes == [3, 0]
    assert outputs[0]["params"]["A"] is None
    assert outputs[0]["se"]["B"] is None
    assert set(outputs[0]["reduced"]["params"]) == {"E", "psi", "alpha"}
    assert outputs[0]["findings"] == ["one_ray"]
    assert outputs[1]["reduced"] is None
    assert outputs[1]["warnings"] == []


@pytest.mark.parametrize("sigma", [0.002, 0.005, 0.01, 0.02])
@pytest.mark.parametrize("seed", range(5))
def test_rays_that_part(sigma, seed):
    """Inflation and kappa_2 fall as the rays part, and no warning means a standard error of alpha under 10 %."""
    inflation, kappa = [], []
    for s in (1.05, 1.1, 1.2, 1.35, 1.5, 2, 3, 5):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit = offray.fit(*rays(20 / s, 20, 20 * s, sigma=sigma, seed=seed))
        report = fit.identifiability
        inflation.append(report.inflation)
        kappa.append(report.kappa)
        assert caught or fit.se[3] < 0.1 * fit.params["alpha"]
        assert bool(caught) != report.identified
    assert all(later < earlier for earlier, later in itertools.pairwise(inflation))
    assert all(later < earlier for earlier, later in itertools.pairwise(kappa))
    assert not caught


def test_narrow_sizes_are_worse_than_wide_ones():
    """At the same tokens per parameter; the correlation of N and D, which is higher for the wide range, says the contrary."""
    narrow = rays(10, 20, 40, sizes=np.geomspace(5e6, 8e7, 14), sigma=0.03)
    wide = rays(10, 20, 40, sizes=np.geomspace(5e6, 8e9, 14), sigma=0.03)
    correlation = [np.corrcoef(np.log(N), np.log(D))[0, 1] for N, D, _ in (narrow, wide)]
    assert correlation[0] < correlation[1]
    reports = [quiet_fit(*runs).identifiability for runs in (narrow, wide)]
    assert reports[0].kappa > reports[1].kappa
    assert reports[0].inflation > reports[1].inflation
    assert reports[0].variance_inflation["alpha"] > reports[1].variance_inflation["alpha"]
    assert [report.identified for report in reports] == [False, True]
    assert "parallel_terms" in reports[0].findings


def test_report_on_a_spread_design(grid):
    report = offray.fit(*grid).identifiability
    assert report.identified
    assert (report.rank, report.rank_against_noise) == (5, 5)
    assert 0.5 < report.kappa_relative < 2
    assert report.pair == ("A", "B")
    np.testing.assert_allclose(report.inflation, (report.kappa_eq + 1) / (2 * np.sqrt(report.kappa_eq)), rtol=1e-12)
    assert all(report.determined[name] for name in ("E", "A", "B", "alpha", "beta", "loss", "compute-optimal"))
    assert "identified:     yes" in str(report)


def test_the_report_in_a_notebook_has_a_heading(grid):
    report = offray.fit(*grid).identifiability
    heading, first, *_ = re.findall(r"<tr>(.*?)</tr>", report._repr_html_())
    assert re.findall(r"<th[^>]*>(.*?)</th>", heading) == ["figure", "value"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", first) == ["identified", "yes"]
    assert str(report).startswith("identified:     yes\n")


def test_repeated_data_findings():
    theta = (1.87, 521.0, 1488.0, 0.35, 0.35, 5.3, 15.4)
    N, U, epochs = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e8, 1e10, 4), [1.0, 4.0, 16.0]))
    law = offray.laws.repeated_data
    noise = 1e-3 * np.random.default_rng(0).normal(size=N.size)

    def findings(rows):
        n, u, d = N[rows], U[rows], (U * epochs)[rows]
        return quiet_fit(n, d, law((n, d, u), *theta) + noise[rows], unique_tokens=u, law=law).identifiability.findings

    assert findings(slice(None)) == ()
    assert "no_repetition" in findings(epochs == 1)
    unsaid = quiet_fit(N, U * epochs, law((N, U * epochs, U), *theta) + noise, law=law).identifiability
    assert any("unique tokens are not given" in text for text in unsaid.warnings)
    assert "one_epoch_count" in findings(epochs == 4)
    optimal = (theta[3] * theta[1] * U ** theta[4] / (theta[4] * theta[2])) ** (1 / theta[3])
    assert "no_excess" in findings(optimal > N)


def test_few_runs():
    runs = tuple(a[[0, 6, 20, 30, 36, 41]] for a in rays(2, 20, 200))
    with pytest.warns(offray.IdentifiabilityWarning, match="1 degree of freedom: Student's t is 12.7"):
        offray.fit(*runs)


def test_warns_of_ratios_outside_the_runs():
    fit = offray.fit(*rays(20, 200))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit.predict(1e9, 1e11)
    with pytest.warns(offray.IdentifiabilityWarning, match="2 tokens per parameter lies outside the runs' range, 20 to 200"):
        fit.predict([1e9, 1e9], [1e11, 2e9])


def test_figures_of_the_reference():
    """kappa_eq, inflation and V_K to 1e-6 and better; exact losses, so that the fitted exponents are the given ones."""
    sizes = np.array(reference("conditioning")["sizes"], float)
    inflation = reference("interval_inflation")
    loss = offray.laws.chinchilla((sizes, 20 * sizes), *HOFFMANN)
    report = quiet_fit(
        sizes, 20 * sizes, loss, fixed={"E": 1.69, "alpha": 0.34, "beta": 0.28}, start={"A": 406.0, "B": 411.0}
    ).identifiability
    np.testing.assert_allclose(report.inflation, float(inflation["pair"]["chinchilla"]), rtol=1e-8)
    table = reference("tpp_diversity")
    for name, kappa_eq in table["pair_with_gap"].items():
        ratios = next(np.array(d["k"]) for d in table["designs"] if d["name"] == name)
        if name.endswith(("(x4)", "(x1e-3)")):
            continue  # tokens counted in another unit
        J = np.concatenate([offray.laws.chinchilla.jacobian((sizes, k * sizes), *HOFFMANN)[:, 1:3] for k in ratios])
        np.testing.assert_allclose(float(offray.condition(J).kappa) ** 2, float(kappa_eq), rtol=1e-8)
    J = offray.laws.kaplan.jacobian((sizes, 20 * sizes), 8.8e13, 5.4e13, 0.076, 0.095)[:, :2]
    kappa_eq = float(offray.condition(J).kappa) ** 2
    expected = float(inflation["pair"]["kaplan"])
    np.testing.assert_allclose((kappa_eq + 1) / (2 * np.sqrt(kappa_eq)), expected, rtol=1e-8)


@pytest.mark.parametrize("row", reference("interval_inflation")["table"])
def test_interval_inflation_on_log_uniform_sizes(row):
    """Widths of A against psi, exponents known, with E free, and all free: integrals over ln N as Gauss-Legendre sums."""
    x, weight = np.polynomial.legendre.leggauss(60)
    log_N = (np.log(row["N2_over_N1"]) * x / 2).astype(np.longdouble)
    root = np.sqrt(weight.astype(np.longdouble) / 2)
    beta = np.longdouble("0.28")
    alpha = beta + np.longdouble(repr(row["gap"]))
    f, g, one = np.exp(-alpha * log_N), np.exp(-beta * log_N), np.ones_like(log_N)

    def width(*columns):
        J = np.stack([root * column for column in columns], axis=1)
        return np.sqrt(offray.condition(J).variance_inflation[0] / (J[:, 0] @ J[:, 0]))

    np.testing.assert_allclose(width(f, g) / width(f), np.longdouble(row["exponents known"]), rtol=1e-9)
    np.testing.assert_allclose(width(f, g, one) / width(f, one), np.longdouble(row["E free"]), rtol=1e-9)
    every = width(f, one, g, -log_N * f, -log_N * g) / width(f, one, -log_N * f)
    np.testing.assert_allclose(every, np.longdouble(row["all free"]), rtol=1e-6)


@pytest.mark.skipif(np.finfo(np.longdouble).eps >= 1e-18, reason="long double is no wider than 64 bits here")
def test_slopes_against_the_gap():
    """kappa(J'J) of the pair grows as gap^-2, of the full law as gap^-6; double follows the second to 1e-4 and no further."""
    sizes = np.array(reference("conditioning")["sizes"], np.longdouble)
    gaps = [np.longdouble("1e-3"), np.longdouble("1e-4")]

    def kappas(columns, scalar):
        at = sizes.astype(scalar)
        theta = [np.longdouble(t) for t in ("1.69", "406.4", "410.7", "0.28", "0.28")]
        J = []
        for gap in gaps:
            values = [scalar(t) for t in (*theta[:3], theta[3] + gap, theta[4])]
            J.append(offray.laws.chinchilla.jacobian((at, 20 * at), *values)[:, columns])
        return np.array([offray.condition(j).kappa ** 2 for j in J])

    def slope(kappa):
        return float(np.log(kappa[0] / kappa[1]) / np.log(gaps[0] / gaps[1]))

    pair, full = slice(1, 3), slice(None)
    assert abs(slope(kappas(pair, np.longdouble)) + 2) < 0.02
    assert abs(slope(kappas(pair, np.float64)) + 2) < 0.02
    exact = kappas(full, np.longdouble)
    assert abs(slope(exact) + 6) < 0.02
    in_double = np.sqrt(kappas(full, np.float64) / exact)
    assert abs(in_double[0] - 1) < 1e-3
    assert 1e-3 < abs(in_double[1] - 1) < 0.5


def test_precision_report():
    ray = SIZES, 20 * SIZES
    report = offray.precision_report(*ray, theta=HOFFMANN)
    digits = report.digits()
    if np.finfo(np.longdouble).eps < 1e-18:
        assert digits["svd"] > 8 > digits["eigenvalues_long"] > digits["eigenvalues"]
    assert "singular values of J" in str(report)
    raw = offray.precision_report(
        *ray, theta=dict(zip(offray.laws.chinchilla.parameters, HOFFMANN, strict=True)), centred=False
    )
    assert raw.svd > report.svd
    with pytest.raises(ValueError, match="theta must give"):
        offray.precision_report(*ray)


def test_weights_cannot_cure(grid):
    fit = offray.fit(*grid, objective="huber", delta=0.01)
    for objective in ("squares", "huber", "soft_l1", "cauchy", "absolute", "quantile"):
        at = fit.conditioning_under(objective)
        assert 1 / at.kappa_weights <= at.kappa_weighted / at.kappa * (1 + 1e-9)
        assert at.kappa_weighted / at.kappa <= at.kappa_weights * (1 + 1e-9)
    np.testing.assert_allclose(fit.conditioning_under("squares").kappa_weights, 1)
    with pytest.raises(ValueError, match="delta must be in"):
        fit.conditioning_under("huber", delta=-1.0)


@pytest.mark.parametrize("options", [{"bounds": {"E": (0.01, 5)}}, {"fixed": {"E": 1.69}}, {"tied": [("alpha", "beta")]}])
def test_constraints_do_not_switch_the_refusal_off(options):
    fit = quiet_fit(*rays(20, seed=1), **options)
    assert fit.reduced.problem.limits is None or "tied" not in options
    assert list(fit.reduced.params) == ["E", "psi", "alpha"]
    if "fixed" in options:
        assert fit.reduced.params["E"] == fit.params["E"] == 1.69
    assert not any(fit.identifiability.determined[name] for name in ("A", "B", "beta"))
    lost = quiet_fit(*rays(20, seed=1), fixed={"A": 406.4})
    assert lost.reduced is None
    assert not lost.identifiability.identified
    with pytest.raises(offray.NotIdentifiedError):
        fit.predict(8e8, 1.6e11)
    with pytest.raises(offray.NotIdentifiedError):
        fit.compute_optimal(1e22)


def test_repeated_data_without_repetition_on_a_ray():
    fit = quiet_fit(*rays(20), law="repeated_data")
    assert "one_ray" in fit.identifiability.findings
    with pytest.raises(offray.NotIdentifiedError):
        fit.predict(8e8, 1.6e11)


def test_bootstrap_on_a_ray_is_of_the_reduced_law():
    fit = quiet_fit(*rays(20))
    refits = fit.bootstrap(50, seed=1)
    assert np.isnan(refits.theta[:, [1, 2, 4]]).all()
    np.testing.assert_array_equal(refits.theta[:, 3], fit.reduced.bootstrap(50, seed=1).theta[:, 2])


def test_precise_runs_about_a_ray_are_believed():
    """Scattered by a few per cent, and precise enough for the full law."""
    N = np.repeat(SIZES, 2)
    D = N * np.tile([19.0, 20.8], len(SIZES))
    loss = offray.laws.chinchilla((N, D), *HOFFMANN) + 1e-6 * np.random.default_rng(0).normal(size=N.size)
    fit = quiet_fit(N, D, loss)
    assert "one_ray" not in fit.identifiability.findings
    np.testing.assert_allclose(fit.params["alpha"], 0.34, rtol=1e-2)


def test_reduced_law_needs_a_ray(grid):
    with pytest.raises(ValueError, match="chinchilla_on_ray needs runs on one ray"):
        offray.fit(*grid, law=offray.laws.chinchilla.on_ray)


def test_equal_runs():
    same = np.full(10, 1e8)
    fit = quiet_fit(same, 20 * same, 3 + 0.01 * np.sin(np.arange(10)))
    assert {"one_size", "one_token_count", "one_ray"} <= set(fit.identifiability.findings)
    assert "What is known" not in " ".join(fit.identifiability.warnings)
    assert str(fit)
