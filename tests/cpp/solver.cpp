// SPDX-License-Identifier: Apache-2.0
// The iteration on problems with known answers: every Status, and no allocation.
#include "count_allocations.hpp"

#include <limits>

#include "check.hpp"
#include "designs.hpp"

using namespace offray;

namespace {

/// A residual from two callables, for tests.
template <typename S, typename F>
class Problem final : public detail::Residual<S> {
 public:
  Problem(Index rows, Index cols, F f) : rows_(rows), cols_(cols), f_(f) {}
  Index rows() const override { return rows_; }
  Index cols() const override { return cols_; }
  S magnitude() const override { return S(1); }
  void evaluate(CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) override { f_(x, r, J); }

 private:
  Index rows_, cols_;
  F f_;
};

template <typename S>
struct Outcome {
  Summary<S> summary;
  Parameters<S> x;
};

template <typename S, typename F>
Outcome<S> solve(Index rows, std::initializer_list<S> start, F f, S lower = S(-100), S upper = S(100),
                 SolverOptions<S> options = {}) {
  const auto cols = static_cast<Index>(start.size());
  Problem<S, F> problem(rows, cols, f);
  detail::GaussNewton<S> solver(rows, cols);
  Outcome<S> out;
  out.x.resize(cols);
  std::copy(start.begin(), start.end(), out.x.data());
  const Parameters<S> low = Parameters<S>::Constant(cols, lower), high = Parameters<S>::Constant(cols, upper);
  const Vector<S> weights(0);
  count::start();
  out.summary = solver.minimise(problem, weights, low, high, options, out.x);
  count::stop();
  return out;
}

TEST_CASE_TEMPLATE("rosenbrock", S, double, long double) {
  const auto f = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << S(10) * (x[1] - x[0] * x[0]), S(1) - x[0];
    J << S(-20) * x[0], S(10), S(-1), S(0);
  };
  const auto out = solve<S>(2, {S(-1.2), S(1)}, f);
  CHECK(out.summary.status == Status::converged);
  CHECK_CLOSE(out.x[0], S(1), 1e-12);
  CHECK_CLOSE(out.x[1], S(1), 1e-12);
  CHECK(out.summary.evaluations < 60);
}

/// Large residuals: plain Gauss-Newton is repelled by this minimum (the neglected term is 1.6 times J'J); the secant term is
/// not.
TEST_CASE_TEMPLATE("large residual", S, double, long double) {
  const S c = S(16);
  const auto f = [c](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << x[0] - c, S(0.1) * x[0] * x[0] + x[0] + c;
    J << S(1), S(0.2) * x[0] + S(1);
  };
  // F' = (x - c) + (0.1 x^2 + x + c)(0.2 x + 1) = 0 at x = 0; J'J = 2, sum r r'' = 0.2 c = 3.2.
  const auto out = solve<S>(2, {S(1)}, f);
  CHECK(out.summary.status == Status::converged);
  CHECK(std::abs(out.x[0]) < S(1e-10));
  CHECK(out.summary.evaluations < 25);
}

TEST_CASE_TEMPLATE("statuses", S, double, long double) {
  const auto same_twice = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << x[0] + x[1] - S(1), x[0] + x[1] - S(2), S(2) * (x[0] + x[1]) - S(3.5);
    J << 1, 1, 1, 1, 2, 2;
  };
  const auto deficient = solve<S>(3, {S(5), S(-3)}, same_twice);
  CHECK(deficient.summary.status == Status::rank_deficient);
  CHECK_CLOSE(deficient.x.sum(), S(10) / S(6), 1e-10);

  const auto line = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << x[0] - S(3), x[0] + x[1] - S(4), x[0] - x[1] - S(1.9);
    J << 1, 0, 1, 1, 1, -1;
  };
  const auto bound = solve<S>(3, {S(0), S(0)}, line, S(-2), S(2));
  CHECK(bound.summary.status == Status::at_bound);
  CHECK(bound.x[0] == S(2));
  CHECK_CLOSE(bound.x[1], S(1.05), 1e-10);
  // Starting on a bound that the optimum does not need is no trap.
  CHECK(solve<S>(3, {S(10), S(10)}, line, S(-10), S(10)).summary.status == Status::converged);

  const auto wrong_sign = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << x[0] - S(3), S(2) * x[0] - S(5);
    J << -1, -2;
  };
  CHECK(solve<S>(2, {S(0)}, wrong_sign).summary.status == Status::stalled);

  const auto nan = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << std::log(x[0]), x[0] - S(2);
    J << S(1) / x[0], S(1);
  };
  CHECK(solve<S>(2, {S(-1)}, nan).summary.status == Status::evaluation_failed);
  // A NaN on the way is an infeasible trial, not the end and not an endless loop.
  CHECK(solve<S>(2, {S(90)}, nan).summary.status == Status::converged);

  SolverOptions<S> few;
  few.max_evaluations = 3;
  CHECK(solve<S>(2, {S(90)}, nan, S(-100), S(100), few).summary.status == Status::evaluation_limit);

  // An exact fit: the residual is rounding, and the test on the gradient must not wait for it to vanish.
  const auto exact = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    for (Index i = 0; i < r.size(); ++i) {
      r[i] = std::exp(x[0] * S(i)) - std::exp(S(0.3) * S(i));
      J(i, 0) = S(i) * std::exp(x[0] * S(i));
    }
  };
  const auto perfect = solve<S>(6, {S(0.1)}, exact);
  CHECK(perfect.summary.status == Status::converged);
  CHECK_CLOSE(perfect.x[0], S(0.3), 1e-14);
}

/// Huber: the optimum of a location problem is known, and far rows pull with a constant force.
TEST_CASE_TEMPLATE("huber location", S, double, long double) {
  const auto f = [](CRef<Parameters<S>> x, Ref<Vector<S>> r, Ref<Jacobian<S>> J) {
    r << x[0] - S(0), x[0] - S(0.1), x[0] - S(0.2), x[0] - S(50);
    J.setOnes();
  };
  SolverOptions<S> options;
  options.objective.kind = ObjectiveKind::huber;
  options.objective.delta = S(1);
  const auto out = solve<S>(4, {S(20)}, f, S(-100), S(100), options);
  CHECK(out.summary.status == Status::converged);
  CHECK_CLOSE(out.x[0], S(1.3) / S(3), 1e-12);  // sum of (x - a) over the three inside = delta
}

TEST_CASE("no iteration allocates") { CHECK(count::allocations == 0); }

}  // namespace
