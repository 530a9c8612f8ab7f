# SPDX-License-Identifier: Apache-2.0
"""The command ``offray datasets``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from offray.cli import output
from offray.cli.groups import option_groups
from offray.cli.options import BAD_INPUT, fail, starting_with
from offray.datasets import Dataset, about, load, location, names


@option_groups
def datasets(
    name: Annotated[
        str | None,
        typer.Argument(help="A set: what it is, and where its file is looked for.", autocompletion=starting_with(*names())),
    ] = None,
    *,
    form: output.Form,
) -> None:
    """Public sets of runs. With a name, --json and --csv write its rows, which are fetched if they are not there.

    Exit codes: 0 fine, 2 bad input, or a file that is not to be had.
    """
    try:
        if name is None:
            rows = [_row(each) for each in names()]
            form.show(
                "datasets",
                text=lambda: typer.echo(_listed(rows)),
                data=lambda: {"datasets": rows},
                rows=lambda: rows,
            )
        elif form != output.Form():
            with output.busy(not _row(name)["in_cache"], f"fetching {name}"):
                runs = _runs(load(name))
            form.show(
                "dataset",
                text=lambda: None,
                data=lambda: {**_row(name), "runs": runs},
                rows=lambda: runs,
            )
        else:
            typer.echo(_told(name))
    except BAD_INPUT as error:
        fail(str(error))


def _row(name: str) -> dict[str, Any]:
    said, place = about(name), location(name)
    return {
        "name": name,
        "licence": said.licence,
        "bytes": None if said.source is None else said.source.bytes,
        "in_cache": place is not None and place.is_file(),
        "corpus": said.corpus,
        "citation": said.citation,
        "file": None if place is None else str(place),
        "url": None if said.source is None else said.source.url,
    }


def _runs(of: Dataset) -> output.Rows:
    columns = {name: of[name] for name in of.keys()}  # noqa: SIM118 - it is no mapping
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _listed(rows: list[dict[str, Any]]) -> str:
    cells = [["name", "licence", "bytes", "there"]]
    for row in rows:
        size = "" if row["bytes"] is None else f"{row['bytes']}"
        cells.append([row["name"], row["licence"], size, "yes" if row["in_cache"] else "no"])
    return output.aligned(cells)


def _told(name: str) -> str:
    """What a set is, read or not, and where its file belongs."""
    row, said = _row(name), about(name)
    if row["in_cache"]:
        return f"{load(name)}\n  {'file':<10}{row['file']}"
    lines = {
        "corpus": said.corpus,
        "N": said.params_definition,
        "loss": said.loss_unit,
        "citation": said.citation,
        "licence": said.licence,
        "source": row["url"],
        "note": said.note,
        "file": row["file"] or "in the directory that OFFRAY_DATA_DIR names",
    }
    head = f"{name}: not there yet; --csv fetches it, or save the source, {row['bytes']} bytes, as the file below"
    return "\n".join([head, *(f"  {label:<10}{text}" for label, text in lines.items())])
