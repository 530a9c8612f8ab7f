// SPDX-License-Identifier: Apache-2.0
/// \file
/// A fit on its way to another process: what the search found, apart from the problem.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "offray/fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What a search found, and nothing that follows from it. With its problem it makes the same Fit again without a search, and
/// whatever is asked of that has the same bits on the same kind of processor.
template <typename S>
struct FitState {
  Parameters<S> theta;  ///< (p,), natural units
  Parameters<S> phi;    ///< (m,), the unknowns
  Summary<S> summary;
  Location location = Location::unsettled;
  int location_parameter = -1;
  Index lost = 0;
  S gap = S(0);
  S delta = S(1);                  ///< scale of the objective, as it was used
  S log_N0 = S(0), log_D0 = S(0);  ///< ln of the units of N and D in phi
  std::vector<FitBasin<S>> basins;
};

template <typename S>
FitState<S> state_of(const Fit<S>& fit) {
  FitState<S> out;
  out.theta = fit.theta;
  out.phi = fit.phi;
  out.summary = fit.summary;
  out.location = fit.location;
  out.location_parameter = fit.location_parameter;
  out.lost = fit.lost;
  out.gap = fit.gap;
  out.delta = fit.options.solver.objective.delta;
  out.log_N0 = fit.parametrisation.log_N0;
  out.log_D0 = fit.parametrisation.log_D0;
  out.basins = fit.basins;
  return out;
}

namespace detail {

/// The first thing in a state that is of another problem.
template <typename S>
InputError state_error(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation, const FitState<S>& state) noexcept {
  const auto sized = [](const char* name, const Parameters<S>& values, Index size) {
    if (values.size() != size) return InputError::of("state", name, " has ", values.size(), " values instead of ", size);
    if (!values.allFinite()) return InputError::of("state", name, " is not finite");
    return InputError();
  };
  if (const InputError error = sized("theta", state.theta, law.size())) return error;
  if (const InputError error = sized("phi", state.phi, parametrisation.free())) return error;
  if (state.basins.empty()) return InputError::of("state", "basins is empty");
  for (const FitBasin<S>& basin : state.basins)
    if (basin.theta.size() != law.size())
      return InputError::of("state", "a basin has ", basin.theta.size(), " values instead of ", law.size());
  if (state.location_parameter < -1 || state.location_parameter >= law.size())
    return InputError::of("state", "location_parameter is ", state.location_parameter);
  if (state.lost < 0 || state.lost > parametrisation.free()) return InputError::of("state", "lost is ", state.lost);
  if (!(state.delta >= S(0) && std::isfinite(state.delta))) return InputError::of("state", "delta is ", state.delta);
  return {};
}

}  // namespace detail

/// The fit of a problem whose search has been made. \return the fit, or why this is not a state of that problem.
template <typename S>
Expected<Fit<S>> restore(const AnyLaw<S>& law, const Runs<S>& runs, const FitOptions<S>& options,
                         const Constraints<S>& constraints, FitState<S> state) {
  if (runs.size() == 0) return InputError::of("N", "N is empty: there are no runs");
  if (const InputError error = constraints.misplaced(law)) return error;
  if (const InputError error = detail::columns_error(law, detail::RunsView<S>(runs))) return error;
  const detail::Parametrisation<S> parametrisation(law, state.log_N0, state.log_D0, constraints);
  if (const InputError error = detail::options_error(law, runs.size(), parametrisation, options, constraints)) return error;
  if (const InputError error = detail::state_error(law, parametrisation, state)) return error;
  FitOptions<S> used = options;
  used.solver.objective.delta = state.delta;
  const detail::Optimum<S> at{state.theta, state.phi, state.summary, {state.location, state.location_parameter},
                              state.lost,  state.gap};
  return detail::fit_of(at, parametrisation, law, runs, used, constraints, std::move(state.basins));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
