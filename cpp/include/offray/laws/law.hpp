// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a law is: stateless formulas plus a few facts about its parameters. Every other header works through AnyLaw, so linear
/// algebra is compiled once per scalar and not once per law.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "offray/runs.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What a parameter measures; sets its default bounds and whether its value depends on the units of N and D.
enum class Kind {
  loss,      ///< nats per token: E, A, B, L_inf
  count,     ///< parameters or tokens: N_c, D_c
  exponent,  ///< alpha, beta
  decay      ///< R_N, R_D
};

enum class Axis { N, D };

/// How a parameter changes with the unit in which N or D is counted. In units of x0, with e the exponent's value,
///   exponent >= 0:  ln theta_j = ln theta_j' + e ln x0   (A = A' N0^alpha)
///   exponent == -1: ln theta_j = ln theta_j' + ln x0     (N_c = N_c' N0)
struct UnitShift {
  int parameter;
  Axis axis;
  int exponent;
};

/// The form that the data start searches: L^(1/outer) = floor + n N^-p + d D^-q, linear in (floor, n, d) for given
/// (outer, p, q).
template <typename S>
struct PowerSum {
  S outer, p, q;
  S floor, n, d;
};

/// The terms of a power sum, in the order in which solvers and Law::form name them.
enum class Term { floor, n, d, outer, p, q };
inline constexpr std::size_t kTerms = 6;

/// A geometric range of `count` values; count 1 means the value `low`.
struct Range {
  double low, high;
  int count;
};

/// Where the data start looks.
struct StartGrid {
  Range outer, p, q, decay;
  bool has_floor;
};

/// For laws that are a power sum in N and D themselves; others say in which inputs they are one at a given theta.
struct PlainInputs {
  static constexpr bool separable = true;
  template <typename S>
  static void effective(CRef<Parameters<S>>, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D) {
    log_N = at.log_N;
    log_D = at.log_D;
  }
};

template <typename T>
struct Span {
  const T* data;
  std::size_t size;
  const T* begin() const { return data; }
  const T* end() const { return data + size; }
  const T& operator[](std::size_t i) const { return data[i]; }
};

/// A law seen through function pointers, for one scalar. See Chinchilla for what each member must provide.
template <typename S>
struct AnyLaw {
  std::string_view name;
  Span<std::string_view> parameters;
  Span<Kind> kinds;
  Span<UnitShift> units;
  StartGrid grid;
  std::array<int, kTerms> form;  ///< the parameter that each Term sets, or -1
  bool separable;                ///< whether the law is a power sum in N and D for every theta
  void (*evaluate)(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> value, Ref<Jacobian<S>> J);
  PowerSum<S> (*power_sum)(CRef<Parameters<S>> theta);
  void (*from_power_sum)(const PowerSum<S>& form, Ref<Parameters<S>> theta);
  void (*effective)(CRef<Parameters<S>> theta, const Inputs<S>& at, Ref<Vector<S>> log_N, Ref<Vector<S>> log_D);
  const AnyLaw* on_ray;  ///< what is left of the law on one ray, or null

  Index size() const { return static_cast<Index>(parameters.size); }
};

template <typename S, typename Law>
const AnyLaw<S>& any_law();

namespace detail {

template <typename S, typename Law>
const AnyLaw<S>* law_on_ray() {
  if constexpr (std::is_void_v<typename Law::OnRay>)
    return nullptr;
  else
    return &any_law<S, typename Law::OnRay>();
}

}  // namespace detail

/// The view of `Law` for scalar S; lives for the whole program.
template <typename S, typename Law>
const AnyLaw<S>& any_law() {
  static const AnyLaw<S> law{Law::name,
                             {Law::parameters.data(), Law::parameters.size()},
                             {Law::kinds.data(), Law::kinds.size()},
                             {Law::units.data(), Law::units.size()},
                             Law::grid,
                             Law::form,
                             Law::separable,
                             &Law::template evaluate<S>,
                             &Law::template power_sum<S>,
                             &Law::template from_power_sum<S>,
                             &Law::template effective<S>,
                             detail::law_on_ray<S, Law>()};
  static_assert(Law::parameters.size() <= kMaxParameters, "raise kMaxParameters");
  static_assert(Law::parameters.size() == Law::kinds.size(), "one kind per parameter");
  return law;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
