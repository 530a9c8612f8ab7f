# SPDX-License-Identifier: Apache-2.0
"""Drop-ins for scipy.optimize."""
