// SPDX-License-Identifier: Apache-2.0
/// \file
/// Whole fits.
#include <string>

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

/// Replicates per second on one thread.
template <typename S>
void bootstrap_refits(benchmark::State& state) {
  constexpr Index kReplicates = 100;
  const auto fitted = fit<S>(Chinchilla{}, bench::simulated<S, Chinchilla>(state.range(0), designs::hoffmann<S>()));
  const auto kind = static_cast<Resampling>(state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(bootstrap(fitted, {kReplicates, kind, 0, 1}).theta.data());
  state.SetLabel(std::string(kResamplings[static_cast<std::size_t>(kind)]));
  state.SetItemsProcessed(state.iterations() * kReplicates);
}

BENCHMARK_TEMPLATE(fit_from_start, double)->Apply([](auto* b) { bench::sizes<double>(b); });
BENCHMARK_TEMPLATE(fit_from_start, long double)->Apply([](auto* b) { bench::sizes<long double>(b); });
BENCHMARK_TEMPLATE(global_fit, double)->Apply([](auto* b) { bench::sizes<double>(b); });
BENCHMARK_TEMPLATE(global_fit, long double)->Apply([](auto* b) { bench::sizes<long double>(b, 0, 240); });
BENCHMARK_TEMPLATE(bootstrap_refits, double)->ArgNames({"n", "kind"})->ArgsProduct({{15, 60, 240, 1000}, {0, 1, 2}});
BENCHMARK_TEMPLATE(bootstrap_refits, long double)->ArgNames({"n", "kind"})->ArgsProduct({{240}, {0, 1, 2}});

}  // namespace

BENCHMARK_MAIN();
