// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <string_view>

#include "offray/laws/law.hpp"
#include "offray/laws/on_ray.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D (Kaplan et al. 2020, arXiv:2001.08361, eq. 1.5).
///
/// With ln u = (alpha_N/alpha_D) ln(N_c/N), ln v = ln(D_c/D), S = u + v, w = u/S: L = exp(alpha_D ln S), all in logarithms
/// because u reaches 1e2000 for values that give an ordinary L. NaN where N_c or D_c is not positive.
struct Kaplan {
  using OnRay = KaplanOnRay;
  static constexpr std::string_view name = "kaplan";
  static constexpr std::string_view formula = "[(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D";
  static constexpr std::string_view reference = "arXiv:2001.08361";
  static constexpr std::array parameters{scale("N_c", Axis::N), scale("D_c", Axis::D), exponent("alpha_N", Axis::N),
                                         outer("alpha_D", Axis::D)};
  static constexpr bool power_sum = true;
  static constexpr StartGrid grid{{.03, .96, 6}, {.15, 6, 10}, {1, 1, 1}, {1, 1, 1}};
  static constexpr std::array published{Published{"Kaplan et al. 2020, joint", {6.4e13, 1.8e13, 0.076, 0.103}},
                                        Published{"Kaplan et al. 2020, separate", {8.8e13, 5.4e13, 0.076, 0.095}}};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    using std::exp, std::log, std::log1p, std::abs, std::max;
    const S N_c = theta[0], D_c = theta[1], alpha_N = theta[2], alpha_D = theta[3];
    const S log_Nc = log(N_c), log_Dc = log(D_c), ratio = alpha_N / alpha_D;
    for (Index i = 0; i < at.size(); ++i) {
      const S log_NcN = log_Nc - at.log_N[i];
      const S lu = ratio * log_NcN;
      const S lv = log_Dc - at.log_D[i];
      const S lS = max(lu, lv) + log1p(exp(-abs(lu - lv)));
      const S L = exp(alpha_D * lS);
      value[i] = L;
      if (J.cols() == 0) continue;
      const S w = exp(lu - lS), one_minus_w = exp(lv - lS);
      J(i, 0) = L * alpha_N * w / N_c;
      J(i, 1) = L * alpha_D * one_minus_w / D_c;
      J(i, 2) = L * w * log_NcN;
      // lS - w lu written as a sum of non-cancelling terms: (1 - w) lS + w (lS - lu).
      J(i, 3) = L * (one_minus_w * lS + w * (lS - lu));
    }
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
