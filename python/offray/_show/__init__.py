# SPDX-License-Identifier: Apache-2.0
"""A fit for people: as text, as cells of a table, as plain data."""
