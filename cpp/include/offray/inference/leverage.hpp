// SPDX-License-Identifier: Apache-2.0
/// \file
/// How much each run decides its own fitted value.
#pragma once

#include <Eigen/QR>

#include "offray/conditioning.hpp"
#include "offray/fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// h_i = d fitted_i / d loss_i to first order, (n,): the squared norms of the rows of Q of sqrt(w) J = Q R, in [0, 1], with sum
/// the rank. Q is a product of reflections: rows of J R^-1 would lose as many digits as J has in its condition number, and
/// those of J (J'J)^-1 J' twice as many.
template <typename S>
Vector<S> leverage(const Fit<S>& fit) {
  Jacobian<S> J = fit.weighted_jacobian();
  for (Index k = 0; k < J.cols(); ++k) {
    const S norm = J.col(k).stableNorm();
    if (norm > S(0)) J.col(k) /= norm;
  }
  Eigen::ColPivHouseholderQR<Jacobian<S>> qr;
  qr.setThreshold(rank_tolerance<S>());
  qr.compute(J);
  const Jacobian<S> Q = qr.householderQ() * Jacobian<S>::Identity(J.rows(), qr.rank());
  return Q.rowwise().squaredNorm().cwiseMin(S(1));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
