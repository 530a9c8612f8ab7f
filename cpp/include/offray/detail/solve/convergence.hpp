// SPDX-License-Identifier: Apache-2.0
/// \file
/// The test of convergence that every minimiser uses.
#pragma once

#include <algorithm>
#include <limits>

#include "offray/conditioning.hpp"
#include "offray/detail/linalg/triangular.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The inequality of SolverOptions::gradient_tolerance at one point.
template <typename S>
struct Convergence {
  bool deficient;  ///< whether J has lost a direction for certain
  S measure;       ///< ||z||, or max_j |g_j| / ||J_j||
  S bound;         ///< what it must not exceed
  S loose_bound;   ///< the same where no further step makes progress
  bool converged() const { return measure <= bound; }

  /// The status of a descent that ends here, perhaps for want of progress.
  Status settled(bool at_bound) const {
    return at_bound ? Status::at_bound : deficient ? Status::rank_deficient : Status::converged;
  }
  Status without_progress(bool at_bound) const { return measure <= loose_bound ? settled(at_bound) : Status::stalled; }
};

/// \param A [R z], (m, m + 1), the factor of the weighted problem, columns that are held zero.
/// \param inverse_condition of its columns. \param scale sqrt(2 F). \param rounding of z through the residuals.
/// \param wide a tolerance that stands for options.gradient_tolerance where it is larger and J is of full rank.
template <typename S>
Convergence<S> convergence(CRef<Jacobian<S>> A, S inverse_condition, const SolverOptions<S>& options, S scale, S rounding,
                           S wide = S(0)) {
  constexpr S eps = std::numeric_limits<S>::epsilon();
  Convergence<S> out;
  // ||.||_F overstates kappa_2 by at most the number of columns: below this, J is rank-deficient for certain.
  out.deficient = inverse_condition * S(A.rows()) < rank_tolerance<S>();
  out.measure = out.deficient ? steepest<S>(A) : A.col(A.rows()).norm();
  const S tolerance =
      out.deficient ? options.gradient_tolerance : std::max(options.gradient_tolerance, wide) + S(8) * eps / inverse_condition;
  out.bound = tolerance * scale + rounding;
  out.loose_bound = S(1e3) * tolerance * scale + rounding;
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
