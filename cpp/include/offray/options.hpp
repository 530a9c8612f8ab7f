// SPDX-License-Identifier: Apache-2.0
/// \file
/// What every minimiser takes and returns.
#pragma once

#include <cmath>
#include <limits>

#include "offray/rho.hpp"
#include "offray/status.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// The space in which the residuals live.
enum class Space {
  loss,     ///< r = L_hat - L
  log_loss  ///< r = ln L_hat - ln L
};

/// What may end a long search early; asked before every evaluation, so cheap. Once true it stays true.
class Interruption {
 public:
  virtual bool requested() noexcept = 0;

 protected:
  ~Interruption() = default;
};

template <typename S>
struct SolverOptions {
  Objective<S> objective{};

  /// Converged means  ||z|| <= (gradient_tolerance + 8 eps kappa_F) sqrt(2 F) + 8 eps y_max sqrt(sum w psi / r),
  /// with F = sum w rho, kappa_F = ||R||_F ||R^-1||_F of the unit-column factor, y_max = Residual::magnitude(), and z = Q'b the
  /// part of the weighted residual in the range of J = Q R: ||z||^2 = g'(J'J)^-1 g for the gradient g, which is the gradient in
  /// the metric of the problem, free of the parameters' scales (the relative offset of Bates & Watts 1981). sqrt(n - p) ||z|| /
  /// sqrt(2 F) is the distance to the optimum in standard errors. The other two terms are the rounding of z through J and
  /// through r = L_hat - y. Where J is certainly rank-deficient, max_j |g_j| / ||J_j|| stands for ||z|| and kappa_F is left
  /// out. Where no further step makes progress, the first term may be 1e3 times as large. 3.6e-12 in double.
  S gradient_tolerance = std::ldexp(std::numeric_limits<S>::epsilon(), 14);
  int max_evaluations = 2000;  ///< of residual and Jacobian
  /// Where it says so, the search ends with the best point so far and Status::evaluation_limit. Used by the call alone: the
  /// options that a fit keeps have none.
  Interruption* interruption = nullptr;

  /// No further evaluation is allowed.
  bool spent(int evaluations) const {
    return evaluations >= max_evaluations || (interruption != nullptr && interruption->requested());
  }
};

/// What fit() takes beside the law, the runs and the constraints.
template <typename S>
struct FitOptions {
  Space space = Space::loss;
  SolverOptions<S> solver{};
  /// Take the objective's scale delta from the data: 1.345 times 1.4826 median |r| about the fit of least absolute deviation,
  /// which gives Huber's estimate 95 % of the efficiency of least squares under normal noise (Huber 1981).
  bool robust_scale = false;
  /// Start theta, (p,), natural units, positive; empty for the global optimum.
  Vector<S> start{};
};

template <typename S>
struct Summary {
  Status status = Status::evaluation_failed;
  int iterations = 0;        ///< factorisations of J
  int evaluations = 0;       ///< evaluations of r and J
  S objective = S(0);        ///< F = sum w rho(r)
  S scaled_gradient = S(0);  ///< ||z|| / sqrt(2 F)
  S smoothing = S(0);        ///< delta of the parabola that stood for the kink of rho; 0 where there is none
  S inverse_condition =
      S(0);  ///< between 1 / (p kappa_2) and 1 / kappa_2 of the weighted unit-column Jacobian; no digit certain
};

}  // namespace OFFRAY_ABI
}  // namespace offray
