// SPDX-License-Identifier: Apache-2.0
/// \file
/// Run designs before training: what planned runs will determine.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "offray/identify/identifiability.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Planned runs as a fit at an assumed theta: everything that depends on the design alone follows, such as identifiability()
/// and, for noise of an assumed variance, Uncertainty.
/// \param theta (p,), natural units. \param space whether the noise is alike in L or in ln L. \param sigma its standard
/// deviation: with none, findings and kappa_eq are at this theta itself, as if it were known.
template <typename S>
Fit<S> planned(const AnyLaw<S>& law, const Inputs<S>& at, CRef<Vector<S>> theta, Space space, S sigma = S(0)) {
  if (at.size() == 0) detail::reject("N is empty: there are no runs");
  if (theta.size() != law.size())
    detail::reject("theta has " + std::to_string(theta.size()) + " values, but " + std::string(law.name) + " has " +
                   std::to_string(law.size()) + " parameters");
  for (Index j = 0; j < law.size(); ++j) {
    const bool real = law.parameter(j).role == Role::real;
    if (!std::isfinite(theta[j]) || (!real && !(theta[j] > S(0))))
      detail::reject_if(InputError::at("theta", j, theta[j],
                                       real ? "every value must be finite" : "every value must be positive and finite"));
  }
  Runs<S> runs;
  runs.at = at;
  runs.loss.resize(at.size());
  Jacobian<S> none(at.size(), 0);
  law.evaluate(Parameters<S>(theta), at, runs.loss, none);
  detail::require_positive<S>("theta: the loss it predicts", runs.loss);
  FitOptions<S> options;
  options.space = space;
  Fit<S> out{law.shared_from_this(),
             runs,
             detail::Parametrisation<S>(law, at, Constraints<S>(law)),
             Constraints<S>(law),
             options,
             {},
             {},
             {},
             {},
             Location::interior,
             -1,
             0,
             S(0)};
  out.theta = theta;
  out.phi = out.parametrisation.phi(out.theta);
  out.summary.status = Status::converged;
  out.summary.objective = sigma * sigma * S(std::max(out.degrees_of_freedom(), Index(0))) / S(2);
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
