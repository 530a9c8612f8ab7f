// SPDX-License-Identifier: Apache-2.0
/// \file
/// Between a law's unknowns phi and the power sum that stands for it on given rows.
#pragma once

#include <algorithm>
#include <cmath>

#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The power sum of a separable law at phi, in the units of `rows`.
template <typename S>
PowerSum<S> form_of_phi(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation, const PowerSumRows<S>& rows,
                        const Parameters<S>& phi) {
  Parameters<S> theta;
  parametrisation.centred(phi, theta);
  PowerSum<S> form = power_sum<S>(law, theta);
  form.n *= std::exp(-form.p * (rows.log_N0 - parametrisation.log_N0));
  form.d *= std::exp(-form.q * (rows.log_D0 - parametrisation.log_D0));
  return form;
}

/// phi of a power sum. A parameter beyond its range (N_c = n^(1/p) with a small p) goes to its bound.
/// \return whether none is.
template <typename S>
bool phi_of_form(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation, const PowerSumRows<S>& rows, PowerSum<S> form,
                 Parameters<S>& phi) {
  // The exponent of an absent term means nothing; any that keeps the term absent at the bound of its coefficient will do.
  if (!(form.n > S(0))) form.p = std::max(form.p, S(1));
  if (!(form.d > S(0))) form.q = std::max(form.q, S(1));
  const bool has_n = form.n > S(0), has_d = form.d > S(0);
  form.n *= std::exp(form.p * (rows.log_N0 - parametrisation.log_N0));
  form.d *= std::exp(form.q * (rows.log_D0 - parametrisation.log_D0));
  Parameters<S> theta = Parameters<S>::Ones(law.size());
  set_power_sum<S>(law, form, theta);
  const Parameters<S> logs = theta.array().log();
  phi = parametrisation.phi_of_logs(logs);
  // A spike at the smallest runs, with a large exponent, is nothing at the mean: below floating point there.
  bool inside = (form.n > S(0)) == has_n && (form.d > S(0)) == has_d;
  // A scale N_c = n^(1/p) below floating point is no absent term: n is not small where p is.
  const auto absent = [&](Index j) {
    return !(theta[j] > S(0)) && !(j == law.term(Term::n) && has_n) && !(j == law.term(Term::d) && has_d);
  };
  for (Index j = 0; j < logs.size(); ++j)  // 1e-9: an exponent at its bound may round to either side of it
    inside =
        inside && (absent(j) || parametrisation.slot(j) < 0 || std::abs(phi[parametrisation.slot(j)] - logs[j]) <= S(1e-9));
  return inside;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
