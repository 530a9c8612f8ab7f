# SPDX-License-Identifier: Apache-2.0
"""The laws, one object each: ``chinchilla``, ``kaplan``, ``droppo_elibol``, ``repeated_data``, ``kaplan_floor``.

What is left of a law on one ray is its attribute ``on_ray``. The list comes from the compiled core; ``dir(offray.laws)``
shows it. Beside them stand formulas of general use, as `offray.law` makes them: ``power`` (L = E + A x^-alpha in one input),
``outer_exponent`` (L = E + (A N^-alpha + B D^-beta)^q) and ``logistic`` (between two asymptotes, rising or falling).
"""

from offray._law import LAWS as _LAWS
from offray._law import Law as _Law


def __getattr__(name: str) -> _Law:
    if name in _LAWS:
        return _LAWS[name]
    if name.startswith("_"):
        raise AttributeError(name)
    from offray._expression.known import FORMULAS, known

    if name in FORMULAS:
        return known(name)
    raise AttributeError(f"module 'offray.laws' has no law {name!r}; known laws: {', '.join((*_LAWS, *FORMULAS))}")


def __dir__() -> list[str]:
    return list(_LAWS)
