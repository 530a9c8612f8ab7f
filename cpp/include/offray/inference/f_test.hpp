// SPDX-License-Identifier: Apache-2.0
/// \file
/// The F test of one mean square against another.
#pragma once

#include <cmath>
#include <limits>

#include "offray/inference/student_t.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// F = (sum of squares above / its degrees of freedom) / (the same below), and how often chance alone makes it larger.
template <typename S>
struct FTest {
  S F = std::numeric_limits<S>::quiet_NaN();
  Index above = 0, below = 0;

  FTest() = default;
  FTest(S square_above, Index dof_above, S square_below, Index dof_below) : above(dof_above), below(dof_below) {
    if (dof_above <= 0 || dof_below <= 0 || !(square_below > S(0))) return;
    F = square_above / S(dof_above) / (square_below / S(dof_below));
  }

  /// P(F' >= F); 1 where there is nothing to test.
  S p() const { return F >= S(0) ? tail(F, S(above), S(below)) : S(1); }
  /// Whether that is below `level`, a small one: a mean square that is no larger than the other needs no look.
  bool is_unlikely(double level) const { return F > S(1) && p() < S(level); }

  /// P(F' >= F) = I_x(b, a), x = dof_below / (dof_below + dof_above F), a and b half the degrees of freedom (DLMF 8.17).
  static S tail(S F, S dof_above, S dof_below) {
    if (!(F > S(0))) return S(1);
    const S a = dof_above / S(2), b = dof_below / S(2), x = dof_below / (dof_below + dof_above * F);
    const S log_beta = detail::log_gamma(a) + detail::log_gamma(b) - detail::log_gamma(a + b);
    if (x > (b + S(1)) / (a + b + S(2)))
      return S(1) - detail::incomplete_beta_fraction<S>(a, b, dof_above * F / (dof_below + dof_above * F), log_beta);
    return detail::incomplete_beta_fraction<S>(b, a, x, log_beta);
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
