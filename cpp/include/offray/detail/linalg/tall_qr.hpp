// SPDX-License-Identifier: Apache-2.0
/// \file
/// The factorisation inside the iteration: modified Gram-Schmidt of an augmented matrix [A | b], in place.
#pragma once

#include "offray/detail/simd/kernels.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Fills R = [R_A | z] with the upper triangle of A = Q R_A and z = Q'b, and replaces the columns of M = [A | b] by orthogonal
/// ones. They are left unnormalised: column k of A becomes R(k, k) Q_k, and b becomes its residual b - Q z.
///
/// Why Gram-Schmidt: applied to the augmented matrix, the modified form is equivalent to Householder reflections on [0; M], so
/// that R_A and z solve min ||A x - b|| with the backward error of Householder (Bjorck 1967; Bjorck & Paige 1992), at a
/// fraction of the cost for a few long columns. Never the normal equations, whose condition number is squared. Each step takes
/// one pass: while q_k leaves the later columns, q_(k+1) is multiplied by them.
///
/// A column that vanishes, or loses all its digits to the columns before it
///   (||a_j - projection|| <= 4 n eps ||a_j||), gets a zero diagonal and becomes zero: it adds no direction.
/// A column that is not finite, or whose square over- or underflows, ends as zero or as not a number, never in a loop.
/// Allocates nothing.
/// \param[in,out] M (n, m + 1), m <= kMaxParameters. \param[out] R (m, m + 1).
template <typename S>
void tall_qr(Ref<Jacobian<S>> M, Ref<Jacobian<S>> R) {
  kernels<S>().tall_qr(M.rows(), M.cols() - 1, nullptr, M.data(), M.outerStride(), R.data(), R.outerStride());
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
