// SPDX-License-Identifier: Apache-2.0
/// \file
/// The trust-region subproblem in at most three unknowns.
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "offray/detail/linalg/cholesky.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// argmin g'd + d'H d / 2 subject to ||d|| <= radius for the leading `size` unknowns of three; H symmetric and perhaps
/// indefinite (More & Sorensen 1983). Further entries of d are zero.
///
/// The Newton step where H is positive definite and the step short enough; otherwise the shifted step -(H + lambda I)^-1 g
/// whose length is within 1 % of the radius, and in the hard case, g without a component along the most negative curvature, a
/// move along that direction. Allocates nothing.
template <typename S>
Eigen::Matrix<S, 3, 1> trust_region_step(Eigen::Matrix<S, 3, 3> H, Eigen::Matrix<S, 3, 1> g, int size, S radius) {
  using Vector = Eigen::Matrix<S, 3, 1>;
  for (int k = size; k < 3; ++k) {
    H.row(k).setZero();
    H.col(k).setZero();
    H(k, k) = S(1);
    g[k] = S(0);
  }
  const SmallCholesky<S> factor(H, size);
  if (factor.least_pivot() > S(0)) {
    const Vector newton = -factor.solve(g);
    if (newton.norm() <= radius) return newton;  // false for NaN
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix<S, 3, 3>> eigen(H);
  const Vector values = eigen.eigenvalues(), slope = eigen.eigenvectors().transpose() * g;
  const auto step = [&](S lambda) {
    Vector y;
    for (Index i = 0; i < 3; ++i) {
      const S pivot = values[i] + lambda;
      y[i] = pivot > S(0) ? -slope[i] / pivot : S(0);
    }
    return y;
  };
  // ||step|| falls from infinity (or the hard case) at `low` to below the radius at `high`.
  S low = std::max(S(0), -values[0]);
  S high = low + slope.norm() / radius;
  Vector y = step(high);
  for (int i = 0; i < 60 && y.norm() < S(0.99) * radius; ++i) {
    const S middle = (low + high) / S(2);
    const Vector trial = step(middle);
    if (trial.norm() <= radius) {
      high = middle;
      y = trial;
    } else {
      low = middle;
    }
  }
  if (values[0] < S(0) && y.norm() < S(0.99) * radius)
    y[0] += std::copysign(std::sqrt(std::max(radius * radius - y.squaredNorm(), S(0))), y[0]);
  return eigen.eigenvectors() * y;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
