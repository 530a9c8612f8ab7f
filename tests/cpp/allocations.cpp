// SPDX-License-Identifier: Apache-2.0
// Bootstrap replicates of a power sum need no memory of their own.
#include "count_allocations.hpp"

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

/// As fit() would leave it, but at Hoffmann's parameters: that keeps the global search out of this program.
template <typename S>
Fit<S> near_optimum(Space space, ObjectiveKind objective) {
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  const auto table = designs::grid<S>();
  Vector<S> loss = designs::losses(law, designs::hoffmann<S>(), table);
  loss += S(.01) * designs::noise<S>(loss.size());
  const Runs<S> runs(table.N, table.D, loss);
  FitOptions<S> options;
  options.space = space;
  options.solver.objective.kind = objective;
  const detail::Parametrisation<S> parametrisation(law, runs.at, Constraints<S>(law));
  const Parameters<S> theta = designs::hoffmann<S>();
  return {law.shared_from_this(),
          runs,
          parametrisation,
          Constraints<S>(law),
          options,
          theta,
          parametrisation.phi(theta),
          {},
          {},
          Location::interior,
          -1,
          0,
          S(0)};
}

template <typename S>
void replicates(Space space, ObjectiveKind objective) {
  const Fit<S> fitted = near_optimum<S>(space, objective);
  for (const Resampling kind : {Resampling::pairs, Resampling::residual, Resampling::wild}) {
    const Resampler<S> resampler(fitted, kind, 0, {});
    detail::Refit<S> refit(fitted, resampler);
    Bootstrap<S> out{Jacobian<S>(5, 10), Vector<S>(10), std::vector<Status>(10, Status::evaluation_failed)};
    count::start();
    for (Index k = 0; k < 10; ++k) refit(k, out);
    count::stop();
    for (const Status status : out.status) CHECK(status == Status::converged);
  }
}

TEST_CASE("replicates allocate nothing") {
  for (const Space space : {Space::loss, Space::log_loss})
    for (const ObjectiveKind objective :
         {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::soft_l1, ObjectiveKind::cauchy})
      replicates<double>(space, objective);
  CHECK(count::allocations == 0);
}

}  // namespace
