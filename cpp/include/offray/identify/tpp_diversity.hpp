// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a set of tokens-per-parameter ratios can tell apart, before any training: arXiv:2605.08541, Proposition 2, and its
/// exact and scale-free forms.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "offray/runs.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Figures of the 2 x 2 Gram matrix with rows (1, k_l^-b), l = 1..K.
template <typename S>
struct TppDiversity {
  S V_K;        ///< variance of k^-b over the ratios
  S tau_K;      ///< the paper's threshold (K + S2)^2 / (K^2 kappa_target): V_K >= tau_K certifies kappa + 2 + 1/kappa <= target
  S tau_exact;  ///< V_K >= tau_exact <=> kappa <= kappa_target
  S kappa;     ///< of the Gram matrix as it is; like V_K and both thresholds it depends on the unit in which tokens are counted
  S kappa_eq;  ///< of the Gram matrix with unit columns: free of units, and the least over all column scalings
};

/// kappa_eq = (1 + rho) / (1 - rho) of a unit-column Gram matrix, with 1 - rho^2 given.
template <typename S>
S kappa_of_alignment(S one_minus_rho2) {
  if (!(one_minus_rho2 > S(0))) return std::numeric_limits<S>::infinity();
  const S one_plus_rho = S(1) + std::sqrt(S(1) - std::min(one_minus_rho2, S(1)));
  return one_plus_rho * one_plus_rho / one_minus_rho2;
}

/// How much wider the interval of a coefficient is than with orthogonal columns, the other parameters being known:
/// 1 / sqrt(1 - rho^2) = (kappa_eq + 1) / (2 sqrt(kappa_eq)).
template <typename S>
S interval_inflation(S kappa_eq) {
  return std::isinf(kappa_eq) ? kappa_eq : (kappa_eq + S(1)) / (S(2) * std::sqrt(kappa_eq));
}

/// \param k (K,) tokens-per-parameter ratios. \param exponent b > 0, the law's data exponent. \param kappa_target > 1.
template <typename S>
TppDiversity<S> tpp_diversity(CRef<Vector<S>> k, S exponent, S kappa_target) {
  if (k.size() == 0) detail::reject("k is empty: there are no ratios");
  detail::require_positive<S>("k", k);
  if (!(exponent > S(0) && std::isfinite(exponent))) detail::reject("exponent must be positive and finite");
  if (!(kappa_target > S(1) && std::isfinite(kappa_target))) detail::reject("kappa_target must be above 1 and finite");
  const Vector<S> x = (-exponent * k.array().log()).exp();
  if (!x.allFinite() || !(x.minCoeff() > S(0))) detail::reject("exponent: k^-exponent is beyond the range of floating point");
  const S K = S(k.size()), mean = x.mean(), S2 = x.squaredNorm();
  const S V = (x.array() - mean).matrix().squaredNorm() / K;
  const S trace2 = (K + S2) * (K + S2) / (K * K);
  // det = K^2 V; kappa = ((K + S2) + root)^2 / (4 det), without the cancellation of the small eigenvalue.
  const S root = std::sqrt(std::max((K + S2) * (K + S2) - S(4) * K * K * V, S(0)));
  const S infinity = std::numeric_limits<S>::infinity();
  const S top = (K + S2 + root) / (S(2) * K);
  return {V, trace2 / kappa_target, trace2 / (kappa_target + S(2) + S(1) / kappa_target), V > S(0) ? top * top / V : infinity,
          kappa_of_alignment(K * V / S2)};
}

/// The least ratio R = k_2 / k_1 of two rays for which kappa_eq <= kappa_target, whatever the unit of tokens; infinite where
/// kappa_target <= 3 + sqrt(8) = 5.83, which no two rays reach: exp(arccosh(1 / (1 - 8 t / (t + 1)^2)) / b).
template <typename S>
S least_ratio(S exponent, S kappa_target) {
  const S rest = S(1) - S(8) * kappa_target / ((kappa_target + S(1)) * (kappa_target + S(1)));
  return rest > S(0) ? std::exp(std::acosh(S(1) / rest) / exponent) : std::numeric_limits<S>::infinity();
}

/// The same for V_K >= M^-1 (K + S2)^2 / K^2, where `first` is the smaller ratio k_1; infinite where none will do. M is
/// kappa_target (the paper) or kappa_target + 2 + 1 / kappa_target (exact).
template <typename S>
S least_ratio_from(S first, S exponent, S M) {
  const S a = std::pow(first, -exponent), root = std::sqrt(M);
  const S inside = M - S(4) * (S(2) + a * a - root * a);
  if (S(2) + a * a >= root * a || !(inside > S(0))) return std::numeric_limits<S>::infinity();
  // (sqrt(inside) - root) / 2 without its cancellation.
  const S b = S(2) * (root * a - S(2) - a * a) / (std::sqrt(inside) + root);
  return std::pow(a / b, S(1) / exponent);
}

/// The range of ratios [R_min, R_max] for two rays whose geometric mean is `middle`; infinite where none will do.
template <typename S>
std::pair<S, S> ratios_about(S middle, S exponent, S M) {
  const S g = std::pow(middle, -exponent), root = std::sqrt(M), inside = M - S(8) * (S(1) + g * g);
  const S infinity = std::numeric_limits<S>::infinity();
  if (!(inside >= S(0))) return {infinity, infinity};
  const S low = S(8) * (S(1) + g * g) / (root + std::sqrt(inside)) / (S(4) * g), high = (root + std::sqrt(inside)) / (S(4) * g);
  return {std::exp(S(2) * std::asinh(low) / exponent), std::exp(S(2) * std::asinh(high) / exponent)};
}

}  // namespace OFFRAY_ABI
}  // namespace offray
