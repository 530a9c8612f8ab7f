# SPDX-License-Identifier: Apache-2.0
"""Published training runs, fetched once, checked by SHA-256 and cached.

Fetching needs pooch (``pip install 'offray[datasets]'``). Files are kept under the user's cache directory, or in the directory
that the environment variable OFFRAY_DATA_DIR names; a file that is already there is only read.

>>> import offray.datasets
>>> offray.datasets.names()[0]
'pile'
>>> pile = offray.datasets.load("pile")
>>> sorted(pile.runs)
['loss', 'params', 'tokens']
"""

from offray.datasets._dataset import About, Dataset, Source
from offray.datasets._load import about, load, location, names

__all__ = ["About", "Dataset", "Source", "about", "load", "location", "names"]
