// SPDX-License-Identifier: Apache-2.0
/// \file
/// How many digits of a condition number a way of computing it leaves.
#pragma once

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

#include "offray/conditioning.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// kappa_2(J) in one precision, by the two ways in use.
template <typename S>
struct PrecisionReport {
  S svd;         ///< from the singular values of J: off by about kappa eps
  S eigenvalue;  ///< sqrt of the ratio of J'J's eigenvalues: off by about kappa^2 eps; not a number where the least is negative
};

/// \param J (n, p), finite. Columns are scaled to unit length first.
template <typename S>
PrecisionReport<S> precision_report(CRef<Jacobian<S>> J) {
  const Conditioning<S> condition(J);
  Jacobian<S> M = J;
  for (Index j = 0; j < M.cols(); ++j) M.col(j).stableNormalize();
  const Jacobian<S> gram = M.transpose() * M;
  const auto eigenvalues = Eigen::SelfAdjointEigenSolver<Jacobian<S>>(gram, Eigen::EigenvaluesOnly).eigenvalues().eval();
  const S least = eigenvalues[0], most = eigenvalues[eigenvalues.size() - 1];
  return {condition.kappa(), least > S(0) ? std::sqrt(most / least) : std::numeric_limits<S>::quiet_NaN()};
}

}  // namespace OFFRAY_ABI
}  // namespace offray
