# SPDX-License-Identifier: Apache-2.0
"""Results on their way to a file, another process, another day: figures as JSON and back with all of their bits."""
