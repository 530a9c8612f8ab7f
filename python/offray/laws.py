# SPDX-License-Identifier: Apache-2.0
"""The laws, one object each: ``chinchilla``, ``kaplan``, ``droppo_elibol``, ``repeated_data``, ``kaplan_floor``.

What is left of a law on one ray is its attribute ``on_ray``. The list comes from the compiled core; ``dir(offray.laws)``
shows it. Beside them stand formulas of general use, as `offray.law` makes them: ``power`` (L = E + A x^-alpha in one input),
``outer_exponent`` (L = E + (A N^-alpha + B D^-beta)^q) and ``logistic`` (between two asymptotes, rising or falling);
``power_terms("width", "depth")`` makes a sum of powers of any inputs. `NAMES` lists all that `law` takes by name.
"""

from offray._expression.formulas import FORMULAS as _FORMULAS
from offray._law import LAWS as _LAWS
from offray._law import Law as _Law

NAMES: tuple[str, ...] = (*_LAWS, *_FORMULAS)


def power_terms(*inputs: str) -> _Law:
    """L = E + sum of A_x x^-alpha_x over any inputs: ``power_terms("width", "depth", "N", "D")``.

    Parameters
    ----------
    *inputs : str
        Names of positive inputs, one to four; N and D are parameters and tokens.

    Returns
    -------
    Law
        With parameters E, and A_x and alpha_x for each input x.

    Raises
    ------
    ValueError
        Without inputs, with more than four, or with a name that is none.
    """
    from offray._expression.law import law

    if not inputs:
        raise ValueError("power_terms needs its inputs, such as power_terms('width', 'depth')")
    text = "E + " + " + ".join(f"A_{x}*{x}**-alpha_{x}" for x in inputs)
    return law(text, name="power_terms", inputs=inputs)


def __getattr__(name: str) -> _Law:
    if name in _LAWS:
        return _LAWS[name]
    if name in _FORMULAS:
        from offray._expression.known import known

        return known(name)
    if name.startswith("_"):
        raise AttributeError(name)
    from difflib import get_close_matches

    near = get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"known laws: {', '.join(NAMES)}"
    raise AttributeError(f"no law is called {name!r}; {hint}")


def __dir__() -> list[str]:
    return list(_LAWS)
