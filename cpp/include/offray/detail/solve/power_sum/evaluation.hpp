// SPDX-License-Identifier: Apache-2.0
/// \file
/// The objective of a power sum at a point, and the sums that its quadratic model takes there.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "offray/detail/linalg/bounded.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"
#include "offray/laws/law.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

template <typename S>
struct PowerSumPoint {
  std::array<S, 3> t;  ///< outer, p, q
  Vector3<S> c;        ///< floor, n, d; of L / L0 where the outer power is not 1
  S F = std::numeric_limits<S>::infinity();
};

/// The second-order sums of the objective: G over the columns 1, u, v, xu, yv; those with the outer power; and, for p and q in
/// their places, sum phi x u and sum phi x^2 u.
template <typename S>
struct SecondOrderSums {
  S G[25] = {}, with_outer[5] = {}, outer = S(0);
  S crossed[3] = {}, bent[3] = {};
};

/// sum w rho(r) of rows, in two forms. Squares on loss with outer = 1 are linear in the coefficients c = (floor, n, d), which
/// are then those that suit the exponents best; otherwise they are part of the point.
///
/// improve(), factorise() and second_order() are about the point that evaluate() saw last, whose rows are still there.
/// Construct once per size: nothing below allocates or throws.
template <typename S>
class PowerSumEvaluation {
 public:
  using Point = PowerSumPoint<S>;
  using Coefficients = Vector3<S>;
  using Factor = Eigen::Matrix<S, 6, 7>;

  explicit PowerSumEvaluation(Index capacity) : base_(capacity, 5), M_(capacity, 7), scratch_(capacity, 10) {}

  Index capacity() const { return base_.rows(); }

  /// Takes in rows, which must outlive the calls below.
  void begin(const PowerSumRows<S>& rows, const SolverOptions<S>& options);

  const PowerSumRows<S>& rows() const { return *rows_; }
  bool linear() const { return linear_; }
  /// Of c.
  const Box<S>& box() const { return box_; }
  /// How many of outer, p, q are unknowns, and which.
  int exponents() const { return nt_; }
  std::size_t exponent(Index j) const { return static_cast<std::size_t>(unknown_[static_cast<std::size_t>(j)]); }

  /// The nearest point within the bounds.
  Point point(const PowerSum<S>& form) const {
    Point at{{form.outer, form.p, form.q}, {}, std::numeric_limits<S>::infinity()};
    for (std::size_t k = 0; k < 3; ++k)
      at.t[k] = rows_->free[k] ? std::min(std::max(at.t[k], rows_->lower[k]), rows_->upper[k]) : rows_->value[k];
    if (rows_->equal_exponents) at.t[2] = at.t[1];
    at.c = Coefficients(form.floor, form.n, form.d) * std::exp(-rows_->log_unit / form.outer);
    for (Index j = 0; j < 3; ++j) at.c[j] = box_.clamped(j, at.c[j]);
    return at;
  }

  PowerSum<S> form(const Point& at) const {
    const Coefficients c = at.c * std::exp(rows_->log_unit / at.t[0]);
    return {at.t[0], at.t[1], at.t[2], c[0], c[1], c[2]};
  }

  /// The objective; and where the problem is linear the coefficients.
  void evaluate(Point& at) {
    columns(at);
    if (linear_)
      solve_coefficients(at);
    else
      residuals(at);
  }

  /// Coefficients that suit the exponents of `at` better, unless the problem is linear: from `other`, if those are better to
  /// begin with, a few steps of reweighted least squares, none of which raises the objective.
  void improve(Point& at, const Coefficients& other);
  void improve(Point& at);

  /// [R | z], (m, m + 1) in its corner, of the weighted columns of c and then of the unknown exponents, those of p and q per
  /// unit of -n and -d.
  Factor factorise(const Point& at);
  SecondOrderSums<S> second_order(const Point& at, const Factor& R);

  /// The rounding error of F: |dF| <= ||sqrt(w) dr|| ||sqrt(w) psi|| with dr a few eps of the losses' size.
  S noise(S F) const {
    return S(8) * eps * (rows_->magnitude * std::sqrt(total_weight_ * (linear_ ? S(2) * F : squared_force_)) + F);
  }
  /// That of z, through the residuals.
  S rounding() const { return S(8) * eps * rows_->magnitude * std::sqrt(total_majorizer_); }

  /// Residuals of the point seen last, unless the problem is linear, (n,).
  const S* residual() const { return row_.residual; }

 private:
  static constexpr S eps = std::numeric_limits<S>::epsilon();
  using Small3 = Eigen::Matrix<S, 3, 3>;

  void columns(const Point& at);
  void solve_coefficients(Point& at);
  void residuals(Point& at);
  void reweight(Index unknowns);
  void swap_rows();

  const PowerSumRows<S>* rows_ = nullptr;
  Box<S> box_;
  Objective<S> objective_;
  bool linear_ = false;
  Index n_ = 0;
  int nt_ = 0;
  std::array<int, 3> unknown_{};

  Jacobian<S> base_;     ///< 1, u, v, xu, yv (times sqrt(w) in the linear case)
  Jacobian<S> M_;        ///< the augmented weighted problem
  Jacobian<S> scratch_;  ///< what row_ points to; in the linear case the residual and sqrt(w) L
  PowerSumRow<S> row_{}, other_{};
  Factor R_;                  ///< of the last trial
  S total_weight_ = S(0);     ///< sum of w
  S total_majorizer_ = S(0);  ///< sum of w psi / r
  S squared_force_ = S(0);    ///< sum of w psi^2
};

template <typename S>
void PowerSumEvaluation<S>::begin(const PowerSumRows<S>& rows, const SolverOptions<S>& options) {
  rows_ = &rows;
  objective_ = options.objective;
  box_ = rows.coefficients;
  if (rows.log_unit != S(0) && !box_.is_default()) box_ = box_.times(std::exp(-rows.log_unit / rows.value[0]));
  n_ = rows.rows;
  linear_ = objective_.kind == ObjectiveKind::squares && rows.space == Space::loss && !rows.free[0] && rows.value[0] == S(1);
  nt_ = 0;
  for (int k = 0; k < 3; ++k)
    if (rows.free[static_cast<std::size_t>(k)]) unknown_[static_cast<std::size_t>(nt_++)] = k;
  const bool weighted = rows.weight.size() != 0;
  total_weight_ = weighted ? rows.weight.head(n_).sum() : S(n_);
  if (!rows.floor)
    base_.col(0).head(n_).setZero();
  else if (linear_ && weighted)
    base_.col(0).head(n_) = rows.root.head(n_);
  else
    base_.col(0).head(n_).setOnes();
  if (linear_) {
    if (weighted)
      scratch_.col(1).head(n_) = rows.root.head(n_).cwiseProduct(rows.observed.head(n_));
    else
      scratch_.col(1).head(n_) = rows.observed.head(n_);
    total_majorizer_ = total_weight_;
    return;
  }
  const auto column = [&](Index j) { return scratch_.col(j).data(); };
  row_ = {n_,
          kernel_paths::Link::identity,
          S(1),
          rows.log_unit,
          rows.x.data(),
          rows.y.data(),
          rows.observed.data(),
          weighted ? rows.weight.data() : nullptr,
          base_.data(),
          base_.outerStride(),
          column(0),
          column(1),
          column(2),
          column(3),
          column(4),
          column(5),
          column(6)};
  other_.s = column(7);
  other_.log_s = column(8);
  other_.residual = column(9);
}

/// u, v and their derivatives at the exponents of `at`.
template <typename S>
void PowerSumEvaluation<S>::columns(const Point& at) {
  const S* root = linear_ && rows_->root.size() != 0 ? rows_->root.data() : nullptr;
  kernels<S>().power(n_, at.t[1], rows_->x.data(), root, base_.col(1).data(), base_.col(3).data());
  kernels<S>().power(n_, at.t[2], rows_->y.data(), root, base_.col(2).data(), base_.col(4).data());
}

/// Linear problem: the best c for the exponents of `at`, its objective, and the factor of the whole augmented matrix.
template <typename S>
void PowerSumEvaluation<S>::solve_coefficients(Point& at) {
  const Index m = 3 + nt_;
  const S* column[6] = {base_.col(0).data(), base_.col(1).data(), base_.col(2).data()};
  for (Index j = 0; j < nt_; ++j) column[3 + j] = base_.col(unknown_[static_cast<std::size_t>(j)] + 2).data();
  column[m] = scratch_.col(1).data();  // sqrt(w) L
  kernels<S>().tall_qr(n_, m, column, M_.data(), M_.outerStride(), R_.data(), R_.outerStride());
  const Small3 R = R_.template topLeftCorner<3, 3>();
  at.c = bounded_solution<S>(R, R_.col(m).template head<3>(), box_);
  S sum = kernels<S>().dot(n_, M_.col(m).data(), M_.col(m).data());
  sum += (R.template triangularView<Eigen::Upper>() * at.c - R_.col(m).template head<3>()).squaredNorm();
  for (Index j = 3; j < m; ++j) sum += R_(j, m) * R_(j, m);
  at.F = std::isfinite(sum) ? sum / S(2) : std::numeric_limits<S>::infinity();
}

/// General problem: the objective at `at` as it is, with the columns already there.
template <typename S>
void PowerSumEvaluation<S>::residuals(Point& at) {
  at.F = std::numeric_limits<S>::infinity();
  row_.outer = at.t[0];
  row_.link = rows_->space == Space::log_loss      ? kernel_paths::Link::log
              : !rows_->free[0] && at.t[0] == S(1) ? kernel_paths::Link::identity
                                                   : kernel_paths::Link::power;
  if (!(kernels<S>().power_sum_residual(row_, at.c.data()) > S(0))) return;
  const S sum = kernels<S>().total_rho(objective_, n_, row_.residual, row_.weight);
  if (std::isfinite(sum)) at.F = sum;
}

/// M_ of the weighted linearisation, from what residuals() left.
template <typename S>
void PowerSumEvaluation<S>::reweight(Index unknowns) {
  S sums[2];
  kernels<S>().influence(objective_, n_, row_.residual, row_.majorizer, row_.excess);
  kernels<S>().power_sum_weights(row_, sums);
  total_majorizer_ = sums[0];
  squared_force_ = sums[1];
  kernels<S>().power_sum_columns(row_, unknowns, unknown_.data(), M_.data(), M_.outerStride());
}

/// Sets aside what residuals() left, for what the next call leaves, or takes it back.
template <typename S>
void PowerSumEvaluation<S>::swap_rows() {
  std::swap(row_.s, other_.s);
  std::swap(row_.log_s, other_.log_s);
  std::swap(row_.residual, other_.residual);
}

template <typename S>
void PowerSumEvaluation<S>::improve(Point& at, const Coefficients& other) {
  if (linear_) return;
  Point trial = at;
  trial.c = other;
  swap_rows();
  residuals(trial);
  if (trial.F < at.F || !std::isfinite(at.F))
    at = trial;
  else
    swap_rows();
  improve(at);
}

template <typename S>
void PowerSumEvaluation<S>::improve(Point& at) {
  if (linear_) return;
  for (int pass = 0; pass < 2; ++pass) {
    if (!std::isfinite(at.F)) return;
    reweight(0);
    kernels<S>().tall_qr(n_, 3, nullptr, M_.data(), M_.outerStride(), R_.data(), R_.outerStride());
    const Small3 R = R_.template topLeftCorner<3, 3>();
    const Coefficients target = R.template triangularView<Eigen::Upper>() * at.c - R_.col(3).template head<3>();
    const Coefficients wanted = bounded_solution<S>(R, target, box_);
    Point next = at;
    S share = S(1);
    swap_rows();
    for (int cut = 0; cut < 5; ++cut, share /= S(4)) {
      next.c = at.c + share * (wanted - at.c);
      residuals(next);
      if (next.F < at.F) break;
    }
    if (!(next.F < at.F)) return swap_rows();
    const bool small = at.F - next.F <= S(1e-3) * next.F;
    at = next;
    if (small) return;
  }
}

template <typename S>
typename PowerSumEvaluation<S>::Factor PowerSumEvaluation<S>::factorise(const Point& at) {
  const Index m = 3 + nt_;
  if (!linear_) {
    reweight(nt_);
    kernels<S>().tall_qr(n_, m, nullptr, M_.data(), M_.outerStride(), R_.data(), R_.outerStride());
    return R_;
  }
  Factor out = R_;
  out.col(m) = -out.col(m);
  for (Index j = 0; j < 3; ++j) out.col(m).template head<3>() += at.c[j] * out.col(j).template head<3>();
  return out;
}

template <typename S>
SecondOrderSums<S> PowerSumEvaluation<S>::second_order(const Point& at, const Factor& R) {
  SecondOrderSums<S> out;
  if (!linear_) {
    kernels<S>().power_sum_curvature(row_, out.G, out.crossed + 1, out.bent + 1);
    if (rows_->free[0]) kernels<S>().power_sum_outer_curvature(row_, out.with_outer, &out.outer);
    return out;
  }
  const Index m = 3 + nt_;
  auto r = scratch_.col(0).head(n_);
  r = at.c[0] * base_.col(0).head(n_) + at.c[1] * base_.col(1).head(n_) + at.c[2] * base_.col(2).head(n_) -
      scratch_.col(1).head(n_);
  out.bent[1] = kernels<S>().dot3(n_, r.data(), rows_->x.data(), base_.col(3).data());
  out.bent[2] = kernels<S>().dot3(n_, r.data(), rows_->y.data(), base_.col(4).data());
  for (Index j = 0; j < nt_; ++j) out.crossed[exponent(j)] = R.col(3 + j).head(m).dot(R.col(m).head(m));
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
