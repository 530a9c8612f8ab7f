// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "offray/laws/law.hpp"
#include "offray/laws/on_ray.hpp"
#include "offray/laws/powers.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = E + A N^-alpha + B D^-beta (Hoffmann et al. 2022, arXiv:2203.15556). Defined for every real theta.
struct Chinchilla {
  using OnRay = ChinchillaOnRay;
  static constexpr std::string_view name = "chinchilla";
  static constexpr std::string_view formula = "E + A N^-alpha + B D^-beta";
  static constexpr std::string_view reference = "arXiv:2203.15556";
  static constexpr std::array parameters{floor("E"), coefficient("A", Axis::N), coefficient("B", Axis::D),
                                         exponent("alpha", Axis::N), exponent("beta", Axis::D)};
  static constexpr bool power_sum = true;
  static constexpr std::array published{
      Published{"Hoffmann et al. 2022", {1.69, 406.4, 410.7, 0.34, 0.28}},
      Published{"Besiroglu et al. 2024", {1.8172, 482.01, 2085.43, 0.3478, 0.3658}},
      Published{"Brandfonbrener et al. 2024, fineweb-edu", {2.002191, 2517.51, 7160.56, 0.454019, 0.449472}},
      Published{"Brandfonbrener et al. 2024, slimpajama", {2.006850, 2048.35, 6018.81, 0.440916, 0.438491}},
      Published{"Brandfonbrener et al. 2024, starcoder", {0.862588, 7753.62, 4189.62, 0.546824, 0.438653}}};

  /// \param theta parameter values in the order of `parameters`, natural units.
  /// \param at (n,) inputs.
  /// \param[out] value (n,) loss in nats per token.
  /// \param[out] J (n, p) derivatives dL/dtheta, or (n, 0) to leave them out.
  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    const S E = theta[0], A = theta[1], B = theta[2], alpha = theta[3], beta = theta[4];
    value.setConstant(E);
    if (J.cols() == 0) {
      detail::add_power<S>(A, alpha, at.log_N, value);
      detail::add_power<S>(B, beta, at.log_D, value);
      return;
    }
    J.col(0).setOnes();
    detail::add_power<S>(A, alpha, at.log_N, value, J.col(1), J.col(3));
    detail::add_power<S>(B, beta, at.log_D, value, J.col(2), J.col(4));
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
