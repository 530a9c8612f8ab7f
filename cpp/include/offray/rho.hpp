// SPDX-License-Identifier: Apache-2.0
/// \file
/// Objectives: sum_i w_i rho(r_i), a sum and never a mean (a mean would make gradient tolerances fire early).
#pragma once

#include <cmath>
#include <string_view>

#include "offray/objective.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Names, in the order of ObjectiveKind.
inline constexpr std::string_view kObjectives[] = {"squares", "huber", "soft_l1", "cauchy", "absolute", "quantile"};

/// Whether rho has a kink at zero, and is minimised through smooth approximations.
constexpr bool has_kink(ObjectiveKind kind) { return kind == ObjectiveKind::absolute || kind == ObjectiveKind::quantile; }

/// Whether the objective has a scale delta of its own.
constexpr bool has_scale(ObjectiveKind kind) { return kind != ObjectiveKind::squares && !has_kink(kind); }

/// rho and its derivatives at one residual.
template <typename S>
struct Rho {
  S value;
  S slope;      ///< psi = rho'
  S curvature;  ///< rho'', which may vanish or, for cauchy, be negative
  S majorizer;  ///< psi / r >= rho'', positive: the weight of iteratively reweighted least squares
};

template <typename S>
Rho<S> rho(const Objective<S>& objective, S r) {
  const S delta = objective.delta, z = r / delta;
  switch (objective.kind) {
    case ObjectiveKind::squares:
      break;
    case ObjectiveKind::huber: {
      const S size = std::abs(r);
      if (size <= delta) break;
      return {delta * (size - delta / S(2)), std::copysign(delta, r), S(0), delta / size};
    }
    case ObjectiveKind::soft_l1: {
      const S root = std::sqrt(S(1) + z * z);
      return {r * r / (root + S(1)), r / root, S(1) / (root * root * root), S(1) / root};
    }
    case ObjectiveKind::cauchy: {
      const S q = S(1) + z * z;
      return {delta * delta / S(2) * std::log1p(z * z), r / q, (S(2) - q) / (q * q), S(1) / q};
    }
    case ObjectiveKind::absolute:
    case ObjectiveKind::quantile: {
      const bool tilted = objective.kind == ObjectiveKind::quantile;
      const S up = tilted ? S(1) - objective.quantile : S(1), down = tilted ? objective.quantile : S(1);
      const S slope = r > S(0) ? up : -down;
      if (std::abs(z) <= std::abs(slope)) return {r * z / S(2), z, S(1) / delta, S(1) / delta};
      return {slope * (r - delta * slope / S(2)), slope, S(0), slope / r};
    }
  }
  return {r * r / S(2), r, S(1), S(1)};
}

/// rho itself, without the smoothing of a kink.
template <typename S>
S exact_rho(const Objective<S>& objective, S r) {
  if (objective.kind == ObjectiveKind::absolute) return std::abs(r);
  if (objective.kind == ObjectiveKind::quantile) return r > S(0) ? (S(1) - objective.quantile) * r : -objective.quantile * r;
  return rho(objective, r).value;
}

/// sum w rho(r) without the smoothing of a kink. \param w (n,) or empty.
template <typename S>
S exact_total_rho(const Objective<S>& objective, CRef<Vector<S>> r, CRef<Vector<S>> w) {
  S sum = S(0);
  for (Index i = 0; i < r.size(); ++i) sum += (w.size() == 0 ? S(1) : w[i]) * exact_rho(objective, r[i]);
  return sum;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
