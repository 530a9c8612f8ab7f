// SPDX-License-Identifier: Apache-2.0
// Built with the instructions of the machine that it measures, so it shares no inline function with other files.
#include "peak.hpp"

double bench::multiply_adds(double& sum) {
  // Enough chains to hide the latency, few enough for the registers.
#ifdef __AVX512F__
  constexpr int kChains = 96;
#else
  constexpr int kChains = 48;
#endif
  constexpr int kRounds = 10000;
  double chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = i;
  for (int r = 0; r < kRounds; ++r)
    for (int i = 0; i < kChains; ++i) chain[i] = chain[i] * .999 + 1e-3;
  sum = 0;
  for (const double x : chain) sum += x;
  return 2.0 * kChains * kRounds;
}
