// SPDX-License-Identifier: Apache-2.0
/// \file
/// The options of a fit as Python passes them.
#pragma once

#include "pybind.hpp"

/// \param delta one value, or none where it is to be taken from the data.
template <typename S>
offray::FitOptions<S> fit_options(int objective, Array<S> delta, double quantile, bool log_loss, int max_evaluations,
                                  Array<S> start) {
  offray::FitOptions<S> options;
  options.space = log_loss ? offray::Space::log_loss : offray::Space::loss;
  options.solver.objective.kind = static_cast<offray::ObjectiveKind>(objective);
  options.robust_scale = delta.size() == 0;
  if (!options.robust_scale) options.solver.objective.delta = delta[0];
  options.solver.objective.quantile = static_cast<S>(quantile);
  options.solver.max_evaluations = max_evaluations;
  options.start = start;
  return options;
}
