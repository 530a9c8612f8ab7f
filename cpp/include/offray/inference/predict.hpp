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
#include "offray/inference/student_t.hpp"
#include "offray/inference/uncertainty.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Variance of the noise that the covariance scales with; see noise().
template <typename S>
S noise_variance(const Fit<S>& fit) {
  return noise(fit).variance();
}

/// Conditioning of sqrt(w) J at the optimum, unit columns, N and D in units of their geometric means.
template <typename S>
Conditioning<S> conditioning(const Fit<S>& fit) {
  return Conditioning<S>(
      fit.parametrisation.recentred(fit.weighted_jacobian(), fit.theta, fit.runs.at.log_N.mean(), fit.runs.at.log_D.mean()));
}

/// The sloppy direction named in parameters: each unknown (alpha, or alpha=beta where tied) and its component, in unit
/// columns. Moving the parameters along it changes the losses of these runs least.
template <typename S>
std::vector<std::pair<std::string, S>> sloppy_direction(const Fit<S>& fit, const Conditioning<S>& condition) {
  const Vector<S> direction = condition.direction();
  std::vector<std::pair<std::string, S>> out(static_cast<std::size_t>(direction.size()));
  for (Index j = 0; j < fit.parametrisation.size(); ++j) {
    const int slot = fit.parametrisation.slot(j);
    if (slot < 0) continue;
    auto& [name, component] = out[static_cast<std::size_t>(slot)];
    name += (name.empty() ? "" : "=") + std::string(fit.law->parameter(j).name);
    component = direction[slot];
  }
  return out;
}

/// cov(theta) = variance (J'WJ)^-1, (p, p), natural units; see Uncertainty::covariance().
/// \param variance of a residual of unit weight; see noise_variance().
template <typename S>
Jacobian<S> covariance(const Fit<S>& fit, S variance) {
  return Uncertainty<S>(fit, variance).covariance(fit);
}

template <typename S>
Jacobian<S> covariance(const Fit<S>& fit) {
  return covariance(fit, noise_variance(fit));
}

/// kappa_2 of a fit's Jacobian J and of sqrt(W) J, where W holds the weights w psi(r) / r of another objective at the optimum.
///   1 / kappa(W) <= kappa(J'WJ) / kappa(J'J) <= kappa(W),
/// kappa(W) the ratio of the largest weight to the smallest (Ostrowski 1959): no positive weights cure a collinear design.
template <typename S>
struct WeightedConditioning {
  S kappa_plain;     ///< kappa(J'J)
  S kappa_weighted;  ///< kappa(J'WJ)
  S kappa_weights;   ///< kappa(W)
};

/// Columns are scaled to unit length before the weights; N and D are in units of their geometric means.
/// \param loss the other objective; its weights are taken at least 1e-12 of the largest residual away from a kink.
template <typename S>
WeightedConditioning<S> conditioning_under(const Fit<S>& fit, Objective<S> objective) {
  const Vector<S> r = fit.residual();
  if (has_kink(objective.kind)) objective.delta = std::max(S(1e-12) * r.cwiseAbs().maxCoeff(), std::numeric_limits<S>::min());
  Vector<S> weight(r.size());
  for (Index i = 0; i < r.size(); ++i) weight[i] = std::max(rho(objective, r[i]).majorizer, S(1e-200));
  if (fit.weight().size() != 0) weight.array() *= fit.weight().array();
  Jacobian<S> J = fit.parametrisation.recentred(fit.jacobian(), fit.theta, fit.runs.at.log_N.mean(), fit.runs.at.log_D.mean());
  for (Index j = 0; j < J.cols(); ++j) J.col(j).stableNormalize();
  const S plain = Conditioning<S>(J, Columns::raw).kappa();
  const S weighted = Conditioning<S>(weight.cwiseSqrt().asDiagonal() * J, Columns::raw).kappa();
  return {plain * plain, weighted * weighted, weight.maxCoeff() / weight.minCoeff()};
}

/// Predicted loss and its standard error (of the mean, not of a new run) at each input.
template <typename S>
struct Prediction {
  Vector<S> value;  ///< (n,), nats per token
  Vector<S> se;     ///< (n,), delta method; infinite where the runs do not determine the prediction
};

/// \param uncertainty of the unknowns: classical or a sandwich.
template <typename S>
Prediction<S> predict(const Fit<S>& fit, const Inputs<S>& at, const Uncertainty<S>& uncertainty) {
  const detail::Parametrisation<S>& parametrisation = fit.parametrisation;
  Prediction<S> out{Vector<S>(at.size()), Vector<S>(at.size())};
  Parameters<S> theta;
  parametrisation.centred(fit.phi, theta);
  Jacobian<S> full(at.size(), theta.size());
  fit.law->evaluate(theta, at.in_units(parametrisation.log_N0, parametrisation.log_D0), out.value, full);
  Jacobian<S> J = Jacobian<S>::Zero(at.size(), parametrisation.free());
  for (Index j = 0; j < full.cols(); ++j)
    if (parametrisation.slot(j) >= 0) J.col(parametrisation.slot(j)) += parametrisation.slope(j, theta[j]) * full.col(j);

  for (Index i = 0; i < at.size(); ++i) out.se[i] = uncertainty.se(J.row(i).transpose());
  return out;
}

template <typename S>
Prediction<S> predict(const Fit<S>& fit, const Inputs<S>& at) {
  return predict(fit, at, Uncertainty<S>(fit));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
