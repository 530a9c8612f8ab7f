# SPDX-License-Identifier: Apache-2.0
"""What runs determine, and what they do not."""
