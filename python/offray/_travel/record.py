# SPDX-License-Identifier: Apache-2.0
"""What results that are figures have in common."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from offray._text import Sheet
from offray._travel.document import VERSION, checked, from_file, member, parsed, text_of
from offray._travel.plain import plain
from offray._travel.typed import hints_of, value_from

if TYPE_CHECKING:
    from typing_extensions import Self


def schema_of(cls: type) -> str:
    """The schema of a result: "offray.compute_optimal" of ComputeOptimal."""
    return "offray." + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


class Written:
    """What has a `to_dict` as JSON."""

    __slots__ = ()

    if TYPE_CHECKING:

        def to_dict(self) -> dict[str, Any]: ...

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """`to_dict` as text; with a path, written there too."""
        return text_of(self.to_dict(), path)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_json` to a file, at once or not at all."""
        self.to_json(path)


class Read(Written):
    """What comes back from it."""

    __slots__ = ()

    if TYPE_CHECKING:

        @classmethod
        def from_dict(cls, data: Mapping[str, Any]) -> Self: ...

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` gave, bit for bit; ``ValueError`` for anything else."""
        return cls.from_dict(parsed(text))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """What `save` wrote; ``ValueError`` names the file and what is wrong with it."""
        return from_file(path, cls.from_dict)


class Told(Written):
    """A frozen dataclass that can be told: as plain data, as JSON, to another process, in one line, in a notebook."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def _figures(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if not name.startswith("_")}

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, ready for JSON, with its schema and version; what is not finite, and every long double,
        is text."""
        return {"schema": schema_of(type(self)), "version": VERSION, **plain(self._figures())}

    def __getstate__(self) -> dict[str, Any]:
        return {name: _open(getattr(self, name)) for name in self.__dataclass_fields__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: _sealed(value) for name, value in state.items()})

    def _brief(self) -> str:
        """The result in a few words, for its ``repr``."""
        return str(self).splitlines()[0] if type(self).__str__ is not object.__str__ else ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._brief()}>"

    def _sheet(self) -> Sheet:
        """The result as a table."""
        return Sheet(str(self).splitlines(), ())

    def _repr_html_(self) -> str:
        return self._sheet().html()


class Record(Told, Read):
    """A result that is its figures and nothing else, so that they give it back."""

    __slots__ = ()

    @classmethod
    def _of_figures(cls, data: Mapping[str, Any]) -> Self:
        hints = hints_of(cls)
        return cls(**{name: _field(name, hints[name], data) for name in cls.__dataclass_fields__})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` gave, bit for bit; ``ValueError`` for anything else."""
        checked(data, schema_of(cls))
        out = cls._of_figures(data)
        try:
            str(out)  # it takes figures that go together
        except (ValueError, TypeError, LookupError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"its figures do not go together: {error}") from None
        return out


def _field(name: str, hint: Any, data: Mapping[str, Any]) -> Any:
    value = member(data, name, object)
    try:
        return value_from(hint, value)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"{name!r}: {error}") from None


class _Proxied(dict[Any, Any]):
    """A read-only mapping on its way."""


def _open(value: Any) -> Any:
    """Read-only mappings cannot be pickled."""
    if isinstance(value, MappingProxyType):
        return _Proxied({key: _open(at) for key, at in value.items()})
    return value


def _sealed(value: Any) -> Any:
    """Copies are as read-only as what they are copies of."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, _Proxied):
        return MappingProxyType({key: _sealed(at) for key, at in value.items()})
    elif type(value) in (dict, tuple):
        for at in value.values() if isinstance(value, dict) else value:
            _sealed(at)
    return value
