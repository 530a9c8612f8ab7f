// SPDX-License-Identifier: Apache-2.0
/// \file
/// Non-negative least squares over three columns.
#pragma once

#include <limits>

#include "offray/detail/simd/kernels.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

template <typename S>
using Vector3 = Eigen::Matrix<S, 3, 1>;

/// argmin ||R c - z|| over c >= 0 for a 3 x 3 upper triangular R; a zero column, and one that a factorisation dropped, gets 0.
///
/// The unconstrained solution where it is positive, otherwise the best of the subsets of columns whose own solution is: with
/// three columns that is the exact minimiser.
template <typename S>
Vector3<S> nonnegative_solution(const Eigen::Matrix<S, 3, 3>& R, const Vector3<S>& z) {
  const auto solve = [](const S* r, const S* b) {  // columns of three, leading dimension 3
    Vector3<S> c;
    for (int k = 2; k >= 0; --k) {
      S rest = b[k];
      for (int j = k + 1; j < 3; ++j) rest -= r[k + 3 * j] * c[j];
      c[k] = r[k + 3 * k] > S(0) ? rest / r[k + 3 * k] : S(0);
    }
    return c;
  };
  const Vector3<S> all = solve(R.data(), z.data());
  if (all.minCoeff() >= S(0)) return all;
  Vector3<S> best = Vector3<S>::Zero();
  S least = z.squaredNorm();
  for (int subset = 1; subset < 8; ++subset) {
    Eigen::Matrix<S, 3, 4> A, small;
    for (int j = 0; j < 3; ++j) A.col(j) = (subset >> j & 1) != 0 ? R.col(j) : Vector3<S>::Zero().eval();
    A.col(3) = z;
    Kernels<S>::tall_qr(3, 3, nullptr, A.data(), 3, small.data(), 3);
    const Vector3<S> c = solve(small.data(), small.data() + 9);
    const S left = A.col(3).squaredNorm();
    if (c.minCoeff() >= S(0) && left < least) {
      least = left;
      best = c;
    }
  }
  return best;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
