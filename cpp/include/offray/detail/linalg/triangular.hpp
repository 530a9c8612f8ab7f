// SPDX-License-Identifier: Apache-2.0
/// \file
/// Cheap facts about a small upper triangular factor.
#pragma once

#include <algorithm>
#include <cmath>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// 1 / (||R||_F ||R^-1||_F) with the columns of R, (m, >= m), scaled to unit length: between 1 / (m kappa_2) and 1 / kappa_2.
/// Zero where a column adds no direction. Columns for which held(k) are left out; they must be zero.
template <typename S, typename Held>
S inverse_condition(CRef<Jacobian<S>> R, const Held& held) {
  const Index m = R.rows();
  S forward = S(0), backward = S(0);
  S x[kMaxParameters];
  for (Index k = 0; k < m; ++k) {
    if (held(k)) continue;
    if (!(R(k, k) > S(0))) return S(0);
    forward += S(1);
    x[k] = S(1) / R(k, k);  // column k of R^-1, from the bottom up
    for (Index i = k; i >= 0; --i) {
      if (i < k) {
        S rest = S(0);
        for (Index j = i + 1; j <= k; ++j) rest -= R(i, j) * x[j];
        x[i] = held(i) ? S(0) : rest / R(i, i);
      }
      backward += x[i] * x[i] * R.col(i).head(i + 1).squaredNorm();
    }
  }
  return forward > S(0) ? S(1) / std::sqrt(forward * backward) : S(1);
}

/// x of R x = z for [R z], (m, m + 1), R upper triangular. A column with a zero diagonal, which adds no direction, gets 0.
template <typename S>
Parameters<S> solve_triangular(CRef<Jacobian<S>> R) {
  const Index m = R.rows();
  Parameters<S> x(m);
  for (Index k = m - 1; k >= 0; --k) {
    S rest = R(k, m);
    for (Index j = k + 1; j < m; ++j) rest -= R(k, j) * x[j];
    x[k] = R(k, k) > S(0) ? rest / R(k, k) : S(0);
  }
  return x;
}

/// max_j |R_j'z| / ||R_j|| for [R z], (m, m + 1): the test on the gradient that stays meaningful when R is rank-deficient.
template <typename S>
S steepest(CRef<Jacobian<S>> R) {
  const Index m = R.rows();
  S largest = S(0);
  for (Index j = 0; j < m; ++j) {
    const S norm = R.col(j).head(j + 1).norm();
    if (norm > S(0)) largest = std::max(largest, std::abs(R.col(j).head(j + 1).dot(R.col(m).head(j + 1))) / norm);
  }
  return largest;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
