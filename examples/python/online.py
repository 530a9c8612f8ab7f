# SPDX-License-Identifier: Apache-2.0
"""A training loop that keeps an eye on its own scaling law: every checkpoint is added, the loss at the end is forecast, and the
job may stop and go on where it was."""

import tempfile
import warnings
from pathlib import Path

import offray


def measured_loss(N, D):
    """What a training loop would measure."""
    return 1.69 + 406.4 * N**-0.34 + 410.7 * D**-0.28


def train(N, last_tokens, file):
    """Train one model, checkpoint by checkpoint."""
    online = offray.OnlineFit.load(file) if file.exists() else offray.OnlineFit(reserve=200)
    D = 1e9
    while last_tokens > D:
        online.add(N, D, measured_loss(N, D))
        D *= 1.6
    online.save(file)  # beside the model's own checkpoint
    return online


def main():
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", offray.IdentifiabilityWarning)  # the first models determine little
        for N in (2e7, 6e7, 2e8, 6e8):
            online = train(N, 2e11, Path(folder) / "law.json")
            known = online.fit
            if known.converged and not known.on_ray:
                print(f"{len(online)} checkpoints: loss at 2e11 tokens {float(online.predict(N, 2e11).value):.4f}")
        print({name: round(float(value), 4) for name, value in online.params.items()})
    return online


if __name__ == "__main__":
    main()
