// SPDX-License-Identifier: Apache-2.0
/// \file
/// What an OnlineFit says of runs to come, and of what is known so far.
#pragma once

#include "offray/finding.hpp"
#include "offray/fitter.hpp"
#include "offray/online/trust.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What OnlineFit::refit() came to.
template <typename S>
struct OnlineResult : FitResult<S> {
  Searched searched = Searched::first;  ///< why the optimum was searched for globally; Searched::followed where it was not
};

/// The loss of a run that is still to come.
template <typename S>
struct Forecast {
  S value;                 ///< nats per token
  S se;                    ///< of the law at this place, delta method; infinite where the runs do not determine it
  S lower, upper;          ///< interval of the law
  S run_lower, run_upper;  ///< interval of a new run of unit weight: that of the law, and its noise
};

/// What the runs determine so far.
template <typename S>
struct Determined {
  Index rank;         ///< of the Jacobian
  Index unknowns;     ///< that it would take for all parameters
  S kappa;            ///< kappa_2 of the Jacobian, unit columns, N and D in units of their geometric means
  Findings findings;  ///< see Finding
  bool identified;    ///< whether nothing is found that leaves a parameter open
};

}  // namespace OFFRAY_ABI
}  // namespace offray
