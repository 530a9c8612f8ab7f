// SPDX-License-Identifier: Apache-2.0
// Whether the law follows the runs: F tests, repeats, sizes, outliers, forecasts of the larger runs.
#include <cmath>
#include <limits>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
Fit<S> fitted(const designs::Table<S>& table, const Vector<S>& loss) {
  return fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss));
}

template <typename S>
Vector<S> losses(const designs::Table<S>& table, S power = S(1)) {
  Vector<S> out = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  const S E = designs::hoffmann<S>()[0];
  return (out.array() - E).pow(power) + E;
}

/// P(F' >= F) in closed form: two degrees of freedom above give (1 + 2 F / b)^(-b / 2), two below 1 - (a F / (a F + 2))^(a /
/// 2).
TEST_CASE_TEMPLATE("tail of F", S, double, long double) {
  for (const S F : {S(.1), S(1), S(3.5), S(40)})
    for (const S dof : {S(1), S(3), S(8), S(235)}) {
      const S above = std::pow(S(1) + S(2) * F / dof, -dof / S(2));
      CHECK(std::abs(FTest<S>::tail(F, S(2), dof) / above - S(1)) < S(2000) * std::numeric_limits<S>::epsilon());
      const S below = -std::expm1(dof / S(2) * std::log(dof * F / (dof * F + S(2))));
      CHECK(std::abs(FTest<S>::tail(F, dof, S(2)) - below) < S(1000) * std::numeric_limits<S>::epsilon());
    }
  CHECK(FTest<S>().p() == S(1));
  CHECK(FTest<S>(S(1), 0, S(1), 5).p() == S(1));
}

TEST_CASE_TEMPLATE("ln Gamma", S, double, long double) {
  S factorial = S(0);
  for (int k = 1; k < 40; ++k) {
    CHECK(std::abs(detail::log_gamma(S(k)) - factorial) <= S(40) * std::numeric_limits<S>::epsilon() * (S(1) + factorial));
    factorial += std::log(S(k));
  }
  CHECK(std::abs(detail::log_gamma(S(.5)) - std::log(S(EIGEN_PI)) / S(2)) < S(40) * std::numeric_limits<S>::epsilon());
}

TEST_CASE_TEMPLATE("a curve that the law cannot follow", S, double, long double) {
  const auto table = designs::grid<S>(8, 8);
  const Vector<S> noise = S(.003) * designs::noise<S>(64);
  const auto right = misfit(fitted<S>(table, losses(table) + noise));
  CHECK((right.trend.p() > S(.01) && right.trend.above == 3 && right.trend.below == 56));
  CHECK((right.distinct == 64 && right.sizes == 8 && right.repeated == 0 && right.outliers.empty()));
  const Fit<S> bent = fitted<S>(table, losses<S>(table, S(.5)) + noise);
  const auto wrong = misfit(bent);
  CHECK(wrong.trend.is_unlikely(1e-6));
  CHECK((wrong.pattern > S(.002) && wrong.pattern < wrong.residual_sd));
  CHECK(has(findings(bent), Finding::lack_of_fit));
  CHECK(identifies(flag(Finding::lack_of_fit)));
  CHECK(!identifies(flag(Finding::lack_of_fit) | flag(Finding::one_ray)));
  CHECK(rolling(bent).slope > S(.002));
  CHECK(rolling(fitted<S>(table, losses(table) + noise)).slope == S(0));
  CHECK(rolling(bent).origins.size() == 5);
}

/// F of one more column beside J, as by a fit with it; the HC3 variance where that is larger.
template <typename S>
S alone(const Fit<S>& fit, const Vector<S>& direction) {
  Jacobian<S> columns(fit.runs.size(), 6);
  columns << fit.jacobian(), direction;
  const Eigen::HouseholderQR<Jacobian<S>> qr(columns);
  const Jacobian<S> Q = qr.householderQ() * Jacobian<S>::Identity(fit.runs.size(), 6);
  const Vector<S> r = fit.residual(), s = Q.col(5), e = r - Q * (Q.transpose() * r), h = Q.cwiseAbs2().rowwise().sum();
  const S square = std::pow(s.dot(r), S(2)), rest = e.squaredNorm() / S(fit.runs.size() - 6);
  return square / std::max(rest, (s.array() * e.array() / (S(1) - h.array())).square().sum());
}

TEST_CASE_TEMPLATE("departures", S, double, long double) {
  const auto table = designs::grid<S>(8, 8);
  const Vector<S> noise = S(.003) * designs::noise<S>(64);
  const Vector<S> by_tokens = table.D.minCoeff() / table.D.array();
  const Fit<S> right = fitted<S>(table, losses(table) + noise);
  for (const Departure which : kAllDepartures) CHECK(!misfit(right).departs(which));

  const Fit<S> bent = fitted<S>(table, losses<S>(table, S(.8)) + noise);
  const auto found = misfit(bent);
  CHECK((found.departs(Departure::outer_power) && found.departure(Departure::outer_power).test.below == 58));
  const Vector<S> z = bent.runs.loss + bent.residual() - Vector<S>::Constant(64, bent.theta[0]);
  const S expected = alone<S>(bent, z.array() * z.array().log());
  CHECK(std::abs(found.departure(Departure::outer_power).test.F / expected - S(1)) < S(1e-6));
  CHECK(found.departure(Departure::outer_power).pattern < found.residual_sd);

  const Fit<S> early = fitted<S>(table, losses(table) + S(.1) * by_tokens + noise);
  const auto short_runs = misfit(early);
  CHECK(std::abs(short_runs.departure(Departure::short_runs).test.F / alone<S>(early, by_tokens) - S(1)) < S(1e-6));
  CHECK(short_runs.unexplained() >= S(0));

  // Sizes that all differ have no other test; those of a grid are compared as they are.
  const Vector<S> N = table.N.array() * Vector<S>::LinSpaced(64, S(1), S(1.05)).array(), log_N = N.array().log();
  const Vector<S> jump = S(.05) * (log_N.array() > log_N.mean()).template cast<S>();
  const designs::Table<S> apart{N, table.D};
  const Fit<S> two = fitted<S>(apart, losses(apart) + jump + noise);
  CHECK(misfit(two).departs(Departure::large_models));
  CHECK(has(findings(two), Finding::lack_of_fit));
  CHECK(std::isnan(found.departure(Departure::large_models).test.F));

  // A law with an outer power has nothing to test.
  const Fit<S> own = fit<S>(DroppoElibol{}, Runs<S>(table.N, table.D, losses<S>(table, S(.8)) + noise));
  CHECK(std::isnan(misfit(own).departure(Departure::outer_power).test.F));
}

/// Residual, curve and rest add up, whatever the objective's weights.
TEST_CASE_TEMPLATE("the tangent space", S, double, long double) {
  const auto table = designs::grid<S>(6, 7);
  const Vector<S> loss = losses(table) + S(.01) * designs::noise<S>(42);
  const Vector<S> weight = Vector<S>::LinSpaced(42, S(.5), S(2));
  const Fit<S> out = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss, weight));
  const detail::TangentSpace<S> space(out);
  CHECK((space.rank == 5 && space.curve_rank == 3));
  CHECK(std::abs(space.square() / out.rss() - S(1)) < S(1e-9));
  CHECK((space.J.transpose() * space.rest).norm() < S(1e-9) * space.J.norm() * space.rest.norm());
}

TEST_CASE_TEMPLATE("repeats, copies and sizes", S, double, long double) {
  const auto once = designs::grid<S>(5, 5);
  designs::Table<S> table{once.N.replicate(3, 1), once.D.replicate(3, 1)};
  const Vector<S> clean = losses(table);
  const auto at = misfit(fitted<S>(table, clean + S(.004) * designs::noise<S>(75)));
  CHECK((at.distinct == 25 && at.pure_dof == 50 && at.lack_of_fit.above == 20 && at.lack_of_fit.below == 50));
  CHECK((at.pure_error > S(.0018) && at.pure_error < S(.0029)));
  CHECK(!at.lack_of_fit.is_unlikely(.005));
  const Vector<S> copied = (losses(once) + S(.004) * designs::noise<S>(25)).replicate(3, 1);
  const Fit<S> copies = fitted<S>(table, copied);
  CHECK(misfit(copies).repeated == 50);
  CHECK(has(findings(copies), Finding::repeated_rows));
  const auto many = designs::grid<S>(10, 6);
  Vector<S> shared = losses(many) + S(.001) * designs::noise<S>(60);
  for (Index i = 0; i < 60; ++i) shared[i] += S(.02) * std::sin(S(9) * std::log(many.N[i]));
  CHECK(has(findings(fitted<S>(many, shared)), Finding::dependent_runs));
}

TEST_CASE_TEMPLATE("outliers and units", S, double, long double) {
  const auto table = designs::grid<S>(7, 7);
  Vector<S> loss = losses(table) + S(.004) * designs::noise<S>(49);
  loss[11] += S(3), loss[30] += S(4);
  const Fit<S> out = fitted<S>(table, loss);
  CHECK(misfit(out).outliers == std::vector<Index>{11, 30});
  CHECK(has(findings(out), Finding::outliers));
  const designs::Table<S> millions{table.N / S(1e6), table.D / S(1e9)};
  CHECK(has(findings(fitted<S>(millions, losses(table) + S(.004) * designs::noise<S>(49))), Finding::implausible_units));
}

}  // namespace
