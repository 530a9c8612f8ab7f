// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "offray/laws/law.hpp"
#include "offray/laws/on_ray.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = E + A N^-alpha + B D^-beta (Hoffmann et al. 2022, arXiv:2203.15556). Defined for every real theta.
struct Chinchilla : PlainInputs {
  using OnRay = ChinchillaOnRay;
  static constexpr std::string_view name = "chinchilla";
  static constexpr std::array<std::string_view, 5> parameters{"E", "A", "B", "alpha", "beta"};
  static constexpr std::array<Kind, 5> kinds{Kind::loss, Kind::loss, Kind::loss, Kind::exponent, Kind::exponent};
  static constexpr std::array<UnitShift, 2> units{UnitShift{1, Axis::N, 3}, UnitShift{2, Axis::D, 4}};
  static constexpr StartGrid grid{{1, 1, 1}, {.03, 8, 13}, {.03, 8, 13}, {1, 1, 1}, true};
  static constexpr std::array<int, kTerms> form{0, 1, 2, -1, 3, 4};

  /// \param theta parameter values in the order of `parameters`, natural units.
  /// \param at (n,) inputs.
  /// \param[out] value (n,) loss in nats per token.
  /// \param[out] J (n, p) derivatives dL/dtheta, or (n, 0) to leave them out.
  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S E = theta[0], A = theta[1], B = theta[2], alpha = theta[3], beta = theta[4];
    const auto log_N = at.log_N.array();
    const auto log_D = at.log_D.array();
    if (J.cols() == 0) {
      value = E + A * (-alpha * log_N).exp() + B * (-beta * log_D).exp();
      return;
    }
    J.col(0).setOnes();
    J.col(1) = (-alpha * log_N).exp();
    J.col(2) = (-beta * log_D).exp();
    J.col(3) = -A * log_N * J.col(1).array();
    J.col(4) = -B * log_D * J.col(2).array();
    value = E + A * J.col(1).array() + B * J.col(2).array();
  }

  /// theta as a power sum: the exponents and outer power that it fixes.
  template <typename S>
  static PowerSum<S> power_sum(CRef<Parameters<S>> theta) {
    return {1, theta[3], theta[4], theta[0], theta[1], theta[2]};
  }

  /// The theta that a power sum stands for; parameters that the form does not hold stay as they are.
  template <typename S>
  static void from_power_sum(const PowerSum<S>& form, Ref<Parameters<S>> theta) {
    theta << form.floor, form.n, form.d, form.p, form.q;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
