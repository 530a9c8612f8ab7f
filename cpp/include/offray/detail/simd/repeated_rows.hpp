// SPDX-License-Identifier: Apache-2.0
/// \file
/// The repeated-data law at every row, for any Pack; see RepeatedData for the formulas.
#pragma once

#include "offray/detail/simd/row_loops.hpp"

namespace offray {
namespace kernel_paths {

/// 1 - e^-x - x e^-x, what the worth of repetition still gains from a larger decay constant. \param em e^-x - 1.
template <typename V>
OFFRAY_INLINE V repetition_gain(V x, V em) {
  using P = Pack<V>;
  using S = typename P::Scalar;
  // Below .05 the series x^2 sum_k (-1)^k (k + 1) / (k + 2)! x^k loses nothing to cancellation; 12 terms reach 2^-64 there.
  constexpr int kTerms = 12;
  S coefficient[kTerms] = {S(0.5)};
  for (int k = 1; k < kTerms; ++k) coefficient[k] = -coefficient[k - 1] * S(k + 1) / (S(k) * S(k + 2));
  V series = P::splat(coefficient[kTerms - 1]);
  for (int k = kTerms - 2; k >= 0; --k) series = series * x + coefficient[k];
  const V direct = -em - x * (em + S(1));
  // From 1e5 on e^-x is zero in every scalar, and x may be infinite.
  return x < S(0.05) ? x * x * series : (x > S(1e5) ? P::splat(1) : direct);
}

/// M' = U (1 - R expm1(-x)), x = excess / R: the worth of M = U (1 + excess) when everything beyond U decays.
template <typename V>
struct EffectiveRows {
  using P = Pack<V>;
  using S = typename P::Scalar;
  S R;
  V x, em, worth, log_worth, log_value;

  OFFRAY_INLINE EffectiveRows(V log_unique, V excess, S decay)
      : R(decay),
        x(excess / decay),
        em(P::expm1(-x)),
        worth(S(1) - em * R),
        log_worth(P::log(worth)),
        log_value(log_unique + log_worth) {}
  OFFRAY_INLINE V gain() const { return repetition_gain(x, em); }
};

/// See KernelTable.
template <typename V, typename S = typename Pack<V>::Scalar>
void repeated_data(const RepeatedDataRow<S>& at) {
  using P = Pack<V>;
  const S E = at.theta[0], A = at.theta[1], B = at.theta[2], alpha = at.theta[3], beta = at.theta[4];
  each_row<V>(at.n, [&](auto row) {
    const V log_U = row.load(at.log_U), log_N = row.load(at.log_N), log_N_opt = (log_U * beta + at.log_scale) / alpha;
    const V past = log_N - log_N_opt;
    const EffectiveRows<V> d(log_U, row.load(at.repeats), at.theta[6]);
    const V log_unique = past > S(0) ? log_N_opt : log_N, excess = past > S(0) ? P::expm1(past) : P::splat(0);
    const EffectiveRows<V> n(log_unique, excess, at.theta[5]);
    if (at.value == nullptr) {
      row.store(at.log_effective_N, n.log_value);
      row.store(at.log_effective_D, d.log_value);
      return;
    }
    const V f = P::exp(n.log_value * -alpha), g = P::exp(d.log_value * -beta);
    row.store(at.value, f * A + g * B + E);
    if (at.J == nullptr) return;
    const V gain_N = n.gain(), gain_D = d.gain();
    // How N' follows N_opt and how it follows N: s + t = 1, each without cancellation. N' does not depend on N_opt below it.
    const V s = past > S(0) ? (gain_N * n.R - n.em) / n.worth : P::splat(0);
    const V kept = n.x > S(1e5) ? P::splat(0) : P::exp(-n.x) * (excess + S(1));  // as in repetition_gain()
    const V t = past > S(0) ? kept / n.worth : P::splat(1);
    const V Af = f * A, Bg = g * B;
    row.store(at.J, P::splat(1));
    row.store(at.J + at.stride, f * t);
    row.store(at.J + 2 * at.stride, g + Af * s / B);
    row.store(at.J + 3 * at.stride, -Af * (t * log_unique + n.log_worth + s / alpha));
    row.store(at.J + 4 * at.stride, -Bg * d.log_value - Af * s * (log_U - S(1) / beta));
    row.store(at.J + 5 * at.stride, -Af * alpha * gain_N / n.worth);
    row.store(at.J + 6 * at.stride, -Bg * beta * gain_D / d.worth);
  });
}

}  // namespace kernel_paths
}  // namespace offray
