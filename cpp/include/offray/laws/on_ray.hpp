// SPDX-License-Identifier: Apache-2.0
/// \file
/// What is left of a law on one ray, D = k N, where its two terms have one shape: Definition 2 of arXiv:2605.08541.
#pragma once

#include <array>
#include <cmath>
#include <string_view>

#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = E + psi N^-alpha: Chinchilla's law where alpha = beta; psi = A + B k^-alpha.
struct ChinchillaOnRay : PlainInputs {
  using OnRay = void;
  static constexpr std::string_view name = "chinchilla_on_ray";
  static constexpr std::array<std::string_view, 3> parameters{"E", "psi", "alpha"};
  static constexpr std::array<Kind, 3> kinds{Kind::loss, Kind::loss, Kind::exponent};
  static constexpr std::array<UnitShift, 1> units{UnitShift{1, Axis::N, 2}};
  static constexpr StartGrid grid{{1, 1, 1}, {.03, 8, 25}, {1, 1, 1}, {1, 1, 1}, true};
  static constexpr std::array<int, kTerms> form{0, 1, -1, -1, 2, -1};
  static constexpr bool separable = false;

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S E = theta[0], psi = theta[1], alpha = theta[2];
    const auto log_N = at.log_N.array();
    value = (-alpha * log_N).exp();
    if (J.cols() != 0) {
      J.col(0).setOnes();
      J.col(1) = value;
      J.col(2) = -psi * log_N * value.array();
    }
    value = E + psi * value.array();
  }

  template <typename S>
  static PowerSum<S> power_sum(CRef<Parameters<S>> theta) {
    return {1, theta[2], 1, theta[0], theta[1], 0};
  }

  template <typename S>
  static void from_power_sum(const PowerSum<S>& form, Ref<Parameters<S>> theta) {
    theta << form.floor, form.n, form.p;
  }
};

/// L = (psi / N)^alpha_N: Kaplan's law where alpha_N = alpha_D; psi = N_c + D_c / k.
struct KaplanOnRay : PlainInputs {
  using OnRay = void;
  static constexpr std::string_view name = "kaplan_on_ray";
  static constexpr std::array<std::string_view, 2> parameters{"psi", "alpha_N"};
  static constexpr std::array<Kind, 2> kinds{Kind::count, Kind::exponent};
  static constexpr std::array<UnitShift, 1> units{UnitShift{0, Axis::N, -1}};
  static constexpr StartGrid grid{{.003, 3, 25}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, false};
  static constexpr std::array<int, kTerms> form{-1, 0, -1, 1, -1, -1};
  static constexpr bool separable = false;

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S psi = theta[0], alpha = theta[1], log_psi = std::log(psi);
    value = (alpha * (log_psi - at.log_N.array())).exp();
    if (J.cols() == 0) return;
    J.col(0) = alpha / psi * value;
    J.col(1) = (log_psi - at.log_N.array()) * value.array();
  }

  template <typename S>
  static PowerSum<S> power_sum(CRef<Parameters<S>> theta) {
    return {theta[1], 1, 1, 0, theta[0], 0};
  }

  template <typename S>
  static void from_power_sum(const PowerSum<S>& form, Ref<Parameters<S>> theta) {
    theta << form.n, form.outer;
  }
};

/// L = [L_inf^(1/alpha) + (psi / N)^(alpha_N/alpha)]^alpha: the law of Droppo and Elibol where alpha_N = alpha_D;
/// psi^r = N_C^r + (D_C / k)^r with r = alpha_N / alpha.
struct DroppoElibolOnRay : PlainInputs {
  using OnRay = void;
  static constexpr std::string_view name = "droppo_elibol_on_ray";
  static constexpr std::array<std::string_view, 4> parameters{"L_inf", "psi", "alpha_N", "alpha"};
  static constexpr std::array<Kind, 4> kinds{Kind::loss, Kind::count, Kind::exponent, Kind::exponent};
  static constexpr std::array<UnitShift, 1> units{UnitShift{1, Axis::N, -1}};
  static constexpr StartGrid grid{{.1, 1.6, 5}, {.03, 3, 13}, {1, 1, 1}, {1, 1, 1}, true};
  static constexpr std::array<int, kTerms> form{0, 1, -1, 3, 2, -1};
  static constexpr bool separable = false;

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    using std::exp, std::log, std::log1p, std::abs, std::max;
    const S L_inf = theta[0], psi = theta[1], alpha_N = theta[2], alpha = theta[3];
    const S l0 = log(L_inf) / alpha, log_psi = log(psi);
    for (Index i = 0; i < at.size(); ++i) {
      const S log_ratio = log_psi - at.log_N[i];
      const S lu = alpha_N / alpha * log_ratio;
      const S lS = max(l0, lu) + log1p(exp(-abs(l0 - lu)));
      const S L = exp(alpha * lS);
      value[i] = L;
      if (J.cols() == 0) continue;
      const S w0 = exp(l0 - lS), wu = exp(lu - lS);
      J(i, 0) = L * w0 / L_inf;
      J(i, 1) = L * alpha_N * wu / psi;
      J(i, 2) = L * wu * log_ratio;
      J(i, 3) = L * (w0 * (lS - l0) + wu * (lS - lu));
    }
  }

  template <typename S>
  static PowerSum<S> power_sum(CRef<Parameters<S>> theta) {
    const S a = theta[3], p = theta[2] / a;
    return {a, p, 1, std::pow(theta[0], 1 / a), std::pow(theta[1], p), 0};
  }

  template <typename S>
  static void from_power_sum(const PowerSum<S>& form, Ref<Parameters<S>> theta) {
    const S a = form.outer;
    theta << std::pow(form.floor, a), std::pow(form.n, 1 / form.p), form.p * a, a;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
