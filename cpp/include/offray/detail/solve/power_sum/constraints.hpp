// SPDX-License-Identifier: Apache-2.0
/// \file
/// Fixed, tied and bounded parameters as constraints of a power sum.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"
#include "offray/detail/solve/runs_view.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A user's constraints as those of a power sum.
template <typename S>
class PowerSumConstraints {
 public:
  /// References must outlive the object.
  PowerSumConstraints(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation)
      : law_(law), parametrisation_(parametrisation) {
    const int outer = law.term(Term::outer);
    outer_known_ = outer < 0 || parametrisation.slot(outer) < 0;
    if (outer >= 0) outer_ = outer_known_ ? parametrisation.fixed(outer) : S(0);
  }

  /// Writes them into `rows`; false where the power sum cannot express them (a scale N_c whose exponent is unknown, say).
  bool apply(PowerSumRows<S>& rows) const {
    if (parametrisation_.unconstrained()) return true;
    if (outer_known_) rows.hold_outer(outer_);
    if (!exponents(rows)) return false;
    int ties = tie_exponents(rows);
    if (!coefficients(rows)) return false;
    ties += tie_coefficients(rows);
    return ties == given_ties();
  }

 private:
  static constexpr std::array<Term, 3> kExponents{Term::outer, Term::p, Term::q};
  static constexpr std::array<Term, 3> kCoefficients{Term::floor, Term::n, Term::d};

  bool touched(Term which) const { return law_.term(which) >= 0 && parametrisation_.touches(law_.term(which)); }
  bool shared(Term a, Term b) const {
    return law_.term(a) >= 0 && law_.term(b) >= 0 && parametrisation_.slot(law_.term(a)) >= 0 &&
           parametrisation_.slot(law_.term(a)) == parametrisation_.slot(law_.term(b));
  }
  /// How many free parameters follow another one.
  int given_ties() const {
    int out = -static_cast<int>(parametrisation_.free());
    for (Index j = 0; j < law_.size(); ++j) out += parametrisation_.slot(j) >= 0 ? 1 : 0;
    return out;
  }

  bool exponents(PowerSumRows<S>& rows) const;
  int tie_exponents(PowerSumRows<S>& rows) const;
  bool coefficients(PowerSumRows<S>& rows) const;
  int tie_coefficients(PowerSumRows<S>& rows) const;

  const AnyLaw<S>& law_;
  const Parametrisation<S>& parametrisation_;
  bool outer_known_ = true;
  S outer_ = S(1);  ///< where it is known
};

/// Values and bounds. p and q of the form are ratios to outer.
template <typename S>
bool PowerSumConstraints<S>::exponents(PowerSumRows<S>& rows) const {
  for (std::size_t k = 0; k < 3; ++k) {
    if (!touched(kExponents[k])) continue;
    const auto [low, high] = parametrisation_.range(law_.term(kExponents[k]));
    if (!(low > S(0)) && !std::isfinite(high)) continue;
    if (k > 0 && !outer_known_ && !law_.of_sum) return false;
    const S unit = k == 0 || law_.of_sum ? S(1) : outer_;
    if (low == high) {
      if (k == 0) continue;  // held already
      rows.free[k] = false;
      rows.value[k] = low / unit;
    } else {
      rows.bounded_below[k] = low / unit > rows.lower[k];
      rows.bounded_above[k] = high / unit < rows.upper[k];
      rows.lower[k] = std::max(rows.lower[k], low / unit);
      rows.upper[k] = std::min(rows.upper[k], high / unit);
    }
  }
  return true;
}

/// An exponent that is the outer power makes a ratio of 1; two that are equal keep to the bounds of both. \return how many
/// ties.
template <typename S>
int PowerSumConstraints<S>::tie_exponents(PowerSumRows<S>& rows) const {
  int ties = 0;
  for (const std::size_t k : {std::size_t(1), std::size_t(2)})
    if (!law_.of_sum && shared(Term::outer, kExponents[k])) {
      rows.free[k] = false;
      rows.value[k] = S(1);
      ++ties;
    }
  rows.equal_exponents = shared(Term::p, Term::q) && rows.free[1] && rows.free[2];
  if (!rows.equal_exponents) return ties;
  rows.lower[1] = rows.lower[2] = std::max(rows.lower[1], rows.lower[2]);
  rows.upper[1] = rows.upper[2] = std::min(rows.upper[1], rows.upper[2]);
  rows.bounded_below[1] = rows.bounded_below[2] = rows.bounded_below[1] || rows.bounded_below[2];
  rows.bounded_above[1] = rows.bounded_above[2] = rows.bounded_above[1] || rows.bounded_above[2];
  return ties + 1;
}

/// A bound on a parameter as one on its coefficient: E^(1 / outer), or N_c^p.
template <typename S>
bool PowerSumConstraints<S>::coefficients(PowerSumRows<S>& rows) const {
  for (std::size_t k = 0; k < 3; ++k) {
    if (!touched(kCoefficients[k])) continue;
    const Index j = law_.term(kCoefficients[k]);
    const bool scale = law_.parameter(j).role == Role::scale;
    if (!outer_known_ || (scale && rows.free[k])) return false;
    const S power = scale ? rows.value[k] : k == 0 && law_.floor_inside && !law_.of_sum ? S(1) / outer_ : S(1);
    const auto [low, high] = parametrisation_.range(j);
    rows.coefficients.lower[k] = power == S(1) ? low : std::pow(low, power);
    rows.coefficients.upper[k] = power == S(1) ? high : std::pow(high, power);
    if (k > 0) rows.natural[k - 1] = true;
  }
  return true;
}

template <typename S>
int PowerSumConstraints<S>::tie_coefficients(PowerSumRows<S>& rows) const {
  if (!shared(Term::n, Term::d) || !outer_known_ || law_.parameter(law_.term(Term::n)).role != Role::coefficient) return 0;
  Box<S>& box = rows.coefficients;
  box.equal = true;
  box.lower[1] = box.lower[2] = std::max(box.lower[1], box.lower[2]);
  box.upper[1] = box.upper[2] = std::min(box.upper[1], box.upper[2]);
  return 1;
}

/// The rows of a power sum, in the buffers of `out`. \return false where it cannot express the constraints.
template <typename S>
bool fill_power_sum_rows(const AnyLaw<S>& law, const RunsView<S>& runs, Space space, const Parametrisation<S>& parametrisation,
                         PowerSumRows<S>& out) {
  const Index n = runs.rows;
  out.begin({}, n, runs.weight != nullptr);
  out.space = space;
  auto observed = out.observed.head(n);
  if (space == Space::log_loss)
    kernels<S>().log(n, runs.loss, out.observed.data());
  else
    observed = runs.vector(runs.loss);
  out.magnitude = residual_magnitude<S>(observed, space);
  if (runs.weight != nullptr) {
    out.weight.head(n) = runs.vector(runs.weight);
    out.root.head(n) = out.weight.head(n).cwiseSqrt();
  }
  out.floor = law.grid.has_floor;
  out.free = {law.term(Term::outer) >= 0, law.term(Term::p) >= 0, law.term(Term::q) >= 0};
  if (law.term(Term::d) < 0) out.coefficients.upper[2] = S(0);
  // Beyond these an exponent is not told from its limit: N^-p is a spike at the smallest N, s^outer an exponential. With a
  // floor `outer` ends where floor^(1 / outer) can still be as good as zero; an exponent that sets a coefficient's unit has the
  // bound of Parametrisation, and a little beyond, so as to be on it for certain.
  const auto steepest = [&](S log_unit) {
    return law.parameter(law.term(Term::n)).role == Role::coefficient ? steepest_exponent(log_unit) * (S(1) + S(1e-12))
                                                                      : S(1e5);
  };
  if (out.free[0]) out.log_unit = space == Space::log_loss ? observed.mean() : std::log(observed.mean());
  // L0^(1 / outer) stays a number in double.
  out.lower = {std::max(S(1e-4), std::abs(out.log_unit) / S(600)), S(1e-4), S(1e-4)};
  out.upper = {law.grid.has_floor ? S(20) : S(1e4), steepest(runs.vector(runs.log_N).mean()),
               steepest(runs.vector(runs.log_D).mean())};
  if (!PowerSumConstraints<S>(law, parametrisation).apply(out)) return false;
  out.count_from_smallest(runs.vector(runs.log_N), runs.vector(runs.log_D));
  return true;
}

/// The same as a value, or nothing.
template <typename S>
std::optional<PowerSumRows<S>> power_sum_rows(const AnyLaw<S>& law, const Runs<S>& runs, Space space,
                                              const Parametrisation<S>& parametrisation) {
  std::optional<PowerSumRows<S>> out(std::in_place);
  if (!fill_power_sum_rows(law, RunsView<S>(runs), space, parametrisation, *out)) out.reset();
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
