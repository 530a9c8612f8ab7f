# SPDX-License-Identifier: Apache-2.0
"""The timings as Markdown."""

from __future__ import annotations

import math

from bootstraps import REFITS, SAMPLE
from contest import fastest
from machine import describe

METHOD = """\
offray against the fitters one can call today, on runs of one law, L = E + A N^-alpha + B D^-beta: simulated ones (compute
budgets split over model sizes, noise of .7 %) and, where a file is named, published ones. All engines share one process and
take turns, so that a slow spell of the machine hits them alike; figures are medians of wall time, ratios are engine / offray.
Every engine gets analytic derivatives where it takes them, hand-written numpy with logarithms taken once and exponentials
shared by value and Jacobian, a relative tolerance of 1e-10 (offray: its own, tighter one), and the start of Hoffmann et al. in
three forms: raw parameters, centred ones (N and D in units of their geometric means) and logarithms of the centred ones. The
excess is that of the objective over the best one reached; an engine found the optimum where it is below 1e-8. optimistix is
compiled beforehand. C++ engines time themselves in a process of their own."""

SINGLE = "Each engine in its fastest form that found the optimum; in brackets its time over offray's from the same start."
GLOBAL = "The same fits, over offray's time without a start: its search of the whole range against their one local fit."
ROBUST = "In brackets the time over offray's without a start; the others fit once, locally, from the start."
BOOTSTRAP = f"""\
Pairs resampled, each refit from the optimum of the full table. Of engines that fit one table at a time, {SAMPLE} refits are
timed and scaled, and drawing and preparing the tables is not counted; for offray it is."""
LAWS = "scipy starts within 10 % of the optimum, in its fastest analytic configuration that returns to it."


VARIANTS = "offray against itself, Chinchilla's law on the simulated runs, taking turns in one process."
FUNCTIONS = "a exp(-b x) + c: offray records the function and fits it in the core, scipy takes difference quotients."


def report(squares, robust, refits, laws, own, any_function, shown):
    """The whole document; `shown` are the labels of the runs whose every row appears."""
    parts = [
        "# Performance",
        METHOD,
        f"Machine: {describe()}.",
        "Regenerate with `python bench/compare.py --data FILE.csv --other-engines BUILD/bench/other_engines --output "
        "docs/performance.md`.",
        "## One fit from a start, squares on the loss",
        SINGLE,
        overview(squares, base=0),
        *details(squares, shown),
        "## One fit without a start, squares on the loss",
        GLOBAL,
        overview(squares, base=1),
        "## One fit, Huber's function of the log loss, delta .001",
        ROBUST,
        overview(robust, base=1),
        *details(robust, shown),
        f"## {REFITS} bootstrap refits",
        BOOTSTRAP,
        bootstrap_table(refits),
        "## The other laws, n = 240",
        LAWS,
        law_table(laws),
        "## Variants of the plain fit, n = 240",
        VARIANTS,
        against_first(own),
        "## curve_fit of a function, n = 240, from the same start",
        FUNCTIONS,
        against_first(any_function),
    ]
    return "\n\n".join(parts) + "\n"


def overview(results, base):
    """Engines by runs; ratios to offray from the start (base 0) or without one (base 1)."""
    names = dict.fromkeys(row.engine for rows in results.values() for row in rows[2:])
    lines = [
        [f"**offray**, {form}", *(against(rows[k].seconds, rows[base].seconds) for rows in results.values())]
        for k, form in enumerate(("from the start", "no start"))
    ]
    for name in names:
        best = [(fastest(rows, name), rows[base]) for rows in results.values()]
        lines += [[name, *(against(row.seconds, offray.seconds) if row else "not found" for row, offray in best)]]
    return table(["engine", *results], lines)


def details(results, shown):
    """Every row of some of the runs."""
    header = ["engine", "parameters", "median", "/ offray, from the start", "/ offray, no start", "excess", "evaluations"]
    for label in shown:
        rows = results[label]
        yield f"### {label}, every form"
        yield table(header, [detail(row, rows[0].seconds, rows[1].seconds) for row in rows])


def detail(row, local, everywhere):
    compiled = f" (compiled in {row.compile_seconds:.1f} s)" if row.compile_seconds > 0.05 else ""
    if math.isnan(row.excess):
        return [row.engine, row.form, "failed", "", "", "", ""]
    return [
        row.engine + compiled,
        row.form,
        duration(row.seconds),
        digits(row.seconds / local),
        digits(row.seconds / everywhere),
        f"{row.excess:.0e}",
        "" if row.evaluations is None else str(row.evaluations),
    ]


def bootstrap_table(refits):
    """The fastest form of each engine, and both of offray's."""
    lines = {}
    for label, times in refits.items():
        best = {}
        for (engine, form), seconds in times.items():
            name = f"**offray**, {form}" if engine == "offray" else engine
            best[name] = min(seconds, best.get(name, math.inf))
        base = times["offray", "1 thread"]
        for name, seconds in best.items():
            lines.setdefault(name, {})[label] = against(seconds, base)
    return table(["engine", *refits], [[name, *(cells.get(label, "") for label in refits)] for name, cells in lines.items()])


def law_table(laws):
    header = ["law", "status", "offray, no start", "offray, from scipy's start", "scipy", "its form", "/ no start", "/ start"]
    lines = [
        [
            row.law,
            row.status,
            duration(row.seconds),
            duration(row.near),
            duration(row.rival_seconds),
            row.rival,
            digits(row.rival_seconds / row.seconds),
            digits(row.rival_seconds / row.near),
        ]
        for row in laws
    ]
    return table(header, lines)


def against_first(seconds):
    base = next(iter(seconds.values()))
    return table(["call", "median", "/ the first"], [[name, duration(s), digits(s / base)] for name, s in seconds.items()])


def table(header, lines):
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *lines])


def against(seconds, base):
    return f"{duration(seconds)} ({digits(seconds / base)})"


def duration(seconds):
    """Three digits in the unit that suits."""
    unit, size = next(((u, s) for u, s in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)) if seconds >= s), ("ns", 1e-9))
    return f"{digits(seconds / size)} {unit}"


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
