# SPDX-License-Identifier: Apache-2.0
"""The one reader of runs: from a file, a pipe, a data frame, records or columns to named, checked numbers."""
