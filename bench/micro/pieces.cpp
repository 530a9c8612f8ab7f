// SPDX-License-Identifier: Apache-2.0
/// \file
/// Law, factorisation and singular values.
#include "counters.hpp"
#include "flops.hpp"
#include "simulated.hpp"

namespace {

using namespace offray;

constexpr Index kUnknowns = 5;

/// A point, its runs, and its value and Jacobian.
template <typename S>
struct Point {
  explicit Point(Index n)
      : theta(designs::hoffmann<S>()), runs(bench::simulated<S, Chinchilla>(n, theta)), value(n), J(n, kUnknowns) {
    Chinchilla::evaluate<S>(theta, runs.at, value, J);
  }
  Parameters<S> theta;
  Runs<S> runs;
  Vector<S> value;
  Jacobian<S> J;
};

template <typename S>
void law_value(benchmark::State& state) {
  Point<S> point(state.range(0));
  Jacobian<S> none(point.runs.size(), 0);
  for (auto _ : state) {
    Chinchilla::evaluate<S>(point.theta, point.runs.at, point.value, none);
    benchmark::DoNotOptimize(point.value.data());
    benchmark::ClobberMemory();
  }
  const auto n = double(state.range(0));
  bench::rates(state, 2 * n, bench::law_value(n));
}

template <typename S>
void law_jacobian(benchmark::State& state) {
  Point<S> point(state.range(0));
  for (auto _ : state) {
    Chinchilla::evaluate<S>(point.theta, point.runs.at, point.value, point.J);
    benchmark::DoNotOptimize(point.J.data());
    benchmark::ClobberMemory();
  }
  const auto n = double(state.range(0));
  bench::rates(state, 2 * n, bench::law_jacobian(n));
}

template <typename S>
void factorisation(benchmark::State& state) {
  const Point<S> point(state.range(0));
  Jacobian<S> augmented(point.runs.size(), kUnknowns + 1), R(kUnknowns, kUnknowns + 1);
  augmented << point.J, point.value - point.runs.loss;
  for (auto _ : state) {
    detail::tall_qr<S>(augmented, R);  // factorising its own result again costs the same
    benchmark::DoNotOptimize(R.data());
    benchmark::ClobberMemory();
  }
  bench::rates(state, 0, bench::tall_qr(double(state.range(0)), double(kUnknowns)));
}

template <typename S>
void conditioning_of(benchmark::State& state) {
  const Point<S> point(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Conditioning<S>(point.J).kappa());
}

#define BENCH_PIECE(function)                                                            \
  BENCHMARK_TEMPLATE(function, double)->Apply([](auto* b) { bench::sizes<double>(b); }); \
  BENCHMARK_TEMPLATE(function, long double)->Apply([](auto* b) { bench::sizes<long double>(b); })

BENCH_PIECE(law_value);
BENCH_PIECE(law_jacobian);
BENCH_PIECE(factorisation);
BENCH_PIECE(conditioning_of);

}  // namespace
