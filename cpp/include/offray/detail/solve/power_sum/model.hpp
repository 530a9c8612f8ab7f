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

  /// Where a step of the model leads.
  Point moved(const Point& at, const ReducedModel<S>& model, const Coefficients& d_t) const;

  /// The scale of a step in the k-th exponent of the model: relative, but one near zero may move as freely as one of .1.
  Coefficients unit(const Point& at) const {
    Coefficients out = Coefficients::Zero();
    for (int k = 0; k < model_.exponents; ++k) out[k] = S(0.1) + at.t[exponent(k)];
    return out;
  }

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
  std::array<std::size_t, 3> exponents_{};  ///< which of outer, p, q the columns 3.. stand for
  Eigen::Matrix<S, 6, 7> R_;                ///< factor of [c columns, t columns | b], true derivatives
  Eigen::Matrix<S, 6, 6> C_;                ///< what the Hessian has beyond R'R
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
  columns_ = 3 + evaluation.exponents();
  for (int j = 0; j < evaluation.exponents(); ++j) exponents_[static_cast<std::size_t>(j)] = evaluation.exponent(j);
  R_ = evaluation.factorise(at);
  curvature(evaluation, evaluation.second_order(at, R_), at);
  edges_.fill(0);
  bounded_ = false;
  count_ = 0;
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
  for (Index i = 0; i < count_; ++i)
    for (Index j = 0; j < count_; ++j)
      model_.C(i, j) = half(at(i).column, j) + (at(i).partner < 0 ? S(0) : half(at(i).partner, j));
}

template <typename S>
typename PowerSumModel<S>::Point PowerSumModel<S>::moved(const Point& at, const ReducedModel<S>& model,
                                                         const Coefficients& d_t) const {
  const Coefficients d_c = model.coefficients(d_t);
  Point to = at;
  for (int k = 0; k < model_.coefficients; ++k) {
    const Index j = selected_[static_cast<std::size_t>(k)].column;
    to.c[j] = box_.clamped(j, to.c[j] + d_c[k]);
  }
  if (box_.equal) to.c[2] = to.c[1];
  for (int k = 0; k < model_.exponents; ++k) {
    S& t = to.t[exponent(k)];
    t = std::min(std::max(t + d_t[k], rows_->lower[exponent(k)]), rows_->upper[exponent(k)]);
  }
  if (rows_->equal_exponents) to.t[2] = to.t[1];
  return to;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
