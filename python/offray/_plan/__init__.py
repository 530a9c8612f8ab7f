# SPDX-License-Identifier: Apache-2.0
"""Before training: what a design will determine, and which runs to make."""
