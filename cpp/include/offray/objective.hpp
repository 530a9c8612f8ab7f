// SPDX-License-Identifier: Apache-2.0
/// \file
/// The objectives by name. Nothing of Eigen here, nor of its versioned namespace: kernels for every processor include this.
#pragma once

namespace offray {

enum class ObjectiveKind {
  squares,   ///< rho = r^2 / 2
  huber,     ///< rho = r^2 / 2 where |r| <= delta, delta (|r| - delta / 2) beyond
  soft_l1,   ///< rho = delta^2 (sqrt(1 + (r / delta)^2) - 1)
  cauchy,    ///< rho = delta^2 / 2 ln(1 + (r / delta)^2), not convex
  absolute,  ///< rho = |r|
  quantile   ///< rho = tau max(-r, 0) + (1 - tau) max(r, 0): L_hat is the tau-quantile of L
};

inline constexpr int kObjectiveKinds = static_cast<int>(ObjectiveKind::quantile) + 1;

/// An objective with its constants.
template <typename S>
struct Objective {
  ObjectiveKind kind = ObjectiveKind::squares;
  /// Scale in the units of r; at least 64 eps of the residuals' magnitude. For absolute and quantile: the half-width of the
  /// parabola r^2 / (2 delta) that replaces the kink, which changes rho by at most delta / 2.
  S delta = S(1e-3);
  S quantile = S(0.5);  ///< tau in (0, 1), of ObjectiveKind::quantile
};

}  // namespace offray
