// SPDX-License-Identifier: Apache-2.0
/// \file
/// The logarithm of the gamma function, without the global sign that std::lgamma writes: two threads may ask at once.
#pragma once

#include <cmath>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// What Stirling's series adds (DLMF 5.11.1): sum B_2k / (2 k (2 k - 1) x^(2 k - 1)); from x >= 16 on the first term left out,
/// 6194 / 462 x^-21, is below 1e-24.
template <typename S>
S stirling(S x) {
  constexpr long double kTerms[][2] = {{1, 12},        {-1, 360}, {1, 1260},       {-1, 1680},      {1, 1188},
                                       {-691, 360360}, {1, 156},  {-3617, 122400}, {43867, 244188}, {-174611, 125400}};
  const S square = S(1) / (x * x);
  S sum = S(0);
  for (int k = 9; k >= 0; --k) sum = sum * square + S(kTerms[k][0] / kTerms[k][1]);
  return sum / x;
}

/// ln Gamma(x), x positive; below 16 by Gamma(x + 1) = x Gamma(x).
template <typename S>
S log_gamma(S x) {
  S shift = S(1);
  for (; x < S(16); x += S(1)) shift *= x;
  return (x - S(0.5)) * std::log(x) - x + std::log(S(2) * S(EIGEN_PI)) / S(2) + stirling(x) - std::log(shift);
}

/// ln Gamma(a + 1/2) - ln Gamma(a), a positive: the difference of two series, of which nothing large cancels:
///   a ln(1 + 1 / (2 a)) - 1/2 + (ln a) / 2 + s(a + 1/2) - s(a).
template <typename S>
S log_gamma_ratio(S a) {
  S shift = S(1);
  for (; a < S(16); a += S(1)) shift *= a / (a + S(0.5));
  return (a * std::log1p(S(0.5) / a) - S(0.5)) + std::log(a) / S(2) + (stirling(a + S(0.5)) - stirling(a)) + std::log(shift);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
