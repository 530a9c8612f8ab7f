# SPDX-License-Identifier: Apache-2.0
"""A file of a source: from the cache, or once from the network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from offray.datasets._dataset import Source

VARIABLE = "OFFRAY_DATA_DIR"


def fetch(name: str, source: Source) -> str:
    """The text of the file, its checksum verified.

    Raises
    ------
    FileNotFoundError
        Where it is neither in the directory nor to be had from the network.
    ModuleNotFoundError
        Where pooch is needed and missing.
    ValueError
        For other contents than expected.
    """
    folder = directory() or Path(_pooch(name).os_cache("offray"))
    path = folder / source.file
    if not path.is_file():
        _download(name, source, folder)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    # pooch would quietly replace the file; it may be the user's own copy.
    if found != source.sha256:
        raise ValueError(
            f"{name}: {path} is not the expected file: expected {source.bytes} bytes with SHA-256 {source.sha256}, "
            f"found {len(content)} bytes with {found}. Delete it, and the next load fetches it again"
        )
    return content.decode("utf-8")


def directory() -> Path | None:
    """Where files are kept; None where neither the environment nor pooch, if it is installed, says it."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    try:
        return Path(_pooch("").os_cache("offray"))
    except ModuleNotFoundError:
        return None


def _download(name: str, source: Source, directory: Path) -> None:
    """Into the directory, complete and verified or not at all."""
    pooch = _pooch(name)
    try:
        pooch.retrieve(source.url, f"sha256:{source.sha256}", fname=source.file, path=directory)
    except OSError as error:  # what requests raises is one too
        raise FileNotFoundError(
            f"{name}: {source.file} is not in {directory}, and fetching {source.url} failed ({error}). "
            f"Where there is no network, save that address as {source.file} and set {VARIABLE} to the directory it is in"
        ) from error
    except ValueError as error:
        raise ValueError(f"{name}: {source.url} is not the expected file, and was not kept. {error}") from error


def _pooch(name: str) -> Any:
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{name}: fetching needs pooch; pip install 'offray[datasets]'", name=error.name) from error
    return pooch
