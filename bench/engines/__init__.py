# SPDX-License-Identifier: Apache-2.0
"""One module per engine; those that are not installed are left out."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

OPTIONAL = {"lmfit": "with_lmfit", "iminuit": "with_iminuit", "optimistix": "with_optimistix"}


def installed():
    """Engines of every module whose package is here."""
    modules = ["with_scipy", *(module for package, module in OPTIONAL.items() if find_spec(package))]
    return [engine for module in modules for engine in import_module(f"engines.{module}").ENGINES]
