// SPDX-License-Identifier: Apache-2.0
// What the runs determine: findings, derived quantities and their gradients, profiles, sandwich, tokens-per-parameter
// diversity.
#include <cmath>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
Fit<S> simulated(const designs::Table<S>& table, S sigma) {
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  loss += sigma * designs::noise<S>(loss.size());
  return fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss));
}

/// `sizes` sizes on the rays k[0], k[1], ...
template <typename S>
designs::Table<S> rays(std::initializer_list<double> k, Index sizes = 14, double largest = 8e7) {
  designs::Table<S> out{Vector<S>(sizes * static_cast<Index>(k.size())), {}};
  out.D.resize(out.N.size());
  Index row = 0;
  for (const double ratio : k)
    for (Index i = 0; i < sizes; ++i, ++row) {
      out.N[row] = S(5e6) * std::pow(S(largest / 5e6), S(i) / S(sizes - 1));
      out.D[row] = S(ratio) * out.N[row];
    }
  return out;
}

TEST_CASE_TEMPLATE("findings say what is wrong", S, double, long double) {
  CHECK(findings(simulated(designs::grid<S>(), S(.005))) == 0);
  CHECK(findings(simulated(rays<S>({20, 200}), S(.005))) == 0);
  CHECK(has(findings(simulated(rays<S>({20}), S(.005))), Finding::one_ray));
  CHECK(has(findings(simulated(rays<S>({18.5, 20, 21.5}), S(.02))), Finding::parallel_terms));
  auto table = designs::grid<S>();
  table.D.setConstant(S(1e10));
  CHECK(has(findings(simulated(table, S(.005))), Finding::one_token_count));

  const auto few = designs::grid<S>(2, 3);
  CHECK(has(findings(simulated(few, S(.005))), Finding::few_runs));

  const auto narrow = identifiability(simulated(rays<S>({10, 20, 40}), S(.01)));
  const auto wide = identifiability(simulated(rays<S>({10, 20, 40}, 14, 8e9), S(.01)));
  CHECK((narrow.kappa > wide.kappa && narrow.pair_kappa > wide.pair_kappa));
  CHECK(narrow.relative_se[3] > S(1.5) * wide.relative_se[3]);
  CHECK((narrow.rank == 5 && narrow.rank_against_noise == 5 && narrow.factorial_kappa > S(1)));
}

TEST_CASE_TEMPLATE("planes that inputs keep to", S, double, long double) {
  LawDescription law;
  law.inputs = {"params", "tokens", "width", "ln depth", "shift"};
  auto table = rays<S>({20});
  Inputs<S> at(table.N, table.D);
  const Vector<S> wave = Vector<S>::LinSpaced(14, S(0), S(13)).array().sin();
  at.columns = {wave.array().exp(), -S(2) * wave, Vector<S>::Constant(14, S(-3))};  // width depth^(1/2) = 1
  const auto planes = input_planes(law, at, S(kExactRay));
  REQUIRE(planes.size() == 3);
  for (const auto& plane : planes) {
    CHECK(plane.power.maxCoeff() == S(1));
    const Vector<S> z = plane.power[0] * at.log_N + plane.power[1] * at.log_D +
                        plane.power[2] * at.columns[0].array().log().matrix() + plane.power[3] * at.columns[1] +
                        plane.power[4] * at.columns[2] / S(3);
    CHECK((z.array() - plane.level).abs().maxCoeff() < S(1e-12));
  }
  table.D = table.D.array() * (S(.3) * wave).array().exp();
  law.inputs = {"params", "tokens"};
  CHECK(input_planes(law, Inputs<S>(table.N, table.D), S(kExactRay)).empty());
  law.inputs = {"width", "ln width"};  // one input in two forms is no plane
  at.columns = {wave.array().exp(), wave};
  CHECK(input_planes(law, at, S(kExactRay)).empty());
}

TEST_CASE_TEMPLATE("repeated data findings", S, double, long double) {
  Parameters<S> theta(7);
  theta << S(1.86), S(490), S(1500), S(.35), S(.36), S(5.8), S(14.9);
  const auto find = [&](const Vector<S>& N, const Vector<S>& D, const Vector<S>& U) {
    Vector<S> loss(N.size());
    Jacobian<S> none(N.size(), 0);
    RepeatedData::evaluate<S>(theta, Inputs<S>(N, D, U), loss, none);
    FitOptions<S> options;
    options.start = theta;
    return findings(fit<S>(RepeatedData{}, Runs<S>(N, D, loss, Vector<S>(), U), options));
  };
  const auto table = designs::grid<S>();
  CHECK(has(find(table.N, table.D, table.D), Finding::no_repetition));
  CHECK(has(find(table.N, table.D, table.D / S(4)), Finding::one_epoch_count));
  const Vector<S> small = table.N / S(1e3);
  CHECK(has(find(small, table.D, table.D), Finding::no_excess));
}

/// Every derived quantity against central differences.
TEST_CASE_TEMPLATE("gradients are exact", S, double, long double) {
  const Fit<S> out = simulated(designs::grid<S>(), S(.01));
  const auto check = [&](const Quantity<S>& quantity) {
    Parameters<S> gradient, ignored;
    const S value = quantity(out.phi, gradient);
    for (Index j = 0; j < out.phi.size(); ++j) {
      Parameters<S> up = out.phi, down = out.phi;
      const S h = S(1e-4);
      up[j] += h, down[j] -= h;
      const S slope = (quantity(up, ignored) - quantity(down, ignored)) / (S(2) * h);
      CHECK(std::abs(slope - gradient[j]) <= S(1e-6) * (S(1) + gradient.norm()));
    }
    CHECK(std::isfinite(value));
  };
  for (Index j = 0; j < 5; ++j) check(log_parameter(out, j));
  check(log_loss_at(out, Inputs<S>(Vector<S>::Constant(1, S(7e10)), Vector<S>::Constant(1, S(1.4e12)))));
  for (const Optimal which : {Optimal::N, Optimal::D, Optimal::tokens_per_parameter, Optimal::loss, Optimal::exponent_N,
                              Optimal::exponent_D, Optimal::elasticity})
    for (const double served : {0., 1e11, 1e13}) {
      Cost<S> cost;
      cost.inference_tokens = S(served);
      check(log_optimal(out, which, S(1e21), cost));
    }
}

/// The optimum is one: no neighbour of the same cost has a lower loss. All laws, with and without inference.
TEST_CASE_TEMPLATE("optimum is least", S, double, long double) {
  const auto check = [](const AnyLaw<S>& law, const Parameters<S>& theta) {
    for (const double served : {0., 3e11}) {
      const Cost<S> cost{S(6), S(served)};
      const OptimalPoint<S> at(law, theta, S(1e21), cost);
      const S N = std::exp(at.value(Optimal::N).log), D = std::exp(at.value(Optimal::D).log);
      CHECK_CLOSE(S(6) * N * D + S(2) * N * S(served), S(1e21), 1e-12);
      const auto loss = [&](S factor) {
        const S moved = N * factor, left = (S(1e21) - S(2) * moved * S(served)) / (S(6) * moved);
        Vector<S> value(1);
        Jacobian<S> none(1, 0);
        law.evaluate(theta, Inputs<S>(Vector<S>::Constant(1, moved), Vector<S>::Constant(1, left)), value, none);
        return value[0];
      };
      CHECK_CLOSE(std::exp(at.value(Optimal::loss).log), loss(S(1)), 1e-12);
      CHECK((loss(S(1.01)) > loss(S(1)) && loss(S(.99)) > loss(S(1))));
      CHECK_CLOSE(std::exp(at.value(Optimal::exponent_N).log) + std::exp(at.value(Optimal::exponent_D).log), S(1), 1e-14);
    }
  };
  Parameters<S> kaplan(4), droppo(6), repeated(7);
  kaplan << S(6.4e13), S(1.8e13), S(.076), S(.103);
  droppo << S(1.7), S(4e10), S(9e11), S(.35), S(.3), S(.6);
  repeated << S(1.86), S(490), S(1500), S(.35), S(.36), S(5.8), S(14.9);
  check(any_law<S, Chinchilla>(), designs::hoffmann<S>());
  check(any_law<S, Kaplan>(), kaplan);
  check(any_law<S, DroppoElibol>(), droppo);
  check(any_law<S, RepeatedData>(), repeated);
}

/// Where only E is free the law is linear, and the profile is the t interval; where all are, tau at its ends is t.
TEST_CASE_TEMPLATE("profiles", S, double, long double) {
  const auto table = designs::grid<S>();
  Vector<S> loss = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  loss += S(.01) * designs::noise<S>(loss.size());
  Constraints<S> constraints(any_law<S, Chinchilla>());
  constraints.fix("A", S(406.4)).fix("B", S(410.7)).fix("alpha", S(.34)).fix("beta", S(.28));
  const auto linear = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss), FitOptions<S>{}, constraints);
  const S half = student_t_half_width(S(.95), S(linear.degrees_of_freedom())) * std::sqrt(covariance(linear)(0, 0));
  const auto at = Profile<S>(linear, log_parameter(linear, 0)).interval(S(.95));
  CHECK_CLOSE(std::exp(at.upper), linear.theta[0] + half, 1e-7);
  CHECK_CLOSE(std::exp(at.lower), linear.theta[0] - half, 1e-7);

  const Fit<S> out = simulated(table, S(.01));
  const S t = student_t_half_width(S(.95), S(out.degrees_of_freedom()));
  for (Index j = 0; j < 5; ++j) {
    const auto ends = Profile<S>(out, log_parameter(out, j)).interval(S(.95));
    for (const S end : {ends.lower, ends.upper}) {
      Constraints<S> held(any_law<S, Chinchilla>());
      held.fix(Chinchilla::parameters[static_cast<std::size_t>(j)].name, std::exp(end));
      FitOptions<S> options;
      options.start = out.theta;
      options.start[j] = std::exp(end);
      const auto there = fit<S>(Chinchilla{}, out.runs, options, held);
      CHECK_CLOSE((there.rss() - out.rss()) / noise_variance(out), t * t, 1e-5);
    }
  }
  // One token count: nothing bounds B from above, and nothing crashes.
  auto constant = table;
  constant.D.setConstant(S(1e10));
  const Fit<S> open = simulated(constant, S(.01));
  CHECK(!std::isnan(Profile<S>(open, log_parameter(open, 2)).interval(S(.95)).upper));
}

TEST_CASE_TEMPLATE("sandwich is the textbook one", S, double, long double) {
  const auto table = designs::grid<S>();
  const Fit<S> out = simulated(table, S(.01));
  const Index n = table.N.size();
  const Jacobian<S> J = out.jacobian();
  const Vector<S> r = out.residual();
  const Jacobian<S> F = Conditioning<S>(J).inverse_factor(), bread = F * F.transpose();
  const Jacobian<S> meat = J.transpose() * r.cwiseAbs2().asDiagonal() * J;
  const Square<S> chain = out.parametrisation.chain(out.theta);
  const Jacobian<S> expected = S(n) / S(n - 5) * (chain * bread * meat * bread * chain.transpose());
  const Jacobian<S> mine = Uncertainty<S>::sandwich(out).covariance(out);
  for (Index j = 0; j < 5; ++j) CHECK_CLOSE(mine(j, j), expected(j, j), 1e-9);
  std::vector<Index> groups;
  for (Index i = 0; i < n; ++i) groups.push_back(i / 3);
  CHECK(Uncertainty<S>::sandwich(out, groups).covariance(out)(3, 3) > S(0));
}

TEST_CASE_TEMPLATE("reduced law", S, double, long double) {
  const auto ray = rays<S>({20});
  const Fit<S> full = simulated(ray, S(.005));
  const auto reduced = fit_any<S>(*full.law->on_ray, full.runs, FitOptions<S>{}, Constraints<S>(*full.law->on_ray));
  CHECK((reduced.converged() && findings(reduced) == 0));
  CHECK(reduced.rss() >= full.rss() * (S(1) - S(1e-9)));
  // 100 times the compute of the largest run, on the ray: a few standard deviations of the noise.
  const Vector<S> N = Vector<S>::Constant(1, S(8e8));
  CHECK(predict(reduced, Inputs<S>(N, S(20) * N)).se[0] < S(10) * std::sqrt(noise_variance(reduced)));
  for (const AnyLaw<S>* law : Laws::all<S>()) {
    if (law->on_ray == nullptr) continue;
    const auto fitted = fit_any<S>(*law->on_ray, full.runs, FitOptions<S>{}, Constraints<S>(*law->on_ray));
    CHECK(is_settled(fitted.status()));
    CHECK(Conditioning<S>(fitted.weighted_jacobian()).rank() == law->on_ray->size());
  }
}

TEST_CASE_TEMPLATE("ratios", S, double, long double) {
  Vector<S> k(4);
  k << S(15), S(20), S(25), S(30);
  const TppDiversity<S> at = tpp_diversity<S>(k, S(.28L), S(100));
  CHECK_CLOSE(at.V_K, S(9.5553497664394098482e-4L), 1e-13);
  CHECK_CLOSE(at.tau_K, S(.013924254233115925163L), 1e-13);
  CHECK_CLOSE(at.kappa, S(1455.2200921167370285L), 1e-12);
  CHECK_CLOSE(at.kappa_eq, S(751.54836436138635346L), 1e-12);
  CHECK_CLOSE(least_ratio<S>(S(.28L), S(100)), S(4.3194465819346722304L), 1e-12);
  CHECK_CLOSE(least_ratio_from<S>(S(20), S(.28L), S(100)), S(13.358613174312944942L), 1e-12);
  CHECK_CLOSE(ratios_about<S>(S(20), S(.28L), S(100)).first, S(7.2759763328277923911L), 1e-12);
  const Vector<S> one = Vector<S>::Constant(1, S(20));
  CHECK(std::isinf(tpp_diversity<S>(one, S(.28L), S(100)).kappa_eq));
  CHECK(std::isinf(least_ratio<S>(S(.28L), S(5))));
  CHECK_MESSAGE_HAS(tpp_diversity<S>(-one, S(.28L), S(100)), "k[0]");
}

TEST_CASE_TEMPLATE("weights do not cure", S, double, long double) {
  const Fit<S> out = simulated(designs::grid<S>(), S(.01));
  for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::soft_l1, ObjectiveKind::cauchy,
                                   ObjectiveKind::absolute, ObjectiveKind::quantile}) {
    const auto at = conditioning_under(out, Objective<S>{kind, S(1e-3), S(.5)});
    const S ratio = at.kappa_weighted / at.kappa_plain;
    CHECK((ratio <= at.kappa_weights * (S(1) + S(1e-9)) && ratio * at.kappa_weights >= S(1) - S(1e-9)));
  }
}

/// kappa_2 about 6e6: eleven digits are left of the singular values in double, three of the normal equations.
TEST_CASE("precision") {
  const auto digits = [](auto value, long double best) { return -std::log10(std::abs(value / best - 1)); };
  const auto report = [](auto zero) {
    using S = decltype(zero);
    const auto ray = rays<S>({20});
    Vector<S> value(ray.N.size());
    Jacobian<S> J(value.size(), 5);
    Chinchilla::evaluate<S>(designs::hoffmann<S>(), Inputs<S>(ray.N, ray.D), value, J);
    return precision_report<S>(J);
  };
  const auto narrow = report(0.), best = PrecisionReport<double>{static_cast<double>(report(0.L).svd), 0.};
  CHECK(digits(narrow.svd, best.svd) > 8);
  CHECK(!(digits(narrow.eigenvalue, best.svd) > 5));
}

}  // namespace
