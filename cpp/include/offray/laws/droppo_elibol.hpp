// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "offray/laws/law.hpp"
#include "offray/laws/on_ray.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = [L_inf^(1/alpha) + (N_C/N)^(alpha_N/alpha) + (D_C/D)^(alpha_D/alpha)]^alpha (Droppo & Elibol 2021, arXiv:2106.09488).
///
/// Logarithms throughout: l0 = ln(L_inf)/alpha, lu = (alpha_N/alpha) ln(N_C/N), lv = (alpha_D/alpha) ln(D_C/D),
/// ln S = logsumexp, weights = softmax. NaN where L_inf, N_C or D_C is not positive.
struct DroppoElibol {
  using OnRay = DroppoElibolOnRay;
  static constexpr std::string_view name = "droppo_elibol";
  static constexpr std::string_view formula = "[L_inf^(1/alpha) + (N_C/N)^(alpha_N/alpha) + (D_C/D)^(alpha_D/alpha)]^alpha";
  static constexpr std::string_view reference = "arXiv:2106.09488";
  static constexpr std::array parameters{
      floor("L_inf"), scale("N_C", Axis::N), scale("D_C", Axis::D), exponent("alpha_N", Axis::N), exponent("alpha_D", Axis::D),
      outer("alpha")};
  static constexpr bool power_sum = true, floor_inside = true;

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    using std::exp, std::log, std::max;
    const S L_inf = theta[0], N_C = theta[1], D_C = theta[2], alpha_N = theta[3], alpha_D = theta[4], alpha = theta[5];
    const S l0 = log(L_inf) / alpha, log_NC = log(N_C), log_DC = log(D_C);
    for (Index i = 0; i < at.size(); ++i) {
      const S log_NCN = log_NC - at.log_N[i], log_DCD = log_DC - at.log_D[i];
      const S lu = alpha_N / alpha * log_NCN;
      const S lv = alpha_D / alpha * log_DCD;
      const S top = max(l0, max(lu, lv));
      const S lS = top + log(exp(l0 - top) + exp(lu - top) + exp(lv - top));
      const S L = exp(alpha * lS);
      value[i] = L;
      if (J.cols() == 0) continue;
      const S w0 = exp(l0 - lS), wu = exp(lu - lS), wv = exp(lv - lS);
      J(i, 0) = L * w0 / L_inf;
      J(i, 1) = L * alpha_N * wu / N_C;
      J(i, 2) = L * alpha_D * wv / D_C;
      J(i, 3) = L * wu * log_NCN;
      J(i, 4) = L * wv * log_DCD;
      // The entropy of the weights: ln S - sum w l, without its cancellation.
      J(i, 5) = L * (w0 * (lS - l0) + wu * (lS - lu) + wv * (lS - lv));
    }
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
