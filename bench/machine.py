# SPDX-License-Identifier: Apache-2.0
"""The machine and the versions behind a set of timings."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import offray

PACKAGES = ("offray", "numpy", "scipy", "lmfit", "iminuit", "jax", "optimistix")


def processor():
    """The processor's name, from the kernel where it gives one."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions():
    """Installed packages that take part, with their versions."""
    return [f"{package} {version(package)}" for package in PACKAGES if find_spec(package)]


def describe():
    """One line."""
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{processor()}, {os.cpu_count()} cores, offray's SIMD path: {offray.simd()}; {system}, {', '.join(versions())}"
