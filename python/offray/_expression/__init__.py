# SPDX-License-Identifier: Apache-2.0
"""Laws that a person writes down: a formula as text, or a Python function."""
