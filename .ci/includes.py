# SPDX-License-Identifier: Apache-2.0
"""Includes between the rooms of the C++ core go down only, and the umbrella header shows nothing internal."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1] / "cpp" / "include" / "offray"

ORDER = [
    (
        "types.hpp",
        "errors.hpp",
        "input_error.hpp",
        "expected.hpp",
        "span.hpp",
        "progress.hpp",
        "finding.hpp",
        "status.hpp",
        "objective.hpp",
        "simd.hpp",
    ),
    ("detail/simd/", "rho.hpp"),
    ("detail/linalg/", "detail/numeric/", "conditioning.hpp", "options.hpp"),
    ("runs.hpp",),
    ("groups.hpp", "laws/"),
    ("constraints.hpp",),
    ("detail/solve/",),
    ("fit.hpp",),
    ("fit_many.hpp", "fit_state.hpp", "fitter.hpp", "inference/"),
    ("identify/",),
    ("design/",),
    ("online/", "online.hpp"),
    ("detail/instantiate.hpp",),
    ("offray.hpp",),
]
"""From the bottom up: a header includes those of its own level and of the levels before it."""


def level(header: str) -> int:
    for rank, rooms in enumerate(ORDER):
        if header.startswith(rooms):
            return rank
    sys.exit(f"{header} stands in no room: give it one in .ci/includes.py")


def includes(header: str) -> list[str]:
    return re.findall(r'#include "offray/([^"]+)"', (ROOT / header).read_text())


def main() -> None:
    headers = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.hpp"))
    wrong = [f"{a} includes {b}, which lies above it" for a in headers for b in includes(a) if level(b) > level(a)]
    wrong += [
        f"offray.hpp shows the internal {b}"
        for b in includes("offray.hpp")
        if b.startswith("detail/") and "instantiate" not in b
    ]
    seen: dict[str, int] = {}  # 1 on the way, 2 done

    def walk(header: str, path: tuple[str, ...]) -> None:
        if seen.get(header) == 1:
            wrong.append(f"circle: {' -> '.join((*path, header))}")
        if header not in seen:
            seen[header] = 1
            for other in includes(header):
                walk(other, (*path, header))
            seen[header] = 2

    for header in headers:
        walk(header, ())
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(headers)} headers, {sum(map(len, map(includes, headers)))} includes, none upwards")


if __name__ == "__main__":
    main()
