// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "offray/detail/simd/kernels.hpp"
#include "offray/laws/law.hpp"
#include "offray/laws/repeated_starts.hpp"

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
  static constexpr std::string_view formula = "E + A N'^-alpha + B D'^-beta";
  static constexpr std::string_view reference = "arXiv:2305.16264";
  static constexpr std::array parameters{floor("E"),
                                         coefficient("A", Axis::N),
                                         coefficient("B", Axis::D),
                                         exponent("alpha", Axis::N),
                                         exponent("beta", Axis::D),
                                         decay("R_N", Axis::N),
                                         decay("R_D", Axis::D)};
  static constexpr std::array<std::string_view, 3> inputs{"params", "tokens", "unique_tokens"};
  static constexpr bool power_sum = true;
  static constexpr StartGrid grid{{1, 1, 1}, {.06, 3, 8}, {.06, 3, 8}, {1, 100, 4}};
  static constexpr std::array published{
      Published{"Muennighoff et al. 2023", {1.8690814, 520.8, 1487.7, 0.3526596, 0.3526596, 5.309743, 15.387756}}};

  template <typename S>
  static void evaluate(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J) {
    kernel_paths::RepeatedDataRow<S> rows = rows_of<S>(theta, at);
    rows.value = value.data();
    rows.J = J.cols() == 0 ? nullptr : J.data();
    rows.stride = J.outerStride();
    detail::kernels<S>().repeated_data(rows);
  }

  template <typename S>
  static void effective(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) {
    kernel_paths::RepeatedDataRow<S> rows = rows_of<S>(theta, at);
    rows.log_effective_N = log_N.data();
    rows.log_effective_D = log_D.data();
    detail::kernels<S>().repeated_data(rows);
  }

  template <typename S>
  static Starts<S> starts(const StartProblem<S>& problem) {
    Starts<S> out{detail::RepeatedStart<S>(problem).best(80), detail::undecayed_starts(problem)};
    for (const Parameters<S>& start : detail::repeated_rounds(problem, 30)) out.many.push_back(start);
    for (const Parameters<S>& start : detail::with_decay(out.inside)) out.many.push_back(start);
    return out;
  }

  template <typename S>
  static Findings findings(const FitEvidence<S>& evidence) {
    const Parameters<S>& theta = evidence.theta;
    const Inputs<S>& at = evidence.at;
    const auto is_free = [&](Index parameter) { return !(evidence.relative_se(parameter) < S(0)); };
    Findings out = 0;
    const S most = at.repeats.maxCoeff(), least = at.repeats.minCoeff();
    if (is_free(6) && most == S(0))
      out |= flag(Finding::no_repetition);
    else if (is_free(6) && (S(1) + most) < S(kOneRay) * (S(1) + least))
      out |= flag(Finding::one_epoch_count);
    const S A = theta[1], B = theta[2], alpha = theta[3], beta = theta[4];
    const Vector<S> log_excess =
        at.log_N.array() - (std::log(alpha * A / (beta * B)) + beta * at.log_U.array()) / alpha;  // ln(N / N_opt)
    if (is_free(5) && !(log_excess.maxCoeff() > S(0))) out |= flag(Finding::no_excess);
    if (is_free(1) && log_excess.minCoeff() > std::log(S(10)) && !(evidence.relative_se(1) <= S(1)))
      out |= flag(Finding::excess_everywhere);
    return out;
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
