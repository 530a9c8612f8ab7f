# SPDX-License-Identifier: Apache-2.0
"""Pictures: on given axes, with units, without warnings or a display, and as they were when somebody looked at them.

    OFFRAY_WRITE_IMAGES=1 pytest tests/python/test_plot.py

writes the stored pictures anew; look at every one before keeping it.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import offray
import pytest
from helpers import run_cli
from truths import HOFFMANN

Figure = pytest.importorskip("matplotlib.figure", reason="pictures need matplotlib").Figure
plot = offray.plot

IMAGES = Path(__file__).with_name("images")
WRITE = bool(os.environ.get("OFFRAY_WRITE_IMAGES"))
TOLERANCE = 12.0
"""Root mean square of grey levels from 0 to 255: fonts and contour algorithms differ between versions."""
FIT_KINDS = ("runs", "uncertainty", "residuals", "optimal", "likelihood", "profile", "conditioning", "kappa")
SIZES = np.geomspace(5e6, 8e7, 14)


def noisy(N, D, sd=0.01):
    """Chinchilla losses with noise that is the same on every machine."""
    return offray.laws.chinchilla((N, D), *HOFFMANN) + sd * np.sin(np.arange(len(N)) * 2.3)


def quiet(call, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
        warnings.simplefilter("ignore", offray.ConvergenceWarning)
        return call(*arguments, **options)


@pytest.fixture(scope="module")
def results():
    """One result of every kind that there are pictures of."""
    N, D = offray.designs.grid(np.geomspace(1e7, 1e9, 10), np.geomspace(1e9, 1e11, 6))
    grid = quiet(offray.fit, N, D, noisy(N, D))
    curves = offray.designs.isoflop([1e18, 1e19, 1e20], np.geomspace(3e7, 1e9, 7))
    return {
        "grid": grid,
        "kaplan": quiet(offray.fit, offray.examples.pile(), law="kaplan"),
        "at_bound": quiet(offray.fit, offray.examples.pile()),
        "ray": quiet(offray.fit, SIZES, 20 * SIZES, noisy(SIZES, 20 * SIZES, 0.005)),
        "isoflop": quiet(offray.isoflop, *curves, noisy(*curves)),
        "optimal": grid.compute_optimal(np.geomspace(1e18, 1e22, 21)),
        "suggestion": offray.suggest(
            existing=(SIZES, 20 * SIZES), budget=1e19, region={"N": (5e6, 8e7), "D": (1e7, 1.6e9)}, max_runs=12
        ),
        "check": offray.check(ratios=[15, 20, 25, 30], sizes=SIZES),
        "comparison": offray.compare(N, D, grid.problem.loss, laws=["chinchilla", "kaplan"]),
    }


def new_axes():
    """Axes of a figure that pyplot does not know."""
    return Figure(figsize=(5.2, 3.9), layout="constrained").subplots()


def texts(ax):
    return [ax.get_title(loc="left"), *(text.get_text() for text in ax.texts)]


def pixels(figure, dpi=50):
    """Grey levels, (height, width)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), float)[..., :3] @ [0.299, 0.587, 0.114]


PICTURES = [
    *((of, kind) for of in ("grid", "kaplan", "at_bound", "ray") for kind in FIT_KINDS),
    ("isoflop", "isoflop"),
    ("optimal", "optimal"),
    ("suggestion", "design"),
    ("check", "design"),
    ("check", "kappa"),
    ("comparison", "compare"),
]


@pytest.mark.parametrize(("of", "kind"), PICTURES)
def test_draws_on_given_axes_with_units(results, of, kind):
    ax = new_axes()
    assert results[of].plot(kind, ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel() or kind == "compare"
    shown = ax.get_xlabel() + ax.get_ylabel()
    units = {
        "runs": "parameters",
        "uncertainty": "tokens",
        "residuals": "nats per token",
        "optimal": "FLOP",
        "profile": "standard deviations",
        "conditioning": "relative",
        "kappa": "kappa_eq",
        "isoflop": "nats per token",
        "design": "tokens",
        "compare": "nats per token",
    }
    assert kind not in units or units[kind] in shown
    pixels(ax.figure)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize(("of", "kind"), [p for p in PICTURES if p[0] not in ("grid", "at_bound")])
def test_all_views_in_one_figure(results, of, kind):
    figure = plot.figure(results[of], kind, columns=1)
    pixels(figure)
    assert len(figure.get_axes()) >= {"residuals": 5, "optimal": 4, "profile": 4, "likelihood": 2}.get(kind, 1)


STORED = [
    *(("grid", kind) for kind in FIT_KINDS),
    *(("ray", kind) for kind in ("runs", "uncertainty", "likelihood")),
    ("at_bound", "optimal"),
    ("isoflop", "isoflop"),
    ("suggestion", "design"),
    ("comparison", "compare"),
]


@pytest.mark.parametrize(("of", "kind"), STORED)
def test_looks_as_it_did(results, of, kind):
    from PIL import Image

    ax = new_axes()
    results[of].plot(kind, ax)
    path = IMAGES / f"{of}_{kind}.png"
    made = pixels(ax.figure)
    if WRITE:
        Image.fromarray(made.astype(np.uint8)).save(path, optimize=True)
    stored = np.asarray(Image.open(path), float)
    assert path.stat().st_size < 40_000
    assert made.shape == stored.shape
    assert np.sqrt(np.mean((made - stored) ** 2)) < TOLERANCE


def test_says_what_is_not_determined(results):
    said = {kind: " ".join(texts(results["ray"].plot(kind, new_axes()))) for kind in ("runs", "uncertainty", "optimal")}
    assert all("not determined" in " ".join(text.split()).lower() for text in said.values()), said
    region = results["ray"].plot("likelihood", new_axes())
    assert any("Open" in text for text in texts(region))
    coefficients = results["ray"].law.coefficients
    blank = plot.likelihood(results["ray"], *coefficients, ax=new_axes())
    assert any("not determined" in text for text in texts(blank))
    assert not blank.collections
    assert any("not determined" in " ".join(text.split()) for text in texts(results["at_bound"].plot("optimal", new_axes())))


def test_profile_reaches_the_interval_of_the_fit(results):
    """The curve crosses the 95 % line where ``conf_int`` ends."""
    fit = results["kaplan"]
    for name, (low, high) in zip(fit.law.parameters, fit.conf_int(method="profile"), strict=True):
        ax = plot.profile(fit, name, new_axes())
        x, distance = ax.lines[0].get_data()
        least = int(np.argmin(distance))
        t = max(line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":")
        ends = np.interp(t, distance[least::-1], x[least::-1]), np.interp(t, distance[least:], x[least:])
        np.testing.assert_allclose(ends, (low, high), rtol=0.02)


def test_profiles_of_a_robust_objective_are_scaled_as_its_intervals_are(results):
    at = results["grid"].problem
    fit = offray.fit(at.N, at.D, at.loss, objective="huber", delta=0.005)
    name = fit.law.exponents[0]
    low, high = fit.conf_int(method="profile")[fit.law.parameters.index(name)]
    ax = plot.profile(fit, name, new_axes())
    x, distance = ax.lines[0].get_data()
    least = int(np.argmin(distance))
    t = max(line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":")
    ends = np.interp(t, distance[least::-1], x[least::-1]), np.interp(t, distance[least:], x[least:])
    np.testing.assert_allclose(ends, (low, high), rtol=0.02)


def test_likelihood_region_covers_the_ellipse_where_the_law_is_nearly_linear(results):
    """On a wide grid of runs the likelihood region is the ellipse of the covariance."""
    ax = plot.likelihood(results["grid"], ax=new_axes(), replicates=0)
    region = ax.collections[-1].get_paths()[-1].vertices
    ellipse = np.array(ax.lines[-2].get_data()).T
    for k in (0, 1):
        np.testing.assert_allclose(np.ptp(region[:, k]), np.ptp(ellipse[:, k]), rtol=0.1)


def test_design_predicts_what_check_predicts(results):
    plan = results["check"]
    title = plot.design(plan, ax=new_axes()).get_title(loc="left")
    expected = next(iter(plan.figures.values())).sd["loss@target"]
    assert f"{expected:.2g} nats" in title


def test_robust_weighted_constrained_and_own_laws(results):
    at = results["grid"].problem
    N, D, loss = at.N, at.D, at.loss
    fits = [
        offray.fit(N, D, loss, weight=np.linspace(1, 2, len(N)), log_loss=True),
        offray.fit(N, D, loss, fixed={HELD: 1.69}),
        quiet(offray.fit, N, D, loss, law="E + A*(N**0.5*D)**-alpha"),
        offray.fit(N, D, loss, objective="absolute"),
    ]
    for fit in fits:
        for kind in ("runs", "uncertainty", "residuals", "optimal", "conditioning"):
            quiet(fit.plot, kind, new_axes())
    for fit in fits[:3]:
        pixels(plot.figure(fit, "profile"))
        pixels(plot.figure(fit, "likelihood"))
    with pytest.raises(ValueError, match="kink"):
        fits[3].plot("profile", new_axes())


HELD = offray.laws.chinchilla.floor


def extreme_fits():
    """Runs that leave little or nothing to draw."""
    N, D = offray.designs.grid(np.geomspace(1e7, 1e9, 10), np.geomspace(1e9, 1e11, 6))
    few, tokens, ray = [0, 9, 33, 50, 59], np.full(14, 1e9), (SIZES, 20 * SIZES)
    return {
        "as many parameters as runs": quiet(offray.fit, N[few], D[few], noisy(N, D)[few]),
        "exact": quiet(offray.fit, N, D, noisy(N, D, 0.0)),
        "forced on a ray": quiet(offray.fit, *ray, noisy(*ray, 0.005), identify="force"),
        "one token count": quiet(offray.fit, SIZES, tokens, noisy(SIZES, tokens, 0.005)),
        "four runs on a ray": quiet(offray.fit, *(x[:4] for x in ray), noisy(*ray)[:4]),
        "long double": quiet(offray.fit, N, D, noisy(N, D), dtype=np.longdouble),
        "a curve": quiet(offray.fit, N, D, noisy(N, D) + 0.15 * np.sin(np.log(N * D) / 1.5)),
    }


@pytest.mark.parametrize("kind", FIT_KINDS)
def test_little_or_nothing_to_draw(kind):
    for name, fit in extreme_fits().items():
        if name == "four runs on a ray" and kind == "kappa":
            continue  # what is left of the law has one term
        pixels(fit.plot(kind, new_axes()).figure)


def test_no_contours_of_a_loss_that_nothing_tells():
    fit = extreme_fits()["as many parameters as runs"]
    ax = fit.plot("runs", new_axes())
    assert any("not determined" in text for text in texts(ax))
    assert len(ax.figure.get_axes()) == 1  # no bar of colours


def test_law_of_one_input():
    x = np.geomspace(1e18, 1e22, 12)
    fit = offray.fit(inputs={"x": x}, loss=1.7 + 50 * x**-0.1 + 0.002 * np.sin(np.arange(12) * 2.3), law="power")
    assert fit.plot("residuals", new_axes(), against="x").get_xlabel() == "x"
    fit.plot("profile", new_axes())
    with pytest.raises(ValueError, match="about N and D"):
        fit.plot("runs", new_axes())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r["grid"].plot("design"), "kind must be one of runs"),
        (lambda r: plot.residuals(r["grid"], "x"), "against must be one of observed, N, D, TPP, C"),
        (lambda r: plot.optimal(r["grid"], "speed"), "quantity must be one of"),
        (lambda r: plot.optimal(r["grid"].compute_optimal(1e20)), "at least two budgets"),
        (lambda r: plot.profile(r["grid"], "gamma"), "parameter must be one of"),
        (lambda r: plot.likelihood(r["grid"], "gamma", "delta"), "x must be one of"),
        (lambda r: plot.conditioning(r["grid"], "kappa"), "show must be one of"),
        (lambda r: plot.kappa(r["grid"], "time"), "against must be one of gap, ratio"),
        (lambda r: plot.design(r["check"], "later"), "when must be one of"),
        (lambda r: plot.uncertainty(r["grid"], beyond=0), "beyond must be"),
        (lambda r: plot.figure(r["grid"], columns=0), "columns must be at least 1"),
        (lambda r: plot.save(plot.figure(r["grid"]), "a.tiff"), "written as png, svg, pdf"),
    ],
)
def test_bad_arguments(results, call, message):
    with pytest.raises(ValueError, match=message):
        call(results)


def test_no_picture_of_anything_else():
    with pytest.raises(TypeError, match="there are pictures of"):
        plot.kinds(3)


def test_files_are_the_same_on_every_run(results, tmp_path):
    for ending in ("svg", "png", "pdf"):
        paths = [tmp_path / f"{k}.{ending}" for k in (1, 2)]
        for path in paths:
            plot.save(plot.figure(results["grid"], "conditioning"), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_new_axes_come_from_pyplot(results):
    plt = pytest.importorskip("matplotlib.pyplot")
    with plt.rc_context({"backend": "agg"}):
        ax = results["grid"].plot("residuals")
        assert plt.fignum_exists(ax.figure.number)
        plt.close(ax.figure)


def test_command_line(tmp_path):
    path = offray.examples.path()
    out = tmp_path / "runs.svg"
    assert run_cli("plot", path, "--law", "kaplan", "-o", out).returncode == 0
    assert "model parameters N" in out.read_text()
    assert run_cli("plot", path, "--kind", "compare", "-o", tmp_path / "c.png").returncode == 0
    bad = run_cli("plot", path, "--kind", "pie", "-o", out)
    assert (bad.returncode, "kind must be one of" in bad.stderr) == (2, True)
    assert run_cli("plot", path, "-o", tmp_path / "nowhere" / "a.png").returncode == 2
