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
  squares,  ///< rho = r^2 / 2
  huber     ///< rho = r^2 / 2 where |r| <= delta, delta (|r| - delta / 2) beyond
};

inline constexpr std::string_view kObjectives[] = {"squares", "huber"};  ///< names, in the order of Objective

/// rho and its derivatives at one residual.
template <typename S>
struct Rho {
  S value;
  S slope;      ///< psi = rho'
  S curvature;  ///< rho'', which may vanish
  S majorizer;  ///< psi / r >= rho'', positive: the weight of iteratively reweighted least squares
};

template <typename S>
Rho<S> rho(Objective objective, S delta, S r) {
  const S size = std::abs(r);
  if (objective == Objective::squares || size <= delta) return {r * r / S(2), r, S(1), S(1)};
  return {delta * (size - delta / S(2)), std::copysign(delta, r), S(0), delta / size};
}

}  // namespace OFFRAY_ABI
}  // namespace offray
