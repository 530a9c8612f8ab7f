// SPDX-License-Identifier: Apache-2.0
// Covariance, prediction and quantiles. Standard errors of real fits are checked from Python against tests/reference.
#include <Eigen/LU>
#include <cmath>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
Fit<S> noisy_fit(const designs::Table<S>& table, S sigma, ObjectiveKind kind = ObjectiveKind::squares, S delta = S(1)) {
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  loss += sigma * designs::noise<S>(loss.size());
  FitOptions<S> options;
  options.solver.objective.kind = kind;
  options.solver.objective.delta = delta;
  return fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss), options);
}

/// Against the textbook formula, which is safe on a well-conditioned design in long double.
TEST_CASE_TEMPLATE("covariance is the textbook one", S, double, long double) {
  const auto table = designs::grid<S>();
  const Fit<S> out = noisy_fit(table, S(.01));
  const Index n = table.N.size();
  Vector<long double> value(n);
  Jacobian<long double> J(n, 5);
  Chinchilla::evaluate<long double>(
      out.theta.template cast<long double>(),
      Inputs<long double>(table.N.template cast<long double>(), table.D.template cast<long double>()), value, J);
  const Vector<long double> norm = J.colwise().norm().transpose();
  const Jacobian<long double> unit = J * norm.cwiseInverse().asDiagonal();
  const Jacobian<long double> inverse = (unit.transpose() * unit).inverse();
  const Jacobian<S> cov = covariance(out);
  const auto variance = static_cast<long double>(out.rss() / S(n - 5));
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 5; ++j) {
      // As correlations: A and B are uncorrelated on a full grid.
      const long double scale = std::sqrt(inverse(i, i) * inverse(j, j));
      const long double mine = static_cast<long double>(cov(i, j)) * norm[i] * norm[j] / variance;
      CHECK(std::abs(mine - inverse(i, j)) <= 1e-8L * scale);
    }

  const Inputs<S> far(Vector<S>::Constant(1, S(1e9)), Vector<S>::Constant(1, S(2e10)));
  const Prediction<S> at = predict(out, far);
  Vector<S> L(1);
  Jacobian<S> g(1, 5);
  Chinchilla::evaluate<S>(out.theta, far, L, g);
  CHECK_CLOSE(at.value[0], L[0], 1e-13);
  CHECK_CLOSE(at.se[0], std::sqrt((g * cov * g.transpose())(0, 0)), 1e-8);
}

TEST_CASE_TEMPLATE("huber covariance tends to squares", S, double, long double) {
  const auto table = designs::grid<S>();
  const Fit<S> squares = noisy_fit(table, S(.01)), wide = noisy_fit(table, S(.01), ObjectiveKind::huber, S(1));
  CHECK_CLOSE(covariance(wide)(3, 3), covariance(squares)(3, 3), 1e-8);
  // Uniform noise on (-s, s) has density 1/(2s): the median-like limit has sd s against s/sqrt(3) for squares.
  const Fit<S> narrow = noisy_fit(table, S(.01), ObjectiveKind::huber, S(1e-5));
  const S ratio = std::sqrt(noise_variance(narrow) / noise_variance(squares));
  CHECK((ratio > S(1.2) && ratio < S(2.5)));
}

TEST_CASE_TEMPLATE("nothing is invented", S, double, long double) {
  const auto table = designs::grid<S>();
  const auto law = Constraints<S>(any_law<S, Chinchilla>()).fix("E", S(1.69)).tie("alpha", "beta");
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  loss += S(.01) * designs::noise<S>(loss.size());
  const auto fixed = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss), FitOptions<S>{}, law);
  const Jacobian<S> cov = covariance(fixed);
  CHECK((cov.row(0).isZero(0) && cov.col(0).isZero(0)));
  CHECK((cov(3, 3) > S(0) && cov(3, 3) == cov(4, 4) && cov(3, 4) == cov(3, 3)));

  // As many runs as parameters: no noise estimate, and no NaN either.
  const auto few = designs::grid<S>(5, 1 + 1);
  const Vector<S> N = few.N.head(5), D = few.D.head(5);
  Vector<S> five = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), few).head(5);
  const auto exact = fit<S>(Chinchilla{}, Runs<S>(N, D, five));
  CHECK(covariance(exact).array().isInf().all());
  CHECK(std::isinf(predict(exact, Inputs<S>(N, D)).se[0]));

  // A direction that the runs do not determine has infinite variance: R_D without repetition.
  Parameters<S> theta(7);
  theta << S(1.86), S(490), S(1500), S(.35), S(.36), S(5.8), S(14.9);
  Vector<S> once(table.N.size());
  Jacobian<S> none(once.size(), 0);
  RepeatedData::evaluate<S>(theta, Inputs<S>(table.N, table.D), once, none);
  FitOptions<S> options;
  options.start = theta;
  const auto repeated = fit<S>(RepeatedData{}, Runs<S>(table.N, table.D, once), options);
  CHECK(repeated.status() == Status::rank_deficient);
  CHECK(std::isinf(covariance(repeated)(6, 6)));
}

TEST_CASE_TEMPLATE("quantiles", S, double, long double) {
  // R 4: qt(.975, c(1, 2, 5, 30, 235)); the first two have closed forms.
  CHECK_CLOSE(student_t_half_width(S(.95), S(1)), std::tan(S(EIGEN_PI) * S(.475)), 1e-13);
  CHECK_CLOSE(student_t_half_width(S(.95), S(2)), S(.95) * std::sqrt(S(2) / (S(1) - S(.95) * S(.95))), 1e-13);
  CHECK_CLOSE(student_t_half_width(S(.95), S(5)), S(2.570581835636314), 1e-13);
  CHECK_CLOSE(student_t_half_width(S(.95), S(30)), S(2.042272456301238), 1e-13);
  CHECK_CLOSE(student_t_half_width(S(.95), S(1e7)), S(1.959963984540054), 1e-6);
  CHECK_CLOSE(student_t_half_width(S(.5), S(1)), S(1), 1e-13);
  CHECK(std::isinf(student_t_half_width(S(.95), S(0))));
  // Gamma(1) / Gamma(1/2), Gamma(3/2) / Gamma(1), Gamma(41/2) / Gamma(20) = 20 binom(40, 20) sqrt(pi) / 4^20
  const S root_pi = std::sqrt(S(EIGEN_PI));
  CHECK_CLOSE(std::exp(detail::log_gamma_ratio(S(.5))), S(1) / root_pi, 1e-15);
  CHECK_CLOSE(std::exp(detail::log_gamma_ratio(S(1))), root_pi / S(2), 1e-15);
  CHECK_CLOSE(std::exp(detail::log_gamma_ratio(S(20))), std::ldexp(S(20) * S(137846528820.0), -40) * root_pi, 2e-15);
}

}  // namespace
