// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a law says of itself, and what follows from the roles of its parameters.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "offray/laws/parameter.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// How a parameter changes with the unit in which N or D is counted. In units of x0, with e the exponent's value,
///   a coefficient: ln theta_j = ln theta_j' + e ln x0   (A = A' N0^alpha)
///   a scale:       ln theta_j = ln theta_j' + ln x0     (N_c = N_c' N0), exponent == -1
struct UnitShift {
  int parameter;
  Axis axis;
  int exponent;
};

/// The terms of a power sum L^(1/outer) = floor + n N^-p + d D^-q, in the order in which solvers name them.
enum class Term { floor, n, d, outer, p, q };
inline constexpr std::size_t kTerms = 6;

/// A geometric range of `count` values; count 1 means the value `low`.
struct Range {
  double low, high;
  int count;
};

/// Where the search for a start looks: exponents as they stand in the power sum, decay constants.
struct StartGrid {
  Range outer, p, q, decay;
  bool has_floor = false;  ///< follows from the roles
};

/// Where the search for a start looks for a parameter that stands beside an input or multiplies one: the input's range.
enum class StartRange {
  by_role,
  beside,      ///< x - theta: among the values of x
  beside_log,  ///< x - ln theta, x being a logarithm
  per          ///< theta x: .3 to 100 per range of x, of either sign where the parameter may have one
};
inline constexpr std::array<std::string_view, 4> kStartRanges{"by_role", "beside", "beside_log", "per"};

/// The same with the input: 0 for ln N, 1 for ln D, 3 and on for the columns of Inputs.
struct InputRange {
  StartRange range = StartRange::by_role;
  int column = 0;
};

/// A published fit of a law.
struct Published {
  std::string_view source;
  std::array<double, kMaxParameters> theta;  ///< the first p count
};

/// The loss as a power sum.
enum class PowerSumForm {
  none,       ///< it is none for general theta: starts and the compute-optimal point are found numerically
  effective,  ///< of effective inputs N'(theta), D'(theta) that the law computes
  plain       ///< of N and D themselves
};

/// An input of this prefix holds logarithms: "ln x" those of an x.
inline constexpr std::string_view kLogarithmOf = "ln ";

/// A law without its formulas.
struct LawDescription {
  std::string_view name;
  std::string_view formula;    ///< as text
  std::string_view reference;  ///< where it was published
  std::string_view psi;        ///< of a law on one ray: what its merged term is made of, in parameters of the full law
  std::vector<Parameter> parameters;
  std::vector<std::string_view> inputs;  ///< the columns that it reads: params, tokens, unique_tokens, and others
  std::vector<Published> published;
  PowerSumForm form = PowerSumForm::none;
  bool floor_inside = false;  ///< whether the floor stands inside the outer power
  /// Whether floor and exponents are those of the sum within the outer power, (E + A N^-a + B D^-b)^q; otherwise of the loss,
  /// [L_inf^(1/q) + (N_C/N)^(a/q) + (D_C/D)^(b/q)]^q.
  bool of_sum = false;
  bool own_starts = false;  ///< whether the law has a rule of its own for where a fit starts
  StartGrid grid{};
  // Of a law that is no power sum.
  std::vector<int> linear;         ///< parameters that its loss is linear in, all together
  std::vector<InputRange> ranges;  ///< of every parameter, or none

  // What follows.
  std::array<int, kTerms> terms{-1, -1, -1, -1, -1, -1};  ///< the parameter that sets each Term, or -1
  std::vector<UnitShift> units;
  std::vector<int> decays;  ///< parameters of Role::decay

  Index size() const { return static_cast<Index>(parameters.size()); }
  const Parameter& parameter(Index j) const { return parameters[static_cast<std::size_t>(j)]; }
  int term(Term which) const { return terms[static_cast<std::size_t>(which)]; }
  /// The outer power that floor and exponents contain, or -1.
  int containing_outer() const { return of_sum ? -1 : term(Term::outer); }

  bool reads(std::string_view input) const {
    for (const std::string_view known : inputs)
      if (known == input) return true;
    return false;
  }

  /// Whether the law is a power sum in N and D for every theta, with a term in N at least.
  bool separable() const { return form == PowerSumForm::plain && term(Term::n) >= 0; }

  /// Whether the units of an axis may be chosen: where one of its parameters takes them up, or the law does not read it.
  bool centres(Axis axis) const {
    for (const UnitShift& shift : units)
      if (shift.axis == axis) return true;
    return !reads(axis == Axis::N ? "params" : "tokens");
  }

  /// Fills in what follows from the roles. The range of an exponent that the law does not have is 1.
  void complete() {
    for (Index j = 0; j < size(); ++j) {
      const Parameter& p = parameter(j);
      const auto take = [&](Term which) { terms[static_cast<std::size_t>(which)] = static_cast<int>(j); };
      switch (p.role) {
        case Role::floor:
          take(Term::floor);
          break;
        case Role::coefficient:
        case Role::scale:
          if (p.axis != Axis::none) take(p.axis == Axis::N ? Term::n : Term::d);
          break;
        case Role::exponent:
          if (p.axis != Axis::none) take(p.axis == Axis::N ? Term::p : Term::q);
          break;
        case Role::outer:
          take(Term::outer);
          break;
        case Role::decay:
          decays.push_back(static_cast<int>(j));
          break;
        case Role::positive:
        case Role::real:
          break;
      }
    }
    for (Index j = 0; j < size(); ++j) {
      const Parameter& p = parameter(j);
      const int e = p.axis == Axis::none ? -1 : term(p.axis == Axis::N ? Term::p : Term::q);
      if (p.role == Role::scale && p.axis != Axis::none) units.push_back({static_cast<int>(j), p.axis, -1});
      if (p.role == Role::coefficient && e >= 0) units.push_back({static_cast<int>(j), p.axis, e});
    }
    const bool power = term(Term::outer) >= 0;
    const Range one{1, 1, 1}, exponents = power ? Range{.03, 3, 9} : Range{.03, 8, 13};
    if (grid.outer.count == 0)
      grid = {power ? Range{.1, 1.6, 5} : one, term(Term::p) < 0 ? one : exponents, term(Term::q) < 0 ? one : exponents,
              decays.empty() ? one : Range{1, 100, 4}};
    grid.has_floor = term(Term::floor) >= 0;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
