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

- Nothing misspecified: spread wins because its fits scatter less, by as much as the Jacobians predict. That is two comparisons
  in three for Chinchilla and Kaplan, nine in ten for Droppo-Elibol, not 97 %: noise decides the rest. A single ray always
  loses.
- Misspecified: what a law misses is the same in every data set, so that one side wins nearly all of them. Kaplan's law without
  its floor, or short runs above the law up to 10M tokens, make it spread. Up to 30M tokens, where the grid has many such runs
  and the fan few, the fan wins with Chinchilla's law. More seeds do not average that out.
- R^2 is as printed only in kind, and only with misfit: higher on the fan's own runs, lower on H.
- The high-TPP fan depends on what it is judged by: rays just above it, or the runs that the other designs are judged by.
- Losses in bfloat16 double the noise and change little else; long double changes nothing. Training in bfloat16, which the
  paper did, is not simulated.

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
