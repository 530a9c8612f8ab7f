// SPDX-License-Identifier: Apache-2.0
/// \file
/// Variable projection for laws that are a power sum: L^(1/outer) = floor + n N^-p + d D^-q.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "offray/conditioning.hpp"
#include "offray/detail/linalg/nonnegative.hpp"
#include "offray/detail/linalg/triangular.hpp"
#include "offray/detail/linalg/trust_region.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/laws/law.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Minimises sum w rho(r) over floor, n, d >= 0 and the free exponents.
///
/// Given the exponents t the coefficients c = (floor, n, d) enter linearly (through the power `outer` otherwise), so a trial
/// moves t alone and c follows: for squares on loss with outer = 1 by non-negative least squares, exactly (Golub & Pereyra
/// 1973), otherwise by the joint Newton model and, where that disappoints, by reweighted least squares in c. The steps in t
/// come from the exact Hessian of the reduced problem, its Gauss-Newton part through one orthogonal factorisation of [1, u, v,
/// du, dv | b], in a trust region. Nearly parallel columns (one ray) spoil joint descents along a narrow curved valley; with c
/// eliminated there is no valley to follow. A coefficient may be zero: such an edge is found exactly, not approached for ever
/// as ln 0 would be.
///
/// The test of convergence is that of SolverOptions::gradient_tolerance, or, where that is larger, of sqrt(eps) / kappa_F: once
/// it holds, one more Newton step is taken, which squares the relative error of kappa_F ||z|| / sqrt(2 F), to eps. Construct
/// once per size; minimise() allocates nothing and throws nothing.
template <typename S>
class VariableProjection {
 public:
  explicit VariableProjection(Index capacity) : base_(capacity, 5), M_(capacity, 7), scratch_(capacity, 10) {}

  /// \param[in,out] form start (for the linear problem only its exponents matter) and optimum.
  Summary<S> minimise(const PowerSumRows<S>& rows, const SolverOptions<S>& options, PowerSum<S>& form);

  /// The objective at `form`; at the best coefficients for its exponents where the problem is linear in them.
  S objective(const PowerSumRows<S>& rows, const SolverOptions<S>& options, const PowerSum<S>& form);

  /// After objective(), unless the objective is the sum of squares: residuals, (n,).
  const S* residual() const { return row_.residual; }

  /// After minimise(): -1 or 1 where a term sits at its lower or upper edge, 0 elsewhere.
  const std::array<int, kTerms>& edges() const { return edges_; }

 private:
  static constexpr S eps = std::numeric_limits<S>::epsilon();
  using Kernel = Kernels<S>;
  using Coefficients = Vector3<S>;
  using Exponents = std::array<S, 3>;
  using Small3 = Eigen::Matrix<S, 3, 3>;

  struct Point {
    Exponents t;
    Coefficients c;
    S F = std::numeric_limits<S>::infinity();
  };

  /// The reduced quadratic model in the active exponents d_t, and how the active coefficients follow:
  /// d_c = inverse (y0 + Y d_t) - X d_t.
  struct Model {
    Small3 H, Y, X, inverse;
    Coefficients g, y0;
    S decrease_c;  ///< of the model from the coefficients alone
  };

  void begin(const PowerSumRows<S>& rows, const SolverOptions<S>& options, const PowerSum<S>& form);
  /// L of a power sum counts from L0 here.
  Point point(const PowerSum<S>& form) const {
    return {{form.outer, form.p, form.q},
            Coefficients(form.floor, form.n, form.d) * std::exp(-rows_->log_unit / form.outer),
            std::numeric_limits<S>::infinity()};
  }
  void columns(const Point& at);
  void try_linear(Point& at);
  void try_rows(Point& at);
  void flip();
  void follow(Point& at);
  void fill_rows(Index unknowns);
  void factorise(const Point& at);
  void curvature(const Point& at);
  void select(const Point& at);
  Model reduce(S least_pivot) const;
  S noise(S F) const;

  const PowerSumRows<S>* rows_ = nullptr;
  Objective<S> objective_;
  bool linear_ = false;
  Index n_ = 0, nt_ = 0;
  std::array<int, 3> unknown_{};  ///< which of outer, p, q the columns 3.. stand for

  Jacobian<S> base_;     ///< 1, u, v, xu, yv (times sqrt(w) in the linear case)
  Jacobian<S> M_;        ///< the augmented weighted problem
  Jacobian<S> scratch_;  ///< what row_ points to; in the linear case the residual and sqrt(w) L
  PowerSumRow<S> row_{}, other_{};
  Eigen::Matrix<S, 6, 7> trial_R_, R_;  ///< factor of [c columns, t columns | b]; R_ with true derivative columns
  Eigen::Matrix<S, 6, 6> C_;            ///< what the Hessian has beyond R'R
  S total_weight_ = S(0);               ///< sum of w
  S total_majorizer_ = S(0);            ///< sum of w psi / r
  S squared_force_ = S(0);              ///< sum of w psi^2

  // The model's active unknowns.
  Index active_c_ = 0, active_t_ = 0;
  std::array<int, 6> active_{};
  Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, 6, 7> A_;  ///< their factor [R | z]
  Eigen::Matrix<S, 6, 6> CA_;
  std::array<int, kTerms> edges_{};
};

/// u, v and their derivatives at the exponents of `at`.
template <typename S>
void VariableProjection<S>::columns(const Point& at) {
  const S* root = linear_ && rows_->root.size() != 0 ? rows_->root.data() : nullptr;
  Kernel::power(n_, at.t[1], rows_->x.data(), root, base_.col(1).data(), base_.col(3).data());
  Kernel::power(n_, at.t[2], rows_->y.data(), root, base_.col(2).data(), base_.col(4).data());
}

/// Linear problem: the best c for the exponents of `at`, its objective, and the factor of the whole augmented matrix.
template <typename S>
void VariableProjection<S>::try_linear(Point& at) {
  columns(at);
  const Index m = 3 + nt_;
  const S* column[6] = {base_.col(0).data(), base_.col(1).data(), base_.col(2).data()};
  for (Index j = 0; j < nt_; ++j) column[3 + j] = base_.col(unknown_[static_cast<std::size_t>(j)] + 2).data();
  column[m] = scratch_.col(1).data();  // sqrt(w) L
  Kernel::tall_qr(n_, m, column, M_.data(), M_.outerStride(), trial_R_.data(), trial_R_.outerStride());
  const Small3 R = trial_R_.template topLeftCorner<3, 3>();
  at.c = nonnegative_solution<S>(R, trial_R_.col(m).template head<3>());
  S sum = Kernel::dot(n_, M_.col(m).data(), M_.col(m).data());
  sum += (R.template triangularView<Eigen::Upper>() * at.c - trial_R_.col(m).template head<3>()).squaredNorm();
  for (Index j = 3; j < m; ++j) sum += trial_R_(j, m) * trial_R_(j, m);
  at.F = std::isfinite(sum) ? sum / S(2) : std::numeric_limits<S>::infinity();
}

/// General problem: the objective at `at` as it is, with the columns already there.
template <typename S>
void VariableProjection<S>::try_rows(Point& at) {
  at.F = std::numeric_limits<S>::infinity();
  row_.outer = at.t[0];
  row_.link = rows_->space == Space::log_loss      ? kernel_paths::Link::log
              : !rows_->free[0] && at.t[0] == S(1) ? kernel_paths::Link::identity
                                                   : kernel_paths::Link::power;
  if (!(Kernel::power_sum_residual(row_, at.c.data()) > S(0))) return;
  const S sum = Kernel::total_rho(objective_, n_, row_.residual, row_.weight);
  if (std::isfinite(sum)) at.F = sum;
}

/// M_ of the weighted linearisation, from what try_rows() left.
template <typename S>
void VariableProjection<S>::fill_rows(Index unknowns) {
  S sums[2];
  Kernel::influence(objective_, n_, row_.residual, row_.majorizer, row_.excess);
  Kernel::power_sum_weights(row_, sums);
  total_majorizer_ = sums[0];
  squared_force_ = sums[1];
  Kernel::power_sum_columns(row_, unknowns, unknown_.data(), M_.data(), M_.outerStride());
}

/// Sets aside what try_rows() left, for what the next one leaves, or takes it back.
template <typename S>
void VariableProjection<S>::flip() {
  std::swap(row_.s, other_.s);
  std::swap(row_.log_s, other_.log_s);
  std::swap(row_.residual, other_.residual);
}

/// Coefficients that suit the exponents of `at`: a few steps of reweighted least squares, none of which raises the objective.
template <typename S>
void VariableProjection<S>::follow(Point& at) {
  for (int pass = 0; pass < 2; ++pass) {
    if (!std::isfinite(at.F)) return;
    fill_rows(0);
    Kernel::tall_qr(n_, 3, nullptr, M_.data(), M_.outerStride(), trial_R_.data(), trial_R_.outerStride());
    const Small3 R = trial_R_.template topLeftCorner<3, 3>();
    const Coefficients target = R.template triangularView<Eigen::Upper>() * at.c - trial_R_.col(3).template head<3>();
    const Coefficients wanted = nonnegative_solution<S>(R, target);
    Point next = at;
    S share = S(1);
    flip();
    for (int cut = 0; cut < 5; ++cut, share /= S(4)) {
      next.c = at.c + share * (wanted - at.c);
      try_rows(next);
      if (next.F < at.F) break;
    }
    if (!(next.F < at.F)) return flip();
    const bool small = at.F - next.F <= S(1e-3) * next.F;
    at = next;
    if (small) return;
  }
}

/// R_ (true derivative columns) and z at the current point; the general problem builds its matrix here.
template <typename S>
void VariableProjection<S>::factorise(const Point& at) {
  const Index m = 3 + nt_;
  if (!linear_) {
    fill_rows(nt_);
    Kernel::tall_qr(n_, m, nullptr, M_.data(), M_.outerStride(), trial_R_.data(), trial_R_.outerStride());
  }
  R_ = trial_R_;
  if (linear_) {
    R_.col(m) = -R_.col(m);
    for (Index j = 0; j < 3; ++j) R_.col(m).template head<3>() += at.c[j] * R_.col(j).template head<3>();
  }
}

/// C_: the second-order terms of the exact Hessian. Then the columns of R_ are scaled to true derivatives.
template <typename S>
void VariableProjection<S>::curvature(const Point& at) {
  const Index m = 3 + nt_;
  const auto z = R_.col(m).head(m);
  C_.setZero();
  S crossed[3] = {}, bent[3] = {};  // sum phi x u and sum phi x^2 u, for p and q
  if (linear_) {
    auto r = scratch_.col(0).head(n_);
    r = at.c[0] * base_.col(0).head(n_) + at.c[1] * base_.col(1).head(n_) + at.c[2] * base_.col(2).head(n_) -
        scratch_.col(1).head(n_);
    bent[1] = Kernel::dot3(n_, r.data(), rows_->x.data(), base_.col(3).data());
    bent[2] = Kernel::dot3(n_, r.data(), rows_->y.data(), base_.col(4).data());
    for (Index j = 0; j < nt_; ++j) crossed[unknown_[static_cast<std::size_t>(j)]] = R_.col(3 + j).head(m).dot(z);
  } else {
    S G[25], mixed[5];
    Kernel::power_sum_curvature(row_, G, crossed + 1, bent + 1);
    std::array<int, 5> place{0, 1, 2, -1, -1};  // of each base column among the unknowns
    for (Index j = 0; j < nt_; ++j)
      if (unknown_[static_cast<std::size_t>(j)] > 0)
        place[static_cast<std::size_t>(unknown_[static_cast<std::size_t>(j)] + 2)] = static_cast<int>(3 + j);
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t j = 0; j < 5; ++j)
        if (place[i] >= 0 && place[j] >= 0) C_(place[i], place[j]) = G[i + 5 * j];
    if (rows_->free[0]) {
      Kernel::power_sum_outer_curvature(row_, mixed, &C_(3, 3));
      for (std::size_t j = 0; j < 5; ++j)
        if (place[j] >= 0) C_(3, place[j]) = C_(place[j], 3) = mixed[j];
    }
  }
  for (Index j = 0; j < nt_; ++j) {
    const int which = unknown_[static_cast<std::size_t>(j)];
    if (which == 0) continue;
    const S scale = -at.c[which];
    R_.col(3 + j) *= scale;
    C_.col(3 + j) *= scale;
    C_.row(3 + j) *= scale;
    C_(3 + j, 3 + j) += at.c[which] * bent[which];
    C_(3 + j, which) -= crossed[which];
    C_(which, 3 + j) -= crossed[which];
  }
  for (Index j = 3; j < m; ++j)
    if (R_(j, j) < S(0)) R_.row(j) *= S(-1);  // a factor keeps its positive diagonal
}

/// The unknowns that may move, and the factor restricted to them.
template <typename S>
void VariableProjection<S>::select(const Point& at) {
  const Index m = 3 + nt_;
  edges_.fill(0);
  const auto gradient = [&](Index j) { return R_.col(j).head(j + 1).dot(R_.col(m).head(j + 1)); };
  Index count = 0;
  const S absent = S(4) * eps * at.c.sum();  // u, v <= 1: such a term is lost in the rounding of s wherever it is largest
  for (int j = 0; j < 3; ++j) {
    if (j == 0 && !rows_->floor) continue;
    if (at.c[j] > absent || (!linear_ && gradient(j) < S(0)))
      active_[static_cast<std::size_t>(count++)] = j;
    else
      edges_[static_cast<std::size_t>(j)] = -1;
  }
  active_c_ = count;
  for (Index j = 0; j < nt_; ++j) {
    const auto which = static_cast<std::size_t>(unknown_[static_cast<std::size_t>(j)]);
    if (which > 0 && !(at.c[static_cast<Index>(which)] > S(0))) continue;
    const S g = gradient(3 + j);
    const int edge = at.t[which] <= rows_->lower[which] && g >= S(0)   ? -1
                     : at.t[which] >= rows_->upper[which] && g <= S(0) ? 1
                                                                       : 0;
    edges_[3 + which] = edge;
    if (edge == 0) active_[static_cast<std::size_t>(count++)] = static_cast<int>(3 + j);
  }
  active_t_ = count - active_c_;
  Eigen::Matrix<S, 6, 7> picked;
  for (Index j = 0; j < count; ++j) picked.col(j) = R_.col(active_[static_cast<std::size_t>(j)]);
  picked.col(count) = R_.col(m);
  A_.resize(count, count + 1);
  if (count == m)
    A_ = picked.topLeftCorner(m, m + 1);
  else
    Kernel::tall_qr(m, count, nullptr, picked.data(), picked.outerStride(), A_.data(), A_.outerStride());
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < count; ++j)
      CA_(i, j) = C_(active_[static_cast<std::size_t>(i)], active_[static_cast<std::size_t>(j)]);
}

/// The model with the coefficients eliminated: y = R_cc d_c + R_ct d_t turns their part of R'R into the identity, so only the
/// second-order terms can spoil it; where they do (a pivot below `least_pivot`) they are left out, and the model is that of
/// reweighting.
template <typename S>
typename VariableProjection<S>::Model VariableProjection<S>::reduce(S least_pivot) const {
  const int nc = static_cast<int>(active_c_), nt = static_cast<int>(active_t_), m = nc + nt;
  Model out;
  out.inverse.setZero();
  out.X.setZero();
  out.Y.setZero();
  out.H.setZero();
  out.g.setZero();
  out.y0.setZero();
  for (int k = 0; k < nc; ++k) {  // R_cc^-1, zero for a column that adds no direction
    if (!(A_(k, k) > S(0))) continue;
    out.inverse(k, k) = S(1) / A_(k, k);
    for (int i = k - 1; i >= 0; --i) {
      S rest = S(0);
      for (int j = i + 1; j <= k; ++j) rest -= A_(i, j) * out.inverse(j, k);
      out.inverse(i, k) = A_(i, i) > S(0) ? rest / A_(i, i) : S(0);
    }
  }
  Coefficients z_c = Coefficients::Zero();
  Small3 R_ct = Small3::Zero(), R_tt = Small3::Zero(), C_cc = Small3::Zero(), C_ct = Small3::Zero(), C_tt = Small3::Zero();
  Coefficients z_t = Coefficients::Zero();
  for (int i = 0; i < nc; ++i) {
    z_c[i] = A_(i, m);
    for (int j = 0; j < nc; ++j) C_cc(i, j) = CA_(i, j);
    for (int j = 0; j < nt; ++j) R_ct(i, j) = A_(i, nc + j), C_ct(i, j) = CA_(i, nc + j);
  }
  for (int i = 0; i < nt; ++i) {
    z_t[i] = A_(nc + i, m);
    for (int j = 0; j < nt; ++j) C_tt(i, j) = CA_(nc + i, nc + j);
    for (int j = i; j < nt; ++j) R_tt(i, j) = A_(nc + i, nc + j);
  }
  out.X.noalias() = out.inverse * R_ct;
  out.H.noalias() = R_tt.transpose() * R_tt;
  out.g.noalias() = R_tt.transpose() * z_t;
  Small3 work, N;
  work.noalias() = C_cc * out.inverse;
  N.noalias() = out.inverse.transpose() * work;
  N.diagonal().array() += S(1);
  const SmallCholesky<S> factor(N, nc);
  if (!(factor.least_pivot() >= least_pivot)) {
    out.y0 = -z_c;
    out.decrease_c = z_c.squaredNorm() / S(2);
    return out;
  }
  Small3 CX, C_yt, XC;
  CX.noalias() = C_cc * out.X;
  work = C_ct - CX;
  C_yt.noalias() = out.inverse.transpose() * work;
  for (int j = 0; j < nt; ++j) out.Y.col(j) = -factor.solve(C_yt.col(j));
  out.y0 = -factor.solve(z_c);
  out.decrease_c = -z_c.dot(out.y0) / S(2);
  XC.noalias() = out.X.transpose() * C_ct;
  out.H += C_tt - XC - XC.transpose();
  out.H.noalias() += out.X.transpose() * CX;
  out.H.noalias() += C_yt.transpose() * out.Y;
  out.g.noalias() += C_yt.transpose() * out.y0;
  return out;
}

/// The rounding error of F: |dF| <= ||sqrt(w) dr|| ||sqrt(w) psi|| with dr a few eps of the losses' size.
template <typename S>
S VariableProjection<S>::noise(S F) const {
  return S(8) * eps * (rows_->magnitude * std::sqrt(total_weight_ * (linear_ ? S(2) * F : squared_force_)) + F);
}

/// Takes in a problem.
template <typename S>
void VariableProjection<S>::begin(const PowerSumRows<S>& rows, const SolverOptions<S>& options, const PowerSum<S>& form) {
  rows_ = &rows;
  objective_ = options.objective;
  n_ = rows.rows;
  linear_ = objective_.kind == ObjectiveKind::squares && rows.space == Space::loss && !rows.free[0] && form.outer == S(1);
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
  } else {
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
}

template <typename S>
S VariableProjection<S>::objective(const PowerSumRows<S>& rows, const SolverOptions<S>& options, const PowerSum<S>& form) {
  begin(rows, options, form);
  Point at = point(form);
  if (linear_) {
    try_linear(at);
  } else {
    columns(at);
    try_rows(at);
  }
  return at.F;
}

template <typename S>
Summary<S> VariableProjection<S>::minimise(const PowerSumRows<S>& rows, const SolverOptions<S>& options, PowerSum<S>& form) {
  begin(rows, options, form);
  Summary<S> out;
  Point at = point(form);
  for (std::size_t k = 0; k < 3; ++k)
    if (rows.free[k]) at.t[k] = std::min(std::max(at.t[k], rows.lower[k]), rows.upper[k]);
  if (linear_) {
    try_linear(at);
  } else {
    columns(at);
    try_rows(at);
    follow(at);
  }
  out.evaluations = 1;
  out.objective = at.F;
  if (!std::isfinite(at.F)) return out;

  constexpr int kPatience = 2;
  constexpr S kBold = S(1e-3);
  S radius = S(0.5), last_measure = std::numeric_limits<S>::infinity();
  bool blind = false;  // the last accepted step changed F by less than its rounding error
  int idle = 0;        // blind steps that did not halve the gradient
  const auto finish = [&](Status status) {
    out.status = status;
    out.objective = at.F;
    const Coefficients c = at.c * std::exp(rows.log_unit / at.t[0]);
    form = {at.t[0], at.t[1], at.t[2], c[0], c[1], c[2]};
    return out;
  };
  for (;;) {
    factorise(at);
    curvature(at);
    select(at);
    ++out.iterations;
    const Index m = active_c_ + active_t_;
    const auto rank_of = inverse_condition<S>(A_, [](Index) { return false; });
    out.inverse_condition = m > 0 ? rank_of : S(1);
    const bool deficient = out.inverse_condition * S(m) < rank_tolerance<S>();
    const S scale = std::sqrt(S(2) * at.F), offset = A_.col(m).norm();
    out.scaled_gradient = at.F > S(0) ? offset / scale : S(0);
    const S measure = deficient ? steepest<S>(A_) : offset;
    const S near = deficient ? S(0) : std::sqrt(eps) * out.inverse_condition;
    const S tolerance = std::max(options.gradient_tolerance, near) + (deficient ? S(0) : S(8) * eps / out.inverse_condition);
    const S rounding = S(8) * eps * rows.magnitude * std::sqrt(total_majorizer_);
    const bool at_edge = std::any_of(edges_.begin(), edges_.end(), [](int edge) { return edge != 0; });
    const Status settled = at_edge ? Status::at_bound : deficient ? Status::rank_deficient : Status::converged;
    const bool converged = measure <= tolerance * scale + rounding;
    if (blind && !(measure < last_measure / S(2))) ++idle;
    last_measure = measure;
    Model model = reduce(kBold);
    const auto exponent = [&](Index k) {  // which of outer, p, q the k-th active exponent is
      return static_cast<std::size_t>(unknown_[static_cast<std::size_t>(active_[static_cast<std::size_t>(active_c_ + k)] - 3)]);
    };
    const auto move = [&](const Coefficients& d_t, Point& to) {
      const Coefficients d_c = model.inverse * (model.y0 + model.Y * d_t) - model.X * d_t;
      to = at;
      for (Index k = 0; k < active_c_; ++k) {
        S& c = to.c[active_[static_cast<std::size_t>(k)]];
        c = std::max(c + d_c[k], S(0));
      }
      for (Index k = 0; k < active_t_; ++k) {
        S& t = to.t[exponent(k)];
        t = std::min(std::max(t + d_t[k], rows.lower[exponent(k)]), rows.upper[exponent(k)]);
      }
    };
    // Relative to exponents, but an exponent near zero may move as freely as one of .1.
    Coefficients unit = Coefficients::Zero();
    for (Index k = 0; k < active_t_; ++k) unit[k] = S(0.1) + at.t[exponent(k)];
    const auto best_step = [&](S within) {
      return Coefficients(unit.cwiseProduct(trust_region_step<S>(
          unit.asDiagonal() * model.H * unit.asDiagonal(), unit.cwiseProduct(model.g), static_cast<int>(active_t_), within)));
    };
    if (converged || idle >= kPatience) {
      if (converged && settled != Status::rank_deficient && active_t_ > 0) {
        Point last;
        move(best_step(std::min(radius, S(1e-6))), last);
        last.F = at.F;
        if (last.c.allFinite()) at = last;
      }
      return finish(converged || measure <= S(1e3) * tolerance * scale + rounding ? settled : Status::stalled);
    }

    S caution = kBold;
    for (bool accepted = false; !accepted;) {
      if (out.evaluations >= options.max_evaluations) return finish(Status::evaluation_limit);
      const Coefficients d = best_step(radius);
      const S predicted = model.decrease_c - model.g.dot(d) - d.dot(model.H * d) / S(2);
      Point trial;
      move(d, trial);
      ++out.evaluations;
      const S error = noise(at.F);
      const bool hidden = !(predicted > error);
      if (linear_) {
        try_linear(trial);
      } else {
        columns(trial);
        try_rows(trial);
        if (!hidden && !(at.F - trial.F >= S(0.5) * predicted)) {
          if (!(trial.F < at.F)) {  // the coefficients as they were may be the better ones to go on from
            Point still = trial;
            still.c = at.c;
            flip();
            try_rows(still);
            if (still.F < trial.F || !std::isfinite(trial.F))
              trial = still;
            else
              flip();
          }
          follow(trial);
        }
      }
      const S gain = at.F - trial.F;
      accepted = hidden ? trial.F <= at.F + error : gain >= S(1e-4) * predicted;
      S length = S(0);
      for (Index k = 0; k < active_t_; ++k) length = std::hypot(length, d[k] / unit[k]);
      if (accepted) {
        blind = hidden;
        if (gain > S(0.75) * predicted && length > S(0.8) * radius)
          radius *= S(3);
        else if (!hidden && gain < S(0.25) * predicted)
          radius = std::max(length / S(2), eps);
        at = trial;
      } else {
        radius = std::min(radius, length) / S(4);
        // The part of the model that shrinking the step in t does not make safer.
        if (!linear_ && caution < S(1)) {
          caution = caution < S(0.1) ? S(0.125) : S(2);
          model = reduce(caution);
        }
        if (!(radius > eps)) {
          if (!linear_) {
            columns(at);
            try_rows(at);
          }
          return finish(measure <= S(1e3) * tolerance * scale + rounding ? settled : Status::stalled);
        }
      }
    }
  }
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
