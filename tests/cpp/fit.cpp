// SPDX-License-Identifier: Apache-2.0
// fit() from data to theta: starts, constraints, spaces, objectives, statuses.
#include <cmath>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
S worst(const Parameters<S>& actual, const Parameters<S>& expected) {
  return (actual - expected).cwiseQuotient(expected).cwiseAbs().maxCoeff();
}

template <typename S>
Runs<S> noisy(S sigma) {
  const auto table = designs::grid<S>();
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  loss += sigma * designs::noise<S>(loss.size());
  return Runs<S>(table.N, table.D, loss);
}

/// Exact data of every law are fitted back from the data alone, in both residual spaces.
TEST_CASE_TEMPLATE("recovers every law", S, double, long double) {
  Parameters<S> kaplan(4), droppo(6), repeated(7);
  kaplan << S(4e11), S(2.5e10), S(.16), S(.25);
  droppo << S(1.6), S(2.6e7), S(7.7e7), S(.33), S(.37), S(1.25);
  repeated << S(1.86), S(490), S(1500), S(.35), S(.353), S(5.8), S(14.9);
  const auto recovers = [](auto law, const Parameters<S>& theta, bool repeats) {
    const auto table = designs::grid<S>(10, 10);
    Vector<S> U;
    if (repeats) {
      U = table.D;
      for (Index i = 0; i < U.size(); ++i) U[i] /= S(1 + 3 * (i % 5));
    }
    const AnyLaw<S>& view = any_law<S, decltype(law)>();
    Vector<S> loss(table.N.size());
    Jacobian<S> none(loss.size(), 0);
    view.evaluate(theta, Inputs<S>(table.N, table.D, U), loss, none);
    for (const Space space : {Space::loss, Space::log_loss}) {
      FitOptions<S> options;
      options.space = space;
      const auto out = fit<S>(law, Runs<S>(table.N, table.D, loss, Vector<S>(), U), options);
      CHECK(out.converged());
      CHECK(worst(out.theta, theta) < S(1e6) * std::numeric_limits<S>::epsilon());
    }
  };
  recovers(Chinchilla{}, designs::hoffmann<S>(), false);
  recovers(Kaplan{}, kaplan, false);
  recovers(DroppoElibol{}, droppo, false);
  recovers(RepeatedData{}, repeated, true);
}

struct AfterSome final : Interruption {
  int left;
  explicit AfterSome(int some) : left(some) {}
  bool requested() noexcept override { return --left < 0; }
};

/// An interruption ends a search with what it has, and is not kept.
TEST_CASE_TEMPLATE("interruption", S, double, long double) {
  const Runs<S> runs = noisy<S>(S(.01));
  for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::absolute}) {
    AfterSome interruption(1);
    FitOptions<S> options;
    options.solver.objective.kind = kind;
    options.solver.interruption = &interruption;
    const auto out = fit<S>(Chinchilla{}, runs, options);
    CHECK(out.status() == Status::evaluation_limit);
    CHECK(out.theta.allFinite());
    CHECK(out.options.solver.interruption == nullptr);
  }
}

TEST_CASE_TEMPLATE("start and data start agree", S, double, long double) {
  const Runs<S> runs = noisy(S(.01));
  FitOptions<S> options;
  const auto global = fit<S>(Chinchilla{}, runs, options);
  options.start = designs::hoffmann<S>();
  const auto local = fit<S>(Chinchilla{}, runs, options);
  CHECK((global.converged() && local.converged()));
  CHECK(worst(global.theta, local.theta) < S(1e-9));
  // The gradient of the sum of squares vanishes in natural units too.
  Vector<S> value(runs.size());
  Jacobian<S> J(runs.size(), 5);
  Chinchilla::evaluate<S>(global.theta, runs.at, value, J);
  const Vector<S> r = value - runs.loss;
  for (Index j = 0; j < 5; ++j) CHECK(std::abs(J.col(j).dot(r)) <= S(1e-9) * J.col(j).norm() * r.norm());
  CHECK_CLOSE(global.rss(), r.squaredNorm(), 1e-12);
  CHECK_CLOSE(global.summary.objective, r.squaredNorm() / 2, 1e-12);
}

TEST_CASE_TEMPLATE("constraints", S, double, long double) {
  const Runs<S> runs = noisy(S(.01));
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  const auto with = [&](const Constraints<S>& c) { return fit<S>(Chinchilla{}, runs, FitOptions<S>{}, c); };

  const auto tied = with(Constraints<S>(law).tie("alpha", "beta"));
  CHECK(tied.converged());
  CHECK(tied.theta[3] == tied.theta[4]);
  CHECK(tied.degrees_of_freedom() == runs.size() - 4);

  // A fixed scale parameter keeps its natural value although fits are centred.
  const auto fixed = with(Constraints<S>(law).fix("A", S(406.4)).fix("E", S(1.69)));
  CHECK(fixed.converged());
  CHECK_CLOSE(fixed.theta[0], S(1.69), 1e-15);
  CHECK_CLOSE(fixed.theta[1], S(406.4), 1e-15);
  CHECK(fixed.rss() > fit<S>(Chinchilla{}, runs).rss());
  CHECK_CLOSE(fixed.theta[3], S(.34), .01);

  // The bound binds, and the rest is optimal given it: the same as fixing the parameter there.
  const auto bounded = with(Constraints<S>(law).bound("A", S(1), S(300)));
  CHECK(bounded.status() == Status::at_bound);
  CHECK((bounded.at_bound(1) && !bounded.at_bound(0)));
  CHECK_CLOSE(bounded.theta[1], S(300), 1e-14);
  CHECK_CLOSE(bounded.rss(), with(Constraints<S>(law).fix("A", S(300))).rss(), 1e-12);
  CHECK(with(Constraints<S>(law).bound("A", S(1), S(1e6))).converged());

  CHECK_MESSAGE_HAS(Constraints<S>(law).fix("gamma", S(1)), "unknown parameter 'gamma'; chinchilla has E, A, B, alpha, beta");
  CHECK_MESSAGE_HAS(Constraints<S>(law).fix("E", S(-1)), "fixed: E must be positive");
  CHECK_MESSAGE_HAS(Constraints<S>(law).fix("E", S(1)).fix("A", S(2)).tie("E", "A"), "fixed at different values");
  CHECK_MESSAGE_HAS(Constraints<S>(law).bound("E", S(2), S(1)), "0 <= lower <= upper");
  CHECK_MESSAGE_HAS(with(Constraints<S>(law).fix("E", S(1)).fix("A", S(1)).fix("B", S(1)).fix("alpha", S(1)).fix("beta", S(1))),
                    "every parameter is fixed");
}

TEST_CASE_TEMPLATE("weights are replicates", S, double, long double) {
  const Runs<S> once = noisy(S(.01));
  const Index n = once.size();
  Runs<S> weighted = once, twice;
  weighted.weight.setOnes(n);
  weighted.weight.head(5).setConstant(S(3));
  const auto repeat = [&](const Vector<S>& v) {
    Vector<S> out(n + 10);
    out << v, v.head(5), v.head(5);
    return out;
  };
  twice.at.log_N = repeat(once.at.log_N);
  twice.at.log_D = repeat(once.at.log_D);
  twice.at.log_U = repeat(once.at.log_U);
  twice.at.repeats = repeat(once.at.repeats);
  twice.loss = repeat(once.loss);
  for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::huber}) {
    FitOptions<S> options;
    options.solver.objective.kind = kind;
    options.solver.objective.delta = S(.004);
    const auto a = fit<S>(Chinchilla{}, weighted, options), b = fit<S>(Chinchilla{}, twice, options);
    CHECK((a.converged() && b.converged()));
    CHECK(worst(a.theta, b.theta) < S(1e-8));
    CHECK_CLOSE(a.summary.objective, b.summary.objective, 1e-11);
  }
}

TEST_CASE_TEMPLATE("huber resists outliers", S, double, long double) {
  Runs<S> runs = noisy(S(.001));
  runs.loss[3] += S(2);
  runs.loss[20] -= S(1);
  FitOptions<S> options;
  options.solver.objective.kind = ObjectiveKind::huber;
  const auto robust = fit<S>(Chinchilla{}, runs, options);
  CHECK(robust.converged());
  CHECK(worst(robust.theta, designs::hoffmann<S>()) < S(.02));
  CHECK(worst(fit<S>(Chinchilla{}, runs).theta, designs::hoffmann<S>()) > S(.05));
}

/// One ray with noise: whatever the path, it ends, and the design itself says that it is one ray.
TEST_CASE_TEMPLATE("one ray ends", S, double, long double) {
  const auto table = designs::ray<S>(S(20));
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
    loss += S(.005) * designs::noise<S>(loss.size(), seed);
    const auto out = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss));
    CHECK(out.status() != Status::evaluation_failed);
    CHECK(out.theta.allFinite());
    CHECK_CLOSE(out.runs.at.tpp_ratio(), S(1), 1e-12);
  }
  const auto grid = designs::grid<S>();
  CHECK_CLOSE(noisy(S(.01)).at.tpp_ratio(), (grid.D.cwiseQuotient(grid.N).maxCoeff() / grid.D.cwiseQuotient(grid.N).minCoeff()),
              1e-12);
}

TEST_CASE_TEMPLATE("too few", S, double, long double) {
  const Vector<S> two = Vector<S>::Constant(2, S(2));
  CHECK_MESSAGE_HAS(fit<S>(Chinchilla{}, Runs<S>(two, two, two)),
                    "5 free parameters of chinchilla need at least as many runs; got 2");
  FitOptions<S> options;
  options.start = Parameters<S>::Ones(4);
  CHECK_MESSAGE_HAS(fit<S>(Chinchilla{}, noisy(S(.01)), options), "start has 4 values");
  options.start = Parameters<S>::Zero(5);
  CHECK_MESSAGE_HAS(fit<S>(Chinchilla{}, noisy(S(.01)), options), "start[0] = 0");
}

}  // namespace
