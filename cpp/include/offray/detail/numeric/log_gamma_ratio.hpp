// SPDX-License-Identifier: Apache-2.0
/// \file
/// ln Gamma(a + 1/2) - ln Gamma(a), without the global sign that std::lgamma writes: two threads may ask at once.
#pragma once

#include <cmath>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The difference of two Stirling series (DLMF 5.11.1), of which nothing large cancels:
///   a ln(1 + 1 / (2 a)) - 1/2 + (ln a) / 2 + s(a + 1/2) - s(a),  s(x) = sum B_2k / (2 k (2 k - 1) x^(2 k - 1)),
/// from a >= 16 on, where the first term left out, 6194 / 462 x^-21, is below 1e-24; smaller a by Gamma(x + 1) = x Gamma(x).
/// \param a positive.
template <typename S>
S log_gamma_ratio(S a) {
  constexpr long double kTerms[][2] = {{1, 12},        {-1, 360}, {1, 1260},       {-1, 1680},      {1, 1188},
                                       {-691, 360360}, {1, 156},  {-3617, 122400}, {43867, 244188}, {-174611, 125400}};
  S shift = S(1);
  for (; a < S(16); a += S(1)) shift *= a / (a + S(0.5));
  const auto series = [&](S x) {
    const S square = S(1) / (x * x);
    S sum = S(0);
    for (int k = 9; k >= 0; --k) sum = sum * square + S(kTerms[k][0] / kTerms[k][1]);
    return sum / x;
  };
  return (a * std::log1p(S(0.5) / a) - S(0.5)) + std::log(a) / S(2) + (series(a + S(0.5)) - series(a)) + std::log(shift);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
