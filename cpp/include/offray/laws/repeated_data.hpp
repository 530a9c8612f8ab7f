// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

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
    using std::exp, std::log;
    const S E = theta[0], A = theta[1], B = theta[2], alpha = theta[3], beta = theta[4], R_N = theta[5], R_D = theta[6];
    const S log_scale = log(alpha * A / (beta * B));
    for (Index i = 0; i < at.size(); ++i) {
      const Effective<S> d(at.log_U[i], at.repeats[i], R_D);
      const S log_N_opt = (log_scale + beta * at.log_U[i]) / alpha;
      const Effective<S> n = from_optimum(at.log_N[i], log_N_opt, R_N);
      const S f = exp(-alpha * n.log_value), g = exp(-beta * d.log_value);
      value[i] = E + A * f + B * g;
      if (J.cols() == 0) continue;
      // dL/d ln N' times the logarithmic derivative of N' with respect to N_opt; zero where N <= N_opt.
      const S h = at.log_N[i] > log_N_opt ? -alpha * A * f * n.slope_of_unique() : S(0);
      J(i, 0) = S(1);
      J(i, 1) = f + h / (alpha * A);
      J(i, 2) = g - h / (alpha * B);
      J(i, 3) = -A * f * n.log_value + h * (S(1) / (alpha * alpha) - log_N_opt / alpha);
      J(i, 4) = -B * g * d.log_value + h * (at.log_U[i] / alpha - S(1) / (alpha * beta));
      J(i, 5) = -alpha * A * f * n.slope_of_decay();
      J(i, 6) = -beta * B * g * d.slope_of_decay();
    }
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
    const S alpha = theta[3], beta = theta[4];
    const S log_scale = std::log(alpha * theta[1] / (beta * theta[2]));
    for (Index i = 0; i < at.size(); ++i) {
      log_D[i] = Effective<S>(at.log_U[i], at.repeats[i], theta[6]).log_value;
      log_N[i] = from_optimum(at.log_N[i], (log_scale + beta * at.log_U[i]) / alpha, theta[5]).log_value;
    }
  }

 private:
  /// 1 - exp(-x) - x exp(-x): what the worth of repetition still gains from a larger decay constant.
  template <typename S>
  static S gain(S x) {
    if (x > S(1e5)) return S(1);  // exp(-x) is zero in every scalar, and x may be infinite
    if (x >= S(0.05)) return -std::expm1(-x) - x * std::exp(-x);
    // The series of sum_k (-1)^k (k-1)/k! x^k loses nothing to cancellation; 12 terms reach 2^-64 at x = 0.05.
    S term = x * x / S(2), sum = S(0);
    for (int k = 2; k < 14; ++k) {
      sum += S(k - 1) * term;
      term *= -x / S(k + 1);
    }
    return sum;
  }

  /// M' = U (1 - R expm1(-x)), x = excess / R: the worth of M = U (1 + excess) when everything beyond U decays.
  template <typename S>
  struct Effective {
    S R, x, worth, log_value;
    Effective(S log_unique, S excess, S decay)
        : R(decay), x(excess / decay), worth(S(1) - decay * std::expm1(-x)), log_value(log_unique + std::log(worth)) {}
    S slope_of_decay() const { return gain(x) / worth; }                          ///< d ln M' / dR
    S slope_of_unique() const { return (R * gain(x) - std::expm1(-x)) / worth; }  ///< d ln M' / d ln U at fixed M
  };

  template <typename S>
  static Effective<S> from_optimum(S log_N, S log_N_opt, S R_N) {
    if (!(log_N > log_N_opt)) return Effective<S>(log_N, S(0), R_N);
    return Effective<S>(log_N_opt, std::expm1(log_N - log_N_opt), R_N);
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
