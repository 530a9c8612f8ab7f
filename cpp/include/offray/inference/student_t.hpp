// SPDX-License-Identifier: Apache-2.0
/// \file
/// Quantiles of Student's t distribution, for intervals.
#pragma once

#include <cmath>
#include <limits>

#include "offray/detail/numeric/log_gamma.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

namespace detail {

/// The regularised incomplete beta function I_x(a, b) for x < (a + 1)/(a + b + 2): Lentz's evaluation of the continued fraction
/// DLMF 8.17.22. \param log_beta ln B(a, b).
template <typename S>
S incomplete_beta_fraction(S a, S b, S x, S log_beta) {
  constexpr S tiny = std::numeric_limits<S>::min() * S(1e10);
  const auto guarded = [](S v) { return std::abs(v) < tiny ? tiny : v; };
  S c = S(1), d = S(1) / guarded(S(1) - (a + b) * x / (a + S(1))), h = d;
  for (int m = 1; m < 2000; ++m) {
    const S k = S(m);
    const S even = k * (b - k) * x / ((a + S(2) * k - S(1)) * (a + S(2) * k));
    d = S(1) / guarded(S(1) + even * d);
    c = guarded(S(1) + even / c);
    h *= d * c;
    const S odd = -(a + k) * (a + b + k) * x / ((a + S(2) * k) * (a + S(2) * k + S(1)));
    d = S(1) / guarded(S(1) + odd * d);
    c = guarded(S(1) + odd / c);
    h *= d * c;
    if (std::abs(d * c - S(1)) < S(4) * std::numeric_limits<S>::epsilon()) break;
  }
  return h * std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta) / a;
}

/// P(T > t) for t >= 0.
template <typename S>
S student_t_tail(S t, S dof) {
  const S x = dof / (dof + t * t), a = dof / S(2), b = S(0.5);
  const S log_beta = std::log(S(EIGEN_PI)) / S(2) - log_gamma_ratio(a);
  const bool swap = x > (a + S(1)) / (a + b + S(2));
  // 1 - x written as t^2 / (dof + t^2) keeps its digits for small t.
  const S ibeta = swap ? S(1) - incomplete_beta_fraction<S>(b, a, t * t / (dof + t * t), log_beta)
                       : incomplete_beta_fraction<S>(a, b, x, log_beta);
  return ibeta / S(2);
}

}  // namespace detail

/// The t with P(|T| <= t) = level for `dof` degrees of freedom: the half-width of an interval in standard errors.
/// \param level in (0, 1). \param dof positive. Infinite for dof <= 0, where the noise has no estimate.
template <typename S>
S student_t_half_width(S level, S dof) {
  if (!(dof > S(0))) return std::numeric_limits<S>::infinity();
  const S tail = (S(1) - level) / S(2);
  S low = S(0), high = S(1);
  while (detail::student_t_tail(high, dof) > tail) {
    low = high;
    high *= S(2);
  }
  // Bisection with Newton inside the bracket: P' = -density.
  const S log_norm = detail::log_gamma_ratio(dof / S(2)) - std::log(dof * S(EIGEN_PI)) / S(2);
  S t = (low + high) / S(2);
  for (int i = 0; i < 200; ++i) {
    const S excess = detail::student_t_tail(t, dof) - tail;
    (excess > S(0) ? low : high) = t;
    const S density = std::exp(log_norm - (dof + S(1)) / S(2) * std::log1p(t * t / dof));
    S next = t + excess / density;
    if (!(next > low && next < high)) next = (low + high) / S(2);
    if (std::abs(next - t) <= S(4) * std::numeric_limits<S>::epsilon() * t) return next;
    t = next;
  }
  return t;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
