// SPDX-License-Identifier: Apache-2.0
/// \file
/// Whole fits.
#include "counters.hpp"
#include "simulated.hpp"

namespace {

using namespace offray;

template <typename S>
void run(benchmark::State& state, const FitOptions<S>& options) {
  const auto runs = bench::simulated<S, Chinchilla>(state.range(0), designs::hoffmann<S>());
  int evaluations = 0;
  for (auto _ : state) {
    const auto result = fit<S>(Chinchilla{}, runs, options);
    if (!result.converged()) state.SkipWithError("no convergence");
    evaluations = result.summary.evaluations;
    benchmark::DoNotOptimize(result.theta.data());
  }
  state.counters["evaluations"] = evaluations;
}

template <typename S>
void fit_from_start(benchmark::State& state) {
  run<S>(state, bench::from_start<S>());
}

template <typename S>
void global_fit(benchmark::State& state) {
  run<S>(state, {});
}

BENCHMARK_TEMPLATE(fit_from_start, double)->Apply([](auto* b) { bench::sizes<double>(b); });
BENCHMARK_TEMPLATE(fit_from_start, long double)->Apply([](auto* b) { bench::sizes<long double>(b); });
BENCHMARK_TEMPLATE(global_fit, double)->Apply([](auto* b) { bench::sizes<double>(b); });
BENCHMARK_TEMPLATE(global_fit, long double)->Apply([](auto* b) { bench::sizes<long double>(b, 0, 240); });

}  // namespace

BENCHMARK_MAIN();
