// SPDX-License-Identifier: Apache-2.0
/// \file
/// How well the law, fitted to the smaller runs, predicts the larger ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "offray/inference/misfit.hpp"
#include "offray/inference/predict.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// One origin: a fit to the runs of least compute, judged on the others.
template <typename S>
struct Origin {
  Index runs;     ///< that were fitted
  S log_compute;  ///< ln of their largest compute, N D, or of the law's one input
  S horizon;      ///< root mean square of ln(compute / largest fitted) over the others
  S error;        ///< root mean square of ln(L / prediction) over the others
  S expected;     ///< what noise and the parameters' standard errors explain of it
};

/// Mean squared errors of all origins over what noise explains of them from which the excess counts: of a law that is true one
/// study in twelve has more.
inline constexpr double kExcess = 1.44;

/// The errors of all origins. Their excess over what noise explains grows with the horizon h: error^2 - expected^2 =
/// slope^2 h^2, the slope by least squares, 0 where noise explains them. A law that is true has none; one that bends away shows
/// it here.
template <typename S>
struct Rolling {
  S log_compute = S(0);  ///< ln of the largest compute of all runs
  S slope = S(0);        ///< relative error per unit of ln compute
  std::vector<Origin<S>> origins;
};

namespace detail {

/// What counts as the size of a run for a law; empty where it has no such thing.
template <typename S>
Vector<S> log_compute(const AnyLaw<S>& law, const Inputs<S>& at) {
  const bool N = law.reads("params"), D = law.reads("tokens");
  if (N && D) return at.log_N + at.log_D;
  return N ? at.log_N : D ? at.log_D : Vector<S>();
}

}  // namespace detail

/// Fits the lower half, six, seven, eight and nine tenths of the runs by compute, each a global fit with the options and
/// constraints of this one, and predicts the rest. Runs of equal compute stay together. Outliers that a robust objective sets
/// aside are not what the law is judged by.
template <typename S>
Rolling<S> rolling(const Fit<S>& fit) {
  constexpr Index kSpare = 3;  // degrees of freedom that an origin needs
  Rolling<S> out;
  const Vector<S> size = detail::log_compute(*fit.law, fit.runs.at);
  const Index n = size.size();
  if (n == 0) return out;
  out.log_compute = size.maxCoeff();
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index(0));
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return size[a] < size[b]; });
  const auto size_at = [&](Index k) { return size[order[static_cast<std::size_t>(k)]]; };
  std::vector<bool> judged(static_cast<std::size_t>(n), true);
  if (fit.options.solver.objective.kind != ObjectiveKind::squares)
    for (const Index row : misfit(fit).outliers) judged[static_cast<std::size_t>(row)] = false;
  S squared_error = S(0), explained = S(0), squared_horizon = S(0);
  Index last = 0;
  for (const int tenths : {5, 6, 7, 8, 9}) {
    Index k = (n * tenths + 9) / 10;
    while (k < n && size_at(k) - size_at(k - 1) < S(1e-3)) ++k;
    if (k == last || k >= n || k < fit.parametrisation.free() + kSpare) continue;
    last = k;
    const std::vector<Index> lower(order.begin(), order.begin() + k);
    std::vector<Index> upper;
    std::copy_if(order.begin() + k, order.end(), std::back_inserter(upper),
                 [&](Index i) { return judged[static_cast<std::size_t>(i)]; });
    if (upper.empty()) continue;
    const Fit<S> part = fit_any<S>(*fit.law, fit.runs.at_rows(lower), fit.options, fit.constraints);
    const Runs<S> rest = fit.runs.at_rows(upper);
    const Prediction<S> predicted = predict(part, rest.at);
    const S sd = noise(part).sd;
    if (!std::isfinite(sd) || !predicted.se.allFinite() || !predicted.value.allFinite()) continue;
    Origin<S> at{k, size_at(k - 1), S(0), S(0), S(0)};
    for (Index i = 0; i < rest.size(); ++i) {
      const S value = predicted.value[i], own = sd * (rest.weight.size() == 0 ? S(1) : S(1) / std::sqrt(rest.weight[i]));
      const S spread = fit.options.space == Space::loss ? own / value : own;
      at.error += std::pow(std::log(rest.loss[i] / value), S(2));
      at.expected += std::pow(predicted.se[i] / value, S(2)) + spread * spread;
      at.horizon += std::pow(size[upper[static_cast<std::size_t>(i)]] - at.log_compute, S(2));
    }
    const S count = S(rest.size());
    squared_error += at.error / count;
    explained += at.expected / count;
    squared_horizon += at.horizon / count;
    for (S* square : {&at.error, &at.expected, &at.horizon}) *square = std::sqrt(*square / count);
    out.origins.push_back(at);
  }
  if (squared_error > S(kExcess) * explained && squared_horizon > S(0))
    out.slope = std::sqrt((squared_error - explained) / squared_horizon);
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
