// SPDX-License-Identifier: Apache-2.0
/// \file
/// Positive numbers that follow from a law: its parameters, its losses, its compute-optimal point. As logarithms, with exact
/// gradients, so that one delta method and one profile serve them all.
#pragma once

#include <cmath>
#include <functional>

#include "offray/fit.hpp"
#include "offray/inference/compute_optimal.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// ln q at phi, and its derivatives by phi, (m,).
template <typename S>
using Quantity = std::function<S(const Parameters<S>& phi, Parameters<S>& gradient)>;

namespace detail {

/// Derivatives by phi of a quantity with derivatives g by ln theta, natural units, (p,).
template <typename S>
Parameters<S> by_phi(const detail::Parametrisation<S>& parametrisation, const Parameters<S>& theta, const Parameters<S>& g) {
  const Square<S> chain = parametrisation.chain(theta);
  const Parameters<S> by_theta = g.cwiseQuotient(theta);
  return chain.transpose().lazyProduct(by_theta);
}

}  // namespace detail

/// ln theta_j. The fit must outlive the quantity, here and below.
template <typename S>
Quantity<S> log_parameter(const Fit<S>& fit, Index j) {
  return [&fit, j](const Parameters<S>& phi, Parameters<S>& gradient) {
    const Parameters<S> theta = fit.parametrisation.natural(phi);
    Parameters<S> g = Parameters<S>::Zero(theta.size());
    g[j] = S(1);
    gradient = detail::by_phi(fit.parametrisation, theta, g);
    return fit.parametrisation.log_natural(phi, j);
  };
}

/// ln L at one place.
template <typename S>
Quantity<S> log_loss_at(const Fit<S>& fit, const Inputs<S>& where) {
  const detail::Parametrisation<S>& parametrisation = fit.parametrisation;
  return [&fit, &parametrisation, at = where.in_units(parametrisation.log_N0, parametrisation.log_D0), value = Vector<S>(1),
          J = Jacobian<S>(1, fit.theta.size())](const Parameters<S>& phi, Parameters<S>& gradient) mutable {
    Parameters<S> theta;
    parametrisation.centred(phi, theta);
    fit.law->evaluate(theta, at, value, J);
    gradient.setZero(phi.size());
    for (Index j = 0; j < theta.size(); ++j)
      if (parametrisation.slot(j) >= 0)
        gradient[parametrisation.slot(j)] += parametrisation.slope(j, theta[j]) * J(0, j) / value[0];
    return std::log(value[0]);
  };
}

/// ln of a number of the compute-optimal point for a budget of `flops`.
template <typename S>
Quantity<S> log_optimal(const Fit<S>& fit, Optimal which, S flops, const Cost<S>& cost) {
  return [&fit, which, flops, cost](const Parameters<S>& phi, Parameters<S>& gradient) {
    const Parameters<S> theta = fit.parametrisation.natural(phi);
    const LogValue<S> value = OptimalPoint<S>(*fit.law, theta, flops, cost).value(which);
    gradient = detail::by_phi(fit.parametrisation, theta, value.gradient);
    return value.log;
  };
}

// A quantity refers to its fit.
template <typename S>
Quantity<S> log_parameter(const Fit<S>&&, Index) = delete;
template <typename S>
Quantity<S> log_loss_at(const Fit<S>&&, const Inputs<S>&) = delete;
template <typename S>
Quantity<S> log_optimal(const Fit<S>&&, Optimal, S, const Cost<S>&) = delete;

}  // namespace OFFRAY_ABI
}  // namespace offray
