# SPDX-License-Identifier: Apache-2.0
"""The command ``offray laws``."""

from __future__ import annotations

import typer

import offray
from offray.cli import output
from offray.cli.groups import option_groups


@option_groups
def laws(*, form: output.Form) -> None:
    """The laws that --law knows by name: formula and source. Any other one is given as its formula.

    Exit codes: 0 fine, 2 bad input.
    """
    known = [getattr(offray.laws, name) for name in offray.laws.NAMES]
    form.show(
        "laws",
        text=lambda: typer.echo("\n".join(map(_text, known))),
        data=lambda: {"laws": [_row(law) for law in known]},
        rows=lambda: [
            {name: " ".join(cell) if isinstance(cell, tuple) else cell for name, cell in _row(law).items()} for law in known
        ],
    )


def _row(law: offray.Law) -> dict[str, str | tuple[str, ...] | None]:
    return {
        "name": law.name,
        "formula": law.formula,
        "parameters": law.parameters,
        "inputs": law.inputs,
        "reference": law.reference or None,
    }


def _text(law: offray.Law) -> str:
    source = f"; {law.reference}" if law.reference else ""
    return f"{law.name}\n  {law.formula}\n  reads {', '.join(law.inputs)}{source}"
