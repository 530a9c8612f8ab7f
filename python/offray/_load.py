# SPDX-License-Identifier: Apache-2.0
"""offray.load."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from offray._travel.document import from_file


def load(path: str | os.PathLike[str]) -> Any:
    """Read a result that its `save` wrote: nothing is fitted again, every bit is kept.

    Parameters
    ----------
    path : path
        A JSON document; its ``schema`` says what it is of: "offray.fit" of a `Fit`, and so on.

    Returns
    -------
    Fit, GroupedFit, Prediction, ComputeOptimal, Suggestion, ...

    Raises
    ------
    ValueError
        For a file that is damaged, comes from a newer version, is no result, or is of one that hangs on its fit (`Misfit`,
        `Certificate`); for a fit whose runs, options or optimum were changed. With the file and the reason.

    Examples
    --------
    >>> import os, tempfile, offray
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "fit.json")
    ...     offray.fit(offray.examples.pile(), law="kaplan").save(path)
    ...     offray.load(path).status
    'converged'
    """
    return from_file(path, _read)


def _read(data: dict[str, Any]) -> Any:
    public = import_module("offray")
    name = str(data["schema"]).removeprefix("offray.").replace("_", "")
    for each in public.__all__:
        if each.lower() == name and each[0].isupper() and hasattr(getattr(public, each), "from_dict"):
            return getattr(public, each).from_dict(data)
    raise ValueError(f"the schema {data['schema']!r} is of nothing that can be read back")
