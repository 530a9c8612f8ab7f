// SPDX-License-Identifier: Apache-2.0
// A fit out of its state: the same bits without a search; and leverages.
#include <limits>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
Runs<S> noisy() {
  const auto table = designs::grid<S>();
  const Vector<S> loss = designs::losses<S>(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  return Runs<S>(table.N, table.D, loss + S(.01) * designs::noise<S>(loss.size()));
}

}  // namespace

TEST_CASE_TEMPLATE("a state gives its fit back", S, double, long double) {
  const Runs<S> runs = noisy<S>();
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::absolute}) {
    FitOptions<S> options;
    options.solver.objective.kind = kind;
    options.robust_scale = kind == ObjectiveKind::huber;
    Constraints<S> constraints(law);
    constraints.fix("E", S(1.7));
    const Fit<S> fit = fit_any<S>(law, runs, options, constraints);
    const Expected<Fit<S>> again = restore<S>(law, runs, options, constraints, state_of(fit));
    REQUIRE(again);
    CHECK(again->theta == fit.theta);
    CHECK(again->residual() == fit.residual());
    CHECK(covariance(*again) == covariance(fit));
    CHECK(again->status() == fit.status());
    CHECK(again->gap == fit.gap);
    CHECK(again->options.solver.objective.delta == fit.options.solver.objective.delta);
    CHECK(findings(*again) == findings(fit));
  }
}

TEST_CASE_TEMPLATE("a state of another problem is refused", S, double, long double) {
  const Runs<S> runs = noisy<S>();
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  const Constraints<S> none(law);
  const FitState<S> good = state_of(fit_any<S>(law, runs, {}, none));
  const auto refused = [&](auto change) {
    FitState<S> state = good;
    change(state);
    return !restore<S>(law, runs, {}, none, state);
  };
  CHECK(!refused([](FitState<S>&) {}));
  CHECK(refused([](FitState<S>& s) { s.theta.conservativeResize(4); }));
  CHECK(refused([](FitState<S>& s) { s.phi[0] = std::numeric_limits<S>::quiet_NaN(); }));
  CHECK(refused([](FitState<S>& s) { s.basins.clear(); }));
  CHECK(refused([](FitState<S>& s) { s.basins[0].theta.conservativeResize(1); }));
  CHECK(refused([](FitState<S>& s) { s.location_parameter = 5; }));
  CHECK(refused([](FitState<S>& s) { s.lost = 6; }));
  CHECK(refused([](FitState<S>& s) { s.delta = S(-1); }));
  Constraints<S> fixed(law);
  fixed.fix("E", S(1.7));
  CHECK(!restore<S>(law, runs, {}, fixed, good));
}

TEST_CASE_TEMPLATE("leverages", S, double, long double) {
  const Fit<S> fit = offray::fit<S>(Chinchilla{}, noisy<S>());
  const Vector<S> h = leverage(fit);
  CHECK_CLOSE(h.sum(), S(5), 1e-13);
  CHECK((h.minCoeff() > S(0) && h.maxCoeff() < S(1)));
  // To first order what a loss does to its own fitted value: J (J'J)^-1 J', from the covariance of unit noise.
  const Jacobian<S> J = fit.jacobian();
  const Jacobian<S> hat = J * (J.transpose() * J).inverse() * J.transpose();
  CHECK((hat.diagonal() - h).cwiseAbs().maxCoeff() < S(1e-9));
}
