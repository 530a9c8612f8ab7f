// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What is left of KaplanFloor on one ray: L = E + (psi/N)^alpha_N, psi = N_c + D_c / k where alpha_N = alpha_D.
struct KaplanFloorOnRay {
  static constexpr std::string_view name = "kaplan_floor_on_ray";
  static constexpr std::string_view formula = "E + (psi / N)^alpha_N";
  static constexpr std::string_view psi = "N_c + D_c / k";
  static constexpr std::array parameters{floor("E"), scale("psi", Axis::N), exponent("alpha_N", Axis::N)};
  static constexpr std::array<std::string_view, 1> inputs{"params"};
  static constexpr bool power_sum = true;
  static constexpr StartGrid grid{{1, 1, 1}, {.03, 8, 25}, {1, 1, 1}, {1, 1, 1}};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S E = theta[0], merged = theta[1], alpha = theta[2], log_merged = std::log(merged);
    value = (alpha * (log_merged - at.log_N.array())).exp();
    if (J.cols() != 0) {
      J.col(0).setOnes();
      J.col(1) = alpha / merged * value;
      J.col(2) = (log_merged - at.log_N.array()) * value.array();
    }
    value.array() += E;
  }
};

/// L = E + [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D: Kaplan's law (arXiv:2001.08361, eq. 1.5) above an irreducible loss.
///
/// Logarithms as in Kaplan. No power sum: (L - E)^(1/alpha_D) is one, but E is not known.
struct KaplanFloor {
  using OnRay = KaplanFloorOnRay;
  static constexpr std::string_view name = "kaplan_floor";
  static constexpr std::string_view formula = "E + [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D";
  static constexpr std::string_view reference = "arXiv:2001.08361, with a floor";
  static constexpr std::array parameters{floor("E"), scale("N_c", Axis::N), scale("D_c", Axis::D), exponent("alpha_N", Axis::N),
                                         outer("alpha_D", Axis::D)};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    using std::exp, std::log, std::log1p, std::abs, std::max;
    const S E = theta[0], N_c = theta[1], D_c = theta[2], alpha_N = theta[3], alpha_D = theta[4];
    const S log_Nc = log(N_c), log_Dc = log(D_c), ratio = alpha_N / alpha_D;
    for (Index i = 0; i < at.size(); ++i) {
      const S log_NcN = log_Nc - at.log_N[i];
      const S lu = ratio * log_NcN, lv = log_Dc - at.log_D[i];
      const S lS = max(lu, lv) + log1p(exp(-abs(lu - lv)));
      const S reducible = exp(alpha_D * lS);
      value[i] = E + reducible;
      if (J.cols() == 0) continue;
      const S w = exp(lu - lS), one_minus_w = exp(lv - lS);
      J(i, 0) = S(1);
      J(i, 1) = reducible * alpha_N * w / N_c;
      J(i, 2) = reducible * alpha_D * one_minus_w / D_c;
      J(i, 3) = reducible * w * log_NcN;
      J(i, 4) = reducible * (one_minus_w * lS + w * (lS - lu));  // lS - w lu without its cancellation
    }
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
