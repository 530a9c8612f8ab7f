# SPDX-License-Identifier: Apache-2.0
"""The command ``offray laws``."""

from __future__ import annotations

import typer

import offray


def laws() -> None:
    """The laws that --law knows by name: formula and source. Any other one is given as its formula."""
    for name in offray.laws.NAMES:
        law = getattr(offray.laws, name)
        source = f"; {law.reference}" if law.reference else ""
        typer.echo(f"{name}\n  {law.formula}\n  reads {', '.join(law.inputs)}{source}")
