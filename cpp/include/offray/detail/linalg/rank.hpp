// SPDX-License-Identifier: Apache-2.0
/// \file
/// The rank of a small factor.
#pragma once

#include <Eigen/SVD>
#include <algorithm>

#include "offray/conditioning.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Conditioning::rank() of a matrix J = Q R from its factor R, (m, m), without an allocation.
template <typename S>
Index rank_of_factor(Square<S> R) {
  const S largest = R.cwiseAbs().maxCoeff();
  if (!(largest > S(0))) return 0;
  R /= largest;
  for (Index j = 0; j < R.cols(); ++j) R.col(j).stableNormalize();
#if EIGEN_VERSION_AT_LEAST(4, 90, 0)
  const Eigen::JacobiSVD<Square<S>, Eigen::NoQRPreconditioner> svd(R);
#else
  const Eigen::JacobiSVD<Square<S>, Eigen::NoQRPreconditioner> svd(R, 0);
#endif
  const auto& sigma = svd.singularValues();
  return sigma[0] > S(0) ? (sigma.array() >= rank_tolerance<S>() * sigma[0]).count() : 0;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
