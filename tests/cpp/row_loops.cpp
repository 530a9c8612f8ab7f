// SPDX-License-Identifier: Apache-2.0
// Objectives, power sums and repeated data row by row: every code path against the formulas one residual at a time, and against
// long double.
#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"
#include "offray/laws/repeated_data.hpp"
#include "offray/rho.hpp"

namespace {

using namespace offray;
using detail::kernels;

template <typename S>
constexpr S kTolerance = S(64) * std::numeric_limits<S>::epsilon();

/// In [low, high), the same on every machine and in both scalars.
template <typename S>
Vector<S> random_values(Index n, double low, double high, unsigned seed) {
  std::mt19937_64 bits(seed);
  Vector<S> x(n);
  for (S& v : x) v = S(low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53));
  return x;
}

template <typename S>
void objectives() {
  for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::huber, ObjectiveKind::soft_l1, ObjectiveKind::cauchy,
                                   ObjectiveKind::absolute, ObjectiveKind::quantile}) {
    const Objective<S> objective{kind, S(0.25), S(0.75)};
    for (const Index n : {0, 1, 3, 4, 5, 8, 13, 40}) {
      Vector<S> r = random_values<S>(n, -1, 1, 3), m(n), e(n);
      const Vector<S> w = random_values<S>(n, 0.5, 2, 4);
      if (n > 4) r.head(4) << S(0), S(1e-9), S(-1e-9), S(-0.25);
      S plain = S(0), weighted = S(0);
      for (Index i = 0; i < n; ++i) {
        plain += rho(objective, r[i]).value;
        weighted += w[i] * rho(objective, r[i]).value;
      }
      CHECK_CLOSE(kernels<S>().total_rho(objective, n, r.data(), nullptr), plain, kTolerance<S>);
      CHECK_CLOSE(kernels<S>().total_rho(objective, n, r.data(), w.data()), weighted, kTolerance<S>);
      kernels<S>().influence(objective, n, r.data(), m.data(), e.data());
      for (Index i = 0; i < n; ++i) {
        const Rho<S> at = rho(objective, r[i]);
        CHECK_CLOSE(m[i], at.majorizer, kTolerance<S>);
        CHECK(std::abs(m[i] + e[i] - at.curvature) <= kTolerance<S> * at.majorizer);
      }
    }
  }
}

/// A power sum in mid-iteration.
template <typename S>
struct Problem {
  static constexpr Index n = 13, stride = 16;
  Vector<S> x = random_values<S>(n, 0, 4, 5), y = random_values<S>(n, 0, 3, 6), observed = random_values<S>(n, 0.5, 1.5, 7);
  Vector<S> w = random_values<S>(n, 0.5, 2, 8);
  Jacobian<S> base{stride, 5}, work{stride, 7};
  Vector<S> c{3};
  detail::PowerSumRow<S> row{};

  Problem(kernel_paths::Link link, S outer, bool weighted) {
    base.col(0).setOnes();
    move(S(0.4), S(0.3));
    c << S(0.6), S(0.3), S(0.2);
    row.n = n;
    row.link = link;
    row.outer = outer;
    row.log_unit = S(0.1);
    row.x = x.data();
    row.y = y.data();
    row.observed = observed.data();
    row.weight = weighted ? w.data() : nullptr;
    row.base = base.data();
    row.stride = stride;
    S** const columns[] = {&row.s, &row.log_s, &row.residual, &row.slope, &row.force, &row.majorizer, &row.excess};
    for (Index j = 0; j < 7; ++j) *columns[j] = work.col(j).data();
  }
  void move(S p, S q) {
    kernels<S>().power(n, p, x.data(), nullptr, base.col(1).data(), base.col(3).data());
    kernels<S>().power(n, q, y.data(), nullptr, base.col(2).data(), base.col(4).data());
  }
  S objective(const Objective<S>& objective) {
    CHECK(kernels<S>().power_sum_residual(row, c.data()) > S(0));
    return kernels<S>().total_rho(objective, n, row.residual, row.weight);
  }
  /// The objective at (c, p, q, outer) moved by d.
  S objective_at(const Objective<S>& objective, const Vector<S>& d) {
    Problem moved(row.link, row.outer + d[5], row.weight != nullptr);
    moved.move(S(0.4) + d[3], S(0.3) + d[4]);
    moved.c += d.head(3);
    return moved.objective(objective);
  }
};

/// Gradient and Hessian, put together as VariableProjection does, against differences of the objective.
template <typename S>
void power_sums(kernel_paths::Link link, S outer, ObjectiveKind kind, bool weighted) {
  using kernel_paths::Link;
  const Objective<S> objective{kind, S(0.25), S(0.75)};
  Problem<S> at(link, outer, weighted);
  const S F = at.objective(objective);
  S sums[2], G[25], crossed[2], bent[2], mixed[5], own;
  kernels<S>().influence(objective, at.n, at.row.residual, at.row.majorizer, at.row.excess);
  kernels<S>().power_sum_weights(at.row, sums);
  const bool has_outer = link != Link::identity;
  const int unknown[] = {1, 2, 0};
  const Index unknowns = has_outer ? 3 : 2, m = 3 + unknowns;
  Jacobian<S> M(at.stride, m + 1);
  kernels<S>().power_sum_columns(at.row, unknowns, unknown, M.data(), M.outerStride());
  const Jacobian<S> A = M.topLeftCorner(at.n, m);
  Jacobian<S> H = A.transpose() * A;
  Vector<S> g = A.transpose() * M.col(m).head(at.n);
  kernels<S>().power_sum_curvature(at.row, G, crossed, bent);
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 5; ++j) H(i, j) += G[i + 5 * j];
  if (has_outer) {
    kernels<S>().power_sum_outer_curvature(at.row, mixed, &own);
    for (Index j = 0; j < 5; ++j) {
      H(5, j) += mixed[j];
      H(j, 5) += mixed[j];
    }
    H(5, 5) += own;
  }
  for (Index k = 3; k < 5; ++k) {  // columns of p and q come per unit of -c
    const S scale = -at.c[k - 2];
    g[k] *= scale;
    H.col(k) *= scale;
    H.row(k) *= scale;
    H(k, k) += at.c[k - 2] * bent[k - 3];
    H(k, k - 2) -= crossed[k - 3];
    H(k - 2, k) -= crossed[k - 3];
  }
  const S h = std::pow(std::numeric_limits<S>::epsilon(), S(0.25)), close = S(200) * h * h;
  const auto moved = [&](Index i, S a, Index j, S b) {
    Vector<S> d = Vector<S>::Zero(6);
    d[i] += a;
    d[j] += b;
    return at.objective_at(objective, d);
  };
  for (Index i = 0; i < m; ++i) {
    CHECK(std::abs((moved(i, h, i, 0) - moved(i, -h, i, 0)) / (2 * h) - g[i]) < close);
    for (Index j = 0; j < m; ++j) {
      const S second = (moved(i, h, j, h) - moved(i, h, j, -h) - moved(i, -h, j, h) + moved(i, -h, j, -h)) / (4 * h * h);
      CHECK(std::abs(second - H(i, j)) < S(20) * close);
    }
  }
  CHECK(F > S(0));
  Vector<S> majorizer = Vector<S>::Map(at.row.majorizer, at.n), force = Vector<S>::Map(at.row.force, at.n);
  CHECK_CLOSE(sums[0], majorizer.sum(), kTolerance<S>);
  if (weighted) force.array() /= at.w.array().sqrt();
  CHECK_CLOSE(sums[1], force.squaredNorm(), kTolerance<S>);
}

template <typename S>
void all_power_sums() {
  using kernel_paths::Link;
  for (const bool weighted : {false, true})
    for (const ObjectiveKind kind : {ObjectiveKind::squares, ObjectiveKind::soft_l1, ObjectiveKind::cauchy}) {
      power_sums<S>(Link::identity, S(1), kind, weighted);
      power_sums<S>(Link::power, S(0.7), kind, weighted);
      power_sums<S>(Link::log, S(0.7), kind, weighted);
    }
  Problem<S> below(Link::log, S(1), false);
  below.c << S(0.1), S(-0.3), S(0.1);
  CHECK(!(kernels<S>().power_sum_residual(below.row, below.c.data()) > S(0)));
}

/// Double against long double, from no excess to one beyond floating point.
void repeated_data() {
  const Index n = 45;
  Parameters<double> theta(7);
  for (const double A : {1e-30, 0.5, 400.0, 1e30})
    for (const double R : {1e-4, 0.7, 15.0, 1e8}) {
      theta << 1.7, A, 410.0, 0.34, 0.28, R, R;
      const Vector<double> N = (random_values<double>(n, 10, 26, 9).array()).exp(),
                           repeats = random_values<double>(n, 0, 3, 10);
      const Vector<double> U = (random_values<double>(n, 15, 30, 11).array()).exp();
      const Vector<double> D = U.array() * repeats.array().pow(6).max(1.0);
      Vector<double> value(n);
      Vector<long double> exact(n);
      Jacobian<double> J(n, 7);
      Jacobian<long double> exact_J(n, 7);
      const Inputs<double> at(N, D, U);
      Inputs<long double> wide(N.cast<long double>(), D.cast<long double>(), U.cast<long double>());
      wide.log_N = at.log_N.cast<long double>();
      wide.log_U = at.log_U.cast<long double>();
      wide.repeats = at.repeats.cast<long double>();
      RepeatedData::evaluate<double>(theta, at, value, J);
      RepeatedData::evaluate<long double>(Parameters<long double>(theta.cast<long double>()), wide, exact, exact_J);
      // ln N' is a difference of numbers up to 250.
      for (Index i = 0; i < n; ++i) {
        CHECK_CLOSE(value[i], double(exact[i]), 1e-13);
        for (Index j = 0; j < 7; ++j)
          CHECK(std::abs(J(i, j) - double(exact_J(i, j))) <= 1e-11 * double(std::abs(exact_J(i, j))) + 1e-300);
      }
    }
}

TEST_CASE("every path") {
  for (const auto path : simd_available()) {
    CAPTURE(path);
    force_simd(path);
    objectives<double>();
    all_power_sums<double>();
    repeated_data();
  }
  objectives<long double>();
  all_power_sums<long double>();
}

}  // namespace
