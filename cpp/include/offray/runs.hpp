// SPDX-License-Identifier: Apache-2.0
/// \file
/// Training runs: where they were made (Inputs) and what they measured (Runs). Validated once, here.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "offray/detail/simd/kernels.hpp"
#include "offray/expected.hpp"
#include "offray/input_error.hpp"
#include "offray/span.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

namespace detail {

/// The first value that is not positive and finite.
template <typename S>
InputError positive_error(const char* argument, Span<S> x) noexcept {
  const auto good = [](S v) { return v > S(0) && v <= std::numeric_limits<S>::max(); };
  bool all = true;
  for (Index i = 0; i < x.size(); ++i) all &= good(x[i]);
  if (all) return {};
  Index row = 0;
  while (good(x[row])) ++row;
  return InputError::at(argument, row, x[row], "every value must be positive and finite");
}

inline InputError length_error(const char* argument, Index size, Index expected) noexcept {
  if (size == expected) return {};
  return InputError::of(argument, argument, " has ", size, " values, but N has ", expected, ": one value per run is needed");
}

/// The first thing that is wrong with the columns of runs.
template <typename S>
InputError inputs_error(Span<S> N, Span<S> D, Span<S> U) noexcept {
  if (const InputError error = length_error("D", D.size(), N.size())) return error;
  if (!U.empty())
    if (const InputError error = length_error("unique_tokens", U.size(), N.size())) return error;
  if (const InputError error = positive_error("N", N)) return error;
  if (const InputError error = positive_error("D", D)) return error;
  return positive_error("unique_tokens", U);
}

template <typename S>
InputError measured_error(Index runs, Span<S> loss, Span<S> weight) noexcept {
  if (const InputError error = length_error("loss", loss.size(), runs)) return error;
  if (!weight.empty())
    if (const InputError error = length_error("weight", weight.size(), runs)) return error;
  if (const InputError error = positive_error("loss", loss)) return error;
  return positive_error("weight", weight);
}

template <typename S>
InputError runs_error(Span<S> N, Span<S> D, Span<S> loss, Span<S> weight, Span<S> U) noexcept {
  if (const InputError error = inputs_error(N, D, U)) return error;
  return measured_error(N.size(), loss, weight);
}

template <typename S>
void require_positive(const char* argument, CRef<Vector<S>> x) {
  reject_if(positive_error<S>(argument, x));
}

inline void require_length(const char* argument, Index size, Index expected) {
  reject_if(length_error(argument, size, expected));
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
  Inputs(CRef<Vector<S>> N, CRef<Vector<S>> D, CRef<Vector<S>> U = Vector<S>()) { detail::reject_if(assign(N, D, U)); }

  /// The same without an exception.
  static Expected<Inputs> make(Span<S> N, Span<S> D, Span<S> U = {}) {
    Inputs out;
    if (const InputError error = out.assign(N, D, U)) return error;
    return out;
  }

  /// The same in the buffers of this object: no allocation where the size stays. Further columns stay as they are.
  /// \return what is wrong; the object is then as it was.
  InputError assign(Span<S> N, Span<S> D, Span<S> U = {}) {
    if (const InputError error = detail::inputs_error(N, D, U)) return error;
    log_N.resize(N.size());
    log_D.resize(D.size());
    detail::kernels<S>().log(N.size(), N.data(), log_N.data());
    detail::kernels<S>().log(D.size(), D.data(), log_D.data());
    if (U.empty()) {
      log_U = log_D;
      repeats.setZero(N.size());
    } else {
      log_U = U.vector().cwiseMin(D.vector()).array().log();
      repeats = ((D.vector() - U.vector()).array() / U.vector().array()).max(S(0));
    }
    return {};
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
    out.change_units(log_N0, log_D0);
    return out;
  }
  void change_units(S log_N0, S log_D0) {
    log_N.array() -= log_N0;
    log_D.array() -= log_D0;
    log_U.array() -= log_D0;
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
  Runs(Inputs<S> where, CRef<Vector<S>> losses, CRef<Vector<S>> weights) : at(std::move(where)) {
    detail::reject_if(measure(losses, weights));
  }

  /// The same without an exception.
  ///
  /// \code
  /// const auto runs = offray::Runs<double>::make(N, D, loss);  // std::vector, std::span, Eigen: whatever is a Span
  /// if (!runs) std::puts(runs.error().what());                 // "loss[2] = -1: every value must be positive and finite"
  /// \endcode
  static Expected<Runs> make(Span<S> N, Span<S> D, Span<S> losses, Span<S> weights = {}, Span<S> U = {}) {
    Runs out;
    if (const InputError error = out.assign(N, D, losses, weights, U)) return error;
    return out;
  }

  /// The same in the buffers of this object: no allocation where the size stays. What it keeps are ln N, ln D, the losses and
  /// the weights; it refers to none of the arguments.
  /// \return what is wrong; the object is then to be assigned anew before it is used.
  InputError assign(Span<S> N, Span<S> D, Span<S> losses, Span<S> weights = {}, Span<S> U = {}) {
    if (const InputError error = at.assign(N, D, U)) return error;
    return measure(losses, weights);
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

 private:
  InputError measure(Span<S> losses, Span<S> weights) {
    if (const InputError error = detail::measured_error(at.size(), losses, weights)) return error;
    loss = losses.vector();
    weight = weights.vector();
    return {};
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
