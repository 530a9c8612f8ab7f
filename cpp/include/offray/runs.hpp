// SPDX-License-Identifier: Apache-2.0
/// \file
/// Training runs: where they were made (Inputs) and what they measured (Runs). Validated once, here.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "offray/detail/simd/kernels.hpp"
#include "offray/errors.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

namespace detail {

template <typename S>
void require_positive(const char* argument, CRef<Vector<S>> x) {
  const auto good = [](S v) { return v > S(0) && v <= std::numeric_limits<S>::max(); };
  bool all = true;
  for (Index i = 0; i < x.size(); ++i) all &= good(x[i]);
  if (all) return;
  Index row = 0;
  while (good(x[row])) ++row;
  std::ostringstream message;
  message.precision(17);
  message << argument << "[" << row << "] = " << x[row] << ": every value must be positive and finite";
  throw InvalidInput(message.str());
}

inline void require_length(const char* argument, Index size, Index expected) {
  if (size == expected) return;
  throw InvalidInput(std::string(argument) + " has " + std::to_string(size) + " values, but N has " + std::to_string(expected) +
                     ": one value per run is needed");
}

}  // namespace detail

/// Where a law is evaluated: logarithms of model parameters N, training tokens D and unique tokens U_D = min(U, D).
///
/// Laws are evaluated in logarithms so that no power over- or underflows on the way.
template <typename S>
struct Inputs {
  Vector<S> log_N;    ///< ln N
  Vector<S> log_D;    ///< ln D, repetitions counted
  Vector<S> log_U;    ///< ln min(U, D); equals log_D where no repetition happens
  Vector<S> repeats;  ///< D / U_D - 1, the number of epochs beyond the first; computed from raw counts, so exact near 0
  std::vector<Vector<S>> columns;  ///< what else a law reads, (n,) each, in the law's order, of any sign

  Inputs() = default;

  /// \param N model parameters, (n,).
  /// \param D training tokens counted with repetitions, (n,).
  /// \param U unique tokens, (n,), or empty where every token is fresh. U > D means one epoch.
  /// \throws InvalidInput unless all values are positive and finite and the lengths agree.
  Inputs(CRef<Vector<S>> N, CRef<Vector<S>> D, CRef<Vector<S>> U = Vector<S>()) {
    detail::require_length("D", D.size(), N.size());
    if (U.size() != 0) detail::require_length("unique_tokens", U.size(), N.size());
    detail::require_positive<S>("N", N);
    detail::require_positive<S>("D", D);
    detail::require_positive<S>("unique_tokens", U);
    log_N.resize(N.size());
    log_D.resize(D.size());
    detail::kernels<S>().log(N.size(), N.data(), log_N.data());
    detail::kernels<S>().log(D.size(), D.data(), log_D.data());
    if (U.size() == 0) {
      log_U = log_D;
      repeats.setZero(N.size());
    } else {
      log_U = U.cwiseMin(D).array().log();
      repeats = ((D - U).array() / U.array()).max(S(0));
    }
  }

  /// One place, given by logarithms, where every token is fresh.
  static Inputs from_logs(S log_N, S log_D) {
    Inputs out;
    out.log_N = Vector<S>::Constant(1, log_N);
    out.log_D = out.log_U = Vector<S>::Constant(1, log_D);
    out.repeats = Vector<S>::Zero(1);
    return out;
  }

  Index size() const { return log_N.size(); }

  /// Largest over smallest tokens-per-parameter ratio D/N; 1 on a single ray.
  S tpp_ratio() const {
    const Vector<S> log_k = log_D - log_N;
    return std::exp(log_k.maxCoeff() - log_k.minCoeff());
  }

  /// The same runs with N counted in units of exp(log_N0) and D, U in units of exp(log_D0).
  Inputs in_units(S log_N0, S log_D0) const {
    Inputs out(*this);
    out.log_N.array() -= log_N0;
    out.log_D.array() -= log_D0;
    out.log_U.array() -= log_D0;
    return out;
  }

  /// Every `stride`-th run.
  Inputs every(Index stride) const { return at_rows(Eigen::seq(Index(0), size() - 1, stride)); }

  /// The runs of these indices.
  template <typename Rows>
  Inputs at_rows(const Rows& rows) const {
    Inputs out;
    out.log_N = log_N(rows);
    out.log_D = log_D(rows);
    out.log_U = log_U(rows);
    out.repeats = repeats(rows);
    for (const Vector<S>& column : columns) out.columns.push_back(column(rows));
    return out;
  }
};

/// Training runs and their final losses.
template <typename S>
struct Runs {
  Inputs<S> at;      ///< where the runs were made
  Vector<S> loss;    ///< measured loss, nats per token
  Vector<S> weight;  ///< positive weights, or empty for equal ones

  Runs() = default;

  /// \param N, D model parameters and training tokens, (n,).
  /// \param losses final loss of each run, (n,), positive.
  /// \param weights w in the objective sum_i w_i rho(r_i), (n,), or empty. For known noise sigma pass 1 / sigma^2.
  /// \param U unique tokens, (n,), or empty.
  /// \throws InvalidInput naming argument, row and value.
  Runs(CRef<Vector<S>> N, CRef<Vector<S>> D, CRef<Vector<S>> losses, CRef<Vector<S>> weights = Vector<S>(),
       CRef<Vector<S>> U = Vector<S>())
      : Runs(Inputs<S>(N, D, U), losses, weights) {}

  /// \param where the inputs, (n,). \param losses, weights as above.
  Runs(Inputs<S> where, CRef<Vector<S>> losses, CRef<Vector<S>> weights) : at(std::move(where)), loss(losses), weight(weights) {
    detail::require_length("loss", loss.size(), at.size());
    if (weight.size() != 0) detail::require_length("weight", weight.size(), at.size());
    detail::require_positive<S>("loss", loss);
    detail::require_positive<S>("weight", weight);
  }

  Index size() const { return loss.size(); }

  /// Every `stride`-th run.
  Runs every(Index stride) const { return at_rows(Eigen::seq(Index(0), size() - 1, stride)); }

  /// The runs of these indices.
  template <typename Rows>
  Runs at_rows(const Rows& rows) const {
    Runs out;
    out.at = at.at_rows(rows);
    out.loss = loss(rows);
    if (weight.size() != 0) out.weight = weight(rows);
    return out;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
