# SPDX-License-Identifier: Apache-2.0
"""What users hand over, checked once: arrays, columns of tables, files."""
