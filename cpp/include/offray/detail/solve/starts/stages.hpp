// SPDX-License-Identifier: Apache-2.0
/// \file
/// Objectives with a kink, minimised through smooth ones.
#pragma once

#include <cmath>
#include <limits>

#include "offray/options.hpp"
#include "offray/rho.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Minimises through ever smaller parabolas where rho has a kink, down to 2^14 eps of the residuals' magnitude, so that the
/// rounding of r is a thousandth of the last one. The smallest at which the descent settled counts: there the smoothed
/// objective is within sum w delta / 2 of the true one.
template <typename S, typename State, typename Minimise>
Summary<S> in_stages(SolverOptions<S> options, S magnitude, State& state, const Minimise& minimise) {
  if (!has_kink(options.objective.kind)) return minimise(options, state);
  const S last = std::ldexp(std::numeric_limits<S>::epsilon(), 14) * magnitude;
  Summary<S> out;
  State moving = state;
  for (S delta = S(0.1) * magnitude; delta > last; delta /= S(4)) {
    options.objective.delta = delta;
    Summary<S> stage = minimise(options, moving);
    stage.smoothing = delta;
    if (!is_settled(stage.status) && is_settled(out.status)) continue;
    out = stage;
    state = moving;
    if (options.spent(0)) break;
  }
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
