// SPDX-License-Identifier: Apache-2.0
/// \file
/// The factorisation inside the iteration: modified Gram-Schmidt of an augmented matrix [M | b], in place.
#pragma once

#include <cmath>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Replaces the columns of M = [A | b] by orthonormal ones (the last one stays unnormalised) and fills R so that the input is
/// M R with R unit-diagonal in its last entry.
///
/// Why Gram-Schmidt: applied to the augmented matrix, the modified form is equivalent to Householder reflections on [0; M], so
/// that R and z = R.col(last) solve min ||A x - b|| with the backward error of Householder (Bjorck 1967; Bjorck & Paige
/// 1992), at a fraction of the cost for a few long columns. Never the normal equations, whose condition number is squared.
///
/// A column that vanishes, or loses all its digits to the columns before it
///   (||a_j - projection|| <= 4 n eps ||a_j||), gets a zero diagonal: it adds no direction.
/// Allocates nothing.
/// \param[in,out] M (n, m + 1).
/// \param[out] R (m, m + 1) upper triangle of A's factor, with z = Q'b as its last column.
template <typename S>
void tall_qr(Ref<Jacobian<S>> M, Ref<Jacobian<S>> R) {
  const Index m = M.cols() - 1;
  const S lost = S(4) * S(M.rows()) * Eigen::NumTraits<S>::epsilon();
  R.setZero();
  for (Index k = 0; k < m; ++k) {
    const S before = R.col(k).head(k).squaredNorm();
    const S left = M.col(k).norm();
    if (!(left > lost * std::sqrt(before + left * left))) {
      M.col(k).setZero();
      continue;
    }
    R(k, k) = left;
    M.col(k) /= left;
    for (Index j = k + 1; j <= m; ++j) {
      R(k, j) = M.col(k).dot(M.col(j));
      M.col(j) -= R(k, j) * M.col(k);
    }
  }
}

}  // namespace OFFRAY_ABI
}  // namespace offray
