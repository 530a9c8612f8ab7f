// SPDX-License-Identifier: Apache-2.0
// The global fit: variable projection against the general solver, edges, and its parts on problems with known answers.
#include <cmath>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

template <typename S>
Runs<S> sample(const AnyLaw<S>& law, const Parameters<S>& theta, S sigma, std::uint32_t seed = 1) {
  const auto table = designs::grid<S>(8, 7);
  Vector<S> loss = designs::losses(law, theta, table);
  loss += sigma * designs::noise<S>(loss.size(), seed);
  return Runs<S>(table.N, table.D, loss);
}

/// Damped Gauss-Newton in all parameters must end at the same point.
template <typename S, typename Law>
void both_solvers_agree(Law law, const Parameters<S>& theta) {
  const AnyLaw<S>& view = any_law<S, Law>();
  const Runs<S> runs = sample(view, theta, S(.005));
  for (const Space space : {Space::loss, Space::log_loss})
    for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::soft_l1}) {
      FitOptions<S> options;
      options.space = space;
      options.solver.objective.kind = kind;
      options.solver.objective.delta = S(.003);
      const Fit<S> fast = fit<S>(law, runs, options);
      const detail::Parametrisation<S> unknowns(view, runs.at, Constraints<S>(view));
      const auto general = detail::Descent<S>(view, runs, space, unknowns).general(fast.phi, options.solver);
      CHECK((fast.converged() && general.summary.status == Status::converged));
      CHECK((fast.location == Location::interior && fast.location_parameter == -1));
      CHECK_CLOSE(fast.summary.objective, general.summary.objective, 1e-12);
      CHECK((fast.phi - general.phi).cwiseAbs().maxCoeff() < S(1e-8));
      CHECK(fast.summary.evaluations <= 40);
    }
}

TEST_CASE_TEMPLATE("edges", S, double, long double) {
  // Without a floor in the data E goes to zero; without a term in D, B does; both are edges and not optima.
  const auto table = designs::grid<S>();
  const Vector<S> no_floor = S(20) * table.N.array().pow(S(-.1)) - S(0.4);
  const Fit<S> floorless = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, no_floor));
  CHECK((floorless.status() == Status::at_bound || floorless.status() == Status::rank_deficient));
  CHECK((!floorless.converged() && floorless.location != Location::interior));

  bool vanished = false;
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const Vector<S> loss =
        S(2) + S(400) * table.N.array().pow(S(-.35)) + S(.01) * designs::noise<S>(table.N.size(), seed).array();
    const Fit<S> out = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss));
    vanished = vanished || (out.location == Location::term_vanishes && out.location_parameter == 2);
    CHECK(out.theta.allFinite());
  }
  CHECK(vanished);
}

/// 14 sizes on the ray D = 20 N with noise: at an interior point five parameters would be determined, which cannot be.
TEST_CASE_TEMPLATE("one ray", S, double, long double) {
  const int draws = std::is_same_v<S, double> ? 1000 : 20;
  const auto table = designs::ray<S>(S(20));
  const Vector<S> exact = designs::losses(any_law<S, Chinchilla>(), designs::hoffmann<S>(), table);
  int at_edge = 0;
  for (int draw = 1; draw <= draws; ++draw) {
    const Vector<S> loss = exact + S(.005) * designs::noise<S>(exact.size(), static_cast<std::uint32_t>(draw));
    const Fit<S> out = fit<S>(Chinchilla{}, Runs<S>(table.N, table.D, loss));
    CHECK(out.converged() == (out.location == Location::interior));
    CHECK((out.status() != Status::evaluation_limit && out.status() != Status::evaluation_failed));
    at_edge += out.converged() ? 0 : 1;
    // An edge is an edge: one of the parameters sits there, or J has lost a rank.
    if (out.status() == Status::at_bound) CHECK(out.location_parameter >= 0);
  }
  CHECK(at_edge > draws * 3 / 4);
}

/// At the optimum of sum |r| no direction descends; quantiles leave their share of runs below.
TEST_CASE_TEMPLATE("kinks", S, double, long double) {
  const Runs<S> runs = sample(any_law<S, Chinchilla>(), designs::hoffmann<S>(), S(.01));
  FitOptions<S> options;
  for (const S tau : {S(.5), S(.2), S(.9)}) {
    options.solver.objective.kind = tau == S(.5) ? ObjectiveKind::absolute : ObjectiveKind::quantile;
    options.solver.objective.quantile = tau;
    const Fit<S> out = fit<S>(Chinchilla{}, runs, options);
    CHECK(out.converged());
    CHECK((out.gap > S(0) && out.gap < S(1e-6) * out.summary.objective));
    const auto objective = [&](const Parameters<S>& phi) {
      Vector<S> r(runs.size());
      detail::LawResidual<S>(*out.law, runs, Space::loss, out.parametrisation).residual(phi, r);
      S sum = S(0);
      for (Index i = 0; i < r.size(); ++i) sum += exact_rho(out.options.solver.objective, r[i]);
      return sum;
    };
    CHECK_CLOSE(objective(out.phi), out.summary.objective, 1e-12);
    for (Index j = 0; j < out.phi.size(); ++j)
      for (const S h : {S(1e-4), S(-1e-4)}) {
        Parameters<S> moved = out.phi;
        moved[j] += h;
        CHECK(objective(moved) >= out.summary.objective - out.gap);
      }
    // L_hat is the tau-quantile of L: r = L_hat - L is positive for a share tau of the runs, up to the p that are zero.
    const S share = S((out.residual().array() > S(0)).count()) / S(runs.size());
    CHECK(std::abs(share - tau) <= S(6) / S(runs.size()));
  }
}

/// F(best) >= F(any stationary point) - gap there, and no gap at the best.
TEST_CASE_TEMPLATE("bound on one ray", S, double, long double) {
  const auto table = designs::ray<S>(S(20));
  const AnyLaw<S>& law = any_law<S, Chinchilla>();
  int proven = 0;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    const Vector<S> truth = designs::losses(law, designs::hoffmann<S>(), table);
    const Runs<S> runs(table.N, table.D, truth + S(.004) * designs::noise<S>(truth.size(), seed));
    for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::soft_l1})
      for (const Space space : {Space::loss, Space::log_loss}) {
        FitOptions<S> options;
        options.space = space;
        options.solver.objective.kind = kind;
        options.solver.objective.delta = S(.003);
        const S best = fit<S>(Chinchilla{}, runs, options).summary.objective;
        const detail::Parametrisation<S> unknowns(law, runs.at, Constraints<S>(law));
        detail::Descent<S> descent(law, runs, space, unknowns);
        detail::RayBound<S> bound;
        for (const S p : {S(.1), S(.3), S(2)}) {
          const auto end = descent.separable({S(1), p, S(.2), S(1.5), S(2), S(2)}, options.solver);
          const S F = end.summary.objective;
          if (!is_settled(end.summary.status) || !detail::RayBound<S>::is_convex(*descent.rows(), options.solver.objective, F))
            continue;
          bound.at(*descent.rows(), options.solver.objective, descent.form_of(end), F);
          CHECK(best >= F - bound.gap() - S(1e-9) * F);
          proven += int(bound.gap() <= S(1e-6) * F && best >= F * (S(1) - S(1e-6)));
        }
      }
  }
  CHECK(proven >= 30);
}

TEST_CASE_TEMPLATE("robust scale", S, double, long double) {
  Runs<S> runs = sample(any_law<S, Chinchilla>(), designs::hoffmann<S>(), S(.01));
  FitOptions<S> options;
  options.solver.objective.kind = ObjectiveKind::huber;
  options.robust_scale = true;
  const S clean = fit<S>(Chinchilla{}, runs, options).options.solver.objective.delta;
  runs.loss[7] += S(3);
  runs.loss[30] += S(1);
  const S dirty = fit<S>(Chinchilla{}, runs, options).options.solver.objective.delta;
  CHECK((clean > S(.005) && clean < S(.03)));
  CHECK_CLOSE(dirty, clean, .2);  // two wild runs in 56 hardly move a median
}

TEST_CASE_TEMPLATE("parts", S, double, long double) {
  using Matrix = Eigen::Matrix<S, 3, 3>;
  using Column = Eigen::Matrix<S, 3, 1>;
  // Newton's step inside the region, a step on its edge, and the hard case.
  Matrix H = Matrix::Identity();
  H(0, 0) = S(2);
  CHECK_CLOSE(detail::trust_region_step<S>(H, Column(S(2), S(0), S(0)), 2, S(5))[0], S(-1), 1e-15);
  const Column cut = detail::trust_region_step<S>(H, Column(S(8), S(6), S(0)), 2, S(1));
  CHECK((cut.norm() <= S(1) && cut.norm() > S(.98) && cut[2] == S(0)));
  H(1, 1) = S(-1);
  const Column hard = detail::trust_region_step<S>(H, Column(S(1), S(0), S(0)), 2, S(1));
  CHECK_CLOSE(hard.norm(), S(1), 1e-12);
  CHECK(std::abs(hard[1]) > S(.9));

  // min ||R c - z||, c >= 0: the unconstrained solution is (2, -1, 1), the best without the second column (1.5, 0, 1).
  Matrix R;
  R << 1, .5, 0, 0, 1, 0, 0, 0, 1;
  const Column c = detail::bounded_solution<S>(R, Column(S(1.5), S(-1), S(1)), detail::Box<S>());
  CHECK_CLOSE(c[0], S(1.5), 1e-14);
  CHECK(c[1] == S(0));
  CHECK_CLOSE(c[2], S(1), 1e-14);
}

/// Least squares in a box: inside it, no lower on any of many points of it, and the same from inner products.
TEST_CASE_TEMPLATE("boxes", S, double, long double) {
  using Matrix = Eigen::Matrix<S, 3, 3>;
  using Column = Eigen::Matrix<S, 3, 1>;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    const Vector<S> random = designs::noise<S>(18, seed);
    Matrix R = Matrix::Zero();
    for (Index j = 0, k = 0; j < 3; ++j)
      for (Index i = 0; i <= j; ++i, ++k) R(i, j) = i == j ? std::abs(random[k]) + S(.1) : random[k];
    const Column z = random.segment(6, 3);
    detail::Box<S> box;
    for (std::size_t j = 0; j < 3; ++j) {
      box.lower[j] = std::max(random[static_cast<Index>(9 + j)], S(0));
      if (seed % 3 != 0) box.upper[j] = box.lower[j] + std::abs(random[static_cast<Index>(12 + j)]);
    }
    if (seed % 4 == 0) box.upper[0] = box.lower[0];
    if (seed % 5 == 0) {
      box.equal = true;
      box.lower[2] = box.lower[1];
      box.upper[2] = box.upper[1];
    }
    const Column c = detail::bounded_solution<S>(R, z, box);
    CHECK(box.holds(c));
    const S least = (R * c - z).squaredNorm();
    for (std::uint32_t draw = 1; draw <= 20; ++draw) {
      Column other = c + S(.3) * designs::noise<S>(3, 1000 * seed + draw);
      if (box.equal) other[2] = other[1];
      for (Index j = 0; j < 3; ++j) other[j] = box.clamped(j, other[j]);
      CHECK((R * other - z).squaredNorm() >= least - S(1e-12));
    }
    const Matrix G = R.transpose() * R;
    const Column t = R.transpose() * z;
    detail::InnerProducts<S> products{};
    for (Index i = 0; i < 3; ++i) {
      products.t[i] = t[i];
      for (Index j = 0; j < 3; ++j) products.G[i][j] = G(i, j);
    }
    S gain = S(0);
    const Column again = detail::bounded_solution<S>(products, S(1e-12), box, gain);
    CHECK(box.holds(again));
    CHECK(std::abs(z.squaredNorm() - gain - least) <= S(1e-8) * z.squaredNorm());
  }
}

TEST_CASE_TEMPLATE("both solvers agree", S, double, long double) {
  Parameters<S> kaplan(4), droppo(6);
  kaplan << S(4e11), S(2.5e10), S(.16), S(.25);
  droppo << S(1.6), S(2.6e7), S(7.7e7), S(.33), S(.37), S(1.25);
  both_solvers_agree<S>(Chinchilla{}, designs::hoffmann<S>());
  both_solvers_agree<S>(Kaplan{}, kaplan);
  both_solvers_agree<S>(DroppoElibol{}, droppo);
}

}  // namespace
