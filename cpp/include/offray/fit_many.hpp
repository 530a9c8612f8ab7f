// SPDX-License-Identifier: Apache-2.0
/// \file
/// The same law fitted to many data sets.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "offray/detail/numeric/parallel.hpp"
#include "offray/fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What fit() found for each data set, one column or entry per set.
template <typename S>
struct FitMany {
  Jacobian<S> theta;    ///< (p, sets), natural units
  Vector<S> objective;  ///< the minimised sum w rho
  std::vector<Status> status;
  std::vector<Location> location;  ///< where each optimum lies
  Index finished = 0;  ///< sets that were done before a stop: the first ones; the others hold NaN, evaluation_failed
};

/// Makes one data set, numbered from 0; called from several threads at once.
template <typename S>
using RunsOf = std::function<Runs<S>(Index)>;

/// fit_any() of every data set, bit for bit, on threads.
///
/// \param threads 0: one per processor.
/// \throws InvalidInput as fit_any(), naming the data set, for the first set that no fit can use.
template <typename S>
FitMany<S> fit_many(const AnyLaw<S>& law, Index sets, const RunsOf<S>& runs_of, const FitOptions<S>& options,
                    const Constraints<S>& constraints, int threads = 0, const Progress& progress = {}) {
  if (sets < 1) detail::reject("loss: there are no data sets to fit");
  FitMany<S> out;
  out.theta.setConstant(law.size(), sets, std::numeric_limits<S>::quiet_NaN());
  out.objective.setConstant(sets, std::numeric_limits<S>::quiet_NaN());
  out.status.assign(static_cast<std::size_t>(sets), Status::evaluation_failed);
  out.location.assign(static_cast<std::size_t>(sets), Location::unsettled);
  const auto fit_set = [&](Index set) {
    const Fit<S> fit = fit_any<S>(law, runs_of(set), options, constraints);
    out.theta.col(set) = fit.theta;
    out.objective[set] = fit.summary.objective;
    out.status[static_cast<std::size_t>(set)] = fit.status();
    out.location[static_cast<std::size_t>(set)] = fit.location;
  };
  const auto fit_one = [&](Index set) {
#if OFFRAY_EXCEPTIONS
    try {
      fit_set(set);
    } catch (const InvalidInput& error) {
      detail::reject("data set " + std::to_string(set) + ": " + error.what());
    }
#else
    fit_set(set);
#endif
  };
  out.finished = detail::in_chunks(sets, 1, detail::thread_count(threads), [&] { return fit_one; }, progress);
  return out;
}

/// The same for many losses of one set of runs: a simulation study.
/// \param runs the design and its weights; its losses are not read.
/// \param losses (n, sets), one column per data set.
template <typename S>
FitMany<S> fit_many(const AnyLaw<S>& law, const Runs<S>& runs, CRef<Jacobian<S>> losses, const FitOptions<S>& options,
                    const Constraints<S>& constraints, int threads = 0, const Progress& progress = {}) {
  detail::require_length("loss", losses.rows(), runs.at.size());
  const auto runs_of = [&](Index set) {
    Runs<S> out;
    out.at = runs.at;
    out.weight = runs.weight;
    out.loss = losses.col(set);
    detail::require_positive<S>("loss", out.loss);
    return out;
  };
  return fit_many<S>(law, losses.cols(), runs_of, options, constraints, threads, progress);
}

}  // namespace OFFRAY_ABI
}  // namespace offray
