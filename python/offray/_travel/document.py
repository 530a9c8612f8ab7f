# SPDX-License-Identifier: Apache-2.0
"""Documents: JSON with a schema and its version, read with one sentence for whatever is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

# Modules for files alone are imported where they are used: a first fit needs none.

Result = TypeVar("Result")
VERSION = 1


def text_of(data: Mapping[str, Any], path: str | os.PathLike[str] | None = None) -> str:
    """A document as text; with a path, written there at once or not at all."""
    import json

    text = json.dumps(data, indent=2, allow_nan=False) + "\n"
    if path is not None:
        written(text, path)
    return text


def written(text: str, path: str | os.PathLike[str]) -> None:
    """Writes a file at once or not at all; what is no file, such as /dev/stdout, is written to. ``OSError`` names the file."""
    from pathlib import Path

    target = Path(os.path.realpath(path))
    beside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
            return
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None


def parsed(text: str) -> dict[str, Any]:
    """The object of a text; ``ValueError`` where it is none."""
    import json

    try:
        data = json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict) or "schema" not in data:
        raise ValueError("this is no result of offray: a document begins with its schema, such as 'offray.fit'")
    return data


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def checked(data: Mapping[str, Any], schema: str) -> None:
    """``ValueError`` for another schema, and for a version that this package does not know."""
    if data.get("schema") != schema:
        raise ValueError(f"the schema is {data.get('schema')!r}, not {schema!r}")
    version = data.get("version")
    if version != VERSION or isinstance(version, bool):
        newer = isinstance(version, int) and version > VERSION
        raise ValueError(
            f"{schema} has version {version!r}; this offray reads version {VERSION}{', a newer one is needed' if newer else ''}"
        )


def member(data: Mapping[str, Any], name: str, kind: type = dict) -> Any:
    """A member of a document; ``ValueError`` where it is missing or of another kind."""
    if name not in data:
        raise ValueError(f"{name!r} is missing")
    if not isinstance(data[name], kind):
        raise ValueError(f"{name!r} is {data[name]!r:.40}, which it cannot be")  # noqa: TRY004 (a bad document)
    return data[name]


def from_file(path: str | os.PathLike[str], read: Callable[[dict[str, Any]], Result]) -> Result:
    """What `read` makes of the document in a file; ``ValueError`` names the file."""
    from pathlib import Path

    try:
        return read(parsed(Path(path).read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        raise ValueError(f"{os.fspath(path)}: this is no JSON: it is no UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def digest(*parts: Any) -> str:
    """SHA-256 of parts of a document, however their numbers are spelt."""
    import hashlib
    import json

    text = json.dumps([_respelt(part) for part in parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _respelt(value: Any) -> Any:
    """1 and 1.0 are one number in JSON."""
    if isinstance(value, dict):
        return {key: _respelt(at) for key, at in value.items()}
    if isinstance(value, list):
        return [_respelt(at) for at in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
