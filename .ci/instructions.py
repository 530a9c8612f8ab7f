# SPDX-License-Identifier: Apache-2.0
"""Instructions that the main paths execute, against the recorded numbers: a slowdown that no noisy clock can hide.

    python .ci/instructions.py PROGRAM [--record]

PROGRAM is the built bench/instructions.cpp. Exit code 1 where a path takes 10 % more instructions than recorded. Counts hold
for one compiler: with another one, or without Valgrind, nothing is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

RECORD = Path(__file__).with_suffix(".json")
SLACK = 0.10
REPEATS = 10
# The same code on every processor.
ENVIRONMENT = os.environ | {"OFFRAY_SIMD": "baseline"}


def executed(program, path, repeats):
    """Instructions of one run of the program."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path, str(repeats)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return int(found[1])


def count(program, path):
    """Instructions of one repeat, start-up and data left out."""
    return round((executed(program, path, REPEATS) - executed(program, path, 0)) / REPEATS)


def verdict(now, before):
    """What to say of a count, and whether it is fine."""
    if before is None:
        return "not recorded", False
    change = f"{now / before - 1:+.1%}"
    if now > before * (1 + SLACK):
        return f"{change}: too many", False
    if now < before * (1 - SLACK):
        return f"{change}: record it, so that it stays so", True
    return change, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the built bench/instructions.cpp")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.name} instead of comparing with it")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        print("instruction counts skipped: valgrind is not installed")
        return
    listing = subprocess.run([arguments.program], capture_output=True, text=True, check=True).stdout.splitlines()
    compiler, paths = f"{listing[0]}, {platform.machine()}", listing[1:]
    recorded = json.loads(RECORD.read_text()) if RECORD.exists() else {"compiler": compiler, "instructions": {}}
    if not arguments.record and recorded["compiler"] != compiler:
        print(f"instruction counts skipped: recorded with {recorded['compiler']}, this is {compiler}")
        return
    counts = {path: count(arguments.program, path) for path in paths}
    if arguments.record:
        RECORD.write_text(json.dumps({"compiler": compiler, "instructions": counts}, indent=2) + "\n")
    fine = True
    for path, now in counts.items():
        text, good = verdict(now, counts[path] if arguments.record else recorded["instructions"].get(path))
        print(f"{path:18} {now:12,}  {text}")
        fine = fine and good
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
