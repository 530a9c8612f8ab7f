// SPDX-License-Identifier: Apache-2.0
/// \file
/// The model size and token count that a law recommends for a budget.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What N parameters trained on D tokens cost: c N D + 2 N T floating-point operations, T being the tokens that the model will
/// serve in inference (Sardana et al. 2024, arXiv:2401.00448).
template <typename S>
struct Cost {
  S per_token = S(6);         ///< c, per parameter and training token
  S inference_tokens = S(0);  ///< T
};

/// Which number of a compute-optimal point.
enum class Optimal {
  N,
  D,
  tokens_per_parameter,
  loss,
  exponent_N,  ///< a of N* ~ C^a, for T = 0: beta / (alpha + beta) for Chinchilla
  exponent_D,  ///< b = 1 - a
  elasticity   ///< e of the reducible loss along the optimum, L* - E ~ C^-e: alpha beta / (alpha + beta) for Chinchilla; for
               ///< Droppo-Elibol, whose floor is inside the power, as C grows
};

/// ln q and its derivatives by ln theta, natural units, (p,).
template <typename S>
struct LogValue {
  S log;
  Parameters<S> gradient;
};

/// The (N, D) that minimises a power sum n N^-p + d D^-q, and with it the law, at a cost of C. With w = 2 N T / C, stationarity
/// is
///   h(x) = ln(p n) - p x - ln(q d) + q ln D + ln(1 - w) = 0,  x = ln N, ln D = ln(C (1 - w)) - ln c - x;
/// h is concave and falls, so Newton's method descends to its root from any point beyond it. For T = 0 it is linear and
///   N* = G (C/c)^(q/(p+q)), G = (p n / (q d))^(1/(p+q)).
/// Gradients by the implicit function theorem; the loss's by the envelope theorem.
template <typename S>
class OptimalPoint {
 public:
  /// \param theta natural units, all positive.
  OptimalPoint(const AnyLaw<S>& law, const Parameters<S>& theta, S flops, const Cost<S>& cost)
      : law_(law), theta_(theta), first_(exponent(law.form[4])), second_(exponent(law.form[5])) {
    const LogValue<S> outer = exponent(law.form[3]);
    within_ = exponent(law.form[0] < 0 ? -1 : law.form[3]);
    // Kaplan's second exponent is the outer one, so that q = 1.
    if (law.form[5] < 0) second_ = outer;
    const S p = std::exp(first_.log - outer.log), q = std::exp(second_.log - outer.log);
    const Parameters<S> dp = first_.gradient - outer.gradient, dq = second_.gradient - outer.gradient;  // of ln p, ln q
    const LogValue<S> n = coefficient(law.form[1], p, dp), d = coefficient(law.form[2], q, dq);

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

  LogValue<S> value(Optimal which) const;

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

  /// ln of a power sum's coefficient: A itself, or N_c^p for a parameter that counts.
  LogValue<S> coefficient(int j, S p, const Parameters<S>& dp) const {
    const bool count = law_.kinds[static_cast<std::size_t>(j)] == Kind::count;
    const S power = count ? p : S(1), log = std::log(theta_[j]);
    LogValue<S> out{power * log, count ? Parameters<S>(power * log * dp) : Parameters<S>::Zero(theta_.size())};
    out.gradient[j] += power;
    return out;
  }

  LogValue<S> loss() const;
};

template <typename S>
LogValue<S> OptimalPoint<S>::value(Optimal which) const {
  const S share = S(1) / (S(1) + std::exp(second_.log - first_.log));  // of the first exponent in the sum of both
  switch (which) {
    case Optimal::N:
      return {log_N_, dN_};
    case Optimal::D:
      return {log_D_, dD_};
    case Optimal::tokens_per_parameter:
      return {log_D_ - log_N_, dD_ - dN_};
    case Optimal::loss:
      return loss();
    case Optimal::exponent_N:
      return {std::log1p(-share), share * (second_.gradient - first_.gradient)};
    case Optimal::exponent_D:
      return {std::log(share), (S(1) - share) * (first_.gradient - second_.gradient)};
    case Optimal::elasticity:
      return {second_.log + std::log(share) - within_.log,
              (S(1) - share) * first_.gradient + share * second_.gradient - within_.gradient};
  }
  return {};
}

template <typename S>
LogValue<S> OptimalPoint<S>::loss() const {
  Inputs<S> at;
  at.log_N = Vector<S>::Constant(1, log_N_);
  at.log_D = at.log_U = Vector<S>::Constant(1, log_D_);
  at.repeats = Vector<S>::Zero(1);
  Vector<S> value(1);
  Jacobian<S> J(1, theta_.size());
  law_.evaluate(theta_, at, value, J);
  return {std::log(value[0]), J.row(0).transpose().cwiseProduct(theta_) / value[0]};
}

}  // namespace OFFRAY_ABI
}  // namespace offray
