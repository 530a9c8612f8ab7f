# SPDX-License-Identifier: Apache-2.0
"""The laws, one object each: ``chinchilla``, ``kaplan``, ``droppo_elibol``, ``repeated_data``.

What is left of a law on one ray is its attribute ``on_ray``. The list comes from the compiled core; ``dir(offray.laws)``
shows it.
"""

from offray._law import LAWS as _LAWS
from offray._law import Law as _Law


def __getattr__(name: str) -> _Law:
    if name in _LAWS:
        return _LAWS[name]
    raise AttributeError(f"module 'offray.laws' has no law {name!r}; known laws: {', '.join(_LAWS)}")


def __dir__() -> list[str]:
    return list(_LAWS)
