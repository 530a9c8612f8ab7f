// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

namespace bench {

/// Time for each of the law's exponentials, and floating-point operations per second.
inline void rates(benchmark::State& state, double exps, double flops) {
  using benchmark::Counter;
  const auto calls = static_cast<double>(state.iterations());
  if (exps > 0) state.counters["per_exp"] = Counter(calls * exps, Counter::kIsRate | Counter::kInvert);
  state.counters["FLOPS"] = Counter(calls * flops, Counter::kIsRate);
}

/// The numbers of runs; long double takes fifty times as long, so it stops earlier.
template <typename S>
void sizes(benchmark::internal::Benchmark* family, int most_double = 100000, int most_long_double = 1000) {
  const int most = sizeof(S) == sizeof(double) ? most_double : most_long_double;
  for (const int n : {15, 60, 240, 1000, 10000, 100000})
    if (n <= most) family->Arg(n);
  family->ArgName("n");
}

}  // namespace bench
