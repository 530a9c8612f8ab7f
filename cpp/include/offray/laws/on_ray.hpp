// SPDX-License-Identifier: Apache-2.0
/// \file
/// What is left of a law on one ray, D = k N, where its two terms have one shape: Definition 2 of arXiv:2605.08541.
#pragma once

#include <array>
#include <cmath>
#include <string_view>

#include "offray/laws/law.hpp"
#include "offray/laws/powers.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = E + psi N^-alpha: Chinchilla's law where alpha = beta; psi = A + B k^-alpha.
struct ChinchillaOnRay {
  static constexpr std::string_view name = "chinchilla_on_ray";
  static constexpr std::string_view formula = "E + psi N^-alpha";
  static constexpr std::string_view psi = "A + B k^-alpha";
  static constexpr std::array parameters{floor("E"), coefficient("psi", Axis::N), exponent("alpha", Axis::N)};
  static constexpr std::array<std::string_view, 1> inputs{"params"};
  static constexpr bool power_sum = true;
  static constexpr StartGrid grid{{1, 1, 1}, {.03, 8, 25}, {1, 1, 1}, {1, 1, 1}};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S E = theta[0], merged = theta[1], alpha = theta[2];
    value.setConstant(E);
    if (J.cols() == 0) return detail::add_power<S>(merged, alpha, at.log_N, value);
    J.col(0).setOnes();
    detail::add_power<S>(merged, alpha, at.log_N, value, J.col(1), J.col(2));
  }
};

/// L = (psi / N)^alpha_N: Kaplan's law where alpha_N = alpha_D; psi = N_c + D_c / k.
struct KaplanOnRay {
  static constexpr std::string_view name = "kaplan_on_ray";
  static constexpr std::string_view formula = "(psi / N)^alpha_N";
  static constexpr std::string_view psi = "N_c + D_c / k";
  static constexpr std::array parameters{scale("psi", Axis::N), outer("alpha_N", Axis::N)};
  static constexpr std::array<std::string_view, 1> inputs{"params"};
  static constexpr bool power_sum = true;
  static constexpr StartGrid grid{{.003, 3, 25}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S merged = theta[0], alpha = theta[1], log_merged = std::log(merged);
    value = (alpha * (log_merged - at.log_N.array())).exp();
    if (J.cols() == 0) return;
    J.col(0) = alpha / merged * value;
    J.col(1) = (log_merged - at.log_N.array()) * value.array();
  }
};

/// L = [L_inf^(1/alpha) + (psi / N)^(alpha_N/alpha)]^alpha: the law of Droppo and Elibol where alpha_N = alpha_D;
/// psi^r = N_C^r + (D_C / k)^r with r = alpha_N / alpha.
struct DroppoElibolOnRay {
  static constexpr std::string_view name = "droppo_elibol_on_ray";
  static constexpr std::string_view formula = "[L_inf^(1/alpha) + (psi / N)^(alpha_N/alpha)]^alpha";
  static constexpr std::string_view psi = "[N_C^r + (D_C / k)^r]^(1/r), r = alpha_N / alpha";
  static constexpr std::array parameters{floor("L_inf"), scale("psi", Axis::N), exponent("alpha_N", Axis::N), outer("alpha")};
  static constexpr std::array<std::string_view, 1> inputs{"params"};
  static constexpr bool power_sum = true, floor_inside = true;
  static constexpr StartGrid grid{{.1, 1.6, 5}, {.03, 3, 13}, {1, 1, 1}, {1, 1, 1}};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    using std::exp, std::log, std::log1p, std::abs, std::max;
    const S L_inf = theta[0], merged = theta[1], alpha_N = theta[2], alpha = theta[3];
    const S l0 = log(L_inf) / alpha, log_merged = log(merged);
    for (Index i = 0; i < at.size(); ++i) {
      const S log_ratio = log_merged - at.log_N[i];
      const S lu = alpha_N / alpha * log_ratio;
      const S lS = max(l0, lu) + log1p(exp(-abs(l0 - lu)));
      const S L = exp(alpha * lS);
      value[i] = L;
      if (J.cols() == 0) continue;
      const S w0 = exp(l0 - lS), wu = exp(lu - lS);
      J(i, 0) = L * w0 / L_inf;
      J(i, 1) = L * alpha_N * wu / merged;
      J(i, 2) = L * wu * log_ratio;
      J(i, 3) = L * (w0 * (lS - l0) + wu * (lS - lu));
    }
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
