// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a parameter of a law is. From its role and its axis follow its default bounds, its unit, where the search starts and
/// what the reports say about it: no other file knows a parameter by its name.
#pragma once

#include <cstddef>
#include <string_view>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What a parameter does in its law.
enum class Role {
  floor,        ///< the loss that no run goes below, nats per token: E, L_inf
  coefficient,  ///< multiplies N^-exponent or D^-exponent, nats per token: A, B
  scale,        ///< a number of parameters or tokens that N or D is compared with: N_c, D_c
  exponent,     ///< alpha, beta
  outer,        ///< the power of a sum of terms: alpha_D of Kaplan et al.
  decay,        ///< how fast repeated tokens or excess parameters lose their worth: R_N, R_D
  positive,     ///< any positive number
  real          ///< any number
};

/// Whether a power of N, D or of a sum.
constexpr bool is_exponent(Role role) { return role == Role::exponent || role == Role::outer; }

/// Names, in the order of Role.
inline constexpr std::string_view kRoles[] = {"floor", "coefficient", "scale",    "exponent",
                                              "outer", "decay",       "positive", "real"};

/// The input that a parameter belongs to.
enum class Axis { none, N, D };

/// A parameter of a law; made by floor(), coefficient(), scale(), exponent(), outer(), decay().
struct Parameter {
  std::string_view name;
  Role role;
  Axis axis;
};

constexpr Parameter floor(std::string_view name) { return {name, Role::floor, Axis::none}; }
constexpr Parameter coefficient(std::string_view name, Axis axis) { return {name, Role::coefficient, axis}; }
constexpr Parameter scale(std::string_view name, Axis axis) { return {name, Role::scale, axis}; }
constexpr Parameter exponent(std::string_view name, Axis axis) { return {name, Role::exponent, axis}; }
/// \param axis the one whose own exponent within the sum is 1, so that this power is its exponent; Axis::none where both have
/// exponents of their own, which then count as totals: (N_C / N)^(alpha_N / alpha) under an outer alpha.
constexpr Parameter outer(std::string_view name, Axis axis = Axis::none) { return {name, Role::outer, axis}; }
constexpr Parameter decay(std::string_view name, Axis axis) { return {name, Role::decay, axis}; }
constexpr Parameter positive(std::string_view name) { return {name, Role::positive, Axis::none}; }
constexpr Parameter real(std::string_view name) { return {name, Role::real, Axis::none}; }

}  // namespace OFFRAY_ABI
}  // namespace offray
