// SPDX-License-Identifier: Apache-2.0
/// \file
/// Objectives: sum_i w_i rho(r_i), a sum and never a mean (a mean would make gradient tolerances fire early).
#pragma once

#include <cmath>
#include <string_view>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

enum class Objective {
  squares,   ///< rho = r^2 / 2
  huber,     ///< rho = r^2 / 2 where |r| <= delta, delta (|r| - delta / 2) beyond
  soft_l1,   ///< rho = delta^2 (sqrt(1 + (r / delta)^2) - 1)
  cauchy,    ///< rho = delta^2 / 2 ln(1 + (r / delta)^2), not convex
  absolute,  ///< rho = |r|
  quantile   ///< rho = tau max(-r, 0) + (1 - tau) max(r, 0): L_hat is the tau-quantile of L
};

/// Names, in the order of Objective.
inline constexpr std::string_view kObjectives[] = {"squares", "huber", "soft_l1", "cauchy", "absolute", "quantile"};

/// Whether rho has a kink at zero, and is minimised through smooth approximations.
constexpr bool has_kink(Objective objective) { return objective == Objective::absolute || objective == Objective::quantile; }

/// Whether the objective has a scale delta of its own.
constexpr bool has_scale(Objective objective) { return objective != Objective::squares && !has_kink(objective); }

/// An objective with its constants.
template <typename S>
struct Loss {
  Objective objective = Objective::squares;
  /// Scale in the units of r; at least 64 eps of the residuals' magnitude. For absolute and quantile: the half-width of the
  /// parabola r^2 / (2 delta) that replaces the kink, which changes rho by at most delta / 2.
  S delta = S(1e-3);
  S quantile = S(0.5);  ///< tau in (0, 1), of Objective::quantile
};

/// rho and its derivatives at one residual.
template <typename S>
struct Rho {
  S value;
  S slope;      ///< psi = rho'
  S curvature;  ///< rho'', which may vanish or, for cauchy, be negative
  S majorizer;  ///< psi / r >= rho'', positive: the weight of iteratively reweighted least squares
};

template <typename S>
Rho<S> rho(const Loss<S>& loss, S r) {
  const S delta = loss.delta, z = r / delta;
  switch (loss.objective) {
    case Objective::squares:
      break;
    case Objective::huber: {
      const S size = std::abs(r);
      if (size <= delta) break;
      return {delta * (size - delta / S(2)), std::copysign(delta, r), S(0), delta / size};
    }
    case Objective::soft_l1: {
      const S root = std::sqrt(S(1) + z * z);
      return {r * r / (root + S(1)), r / root, S(1) / (root * root * root), S(1) / root};
    }
    case Objective::cauchy: {
      const S q = S(1) + z * z;
      return {delta * delta / S(2) * std::log1p(z * z), r / q, (S(2) - q) / (q * q), S(1) / q};
    }
    case Objective::absolute:
    case Objective::quantile: {
      const bool tilted = loss.objective == Objective::quantile;
      const S up = tilted ? S(1) - loss.quantile : S(1), down = tilted ? loss.quantile : S(1);
      const S slope = r > S(0) ? up : -down;
      if (std::abs(z) <= std::abs(slope)) return {r * z / S(2), z, S(1) / delta, S(1) / delta};
      return {slope * (r - delta * slope / S(2)), slope, S(0), slope / r};
    }
  }
  return {r * r / S(2), r, S(1), S(1)};
}

/// rho itself, without the smoothing of a kink.
template <typename S>
S exact_rho(const Loss<S>& loss, S r) {
  if (loss.objective == Objective::absolute) return std::abs(r);
  if (loss.objective == Objective::quantile) return r > S(0) ? (S(1) - loss.quantile) * r : -loss.quantile * r;
  return rho(loss, r).value;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
