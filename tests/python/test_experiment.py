# SPDX-License-Identifier: Apache-2.0
"""Designs against each other in simulation: what is drawn, fitted, judged, kept and added up."""

import itertools
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import distributed
import numpy as np
import offray
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from offray.experiment import (
    PRECISIONS,
    Corpus,
    Design,
    Setup,
    ShortRunExcess,
    Sweep,
    as_law,
    beyond,
    compare,
    largest_compute,
    off_ray,
    on_real_runs,
    published,
    wilson,
)
from offray.experiment._precision import rounded
from scipy.stats import binomtest
from truths import HOFFMANN

SIZES = np.geomspace(5e6, 8e7, 6)
DESIGNS = {"fan": Design.fan([1, 2, 5], SIZES), "grid": Design.grid(SIZES, [1e7, 1e8, 1e9])}
HELD_OUT = {"above": Design.fan([8, 12], SIZES), "far": Design.factorial((1e8, 4e8), (1e9, 4e9), 2)}
CORPUS = Corpus("mine", "chinchilla", HOFFMANN)


def same(first, second):
    """Bit for bit: rows hold floats, strings and lists of floats, and NaN is NaN."""
    return repr(first.rows) == repr(second.rows)


# ---- designs, corpora, precision ----


def test_design_builders():
    assert len(DESIGNS["fan"]) == 18
    np.testing.assert_allclose(Design.ray(20, SIZES).D, 20 * SIZES)
    np.testing.assert_allclose(6 * np.prod(Design.isoflop([1e18], SIZES).columns, axis=0), 1e18)
    joined = DESIGNS["fan"] + Design.ray(20, SIZES)
    assert len(joined) == 24
    assert len(joined[:5]) == 5
    assert len(Design.ray(20, SIZES).repeated(3)) == 18
    stacked = DESIGNS["fan"].over_epochs((1, 4))
    np.testing.assert_allclose(stacked.unique_tokens, np.concatenate([DESIGNS["fan"].D, DESIGNS["fan"].D / 4]))
    table = {"params": [1e7, 2e7], "tokens": [1e9, 1e9], "loss": [3.0, 2.9]}
    np.testing.assert_array_equal(Design.from_table(table).N, table["params"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Design([1e7, -1.0], [1e9, 1e9]), r"N\[1\] = -1.0"),
        (lambda: Design([1e7], [1e9, 1e9]), r"D must hold one number per run; got 2 for 1"),
        (lambda: Design([1e7], [np.nan]), r"D\[0\] = nan"),
        (lambda: Design.from_table({"params": [1e7]}), "tokens: no such column"),
        (lambda: DESIGNS["fan"] + DESIGNS["fan"].over_epochs((1, 2)), "unique_tokens"),
        (lambda: Corpus("x", "chinchilla", (1.0, 2.0)), "theta must give E, A, B, alpha, beta"),
        (lambda: Corpus("x", "nothing", HOFFMANN), "unknown law 'nothing'"),
        (lambda: Corpus("x", "chinchilla", HOFFMANN, sigma=-1.0), "sigma"),
        (lambda: Corpus("x", "chinchilla", HOFFMANN, epochs=0.5), "epochs"),
        (lambda: largest_compute([1.0], [1.0], 0), "share"),
        (lambda: off_ray([1.0], [1.0], -1), "k must be positive"),
        (lambda: compare({"one": DESIGNS["fan"]}, [CORPUS], HELD_OUT), "two or more"),
        (lambda: compare(DESIGNS, [CORPUS], {}), "held_out must name at least one"),
        (lambda: compare(DESIGNS, [CORPUS], {"H": DESIGNS["fan"]}), "is not free"),
        (lambda: compare(DESIGNS, [CORPUS, CORPUS], HELD_OUT), "corpora: mine, mine"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, laws=["chinchila"]), "laws: unknown 'chinchila'"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, laws=[]), "laws: none"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, seeds=[1, 1]), "seeds"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, precisions=["fp8"]), "precisions: unknown 'fp8'"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, seeds=1).summary("colour"), "'colour' is no label"),
        (lambda: on_real_runs([], draws=0), "draws"),
        (lambda: Sweep("s", [1e7], [1e9], [np.inf]), r"s: loss\[0\] = inf"),
        (lambda: Sweep("s", [1e7], [1e9, 2e9], [3.0]), "s: D has 2 numbers for 1 runs"),
        (lambda: Sweep("s", [1e7], [1e9], [3.0], budgets=(1e18, 1.1e18)), "more than 20 % apart"),
        (lambda: on_real_runs([Sweep("s", [1e7], [1e9], [3.0], budgets=(1e18,))]), r"within 10 % of 1e\+18"),
        (lambda: on_real_runs([], laws="repeated_data"), "laws: unknown 'repeated_data'"),
        (lambda: compare(DESIGNS, [CORPUS], {"train": DESIGNS["fan"]}), "is not free"),
        (lambda: compare(DESIGNS, [CORPUS], {"a": DESIGNS["fan"].over_epochs((1,))}), "unique_tokens: of the designs only a"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, precisions=["double", "double"]), "each name has to be there once"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, objectives=[]), "objectives: none"),
        (
            lambda: compare({"a": Design.ray(2, SIZES[:3]), **DESIGNS}, [CORPUS]),
            "designs: 'a' has 3 runs; chinchilla has 5 parameters",
        ),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, seeds=1.5), "seeds: 1.5 is not an integer"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, seeds=[2**70]), "seeds"),
        (lambda: compare(DESIGNS, [CORPUS], HELD_OUT, seeds=True), "seeds: True"),
        (lambda: Design([True], [1e9]), "every value must be a real number"),
        (lambda: DESIGNS["fan"].over_epochs((0.5,)), "epochs must be at least 1"),
        (lambda: Corpus("x", "chinchilla", (-1.0, *HOFFMANN[1:])), "theta: E = -1.0"),
        (lambda: ShortRunExcess(0.1, -1e7), "tokens must be positive"),
        (lambda: Corpus("x", "chinchilla", HOFFMANN, sigma=3.0).losses(DESIGNS["fan"], 0, "a"), "sigma = 3.0 is too large"),
        (lambda: Setup(sigma=0), "sigma must be positive"),
        (lambda: Setup(grid_tokens=(3e8, 3e8)), "grid_tokens must be a range"),
        (lambda: largest_compute([1.0, -1.0], [1.0, 1.0]), r"N\[1\] = -1.0"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_rounding_is_to_the_nearest_even():
    x = np.random.default_rng(0).uniform(0.5, 9, 2000)
    np.testing.assert_array_equal(rounded(x, "float32"), x.astype(np.float32).astype(float))
    bits = x.astype(np.float32).view(np.uint32)
    once = rounded(x.astype(np.float32).astype(float), "bfloat16").astype(np.float32).view(np.uint32)
    np.testing.assert_array_equal(once, (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000)
    tie = 1 + 2.0**-8
    assert rounded(np.array([tie]), "bfloat16")[0] == 1.0
    assert rounded(np.array([tie * (1 + 1e-12)]), "bfloat16")[0] == 1 + 2.0**-7  # by way of float32 it would be 1
    np.testing.assert_array_equal(rounded(x, "double"), x)


def test_corpus_draws_are_fixed_by_name_seed_and_part():
    first = CORPUS.losses(DESIGNS["fan"], 3, "fan")
    np.testing.assert_array_equal(first, CORPUS.losses(DESIGNS["fan"], 3, "fan"))
    others = [CORPUS.losses(DESIGNS["fan"], 4, "fan"), CORPUS.losses(DESIGNS["fan"], 3, "other")]
    others.append(Corpus("yours", "chinchilla", HOFFMANN).losses(DESIGNS["fan"], 3, "fan"))
    assert all((first != other).all() for other in others)
    big = Design.ray(20, np.geomspace(1e6, 1e9, 20000))
    noise = CORPUS.losses(big, 0, "big") - offray.laws.chinchilla(big.columns, *HOFFMANN)
    np.testing.assert_allclose([noise.mean(), noise.std()], [0, 0.005], atol=1.5e-4)


def test_an_epoch_count_is_a_factor_of_the_tokens_as_in_the_repeated_data_law():
    D = np.geomspace(1e7, 1e12, 5)
    theta = (*HOFFMANN[:2], 410.7, 0.34, 0.28, 5.309743, 15.387756)
    tiny = np.full(5, 1e3)  # below every N_opt, so that only tokens are repeated
    seen = offray.laws.repeated_data((tiny, D, D / 3), *theta)
    effective = Corpus("x", "chinchilla", HOFFMANN, epochs=3).effective_tokens(D)
    np.testing.assert_allclose(offray.laws.chinchilla((tiny, effective), *HOFFMANN), seen, rtol=1e-13)


def test_a_corpus_as_another_law():
    everywhere = DESIGNS["fan"] + DESIGNS["grid"]
    droppo = as_law(CORPUS, "droppo_elibol", everywhere)  # contains Chinchilla: alpha = 1
    np.testing.assert_allclose(droppo.truth(everywhere), CORPUS.truth(everywhere), rtol=1e-9)
    kaplan = as_law(CORPUS, "kaplan", everywhere)  # does not
    assert 0.01 < np.abs(kaplan.truth(everywhere) - CORPUS.truth(everywhere)).max() < 1
    assert as_law(CORPUS, "chinchilla", everywhere) is CORPUS
    thrice = Corpus("thrice", "chinchilla", HOFFMANN, epochs=3)
    np.testing.assert_allclose(
        as_law(thrice, "droppo_elibol", everywhere).truth(everywhere), thrice.truth(everywhere), rtol=1e-9
    )
    excess = Corpus("x", "chinchilla", HOFFMANN, excess=ShortRunExcess(0.1, 1e7))
    np.testing.assert_allclose(excess.truth(everywhere) / CORPUS.truth(everywhere), 1 + 0.1 * np.exp(-everywhere.D / 1e7))
    assert len(published()) == 5


def test_splits():
    N, D = np.meshgrid([1e7, 1e8], [1e8, 1e9, 1e10])
    assert largest_compute(N.ravel(), D.ravel(), 1 / 6).sum() == 1
    assert largest_compute([1, 1, 1], [1, 1, 1]).all()  # ties stay together
    np.testing.assert_array_equal(off_ray([1e7, 1e7, 1e7], [2e8, 2.6e8, 2.8e8]), [False, False, True])


def test_what_is_held_out_without_a_word():
    parts = beyond(DESIGNS)
    np.testing.assert_allclose(np.unique(np.round(parts["H_col"].D / parts["H_col"].N, 9)), [6, 6.2, 6.5, 6.7, 7])  # as printed
    np.testing.assert_allclose([parts["H_nc"].D.min(), parts["H_nc"].D.max()], [1.1e9, 1.34e9])
    assert same(compare(DESIGNS, [CORPUS], seeds=2), compare(DESIGNS, [CORPUS], parts, seeds=2))


def test_wilson_is_scipy_s():
    for wins, n in ((0, 5), (3, 7), (97, 100), (10, 10)):
        theirs = binomtest(wins, n).proportion_ci(method="wilson")
        np.testing.assert_allclose(wilson(wins / n, n), (theirs.low, theirs.high), rtol=1e-12, atol=1e-12)


# ---- compare ----


def test_a_row_is_what_a_user_would_work_out():
    row = compare(DESIGNS, [CORPUS], HELD_OUT, seeds=[7]).rows[0]
    design, loss = DESIGNS["fan"], CORPUS.losses(DESIGNS["fan"], 7, "fan")
    fit = offray.fit(design.N, design.D, loss)
    assert row["theta_base"] == fit.theta.tolist()
    assert row["status_base"] == "converged"
    errors = [
        fit.law(part.columns, *fit.theta) - CORPUS.losses(part, 7, f"held out: {name}") for name, part in HELD_OUT.items()
    ]
    every = np.concatenate(errors)
    np.testing.assert_allclose(row["rmse_H_base"], np.sqrt((every**2).mean()), rtol=1e-12)
    np.testing.assert_allclose(row["rmse_far_base"], np.sqrt((errors[1] ** 2).mean()), rtol=1e-12)
    seen = np.concatenate([CORPUS.losses(part, 7, f"held out: {name}") for name, part in HELD_OUT.items()])
    np.testing.assert_allclose(row["r2_H_base"], 1 - (every**2).sum() / ((seen - seen.mean()) ** 2).sum(), rtol=1e-12)
    np.testing.assert_allclose(row["rmse_train_base"], np.sqrt(fit.rss / 18), rtol=1e-9)
    unit = fit.law.jacobian(design.columns, *fit.theta)
    np.testing.assert_allclose(row["kappa_base"], np.linalg.cond(unit / np.linalg.norm(unit, axis=0)), rtol=1e-6)
    sd = fit.se / fit.theta
    np.testing.assert_allclose([row["sd_scale_N_base"], row["sd_scale_D_base"]], sd[1:3], rtol=1e-6)
    assert row["win"] == (row["rmse_H_design"] < row["rmse_H_base"])


def test_iterators_and_single_names_are_taken_whole():
    listed = compare(
        DESIGNS, [CORPUS, Corpus("other", "chinchilla", HOFFMANN)], HELD_OUT, precisions=["double", "float32"], seeds=1
    )
    corpora = iter([CORPUS, Corpus("other", "chinchilla", HOFFMANN)])
    assert same(listed, compare(DESIGNS, corpora, HELD_OUT, precisions=iter(["double", "float32"]), seeds=iter([0])))
    assert len(compare(DESIGNS, [CORPUS], HELD_OUT, laws="kaplan", precisions="double", objectives="squares", seeds=1)) == 1


def test_one_loss_has_no_r_squared():
    row = compare(DESIGNS, [CORPUS], {"one": Design([1e8], [1e9])}, seeds=1).rows[0]
    assert np.isnan(row["r2_H_base"])
    assert row["rmse_H_base"] > 0


def test_intervals_left_undetermined_count():
    narrow = {"fan": Design.fan([1, 1.05], SIZES), "grid": DESIGNS["grid"]}
    assert compare(narrow, [CORPUS], HELD_OUT, seeds=20).summary().rows[0]["width ratio N"] == np.inf


def test_laws_precisions_objectives_and_groups():
    objectives = {"squares": {}, "log-Huber": {"objective": "huber", "delta": 0.01, "log_loss": True}}
    laws = ("chinchilla", "droppo_elibol")
    compared = compare(DESIGNS, [CORPUS], HELD_OUT, laws=laws, precisions=PRECISIONS, objectives=objectives, seeds=4)
    assert len(compared) == 2 * 4 * 2 * 4
    table = compared.table
    assert set(map(len, table.values())) == {64}
    summary = compared.summary(("law", "precision"))
    assert [row["comparisons"] for row in summary.rows] == [8] * 8
    assert {row["data sets"] for row in summary.rows} == {4}  # two objectives, one set of losses
    assert "win rate" in str(summary)
    theta = {
        (r["precision"], r["objective"]): r["theta_base"] for r in compared.rows if r["law"] == "chinchilla" and r["seed"] == 0
    }
    assert theta["double", "squares"] != theta["float32", "squares"] != theta["bfloat16", "squares"]
    np.testing.assert_allclose(theta["longdouble", "squares"], theta["double", "squares"], rtol=1e-6)
    with_repeats = {name: design.over_epochs((1, 3)) for name, design in DESIGNS.items()}
    held_out = {"above": HELD_OUT["above"].over_epochs((2,))}
    truth = as_law(CORPUS, "repeated_data", DESIGNS["fan"])
    assert compare(with_repeats, [truth], held_out, seeds=2).rows[0]["status_design"] == "converged"


def test_more_designs_against_one_base():
    ray = {"ray": Design.ray(20, SIZES).repeated(3), **DESIGNS}
    compared = compare(ray, [CORPUS], HELD_OUT, seeds=12)
    by_design = {row["design"]: row for row in compared.summary("design").rows}
    assert set(by_design) == {"fan", "grid"}
    assert by_design["grid"]["win rate"] > 0.9
    assert by_design["grid"]["width ratio N"] == np.inf  # A and B are not determined on a ray


# ---- the same bits, wherever and however often ----


def work(**options):
    return compare(DESIGNS, [CORPUS], HELD_OUT, laws=("chinchilla", "kaplan"), seeds=25, **options)


def test_threads_and_processes_change_nothing():
    serial = work(threads=1)
    assert same(serial, work(threads=3))
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert same(serial, work(executor=pool))
    assert warnings.filters == before
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert same(serial, work(executor=pool))


@pytest.mark.filterwarnings("default")
def test_dask():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert same(work(), work(executor=client.get_executor()))


def test_finished_rows_are_not_done_again(tmp_path):
    store, calls = tmp_path / "rows.parquet", []
    fresh = work(store=store, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (50, 50)
    calls.clear()
    assert same(fresh, work(store=store, progress=lambda *count: calls.append(count)))
    assert calls == []
    more = compare(DESIGNS, [CORPUS], HELD_OUT, laws=("chinchilla",), seeds=30, store=store)  # another block, the same file
    assert len(more) == 30
    assert same(fresh, work(store=store))


class OneBlock(ProcessPoolExecutor):
    """Does the first block, then Ctrl-C."""

    count = itertools.count()

    def submit(self, call, *arguments):
        future = Future()
        if next(self.count) == 0:
            future.set_result(call(*arguments))
        else:
            future.set_exception(KeyboardInterrupt())
        return future


def test_ctrl_c_keeps_what_was_done(tmp_path):
    store = tmp_path / "rows.parquet"
    with pytest.raises(offray.Interrupted, match="of 50 comparisons were done; the same call") as stopped:
        work(store=store, executor=OneBlock(1))
    assert len(stopped.value.partial) < 50
    assert same(work(), work(store=store))


def test_interrupted_travels_between_processes():
    partial = work().summary()
    back = pickle.loads(pickle.dumps(offray.Interrupted("3 of 4", partial)))
    assert str(back) == "3 of 4"
    assert back.partial.rows == partial.rows


def test_a_block_cut_short_is_done_again(tmp_path):
    store = tmp_path / "rows.parquet"
    whole = work(store=store)
    rows = pq.read_table(store)
    pq.write_table(rows.slice(0, len(rows) - 1), store)
    assert same(whole, work(store=store))


def test_kill_minus_9_and_go_on(tmp_path):
    script = (
        "import numpy as np, sys, hashlib\n"
        "from offray.experiment import Corpus, Design, compare\n"
        "sizes = np.geomspace(5e6, 8e7, 10)\n"
        "designs = {'fan': Design.fan([1, 2, 5], sizes), 'grid': Design.grid(sizes, [1e7, 1e8, 1e9])}\n"
        f"corpora = [Corpus(f'c{{k}}', 'chinchilla', {HOFFMANN}) for k in range(20)]\n"
        "held_out = {'above': Design.fan([8, 12], sizes)}\n"
        "store = sys.argv[1] if len(sys.argv) > 1 else None\n"
        "done = compare(designs, corpora, held_out, laws=('chinchilla', 'kaplan'), seeds=40, store=store)\n"
        "print(len(done), hashlib.sha256(repr(done.rows).encode()).hexdigest())\n"
    )
    store = tmp_path / "rows.parquet"
    process = subprocess.Popen([sys.executable, "-c", script, str(store)], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not store.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL  # in the middle
    process.stdout.close()

    def printed(*arguments):
        return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, check=True, text=True).stdout

    assert printed(str(store)) == printed()


def test_a_store_that_is_something_else(tmp_path):
    text = tmp_path / "rows.parquet"
    text.write_text("params,tokens,loss\n")
    with pytest.raises(ValueError, match=r"rows\.parquet"):
        work(store=text)
    with pytest.raises(ValueError, match="nothing can be written"):
        work(store="/proc/rows.parquet")
    with pytest.raises(ValueError, match="there is no directory"):
        work(store=tmp_path / "nowhere" / "rows.parquet")
    pq.write_table(pa.table({"params": [1.0]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="no finished rows"):
        work(store=tmp_path / "other.parquet")
