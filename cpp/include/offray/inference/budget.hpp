// SPDX-License-Identifier: Apache-2.0
/// \file
/// What compute-optimal points are asked for.
#pragma once

#include <string_view>

#include "offray/types.hpp"

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

/// Names, in the order of Optimal.
inline constexpr std::string_view kOptimals[] = {"N", "D", "TPP", "loss", "a", "b", "elasticity"};

/// ln q and its derivatives by ln theta, natural units, (p,).
template <typename S>
struct LogValue {
  S log;
  Parameters<S> gradient;
};

}  // namespace OFFRAY_ABI
}  // namespace offray
