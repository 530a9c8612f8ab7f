// SPDX-License-Identifier: Apache-2.0
/// \file
/// Cholesky factorisation of matrices of at most three rows, in plain loops: general code spends its time on the loop bounds.
#pragma once

#include <cmath>
#include <limits>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// H = L L' for the leading `size` rows of a symmetric 3 x 3 matrix.
template <typename S>
class SmallCholesky {
 public:
  using Matrix = Eigen::Matrix<S, 3, 3>;
  using Vector = Eigen::Matrix<S, 3, 1>;

  SmallCholesky(const Matrix& H, int size) : L_(H), size_(size) {
    for (int k = 0; k < size; ++k) {
      S pivot = H(k, k);
      for (int j = 0; j < k; ++j) pivot -= L_(k, j) * L_(k, j);
      if (k == 0 || !(pivot >= least_)) least_ = pivot;
      if (!(pivot > S(0))) return;
      L_(k, k) = std::sqrt(pivot);
      for (int i = k + 1; i < size; ++i) {
        S rest = H(i, k);
        for (int j = 0; j < k; ++j) rest -= L_(i, j) * L_(k, j);
        L_(i, k) = rest / L_(k, k);
      }
    }
  }

  /// The smallest pivot L_kk^2; H is positive definite where it is positive. Infinite for size 0.
  S least_pivot() const { return least_; }

  /// H^-1 b; entries beyond `size` stay as they are.
  Vector solve(Vector b) const {
    for (int i = 0; i < size_; ++i) {
      for (int j = 0; j < i; ++j) b[i] -= L_(i, j) * b[j];
      b[i] /= L_(i, i);
    }
    for (int i = size_ - 1; i >= 0; --i) {
      for (int j = i + 1; j < size_; ++j) b[i] -= L_(j, i) * b[j];
      b[i] /= L_(i, i);
    }
    return b;
  }

 private:
  Matrix L_;
  S least_ = std::numeric_limits<S>::infinity();
  int size_;
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
