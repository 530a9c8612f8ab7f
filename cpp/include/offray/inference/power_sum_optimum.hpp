// SPDX-License-Identifier: Apache-2.0
/// \file
/// The compute-optimal point of a power sum, in closed form or by Newton's method.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "offray/inference/budget.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// The (N, D) that minimises a power sum n N^-p + d D^-q, and with it the law, at a cost of C. With w = 2 N T / C, stationarity
/// is
///   h(x) = ln(p n) - p x - ln(q d) + q ln D + ln(1 - w) = 0,  x = ln N, ln D = ln(C (1 - w)) - ln c - x;
/// h is concave and falls, so Newton's method descends to its root from any point beyond it. For T = 0 it is linear and
///   N* = G (C/c)^(q/(p+q)), G = (p n / (q d))^(1/(p+q)).
/// Gradients by the implicit function theorem; the loss's by the envelope theorem.
template <typename S>
class PowerSumOptimum {
 public:
  /// \param theta natural units, all positive.
  PowerSumOptimum(const AnyLaw<S>& law, const Parameters<S>& theta, S flops, const Cost<S>& cost)
      : law_(law), theta_(theta), first_(exponent(law.term(Term::p))), second_(exponent(law.term(Term::q))) {
    const LogValue<S> outer = exponent(law.term(Term::outer));
    within_ = exponent(law.floor_inside ? law.term(Term::outer) : -1);
    // An axis without an exponent of its own has the outer one, as Kaplan's tokens: p or q is 1.
    if (law.term(Term::p) < 0) first_ = outer;
    if (law.term(Term::q) < 0) second_ = outer;
    const S p = std::exp(first_.log - outer.log), q = std::exp(second_.log - outer.log);
    const Parameters<S> dp = first_.gradient - outer.gradient, dq = second_.gradient - outer.gradient;  // of ln p, ln q
    const LogValue<S> n = coefficient(law.term(Term::n), p, dp), d = coefficient(law.term(Term::d), q, dq);

    const S log_C = std::log(flops), log_c = std::log(cost.per_token);
    const S unit = S(2) * cost.inference_tokens / flops;  // w = unit N
    const S constant = std::log(p) + n.log - std::log(q) - d.log;
    S x = (constant + q * (log_C - log_c)) / (p + q);
    constexpr S least = S(16) * std::numeric_limits<S>::epsilon();
    if (unit > S(0)) x = std::min(x, std::log((S(1) - least) / unit));
    S rest = S(1), slope = S(0);
    for (int i = 0; i < 200; ++i) {
      rest = std::max(S(1) - unit * std::exp(x), least);
      log_D_ = log_C + std::log(rest) - log_c - x;
      slope = -p - (q + S(1) - rest) / rest;
      const S step = (constant - p * x + q * log_D_ + std::log(rest)) / slope;
      x -= step;
      if (!(std::abs(step) > S(4) * std::numeric_limits<S>::epsilon() * std::abs(x))) break;
    }
    rest = std::max(S(1) - unit * std::exp(x), least);
    log_N_ = x;
    log_D_ = log_C + std::log(rest) - log_c - x;
    dN_ = (dp * (S(1) - p * x) + n.gradient - dq * (S(1) - q * log_D_) - d.gradient) / -slope;
    dD_ = -dN_ / rest;
  }

  LogValue<S> N() const { return {log_N_, dN_}; }
  LogValue<S> D() const { return {log_D_, dD_}; }

  LogValue<S> exponent_N() const { return {std::log1p(-share()), share() * (second_.gradient - first_.gradient)}; }
  LogValue<S> exponent_D() const { return {std::log(share()), (S(1) - share()) * (first_.gradient - second_.gradient)}; }
  LogValue<S> elasticity() const {
    return {second_.log + std::log(share()) - within_.log,
            (S(1) - share()) * first_.gradient + share() * second_.gradient - within_.gradient};
  }

 private:
  const AnyLaw<S>& law_;
  Parameters<S> theta_;
  LogValue<S> first_, second_;  ///< the law's exponents of N and D
  LogValue<S> within_;          ///< the outer power where a floor is inside it; else 1
  S log_N_ = S(0), log_D_ = S(0);
  Parameters<S> dN_, dD_;

  /// ln of an exponent; of 1 where the law has none.
  LogValue<S> exponent(int j) const {
    LogValue<S> out{S(0), Parameters<S>::Zero(theta_.size())};
    if (j < 0) return out;
    out.log = std::log(theta_[j]);
    out.gradient[j] = S(1);
    return out;
  }

  /// ln of a power sum's coefficient: A itself, or N_c^p for a scale.
  LogValue<S> coefficient(int j, S p, const Parameters<S>& dp) const {
    const bool count = law_.parameter(j).role == Role::scale;
    const S power = count ? p : S(1), log = std::log(theta_[j]);
    LogValue<S> out{power * log, count ? Parameters<S>(power * log * dp) : Parameters<S>::Zero(theta_.size())};
    out.gradient[j] += power;
    return out;
  }

  /// Of the first exponent in the sum of both.
  S share() const { return S(1) / (S(1) + std::exp(second_.log - first_.log)); }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
