// SPDX-License-Identifier: Apache-2.0
/// \file
/// The quadratic model of a power sum in the unknowns that may move.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "offray/detail/solve/power_sum/evaluation.hpp"
#include "offray/detail/solve/power_sum/reduced_model.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A step of the model.
template <typename S>
struct PowerSumStep {
  PowerSumPoint<S> to;
  S length;     ///< in the exponents, relative, as PowerSumModel::unit() has it
  S predicted;  ///< how far the objective falls
};

/// The exact second-order model of the objective at the point that an evaluation saw last, without the unknowns that an edge or
/// a constraint holds. Allocates and throws nothing.
template <typename S>
class PowerSumModel {
 public:
  using Point = PowerSumPoint<S>;
  using Coefficients = Vector3<S>;

  void build(PowerSumEvaluation<S>& evaluation, const Point& at);

  const QuadraticModel<S>& quadratic() const { return model_; }
  /// -1 or 1 where a Term sits at its lower or upper edge, 0 elsewhere.
  const std::array<int, kTerms>& edges() const { return edges_; }
  /// Whether anything is held there or at a bound of the user's.
  bool at_bound() const {
    return bounded_ || std::any_of(edges_.begin(), edges_.end(), [](int edge) { return edge != 0; });
  }

  /// The best step whose exponents move at most `radius`. An unknown that it would take beyond an edge goes to the edge, and
  /// the others where they are best then: otherwise the step ends where the objective, bent at the edge, is another function,
  /// and shorter and shorter ones creep up to it.
  /// \param reduced of quadratic(). \param least_pivot as ReducedModel takes it.
  PowerSumStep<S> step(const Point& at, const ReducedModel<S>& reduced, S least_pivot, S radius) const;

 private:
  static constexpr S eps = std::numeric_limits<S>::epsilon();

  /// An unknown of the model: one column of R_, or the sum of two that are equal.
  struct Unknown {
    int column, partner;
  };

  void curvature(const PowerSumEvaluation<S>& evaluation, const SecondOrderSums<S>& sums, const Point& at);
  void select_coefficients(const PowerSumEvaluation<S>& evaluation, const Point& at);
  void select_exponents(const PowerSumEvaluation<S>& evaluation, const Point& at);
  void restrict_to_selected();
  void hold(Index column, S move, bool vanishes);

  /// The scale of a step in an exponent: relative, but one near zero may move as freely as one of .1.
  static S unit(S exponent) { return S(0.1) + exponent; }
  S slope(Index j) const { return R_.col(j).head(j + 1).dot(R_.col(columns_).head(j + 1)); }
  void select(Index column, Index partner) {
    selected_[static_cast<std::size_t>(count_++)] = {static_cast<int>(column), static_cast<int>(partner)};
  }
  /// Which of outer, p, q the k-th exponent of the model is.
  std::size_t exponent(int k) const {
    return exponents_[static_cast<std::size_t>(selected_[static_cast<std::size_t>(model_.coefficients + k)].column - 3)];
  }

  const PowerSumRows<S>* rows_ = nullptr;
  Box<S> box_;
  Index columns_ = 0;
  bool linear_ = false;                     ///< as PowerSumEvaluation::linear(): c is at its best, so an edge of it is one of F
  std::array<std::size_t, 3> exponents_{};  ///< which of outer, p, q the columns 3.. stand for
  Eigen::Matrix<S, 6, 7> R_;                ///< factor of [c columns, t columns | b], true derivatives
  Eigen::Matrix<S, 6, 6> C_;                ///< what the Hessian has beyond R'R
  Eigen::Matrix<S, 6, 1> g_;                ///< what the gradient has beyond R'b
  Eigen::Matrix<S, 6, 1> held_;             ///< how far unknowns have gone that are held since
  S rise_ = S(0);                           ///< of the objective on their way
  Index count_ = 0;
  std::array<Unknown, 6> selected_{};
  QuadraticModel<S> model_;
  std::array<int, kTerms> edges_{};
  bool bounded_ = false;
};

template <typename S>
void PowerSumModel<S>::build(PowerSumEvaluation<S>& evaluation, const Point& at) {
  rows_ = &evaluation.rows();
  box_ = evaluation.box();
  linear_ = evaluation.linear();
  columns_ = 3 + evaluation.exponents();
  for (int j = 0; j < evaluation.exponents(); ++j) exponents_[static_cast<std::size_t>(j)] = evaluation.exponent(j);
  R_ = evaluation.factorise(at);
  curvature(evaluation, evaluation.second_order(at, R_), at);
  edges_.fill(0);
  bounded_ = false;
  count_ = 0;
  g_.setZero();
  held_.setZero();
  rise_ = S(0);
  select_coefficients(evaluation, at);
  model_.coefficients = static_cast<int>(count_);
  select_exponents(evaluation, at);
  model_.exponents = static_cast<int>(count_) - model_.coefficients;
  restrict_to_selected();
}

/// C_: the second-order terms of the exact Hessian. Then the columns of R_ are scaled to true derivatives.
template <typename S>
void PowerSumModel<S>::curvature(const PowerSumEvaluation<S>& evaluation, const SecondOrderSums<S>& sums, const Point& at) {
  const Index m = columns_;
  C_.setZero();
  if (!evaluation.linear()) {
    std::array<int, 5> place{0, 1, 2, -1, -1};  // of each base column among the unknowns
    for (Index j = 0; j < evaluation.exponents(); ++j)
      if (evaluation.exponent(j) > 0) place[evaluation.exponent(j) + 2] = static_cast<int>(3 + j);
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t j = 0; j < 5; ++j)
        if (place[i] >= 0 && place[j] >= 0) C_(place[i], place[j]) = sums.G[i + 5 * j];
    if (rows_->free[0]) {
      C_(3, 3) = sums.outer;
      for (std::size_t j = 0; j < 5; ++j)
        if (place[j] >= 0) C_(3, place[j]) = C_(place[j], 3) = sums.with_outer[j];
    }
  }
  for (Index j = 3; j < m; ++j) {
    const std::size_t which = evaluation.exponent(j - 3);
    if (which == 0) continue;
    const auto c = static_cast<Index>(which);
    R_.col(j) *= -at.c[c];
    C_.col(j) *= -at.c[c];
    C_.row(j) *= -at.c[c];
    C_(j, j) += at.c[c] * sums.bent[which];
    C_(j, c) -= sums.crossed[which];
    C_(c, j) -= sums.crossed[which];
  }
  for (Index j = 3; j < m; ++j)
    if (R_(j, j) < S(0)) R_.row(j) *= S(-1);  // a factor keeps its positive diagonal
}

template <typename S>
void PowerSumModel<S>::select_coefficients(const PowerSumEvaluation<S>& evaluation, const Point& at) {
  Coefficients size = at.c;  // the largest value of each term
  if (rows_->natural[0]) size[1] *= std::exp(-at.t[1] * rows_->x.head(rows_->rows).minCoeff());
  if (rows_->natural[1]) size[2] *= std::exp(-at.t[2] * rows_->y.head(rows_->rows).minCoeff());
  const S absent = S(4) * eps * size.sum();  // such a term is lost in the rounding of s wherever it is largest
  for (int j = 0; j < 3; ++j) {
    if ((j == 0 && !rows_->floor) || box_.fixed(j) || (j == 2 && box_.equal)) continue;
    const Index partner = j == 1 && box_.equal ? 2 : -1;
    const S g = evaluation.linear() ? S(0) : slope(j) + (partner < 0 ? S(0) : slope(partner));
    const auto k = static_cast<std::size_t>(j);
    const bool low = size[j] <= absent || at.c[j] <= box_.lower[k], high = at.c[j] >= box_.upper[k];
    if (!((low && g >= S(0)) || (high && g <= S(0))))
      select(j, partner);
    else if (low && box_.lower[k] == S(0))
      edges_[k] = -1;
    else
      bounded_ = true;
  }
}

template <typename S>
void PowerSumModel<S>::select_exponents(const PowerSumEvaluation<S>& evaluation, const Point& at) {
  for (Index j = 3; j < columns_; ++j) {
    const std::size_t which = evaluation.exponent(j - 3);
    if (which == 2 && rows_->equal_exponents) continue;
    const Index partner = which == 1 && rows_->equal_exponents ? j + 1 : -1;
    const bool present = which == 0 || at.c[static_cast<Index>(which)] > S(0) || (partner >= 0 && at.c[2] > S(0));
    if (!present) continue;
    const S g = slope(j) + (partner < 0 ? S(0) : slope(partner));
    const int edge = at.t[which] <= rows_->lower[which] && g >= S(0)   ? -1
                     : at.t[which] >= rows_->upper[which] && g <= S(0) ? 1
                                                                       : 0;
    if (edge == 0)
      select(j, partner);
    else if (edge < 0 ? rows_->bounded_below[which] : rows_->bounded_above[which])
      bounded_ = true;
    else
      edges_[3 + which] = edge;
  }
}

template <typename S>
void PowerSumModel<S>::restrict_to_selected() {
  auto& A = model_.A;
  A.resize(count_, count_ + 1);
  if (count_ == columns_) {
    A = R_.topLeftCorner(columns_, columns_ + 1);
    model_.C = C_;
    model_.g = g_;
    return;
  }
  const auto at = [&](Index i) { return selected_[static_cast<std::size_t>(i)]; };
  Eigen::Matrix<S, 6, 7> picked;
  Eigen::Matrix<S, 6, 6> half;  // C_ with the columns picked
  for (Index j = 0; j < count_; ++j) {
    picked.col(j) = R_.col(at(j).column);
    half.col(j) = C_.col(at(j).column);
    if (at(j).partner < 0) continue;
    picked.col(j) += R_.col(at(j).partner);
    half.col(j) += C_.col(at(j).partner);
  }
  picked.col(count_) = R_.col(columns_);
  kernels<S>().tall_qr(columns_, count_, nullptr, picked.data(), picked.outerStride(), A.data(), A.outerStride());
  for (Index i = 0; i < count_; ++i) {
    const bool single = at(i).partner < 0;
    model_.g[i] = g_[at(i).column] + (single ? S(0) : g_[at(i).partner]);
    for (Index j = 0; j < count_; ++j) model_.C(i, j) = half(at(i).column, j) + (single ? S(0) : half(at(i).partner, j));
  }
}

/// Moves an unknown and keeps it there; a coefficient that makes its term vanish takes the exponent along.
template <typename S>
void PowerSumModel<S>::hold(Index column, S move, bool vanishes) {
  const auto r = R_.col(column).head(column + 1);
  rise_ += move * (slope(column) + g_[column] + move * (r.squaredNorm() + C_(column, column)) / S(2));
  R_.col(columns_).head(column + 1) += move * r;
  g_ += move * C_.col(column);
  held_[column] = move;
  const auto goes = [&](Index k) {
    return k == column || (vanishes && k >= 3 && static_cast<Index>(exponents_[static_cast<std::size_t>(k - 3)]) == column);
  };
  Index kept = 0;
  model_.coefficients = model_.exponents = 0;
  for (Index k = 0; k < count_; ++k) {
    const Unknown unknown = selected_[static_cast<std::size_t>(k)];
    if (goes(unknown.column)) continue;
    selected_[static_cast<std::size_t>(kept++)] = unknown;
    ++(unknown.column < 3 ? model_.coefficients : model_.exponents);
  }
  count_ = kept;
  restrict_to_selected();
}

template <typename S>
PowerSumStep<S> PowerSumModel<S>::step(const Point& at, const ReducedModel<S>& reduced, S least_pivot, S radius) const {
  Coefficients units = Coefficients::Zero();
  for (int k = 0; k < model_.exponents; ++k) units[k] = unit(at.t[exponent(k)]);
  const Coefficients d_t = reduced.step(units, radius), d_c = reduced.coefficients(d_t);
  Eigen::Matrix<S, 6, 1> d = held_;
  std::array<bool, 6> moves{};
  PowerSumStep<S> out{at, S(0), reduced.decrease(d_t) - rise_};
  for (int k = 0; k < model_.coefficients + model_.exponents; ++k) {
    const auto [column, partner] = selected_[static_cast<std::size_t>(k)];
    d[column] = k < model_.coefficients ? d_c[k] : d_t[k - model_.coefficients];
    if (partner >= 0) d[partner] = d[column];
    moves[static_cast<std::size_t>(column)] = true;
  }
  S beyond = S(0);
  bool vanishes = false;
  Index first = -1;
  const auto move = [&](Index column, S& from, S low, S high) {
    const S wanted = from + d[column], to = std::min(std::max(wanted, low), high);
    if (to != wanted && first < 0 && (linear_ || column >= 3) && moves[static_cast<std::size_t>(column)]) {
      first = column;
      beyond = to - from;
      vanishes = to == S(0);
    }
    from = to;
  };
  for (Index j = 0; j < 3; ++j)
    move(j, out.to.c[j], box_.lower[static_cast<std::size_t>(j)], box_.upper[static_cast<std::size_t>(j)]);
  for (Index j = 3; j < columns_; ++j) {
    const std::size_t which = exponents_[static_cast<std::size_t>(j - 3)];
    if (which != 2 || !rows_->equal_exponents) out.length = std::hypot(out.length, d[j] / unit(at.t[which]));
    move(j, out.to.t[which], rows_->lower[which], rows_->upper[which]);
  }
  if (first < 0 || box_.equal || rows_->equal_exponents) return out;
  PowerSumModel held = *this;
  held.hold(first, beyond, vanishes && (first == 1 || first == 2));
  return held.step(at, ReducedModel<S>(held.model_, least_pivot), least_pivot, radius);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
