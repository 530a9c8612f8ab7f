# SPDX-License-Identifier: Apache-2.0
"""A law as an estimator of scikit-learn, and a splitter that forecasts. Needs the extra ``sklearn``; uses the public names of
offray only.

>>> import numpy as np, offray.sklearn
>>> runs = offray.examples.byte_lm()
>>> X, y = np.column_stack([runs["params"], runs["tokens"]]), runs["loss"]
>>> model = offray.sklearn.ScalingLawRegressor("droppo_elibol", log_loss=True).fit(X, y)
>>> bool(model.score(X, y) > 0.99)
True
"""

try:
    import sklearn  # noqa: F401 - to say what is missing in one line
except ModuleNotFoundError as error:
    message = "estimators need scikit-learn; pip install 'offray[sklearn]'"
    raise ModuleNotFoundError(message, name=error.name) from None

from offray.sklearn._regressor import ScalingLawRegressor
from offray.sklearn._split import ComputeSplit

__all__ = ["ComputeSplit", "ScalingLawRegressor"]
