# SPDX-License-Identifier: Apache-2.0
"""What follows from an optimum: intervals, predictions, compute-optimal points, refits."""
