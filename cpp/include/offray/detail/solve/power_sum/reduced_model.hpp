// SPDX-License-Identifier: Apache-2.0
/// \file
/// A quadratic model with its linear unknowns eliminated.
#pragma once

#include "offray/detail/linalg/cholesky.hpp"
#include "offray/detail/linalg/trust_region.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// ||R d + z||^2 / 2 + d'C d / 2 + g'd in the coefficients and exponents d = (d_c, d_t) that may move, at most three of each.
template <typename S>
struct QuadraticModel {
  /// The factor [R | z], (m, m + 1).
  Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, 6, 7> A;
  Eigen::Matrix<S, 6, 6> C;  ///< what the Hessian has beyond R'R
  Eigen::Matrix<S, 6, 1> g;  ///< what the gradient has beyond R'z
  int coefficients = 0, exponents = 0;
};

/// A QuadraticModel in d_t alone, d_c being at its minimum for d_t: y = R_cc d_c + R_ct d_t turns the
/// coefficients' part of R'R into the identity, so only the second-order terms can spoil it; where they do (a pivot below
/// `least_pivot`) they are left out, and the model is that of reweighting.
template <typename S>
class ReducedModel {
 public:
  using Small = Eigen::Matrix<S, 3, 1>;
  using Small3 = Eigen::Matrix<S, 3, 3>;

  ReducedModel(const QuadraticModel<S>& model, S least_pivot);

  /// d_c at its minimum for d_t.
  Small coefficients(const Small& d_t) const { return inverse_ * (y0_ + Y_ * d_t) - X_ * d_t; }

  /// argmin over |d_t| / unit <= radius.
  Small step(const Small& unit, S radius) const {
    return unit.cwiseProduct(
        trust_region_step<S>(unit.asDiagonal() * H_ * unit.asDiagonal(), unit.cwiseProduct(g_), exponents_, radius));
  }

  /// How far the model falls.
  S decrease(const Small& d_t) const { return decrease_c_ - g_.dot(d_t) - d_t.dot(H_ * d_t) / S(2); }

 private:
  Small3 H_, Y_, X_, inverse_;
  Small g_, y0_;
  S decrease_c_;  ///< from the coefficients alone
  int exponents_;
};

template <typename S>
ReducedModel<S>::ReducedModel(const QuadraticModel<S>& model, S least_pivot) : exponents_(model.exponents) {
  const auto& A = model.A;
  const int nc = model.coefficients, nt = model.exponents, m = nc + nt;
  inverse_.setZero();
  for (int k = 0; k < nc; ++k) {  // R_cc^-1, zero for a column that adds no direction
    if (!(A(k, k) > S(0))) continue;
    inverse_(k, k) = S(1) / A(k, k);
    for (int i = k - 1; i >= 0; --i) {
      S rest = S(0);
      for (int j = i + 1; j <= k; ++j) rest -= A(i, j) * inverse_(j, k);
      inverse_(i, k) = A(i, i) > S(0) ? rest / A(i, i) : S(0);
    }
  }
  Small z_c = Small::Zero(), z_t = Small::Zero(), g_c = Small::Zero(), g_t = Small::Zero();
  Small3 R_ct = Small3::Zero(), R_tt = Small3::Zero(), C_cc = Small3::Zero(), C_ct = Small3::Zero(), C_tt = Small3::Zero();
  for (int i = 0; i < nc; ++i) {
    z_c[i] = A(i, m);
    g_c[i] = model.g[i];
    for (int j = 0; j < nc; ++j) C_cc(i, j) = model.C(i, j);
    for (int j = 0; j < nt; ++j) R_ct(i, j) = A(i, nc + j), C_ct(i, j) = model.C(i, nc + j);
  }
  for (int i = 0; i < nt; ++i) {
    z_t[i] = A(nc + i, m);
    g_t[i] = model.g[nc + i];
    for (int j = 0; j < nt; ++j) C_tt(i, j) = model.C(nc + i, nc + j);
    for (int j = i; j < nt; ++j) R_tt(i, j) = A(nc + i, nc + j);
  }
  X_.noalias() = inverse_ * R_ct;
  H_.noalias() = R_tt.transpose() * R_tt;
  g_.noalias() = R_tt.transpose() * z_t;
  g_ += g_t;
  g_.noalias() -= X_.transpose() * g_c;
  z_c.noalias() += inverse_.transpose() * g_c;
  Small3 work, N;
  work.noalias() = C_cc * inverse_;
  N.noalias() = inverse_.transpose() * work;
  N.diagonal().array() += S(1);
  const SmallCholesky<S> factor(N, nc);
  if (!(factor.least_pivot() >= least_pivot)) {
    y0_ = -z_c;
    decrease_c_ = z_c.squaredNorm() / S(2);
    Y_.setZero();
    return;
  }
  Small3 CX, C_yt, XC;
  Y_.setZero();
  CX.noalias() = C_cc * X_;
  work = C_ct - CX;
  C_yt.noalias() = inverse_.transpose() * work;
  for (int j = 0; j < nt; ++j) Y_.col(j) = -factor.solve(C_yt.col(j));
  y0_ = -factor.solve(z_c);
  decrease_c_ = -z_c.dot(y0_) / S(2);
  XC.noalias() = X_.transpose() * C_ct;
  H_ += C_tt - XC - XC.transpose();
  H_.noalias() += X_.transpose() * CX;
  H_.noalias() += C_yt.transpose() * Y_;
  g_.noalias() += C_yt.transpose() * y0_;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
