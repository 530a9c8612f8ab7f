// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <string_view>

#include "offray/detail/simd/kernels.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L = E + A N'^-alpha + B D'^-beta with decaying worth of repeated tokens and of excess parameters
/// (Muennighoff et al. 2023, arXiv:2305.16264). R_N, R_D are the decay constants R*_N, R*_D.
///
///   U_D = min(U, D), x_D = (D/U_D - 1)/R_D, D' = U_D (1 + R_D (1 - exp(-x_D)))
///   N_opt = (alpha A U_D^beta / (beta B))^(1/alpha), U_N = min(N_opt, N), and N' from N, U_N, R_N alike.
///
/// The kink at N = N_opt is once continuously differentiable in theta. NaN where N_opt is not defined (A/B <= 0).
struct RepeatedData {
  using OnRay = void;  // other epoch counts tell its terms apart
  static constexpr std::string_view name = "repeated_data";
  static constexpr std::array<std::string_view, 7> parameters{"E", "A", "B", "alpha", "beta", "R_N", "R_D"};
  static constexpr std::array<Kind, 7> kinds{Kind::loss,     Kind::loss,  Kind::loss, Kind::exponent,
                                             Kind::exponent, Kind::decay, Kind::decay};
  static constexpr std::array<UnitShift, 2> units{UnitShift{1, Axis::N, 3}, UnitShift{2, Axis::D, 4}};
  static constexpr StartGrid grid{{1, 1, 1}, {.06, 3, 8}, {.06, 3, 8}, {1, 100, 4}, true};
  static constexpr std::array<int, kTerms> form{0, 1, 2, -1, 3, 4};
  static constexpr bool separable = false;

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    kernel_paths::RepeatedDataRow<S> rows = rows_of<S>(theta, at);
    rows.value = value.data();
    rows.J = J.cols() == 0 ? nullptr : J.data();
    rows.stride = J.outerStride();
    detail::Kernels<S>::repeated_data(rows);
  }

  template <typename S>
  static PowerSum<S> power_sum(CRef<Parameters<S>> theta) {
    return {1, theta[3], theta[4], theta[0], theta[1], theta[2]};
  }

  template <typename S>
  static void from_power_sum(const PowerSum<S>& form, Ref<Parameters<S>> theta) {
    theta.head(5) << form.floor, form.n, form.d, form.p, form.q;
  }

  template <typename S>
  static void effective(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) {
    kernel_paths::RepeatedDataRow<S> rows = rows_of<S>(theta, at);
    rows.log_effective_N = log_N.data();
    rows.log_effective_D = log_D.data();
    detail::Kernels<S>::repeated_data(rows);
  }

 private:
  template <typename S>
  static kernel_paths::RepeatedDataRow<S> rows_of(CRef<Parameters<S>> theta, const Inputs<S>& at) {
    kernel_paths::RepeatedDataRow<S> out{};
    out.n = at.size();
    out.theta = theta.data();
    out.log_scale = std::log(theta[3] * theta[1] / (theta[4] * theta[2]));
    out.log_N = at.log_N.data();
    out.log_U = at.log_U.data();
    out.repeats = at.repeats.data();
    return out;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
