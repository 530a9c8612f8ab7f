// SPDX-License-Identifier: Apache-2.0
/// \file
/// Between a law's parameters and the power sum that they stand for.
#pragma once

#include <cmath>

#include "offray/laws/description.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// L^(1/outer) = floor + n N^-p + d D^-q, linear in (floor, n, d) for given (outer, p, q).
template <typename S>
struct PowerSum {
  S outer, p, q;
  S floor, n, d;
};

/// The two terms in each other's place.
template <typename S>
PowerSum<S> exchanged(const PowerSum<S>& form) {
  return {form.outer, form.q, form.p, form.floor, form.d, form.n};
}

/// theta as a power sum: a coefficient is one of its terms, a scale's term is N_c^p; exponents are totals, p outer, unless the
/// law says that they are those of the sum.
template <typename S>
PowerSum<S> power_sum(const LawDescription& law, CRef<Parameters<S>> theta) {
  const auto value = [&](Term which, S absent) { return law.term(which) < 0 ? absent : theta[law.term(which)]; };
  const auto term = [&](Term which, S p) {
    const int j = law.term(which);
    if (j < 0) return S(0);
    return law.parameter(j).role == Role::scale ? std::pow(theta[j], p) : theta[j];
  };
  const S outer = value(Term::outer, S(1)), unit = law.of_sum ? S(1) : outer;
  const S p = value(Term::p, unit) / unit, q = value(Term::q, unit) / unit, floor = value(Term::floor, S(0));
  return {outer, p, q, law.floor_inside ? std::pow(floor, S(1) / unit) : floor, term(Term::n, p), term(Term::d, q)};
}

/// The theta that a power sum stands for; parameters that the form does not hold stay as they are.
template <typename S>
void set_power_sum(const LawDescription& law, const PowerSum<S>& form, Ref<Parameters<S>> theta) {
  const auto set = [&](Term which, S value) {
    if (law.term(which) >= 0) theta[law.term(which)] = value;
  };
  const auto set_term = [&](Term which, S value, S p) {
    const int j = law.term(which);
    if (j >= 0) theta[j] = law.parameter(j).role == Role::scale ? std::pow(value, S(1) / p) : value;
  };
  const S unit = law.of_sum ? S(1) : form.outer;
  set(Term::floor, law.floor_inside ? std::pow(form.floor, unit) : form.floor);
  set_term(Term::n, form.n, form.p);
  set_term(Term::d, form.d, form.q);
  set(Term::p, form.p * unit);
  set(Term::q, form.q * unit);
  set(Term::outer, form.outer);
}

}  // namespace OFFRAY_ABI
}  // namespace offray
