// SPDX-License-Identifier: Apache-2.0
/// \file
/// The compute-optimal point of a law that is no power sum, numerically.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "offray/errors.hpp"
#include "offray/inference/budget.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// The (N, D) that minimises any law at a cost of C: the lowest of the nodes of a grid over ln N, then the zero of
///   h(x) = dL/dx,  x = ln N, ln D = ln(C (1 - w)) - ln c - x, w = 2 N T / C,
/// by bisection. The derivatives of L by ln N and ln D follow from those by the parameters where these take up the units of N
/// and D, dL/d ln N = -alpha A dL/dA or -N_c dL/dN_c, and are central differences otherwise. Gradients of ln N*, ln D* by the
/// implicit function theorem, those of the exponents by differences of the point: good to about 6 digits in double.
///
/// Differences of differences, k of them, all of one step h = eps^(1 / (k + 2)): rounding leaves eps / h^k = h^2, which is what
/// central differences leave out.
template <typename S>
class NumericalOptimum {
 public:
  /// \param theta natural units, all positive.
  /// \throws InvalidInput where the loss falls to the end of the budget: one parameter, or one token.
  NumericalOptimum(const AnyLaw<S>& law, const Parameters<S>& theta, S flops, const Cost<S>& cost)
      : law_(&law), theta_(theta), log_C_(std::log(flops)), cost_(cost) {
    const bool exact = law.centres(Axis::N) && law.centres(Axis::D);  // the first derivatives
    step_ = std::pow(std::numeric_limits<S>::epsilon(), S(1) / S(exact ? 4 : 5));
    log_N_ = solve(theta_, log_C_);
  }

  LogValue<S> N() const { return {log_N_, point_gradient()}; }
  LogValue<S> D() const { return {log_D(log_N_, log_C_), -point_gradient() / rest(log_N_, log_C_)}; }

  /// The local exponent of N* ~ C^a for T = 0.
  LogValue<S> exponent_N() const {
    return differentiated([&](const Parameters<S>& theta) { return std::log(growth(theta)); });
  }
  LogValue<S> exponent_D() const {
    return differentiated([&](const Parameters<S>& theta) { return std::log1p(-growth(theta)); });
  }

  /// -d ln(L* - E) / d ln C for T = 0, at this budget: dL*/d ln C is the loss's derivative by ln D.
  LogValue<S> elasticity() const {
    const NumericalOptimum plain = without_inference();
    return differentiated([&](const Parameters<S>& theta) {
      const S x = plain.solve_near(theta, log_C_, plain.log_N_);
      const Slopes at = plain.slopes(theta, x, plain.log_D(x, log_C_));
      const int floor = law_->term(Term::floor);
      return std::log(-at.by_D / (at.loss - (floor < 0 ? S(0) : theta[floor])));
    });
  }

 private:
  struct Slopes {
    S loss, by_N, by_D;  ///< L and its derivatives by ln N and ln D
  };

  const AnyLaw<S>* law_;
  Parameters<S> theta_;
  S log_C_;
  Cost<S> cost_;
  S step_;
  S log_N_;

  NumericalOptimum without_inference() const {
    NumericalOptimum out(*this);
    if (cost_.inference_tokens == S(0)) return out;
    out.cost_.inference_tokens = S(0);
    out.log_N_ = out.solve(theta_, log_C_);
    return out;
  }

  S rest(S x, S log_C) const { return S(1) - S(2) * cost_.inference_tokens * std::exp(x - log_C); }
  S log_D(S x, S log_C) const { return log_C + std::log(rest(x, log_C)) - std::log(cost_.per_token) - x; }

  Slopes slopes(const Parameters<S>& theta, S x, S y) const {
    Vector<S> value(1);
    Jacobian<S> J(1, theta.size()), none(1, 0);
    law_->evaluate(theta, Inputs<S>::from_logs(x, y), value, J);
    Slopes out{value[0], S(0), S(0)};
    for (const UnitShift& shift : law_->units) {
      const S exponent = shift.exponent < 0 ? S(1) : theta[shift.exponent];
      (shift.axis == Axis::N ? out.by_N : out.by_D) -= exponent * theta[shift.parameter] * J(0, shift.parameter);
    }
    const auto difference = [&](S dx, S dy) {
      law_->evaluate(theta, Inputs<S>::from_logs(x + dx, y + dy), value, none);
      const S above = value[0];
      law_->evaluate(theta, Inputs<S>::from_logs(x - dx, y - dy), value, none);
      return (above - value[0]) / (S(2) * (dx + dy));
    };
    if (!law_->centres(Axis::N)) out.by_N = difference(step_, S(0));
    if (!law_->centres(Axis::D)) out.by_D = difference(S(0), step_);
    return out;
  }

  /// dL/dx along the budget.
  S along(const Parameters<S>& theta, S x, S log_C) const {
    const Slopes at = slopes(theta, x, log_D(x, log_C));
    return at.by_N - at.by_D / rest(x, log_C);
  }

  /// ln N*.
  S solve(const Parameters<S>& theta, S log_C) const {
    constexpr int kNodes = 256;
    const S most = log_C - std::log(cost_.per_token), serving = log_C - std::log(S(2) * cost_.inference_tokens);
    const S end = cost_.inference_tokens > S(0) ? std::min(most, serving - S(1e-6)) : most;
    const auto node = [&](int k) { return end * S(k) / S(kNodes); };
    Inputs<S> at;
    at.log_N.resize(kNodes + 1), at.log_D.resize(kNodes + 1);
    for (int k = 0; k <= kNodes; ++k) at.log_N[k] = node(k), at.log_D[k] = log_D(node(k), log_C);
    at.log_U = at.log_D;
    at.repeats.setZero(kNodes + 1);
    Vector<S> loss(kNodes + 1);
    Jacobian<S> none(kNodes + 1, 0);
    law_->evaluate(theta, at, loss, none);
    int best = 0;
    for (int k = 1; k <= kNodes; ++k)
      if (loss[k] < loss[best] || std::isnan(loss[best])) best = k;
    S low = node(std::max(best - 1, 0)), high = node(std::min(best + 1, kNodes));
    if (!(along(theta, low, log_C) < S(0) && along(theta, high, log_C) > S(0)))
      detail::reject("flops: " + std::string(law_->name) +
                     " has no compute-optimal point for this budget: its loss falls to the end of the budget");
    while (high - low > S(4) * std::numeric_limits<S>::epsilon() * high) {
      const S middle = low + (high - low) / S(2);
      (along(theta, middle, log_C) < S(0) ? low : high) = middle;
    }
    return low + (high - low) / S(2);
  }

  /// ln N* for a theta near that whose ln N* is x, by Newton's method; from the grid where that does not settle.
  S solve_near(const Parameters<S>& theta, S log_C, S x) const {
    constexpr int kMost = 12;
    const S settled = S(16) * std::numeric_limits<S>::epsilon() * x / step_;  // of a slope that is a difference
    for (int k = 0; k < kMost; ++k) {
      const S bend = curvature(theta, x, log_C), step = along(theta, x, log_C) / bend;
      if (!(bend > S(0)) || !(std::abs(step) < S(1))) break;
      x -= step;
      if (std::abs(step) <= settled) return x;
    }
    return solve(theta, log_C);
  }

  /// Of ln N* by ln theta.
  Parameters<S> point_gradient() const {
    const S bend = curvature(theta_, log_N_, log_C_);
    Parameters<S> out(theta_.size());
    for (Index j = 0; j < theta_.size(); ++j) {
      Parameters<S> above = theta_, below = theta_;
      above[j] *= std::exp(step_);
      below[j] *= std::exp(-step_);
      out[j] = -(along(above, log_N_, log_C_) - along(below, log_N_, log_C_)) / (S(2) * step_ * bend);
    }
    return out;
  }

  S curvature(const Parameters<S>& theta, S x, S log_C) const {
    return (along(theta, x + step_, log_C) - along(theta, x - step_, log_C)) / (S(2) * step_);
  }

  /// d ln N* / d ln C for T = 0.
  S growth(const Parameters<S>& theta) const {
    const NumericalOptimum plain = without_inference();
    const S x = plain.solve_near(theta, log_C_, plain.log_N_),
            by_C = plain.along(theta, x, log_C_ + step_) - plain.along(theta, x, log_C_ - step_);
    return -by_C / (S(2) * step_ * plain.curvature(theta, x, log_C_));
  }

  /// f and its gradient by ln theta, by differences.
  template <typename F>
  LogValue<S> differentiated(const F& f) const {
    LogValue<S> out{f(theta_), Parameters<S>(theta_.size())};
    for (Index j = 0; j < theta_.size(); ++j) {
      Parameters<S> above = theta_, below = theta_;
      above[j] *= std::exp(step_);
      below[j] *= std::exp(-step_);
      out.gradient[j] = (f(above) - f(below)) / (S(2) * step_);
    }
    return out;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
