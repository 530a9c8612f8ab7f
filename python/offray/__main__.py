# SPDX-License-Identifier: Apache-2.0
"""``python -m offray``."""

from offray.cli import main

main()
