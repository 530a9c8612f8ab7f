// SPDX-License-Identifier: Apache-2.0
/// \file
/// The factorisation inside the iteration: modified Gram-Schmidt of an augmented matrix [M | b], in place.
#pragma once

#include <cmath>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

namespace detail {

/// One Gram-Schmidt step: c_j = q'M_j and M_j -= c_j q for the `Count` columns after q, each pass reading q once. The count is
/// a compile-time constant so that all sums stay in registers; the order of additions is fixed.
template <int Count, typename S>
void eliminate(const S* q, S* columns, Index stride, Index n, S* c) {
  constexpr Index kBlock = 4;
  using Block = Eigen::Array<S, kBlock, 1>;
  using In = Eigen::Map<const Block>;
  const Index whole = n - n % kBlock;
  Block sum[Count];
  for (int j = 0; j < Count; ++j) sum[j].setZero();
  for (Index i = 0; i < whole; i += kBlock) {
    const Block at(In(q + i));
    for (int j = 0; j < Count; ++j) sum[j] += at * In(columns + j * stride + i);
  }
  for (int j = 0; j < Count; ++j) {
    c[j] = sum[j].sum();
    for (Index i = whole; i < n; ++i) c[j] += q[i] * columns[j * stride + i];
  }
  for (Index i = 0; i < whole; i += kBlock) {
    const Block at(In(q + i));
    for (int j = 0; j < Count; ++j) {
      Eigen::Map<Block> column(columns + j * stride + i);
      column -= c[j] * at;
    }
  }
  for (int j = 0; j < Count; ++j)
    for (Index i = whole; i < n; ++i) columns[j * stride + i] -= c[j] * q[i];
}

/// eliminate() for a run-time count in [0, kMaxParameters].
template <typename S, int Count = kMaxParameters>
void eliminate(Index count, const S* q, S* columns, Index stride, Index n, S* c) {
  if constexpr (Count > 0) {
    if (count == Count)
      eliminate<Count, S>(q, columns, stride, n, c);
    else
      eliminate<S, Count - 1>(count, q, columns, stride, n, c);
  }
}

}  // namespace detail

/// Replaces the columns of M = [A | b] by orthonormal ones (the last stays unnormalised) and fills R = [R_A | z] with the upper
/// triangle of A = Q R_A and z = Q'b.
///
/// Why Gram-Schmidt: applied to the augmented matrix, the modified form is equivalent to Householder reflections on [0; M], so
/// that R_A and z solve min ||A x - b|| with the backward error of Householder (Bjorck 1967; Bjorck & Paige 1992), at a
/// fraction of the cost for a few long columns. Never the normal equations, whose condition number is squared.
///
/// A column that vanishes, or loses all its digits to the columns before it
///   (||a_j - projection|| <= 4 n eps ||a_j||), gets a zero diagonal: it adds no direction.
/// Allocates nothing.
/// \param[in,out] M (n, m + 1), m <= kMaxParameters. \param[out] R (m, m + 1).
template <typename S>
void tall_qr(Ref<Jacobian<S>> M, Ref<Jacobian<S>> R) {
  const Index m = M.cols() - 1;
  const S lost = S(4) * S(M.rows()) * Eigen::NumTraits<S>::epsilon();
  Parameters<S> c(m);
  R.setZero();
  for (Index k = 0; k < m; ++k) {
    const S before = R.col(k).head(k).squaredNorm();
    const S left = M.col(k).norm();
    if (!(left > lost * std::sqrt(before + left * left))) {
      M.col(k).setZero();
      continue;
    }
    R(k, k) = left;
    M.col(k) *= S(1) / left;
    detail::eliminate<S>(m - k, M.col(k).data(), M.col(k + 1).data(), M.outerStride(), M.rows(), c.data());
    R.row(k).tail(m - k) = c.head(m - k).transpose();
  }
}

}  // namespace OFFRAY_ABI
}  // namespace offray
