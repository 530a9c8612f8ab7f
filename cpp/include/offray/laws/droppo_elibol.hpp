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
struct DroppoElibol : PlainInputs {
  using OnRay = DroppoElibolOnRay;
  static constexpr std::string_view name = "droppo_elibol";
  static constexpr std::array<std::string_view, 6> parameters{"L_inf", "N_C", "D_C", "alpha_N", "alpha_D", "alpha"};
  static constexpr std::array<Kind, 6> kinds{Kind::loss,     Kind::count,    Kind::count,
                                             Kind::exponent, Kind::exponent, Kind::exponent};
  static constexpr std::array<UnitShift, 2> units{UnitShift{1, Axis::N, -1}, UnitShift{2, Axis::D, -1}};
  static constexpr StartGrid grid{{.1, 1.6, 5}, {.03, 3, 9}, {.03, 3, 9}, {1, 1, 1}, true};
  static constexpr std::array<int, kTerms> form{0, 1, 2, 5, 3, 4};

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

  template <typename S>
  static PowerSum<S> power_sum(CRef<Parameters<S>> theta) {
    const S a = theta[5], p = theta[3] / a, q = theta[4] / a;
    return {a, p, q, std::pow(theta[0], 1 / a), std::pow(theta[1], p), std::pow(theta[2], q)};
  }

  template <typename S>
  static void from_power_sum(const PowerSum<S>& form, Ref<Parameters<S>> theta) {
    const S a = form.outer;
    theta << std::pow(form.floor, a), std::pow(form.n, 1 / form.p), std::pow(form.d, 1 / form.q), form.p * a, form.q * a, a;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
