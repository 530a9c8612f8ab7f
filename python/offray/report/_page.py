# SPDX-License-Identifier: Apache-2.0
"""The page: one HTML file with everything in it."""

from __future__ import annotations

import hashlib
import platform
import warnings
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import matplotlib
import numpy as np
from markupsafe import Markup

import offray
from offray.report import _answer, _tables
from offray.report._explore import explorer
from offray.report._pictures import pictures

_HERE = Path(__file__).parent


class Origin(NamedTuple):
    """Where a fit comes from, so that it can be made again.

    Attributes
    ----------
    name : str
        Of the data.
    sha256 : str
        Of the file, or of the columns as double-precision numbers in the order of the law's inputs, loss and weight.
    command : str
        That makes the page anew.
    """

    name: str
    sha256: str
    command: str


def page(fit: offray.Fit, *, title: str = "", origin: Origin | None = None) -> str:
    """A report on a fit as HTML that needs nothing beside it: no network, no fonts, no further file.

    Parameters
    ----------
    fit : Fit
    title : str, optional
        Default: the law and the number of runs.
    origin : Origin, optional
        Default: the columns of the fit, and the calls of Python that make it.

    Returns
    -------
    str
        All text in it that comes from data is escaped; the same for the same fit, whenever it is made.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # the page is about what they say
        plan, no_plan = _answer.next_runs(fit)
        script = (_HERE / "explore.js").read_text(encoding="utf-8")
        return _template().render(
            title=title or f"{fit.law.name}: {len(fit.residuals)} runs",
            answer=_answer.answer(fit),
            parameters=_tables.parameters(fit),
            budgets=_tables.budgets(fit),
            plan=None if plan is None else _tables.plan(plan),
            no_plan=no_plan,
            worst=_tables.worst(fit),
            explorer=explorer(fit),
            sections=list(pictures(fit, plan)),
            facts=fit.facts(),
            versions={
                "offray": offray.__version__,
                "Python": platform.python_version(),
                "numpy": np.__version__,
                "matplotlib": matplotlib.__version__,
            },
            origin=origin or _of_arrays(fit),
            style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        )


def write(
    runs: Any,
    path: str | Path,
    *,
    law: str | offray.Law = "chinchilla",
    title: str = "",
    origin: Origin | None = None,
    **options: Any,
) -> Path:
    """Fit runs, where they are not fitted yet, and write the report.

    Parameters
    ----------
    runs : Fit, path or table
        A fit; a CSV or Parquet file; or a table as `offray.fit` takes it.
    path : path
        Of the HTML file.
    law : str or Law
        For runs that are not fitted yet; further options of `offray.fit` by name.
    title, origin
        As for `page`.

    Returns
    -------
    Path
        The file, below one megabyte.

    Raises
    ------
    ValueError
        For a file that is no table of runs, and runs that no fit can use.
    """
    source = None
    if isinstance(runs, str | Path):
        source = Path(runs)
        runs = offray.read(source)
    if isinstance(runs, offray.Fit):
        fit = runs
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", offray.IdentifiabilityWarning)
            warnings.simplefilter("ignore", offray.ConvergenceWarning)
            fit = offray.fit(runs, law=law, **options)
    if origin is None and source is not None:
        given = "".join(f", {name}={value!r}" for name, value in {"law": law, **options}.items())
        origin = of_file(source, f"offray.report.write({str(source)!r}, {str(path)!r}{given})")
    out = Path(path)
    out.write_text(page(fit, title=title or (source.stem if source else ""), origin=origin), encoding="utf-8")
    return out


def of_file(path: Path, command: str) -> Origin:
    """The origin of a fit of a file."""
    return Origin(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), command)


def _of_arrays(fit: offray.Fit) -> Origin:
    problem = fit.problem
    columns = [*problem.columns.values(), problem.loss, *([problem.weight] if problem.weight.size else [])]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(column, "<f8").tobytes() for column in columns)).hexdigest()
    named = fit.law.name if fit.law.built_in else fit.law.formula
    return Origin(f"{len(problem.loss)} runs given as arrays", digest, f"offray.report.page(offray.fit(..., law={named!r}))")


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(_HERE, encoding="utf-8")
    # The ending says nothing to it: everything is escaped.
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined).get_template("page.html.jinja")
