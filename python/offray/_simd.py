# SPDX-License-Identifier: Apache-2.0
"""Which of the compiled code paths runs."""

from __future__ import annotations

from offray import _core

_KNOWN = ("best", "baseline", "avx2", "avx512")


def simd(force: str | None = None) -> str:
    """Code path that fits in double take on this processor; optionally choose another.

    The best available path is taken unless the environment variable `OFFRAY_SIMD` names another one when offray first needs it.
    Paths differ by rounding only; within one, results do not depend on chance. Long double has one path only.

    Parameters
    ----------
    force : {"best", "baseline", "avx2", "avx512"}, optional
        Path to use from now on, in all threads. Choose it before other threads fit: a fit under way would mix both.

    Returns
    -------
    str
        Name of the path in use: "baseline", "avx2" or "avx512", or "portable" where the compiler could build none of them.

    Raises
    ------
    ValueError
        For a path that is unknown, or that this processor or build does not have.

    Examples
    --------
    >>> import offray
    >>> offray.simd(force="baseline")
    'baseline'
    >>> offray.simd(force="best") in ("baseline", "avx2", "avx512")
    True
    """
    if force is not None:
        available = _core.simd_available()
        if force != "best" and force not in available:
            raise ValueError(f"force must be one of {', '.join(_KNOWN)}; available here: {', '.join(available)}; got {force!r}")
        _core.force_simd(force)
    return _core.simd()
