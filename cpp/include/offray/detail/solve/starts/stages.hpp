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
/// objective is within sum w delta / 2 of the true one. Unless the last came lower by a millionth all the same.
/// \param value (options, state) the objective as it is at a state.
/// \return with the objective of the last parabola, so that ends of different ones compare.
template <typename S, typename State, typename Minimise, typename Value>
Summary<S> in_stages(SolverOptions<S> options, S magnitude, State& state, const Minimise& minimise, const Value& value) {
  if (!has_kink(options.objective.kind)) return minimise(options, state);
  const S last = std::ldexp(std::numeric_limits<S>::epsilon(), 14) * magnitude;
  Summary<S> out, stage;
  State moving = state;
  for (S delta = S(0.1) * magnitude; delta > last; delta /= S(4)) {
    options.objective.delta = delta;
    stage = minimise(options, moving);
    stage.smoothing = delta;
    if (!is_settled(stage.status) && is_settled(out.status)) continue;
    out = stage;
    state = moving;
    if (options.spent(0)) break;
  }
  if (stage.smoothing < out.smoothing) {
    out.objective = value(options, state);
    if (stage.objective < out.objective * (S(1) - S(1e-6))) {
      out = stage;
      state = moving;
    }
  }
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
