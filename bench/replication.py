# SPDX-License-Identifier: Apache-2.0
"""The paper's experiment in simulation, as a page.

python bench/replication.py --output docs/replication.md
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import machine
from offray.experiment import replicate


def page():
    """Tables and what they say."""
    start = time.perf_counter()
    result = replicate()
    seconds = time.perf_counter() - start
    count = sum(map(len, result.scenarios.values()))
    return f"""# The experiment of arXiv:2605.08541 in simulation

`offray replicate` ({count} comparisons in {seconds:.0f} s; {machine.describe()}).
Regenerate this page with `python bench/replication.py --output docs/replication.md`.

The paper's token counts off the fan, its noise and its parameters per corpus are not public. In their place: a log-spaced grid
of 5.04M to 300M tokens, sigma = .005 nats per token, and five published Chinchilla fits; where "each law is true", the nearest
member of each law. H is five rays above the fan and three token counts above the grid. Intervals of rates are Wilson's,
counted over data sets: fits of the same losses are not independent.

```text
{result}
```

## Reading it

- Nothing misspecified: spread wins because its fits scatter less, by as much as the Jacobians predict. That is a matter of the
  noise in most data sets: two wins in three for Chinchilla and Kaplan, more for Droppo-Elibol, whose extra exponent the fan
  determines badly. A single ray determines neither coefficient, and loses.
- Misspecified: what a law misses is the same in every data set, so that one side can win all of them. Kaplan's law without its
  floor, or short runs above the law up to 10M tokens, make it spread; short runs above the law up to 30M tokens make it the fan
  with Chinchilla's law. More seeds do not average that out, which is why the intervals count data sets only, and why they say
  nothing about other kinds of misfit.
- Means over training: of a power law in D they are the same law with a larger coefficient, and alone change little. The start
  of training (warm-up, the first million tokens) adds about c / D, an excess of short runs that no seed averages out. Where the
  grid's shortest runs are longer than the fan's, it makes spread win with every law, as in the paper; where they are the
  shortest of all, it makes the fan win with Chinchilla's. The paper's public tables hold epoch means of the training loss, its
  token counts off the fan are not public: its win rate is no evidence of conditioning alone.
- R^2 is as printed only in kind, and only with misfit: higher on the fan's own runs, lower on H.
- The high-TPP fan depends on what is held out: with five rays above it, in the proportion of the others to the first fan, the
  rate is near the paper's; with H as in the other rows it is much higher. The paper's choice is not known here.
- Losses in bfloat16 double the noise on both sides, and leave the rate; float32 and long double change nothing. Training in
  bfloat16, which the paper did, is not simulated.
- The five truths are published fits of four corpora (two of MassiveText). Rows of several columns are the same fits where their
  truths agree.

How the same fits fare with random restarts and differential evolution: [protocol.md](protocol.md). On real runs:
[figures/real_runs.md](figures/real_runs.md). Against the spread of the fan: [figures/spread.md](figures/spread.md).
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    text = page()
    if arguments.output:
        arguments.output.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
