// SPDX-License-Identifier: Apache-2.0
/// \file
/// Objectives: sum_i w_i rho(r_i), a sum and never a mean (a mean would make gradient tolerances fire early).
#pragma once

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

#include "offray/detail/simd/kernels.hpp"
#include "offray/objective.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

namespace detail {
/// One entry per ObjectiveKind, in its order, of what `of` says of its formulas.
template <typename T, typename Of, std::size_t... kinds>
constexpr std::array<T, sizeof...(kinds)> each_objective(Of of, std::index_sequence<kinds...>) {
  return {of(static_cast<kernel_paths::RhoOf<double, static_cast<ObjectiveKind>(kinds)>*>(nullptr))...};
}
template <typename T, typename Of>
constexpr auto each_objective(Of of) {
  return each_objective<T>(of, std::make_index_sequence<kObjectiveKinds>());
}
}  // namespace detail

/// Names, in the order of ObjectiveKind.
inline constexpr auto kObjectives = detail::each_objective<std::string_view>(
    [](auto* rho) { return std::string_view(std::remove_pointer_t<decltype(rho)>::kName); });

/// Whether rho has a kink at zero, and is minimised through smooth approximations.
constexpr bool has_kink(ObjectiveKind kind) {
  return detail::each_objective<bool>(
      [](auto* rho) { return std::remove_pointer_t<decltype(rho)>::kKink; })[static_cast<std::size_t>(kind)];
}

/// Whether the objective has a scale delta of its own.
constexpr bool has_scale(ObjectiveKind kind) {
  return detail::each_objective<bool>(
      [](auto* rho) { return std::remove_pointer_t<decltype(rho)>::kScale; })[static_cast<std::size_t>(kind)];
}

/// rho and its derivatives at one residual.
template <typename S>
struct Rho {
  S value;
  S slope;      ///< psi = rho'
  S curvature;  ///< rho'', which may vanish or, for cauchy, be negative
  S majorizer;  ///< psi / r >= rho'', positive: the weight of iteratively reweighted least squares
};

template <typename S>
Rho<S> rho(const Objective<S>& objective, S r) {
  Rho<S> out{};
  kernel_paths::with_rho<S>(objective, [&](const auto& at) {
    S excess;
    at.influence(r, out.majorizer, excess);
    out.value = at.value(r);
    out.slope = at.slope(r);
    out.curvature = out.majorizer + excess;
  });
  return out;
}

/// rho itself, without the smoothing of a kink.
template <typename S>
S exact_rho(const Objective<S>& objective, S r) {
  S out = S(0);
  kernel_paths::with_rho<S>(objective, [&](const auto& at) {
    if constexpr (std::decay_t<decltype(at)>::kKink)
      out = at.exact(r);
    else
      out = at.value(r);
  });
  return out;
}

/// sum w rho(r) without the smoothing of a kink. \param w (n,) or empty.
template <typename S>
S exact_total_rho(const Objective<S>& objective, CRef<Vector<S>> r, CRef<Vector<S>> w) {
  S sum = S(0);
  for (Index i = 0; i < r.size(); ++i) sum += (w.size() == 0 ? S(1) : w[i]) * exact_rho(objective, r[i]);
  return sum;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
