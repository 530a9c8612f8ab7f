# SPDX-License-Identifier: Apache-2.0
"""Where the wheel keeps the C++ headers and the CMake package."""

from pathlib import Path

from offray import _core

# In an editable install only the extension module lies in the installed tree.
_ROOT = Path(_core.__file__).parent


def get_include() -> str:
    """Directory of the C++ headers: ``#include <offray/offray.hpp>``.

    The headers need Eigen >= 3.4, for example from ``pip install cmeel-eigen``.
    """
    return str(_ROOT / "include")


def get_cmake_dir() -> str:
    """Directory for ``cmake -Doffray_DIR=...``, so that ``find_package(offray)`` finds this wheel."""
    return str(_ROOT / "share" / "cmake" / "offray")
