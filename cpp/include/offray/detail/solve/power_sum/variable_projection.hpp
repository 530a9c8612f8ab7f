// SPDX-License-Identifier: Apache-2.0
/// \file
/// Variable projection for laws that are a power sum: L^(1/outer) = floor + n N^-p + d D^-q.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "offray/detail/solve/convergence.hpp"
#include "offray/detail/solve/power_sum/model.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Minimises sum w rho(r) over floor, n, d >= 0 and the free exponents.
///
/// Given the exponents t the coefficients c = (floor, n, d) enter linearly (through the power `outer` otherwise), so a trial
/// moves t alone and c follows: for squares on loss with outer = 1 by bounded least squares, exactly (Golub & Pereyra 1973),
/// otherwise by the joint Newton model and, where that disappoints, by reweighted least squares in c. The steps in t come from
/// the exact Hessian of the reduced problem, its Gauss-Newton part through one orthogonal factorisation of [1, u, v, du, dv |
/// b], in a trust region. Nearly parallel columns (one ray) spoil joint descents along a narrow curved valley; with c
/// eliminated there is no valley to follow. A coefficient may be zero, or at a bound of the user's: such an edge is found
/// exactly, not approached for ever as ln 0 would be.
///
/// The test of convergence is that of SolverOptions::gradient_tolerance, or, where that is larger, of sqrt(eps) / kappa_F: once
/// it holds, one more Newton step is taken, which squares the relative error of kappa_F ||z|| / sqrt(2 F), to eps. Construct
/// once per size; minimise() allocates nothing and throws nothing.
template <typename S>
class VariableProjection {
 public:
  explicit VariableProjection(Index capacity) : evaluation_(capacity) {}

  /// The most rows that it can take.
  Index capacity() const { return evaluation_.capacity(); }

  /// \param[in,out] form start (for the linear problem only its exponents matter) and optimum.
  Summary<S> minimise(const PowerSumRows<S>& rows, const SolverOptions<S>& options, PowerSum<S>& form);

  /// The objective at `form`; at the best coefficients for its exponents where the problem is linear in them.
  S objective(const PowerSumRows<S>& rows, const SolverOptions<S>& options, const PowerSum<S>& form) {
    evaluation_.begin(rows, options);
    Point at = evaluation_.point(form);
    evaluation_.evaluate(at);
    return at.F;
  }

  /// After objective(), unless the objective is the sum of squares: residuals, (n,).
  const S* residual() const { return evaluation_.residual(); }

  /// After minimise(): -1 or 1 where a term sits at its lower or upper edge, 0 elsewhere.
  const std::array<int, kTerms>& edges() const { return model_.edges(); }

 private:
  using Point = PowerSumPoint<S>;
  static constexpr S eps = std::numeric_limits<S>::epsilon();
  static constexpr S kBold = S(1e-3);  ///< least pivot of a model that is trusted at first

  bool advance(const SolverOptions<S>& options, Point& at, Summary<S>& out);
  Status last_step(const Convergence<S>& test, bool at_bound, Point& at);

  PowerSumEvaluation<S> evaluation_;
  PowerSumModel<S> model_;
  S radius_ = S(0);     ///< of the trust region
  bool blind_ = false;  ///< the last accepted step changed F by less than its rounding error
};

template <typename S>
Summary<S> VariableProjection<S>::minimise(const PowerSumRows<S>& rows, const SolverOptions<S>& options, PowerSum<S>& form) {
  constexpr int kPatience = 2;
  evaluation_.begin(rows, options);
  Summary<S> out;
  Point at = evaluation_.point(form);
  evaluation_.evaluate(at);
  evaluation_.improve(at);
  out.evaluations = 1;
  out.objective = at.F;
  if (!std::isfinite(at.F)) return out;

  radius_ = S(0.5);
  blind_ = false;
  S last_measure = std::numeric_limits<S>::infinity();
  int idle = 0;  // blind steps that did not halve the gradient
  for (;;) {
    model_.build(evaluation_, at);
    ++out.iterations;
    const auto& A = model_.quadratic().A;
    out.inverse_condition = A.rows() > 0 ? inverse_condition<S>(A, [](Index) { return false; }) : S(1);
    const S scale = std::sqrt(S(2) * at.F);
    out.scaled_gradient = at.F > S(0) ? A.col(A.rows()).norm() / scale : S(0);
    const Convergence<S> test = convergence<S>(A, out.inverse_condition, options, scale, evaluation_.rounding(),
                                               std::sqrt(eps) * out.inverse_condition);
    const bool at_bound = model_.at_bound();
    if (blind_ && !(test.measure < last_measure / S(2))) ++idle;
    last_measure = test.measure;
    if (test.converged() || idle >= kPatience)
      out.status = last_step(test, at_bound, at);
    else if (advance(options, at, out))
      continue;
    else
      out.status = options.spent(out.evaluations) ? Status::evaluation_limit : test.without_progress(at_bound);
    out.objective = at.F;
    form = evaluation_.form(at);
    return out;
  }
}

/// Where the iteration ends: one more Newton step, if the test holds.
template <typename S>
Status VariableProjection<S>::last_step(const Convergence<S>& test, bool at_bound, Point& at) {
  if (test.converged() && test.settled(at_bound) != Status::rank_deficient && model_.quadratic().exponents > 0) {
    const ReducedModel<S> model(model_.quadratic(), kBold);
    Point last = model_.step(at, model, kBold, std::min(radius_, S(1e-6))).to;
    last.F = at.F;
    if (last.c.allFinite()) at = last;
  }
  return test.without_progress(at_bound);
}

/// A step that lowers the objective, or, where rounding hides that, does not raise it beyond its rounding error.
/// \return false where there is none, or no evaluation left.
template <typename S>
bool VariableProjection<S>::advance(const SolverOptions<S>& options, Point& at, Summary<S>& out) {
  const S error = evaluation_.noise(at.F);
  ReducedModel<S> model(model_.quadratic(), kBold);
  S caution = kBold;
  for (;;) {
    if (options.spent(out.evaluations)) return false;
    const PowerSumStep<S> step = model_.step(at, model, caution, radius_);
    const S predicted = step.predicted, length = step.length;
    const bool hidden = !(predicted > error);
    Point trial = step.to;
    ++out.evaluations;
    evaluation_.evaluate(trial);
    if (!hidden && !(at.F - trial.F >= S(0.5) * predicted)) {
      if (trial.F < at.F)
        evaluation_.improve(trial);
      else  // the coefficients as they were may be the better ones to go on from
        evaluation_.improve(trial, at.c);
    }
    const S gain = at.F - trial.F;
    if (hidden ? trial.F <= at.F + error : gain >= S(1e-4) * predicted) {
      blind_ = hidden && !(gain > error);
      if (gain > S(0.75) * predicted && length > S(0.8) * radius_)
        radius_ *= S(2);
      else if (!hidden && gain < S(0.25) * predicted)
        radius_ = std::max(length / S(2), eps);
      at = trial;
      return true;
    }
    // To where the parabola through the slope, about 2 predicted, and this value is least.
    const S least = std::isfinite(gain) ? predicted / (S(2) * predicted - gain) : S(0.25);
    radius_ = std::min(radius_, length) * std::min(std::max(least, S(0.1)), S(0.5));
    // The part of the model that shrinking the step in t does not make safer.
    if (!evaluation_.linear() && caution < S(1)) {
      caution = caution < S(0.1) ? S(0.125) : S(2);
      model = ReducedModel<S>(model_.quadratic(), caution);
    }
    if (!(radius_ > eps)) return false;
  }
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
