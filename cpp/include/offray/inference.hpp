// SPDX-License-Identifier: Apache-2.0
/// \file
/// Covariance, intervals and predictions of a fit.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "offray/conditioning.hpp"
#include "offray/fit.hpp"
#include "offray/student_t.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Variance of the noise that the covariance scales with: cov = noise_variance (J'WJ)^-1.
///
/// Squares: s^2 = RSS / (n - p). Robust objectives: the M-estimator's sum w psi^2 / (n - p) / m^2 (Huber 1981, ch. 7) with m
/// the mean slope of psi over a window of half-width h = 1.06 s n^(-1/5), s the scaled median of |r|. The window keeps m
/// positive where no residual lies inside delta; the exact curvature there is zero and would give no interval at all. Infinite
/// where n = p, and where m is not positive: a redescending psi (cauchy) with most residuals beyond delta says nothing.
template <typename S>
S noise_variance(const Fit<S>& fit) {
  const S dof = S(fit.degrees_of_freedom());
  if (!(dof > S(0))) return std::numeric_limits<S>::infinity();
  const Loss<S>& loss = fit.options.solver.loss;
  if (loss.objective == Objective::squares) return fit.rss() / dof;
  const Vector<S> residual = fit.residual();
  const Index n = residual.size();
  std::vector<S> sizes(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) sizes[static_cast<std::size_t>(i)] = std::abs(residual[i]);
  std::nth_element(sizes.begin(), sizes.begin() + n / 2, sizes.end());
  const S h = S(1.06) * S(1.4826) * sizes[static_cast<std::size_t>(n / 2)] * std::pow(S(n), S(-0.2));
  S squares = S(0), slope = S(0), total = S(0);
  for (Index i = 0; i < n; ++i) {
    const S w = fit.weight().size() == 0 ? S(1) : fit.weight()[i], r = residual[i];
    const Rho<S> at = rho(loss, r);
    squares += w * at.slope * at.slope;
    slope += w * (h > S(0) ? (rho(loss, r + h).slope - rho(loss, r - h).slope) / (S(2) * h) : at.curvature);
    total += w;
  }
  const S mean = slope / total;
  if (!(mean > S(0))) return std::numeric_limits<S>::infinity();
  return squares / dof / (mean * mean);
}

/// Conditioning of sqrt(w) J at the optimum, unit columns, N and D in units of their geometric means.
template <typename S>
Conditioning<S> conditioning(const Fit<S>& fit) {
  return Conditioning<S>(
      fit.parametrisation.recentred(fit.weighted_jacobian(), fit.theta, fit.runs.at.log_N.mean(), fit.runs.at.log_D.mean()));
}

/// The sloppy direction named in parameters: each unknown ("alpha", or "alpha=beta" where tied) and its component, in unit
/// columns. Moving the parameters along it changes the losses of these runs least.
template <typename S>
std::vector<std::pair<std::string, S>> sloppy_direction(const Fit<S>& fit, const Conditioning<S>& condition) {
  const Vector<S> direction = condition.direction();
  std::vector<std::pair<std::string, S>> out(static_cast<std::size_t>(direction.size()));
  for (Index j = 0; j < fit.parametrisation.size(); ++j) {
    const int slot = fit.parametrisation.slot(j);
    if (slot < 0) continue;
    auto& [name, component] = out[static_cast<std::size_t>(slot)];
    name += (name.empty() ? "" : "=") + std::string(fit.law->parameters[static_cast<std::size_t>(j)]);
    component = direction[slot];
  }
  return out;
}

/// cov(theta) = variance (J'WJ)^-1, (p, p), natural units, from the QR factors of J and never from J'J. Rows and columns of
/// fixed parameters are zero; those of a parameter that the runs do not determine are infinite.
/// \param variance of a residual of unit weight; see noise_variance().
template <typename S>
Jacobian<S> covariance(const Fit<S>& fit, S variance) {
  const Conditioning<S> condition(fit.weighted_jacobian());
  const Square<S> chain = fit.parametrisation.chain(fit.theta);
  // A product F F' is symmetric and positive semi-definite whatever the rounding.
  const Jacobian<S> factor = chain * condition.inverse_factor();
  Jacobian<S> out = std::isfinite(variance) ? Jacobian<S>(variance * (factor * factor.transpose()))
                                            : Jacobian<S>::Zero(chain.rows(), chain.rows());
  const S infinity = std::numeric_limits<S>::infinity();
  for (Index j = 0; j < out.rows(); ++j) {
    if (fit.parametrisation.slot(j) < 0) continue;
    const bool known = std::isfinite(variance) && !condition.undetermined(Vector<S>(chain.row(j).transpose()));
    if (known && out.row(j).allFinite()) continue;
    for (Index i = 0; i < out.rows(); ++i)
      if (fit.parametrisation.slot(i) >= 0) out(i, j) = out(j, i) = infinity;
  }
  return out;
}

template <typename S>
Jacobian<S> covariance(const Fit<S>& fit) {
  return covariance(fit, noise_variance(fit));
}

/// Predicted loss and its standard error (of the mean, not of a new run) at each input.
template <typename S>
struct Prediction {
  Vector<S> value;  ///< (n,), nats per token
  Vector<S> se;     ///< (n,), delta method; infinite where the runs do not determine the prediction
};

template <typename S>
Prediction<S> predict(const Fit<S>& fit, const Inputs<S>& at) {
  const Parametrisation<S>& parametrisation = fit.parametrisation;
  Prediction<S> out{Vector<S>(at.size()), Vector<S>(at.size())};
  Parameters<S> theta;
  parametrisation.centred(fit.phi, theta);
  Jacobian<S> full(at.size(), theta.size());
  fit.law->evaluate(theta, at.in_units(parametrisation.log_N0, parametrisation.log_D0), out.value, full);
  Jacobian<S> J = Jacobian<S>::Zero(at.size(), parametrisation.free());
  for (Index j = 0; j < full.cols(); ++j)
    if (parametrisation.slot(j) >= 0) J.col(parametrisation.slot(j)) += theta[j] * full.col(j);

  const Conditioning<S> condition(fit.weighted_jacobian());
  const S variance = noise_variance(fit);
  const S sigma = std::isfinite(variance) ? std::sqrt(variance) : S(0);
  out.se = sigma * (J * condition.inverse_factor()).rowwise().norm();
  for (Index i = 0; i < at.size(); ++i)
    if (!std::isfinite(variance) || std::isnan(out.se[i]) || condition.undetermined(Vector<S>(J.row(i).transpose())))
      out.se[i] = std::numeric_limits<S>::infinity();
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
