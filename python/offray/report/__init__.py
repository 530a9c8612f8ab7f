# SPDX-License-Identifier: Apache-2.0
"""A fit as one HTML file: the answer first, pictures, tables, and a part to play with. Needs the extra ``report``.

>>> import offray
>>> fit = offray.fit(offray.examples.pile(), law="kaplan")
>>> html = offray.report.page(fit)
>>> html.startswith("<!DOCTYPE html>")
True
"""

try:
    import jinja2  # noqa: F401 - to say what is missing in one line
    import matplotlib  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"reports need {error.name}; pip install 'offray[report]'", name=error.name) from None

from offray.report._page import Origin, of_file, page, write

__all__ = ["Origin", "of_file", "page", "write"]
