// SPDX-License-Identifier: Apache-2.0
/// \file
/// What no fit can use, and where an optimum lies.
#pragma once

#include <array>
#include <cmath>

#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/runs_view.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Where a law reads columns that the runs do not have.
template <typename S>
InputError columns_error(const AnyLaw<S>& law, const RunsView<S>& runs) noexcept {
  std::size_t needed = 0;
  for (const std::string_view input : law.inputs) needed += input != "params" && input != "tokens" && input != "unique_tokens";
  const std::size_t present = runs.whole == nullptr ? 0 : runs.whole->at.columns.size();
  if (present >= needed) return {};
  return InputError::of("inputs", "law ", law.name, " reads columns that are not there");
}

template <typename S>
InputError start_error(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation, const Vector<S>& start,
                       const Constraints<S>& constraints) noexcept {
  if (start.size() != law.size())
    return InputError::of("start", "start has ", start.size(), " values, but ", law.name, " has ", law.size(), " parameters");
  for (Index j = 0; j < law.size(); ++j)
    if (!std::isfinite(start[j]) || !(start[j] > S(0) || parametrisation.real(j)))
      return InputError::at("start", j, start[j], "every value must be positive and finite");
  for (Index j = 0; j < law.size(); ++j)
    if (start[j] < constraints.lower[j] || start[j] > constraints.upper[j])
      return InputError::of("start", "start: ", law.parameter(j).name, " lies outside its bounds");
  return {};
}

template <typename S>
InputError options_error(const AnyLaw<S>& law, Index runs, const Parametrisation<S>& parametrisation,
                         const FitOptions<S>& options, const Constraints<S>& constraints) noexcept {
  for (Index j = 0; j < law.size(); ++j) {
    const S value = constraints.fixed[constraints.root(j)];
    if (value < constraints.lower[j] || value > constraints.upper[j])
      return InputError::of("fixed", "fixed: the value of ", law.parameter(j).name, " lies outside its bounds");
    const int k = parametrisation.slot(j);
    if (k >= 0 && !(parametrisation.lower[k] < parametrisation.upper[k]))
      return InputError::of("bounds", "bounds: nothing is left of the range of ", law.parameter(j).name,
                            " between its own bounds, those of parameters tied to it and the default ones (see "
                            "Parametrisation)");
  }
  if (parametrisation.free() == 0) return InputError::of("fixed", "fixed: every parameter is fixed; nothing is left to fit");
  if (runs < parametrisation.free())
    return InputError::of("N", parametrisation.free(), " free parameters of ", law.name, " need at least as many runs; got ",
                          runs);
  if (options.start.size() != 0)
    if (const InputError error = start_error(law, parametrisation, options.start, constraints)) return error;
  if (!(options.solver.objective.delta > S(0) && std::isfinite(options.solver.objective.delta)))
    return InputError::of("delta", "delta must be positive and finite");
  if (!(options.solver.objective.quantile > S(0) && options.solver.objective.quantile < S(1)))
    return InputError::of("quantile", "quantile must be in (0, 1)");
  return {};
}

/// Where an optimum lies, and which parameter says so, or -1.
struct Whereabouts {
  Location location = Location::unsettled;
  int parameter = -1;
};

/// -1 where parameter j sits at its lower bound, 1 at its upper one, 0 elsewhere.
template <typename S>
int bound_met(const Parametrisation<S>& parametrisation, const Parameters<S>& phi, Index j) {
  const int k = parametrisation.slot(j);
  return k < 0 ? 0 : int(phi[k] >= parametrisation.upper[k]) - int(phi[k] <= parametrisation.lower[k]);
}

template <typename S>
Whereabouts whereabouts(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation, const Constraints<S>& constraints,
                        const std::array<int, kTerms>& edges, Status status, const Parameters<S>& phi,
                        const Parameters<S>& theta) {
  const auto at = [](Location location, Index parameter) { return Whereabouts{location, static_cast<int>(parameter)}; };
  const auto is_floor = [&](Index j) { return law.parameter(j).role == Role::floor; };
  const auto is_term = [&](Index j) {
    return law.term(Term::n) == static_cast<int>(j) || law.term(Term::d) == static_cast<int>(j);
  };
  if (status == Status::converged) return at(Location::interior, -1);
  if (status == Status::at_bound) {
    for (std::size_t k = 0; k < kTerms; ++k)
      if (edges[k] != 0)
        return at(k == 0 ? Location::floor_vanishes : k < 3 ? Location::term_vanishes : Location::runaway, law.terms[k]);
    for (Index j = 0; j < law.size(); ++j) {
      const int side = bound_met(parametrisation, phi, j);
      if (side == 0) continue;
      const S edge = side < 0 ? constraints.lower[j] : constraints.upper[j];
      if (theta[j] == edge) return at(Location::bounded, j);
      if (side < 0 && is_floor(j)) return at(Location::floor_vanishes, j);
      return at(side < 0 && is_term(j) ? Location::term_vanishes : Location::runaway, j);
    }
  }
  if (status != Status::rank_deficient) return at(Location::unsettled, -1);
  if (law.term(Term::d) < 0) return at(Location::unidentified, -1);
  // The exponents of the two terms, p and q of the power sum; on one ray their terms have one shape.
  const int p = law.term(Term::p), q = law.term(Term::q) >= 0 ? law.term(Term::q) : law.term(Term::outer);
  if (p < 0 || q < 0) return at(Location::unidentified, -1);
  const bool equal = std::abs(std::log(theta[p] / theta[q])) < S(1e-3);
  return at(equal ? Location::equal_exponents : Location::unidentified, equal ? p : -1);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
