// SPDX-License-Identifier: Apache-2.0
/// \file
/// From the solver's unknowns phi to a law's parameters theta and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "offray/constraints.hpp"
#include "offray/laws/law.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The largest exponent alpha of a coefficient A whose natural value A = A' N0^alpha, and its variance, are numbers in double:
/// N0^alpha <= 1e250. \param log_unit ln N0.
template <typename S>
S steepest_exponent(S log_unit) {
  return S(250) * std::log(S(10)) / std::max(log_unit, S(1));
}

/// phi = ln(theta') of the free parameters (theta' itself for Role::real), theta' being theta with N and D counted in units of
/// their geometric means N0, D0.
///
/// Centring costs nothing and takes kappa_2(J) of a typical grid from 1e6 to about 80. An axis keeps its own unit (x0 = 1)
/// where a coefficient or scale of that axis is fixed, tied or bounded, which is simple only in natural units, and where the
/// law has none that could take the unit up.
template <typename S>
class Parametrisation {
 public:
  Parametrisation(const AnyLaw<S>& law, const Inputs<S>& at, const Constraints<S>& constraints)
      : Parametrisation(law, at.log_N.mean(), at.log_D.mean(), constraints) {}

  /// \param log_mean_N, log_mean_D means of ln N and ln D.
  Parametrisation(const AnyLaw<S>& law, S log_mean_N, S log_mean_D, const Constraints<S>& constraints)
      : law_(&law), log_N0(log_mean_N), log_D0(log_mean_D) {
    if (!law.centres(Axis::N)) log_N0 = S(0);
    if (!law.centres(Axis::D)) log_D0 = S(0);
    for (const UnitShift& shift : law.units)
      if (constraints.touches(shift.parameter)) (shift.axis == Axis::N ? log_N0 : log_D0) = S(0);
    for (Index j = 0; j < law.size(); ++j) unconstrained_ = unconstrained_ && !constraints.touches(j);
    slot_.setConstant(law.size(), -1);
    fixed_.setZero(law.size());
    natural_lower_ = constraints.lower;
    natural_upper_ = constraints.upper;
    for (Index j = 0; j < law.size(); ++j) {
      const Index root = constraints.root(j);
      if (!std::isnan(constraints.fixed[root]))
        fixed_[j] = constraints.fixed[root];
      else
        slot_[j] = root == j ? static_cast<int>(free_++) : -2;
    }
    for (Index j = 0; j < law.size(); ++j)
      if (slot_[j] == -2) slot_[j] = slot_[constraints.root(j)];
    set_bounds(constraints);
  }

  Index free() const { return free_; }
  Index size() const { return law_->size(); }

  /// The index in phi of parameter j, or -1 where it is fixed.
  int slot(Index j) const { return slot_[j]; }

  /// The value of parameter j where it is fixed.
  S fixed(Index j) const { return fixed_[j]; }

  /// The user's bounds on parameter j, natural units: equal where it is fixed.
  std::pair<S, S> range(Index j) const {
    return slot_[j] < 0 ? std::pair(fixed_[j], fixed_[j]) : std::pair(natural_lower_[j], natural_upper_[j]);
  }

  /// True where the user gave parameter j a value, a bound or a parameter to share its value with.
  bool touches(Index j) const {
    bool shared = false;
    for (Index i = 0; i < size(); ++i) shared = shared || (i != j && slot_[i] == slot_[j]);
    return slot_[j] < 0 || shared || natural_lower_[j] > (real(j) ? -std::numeric_limits<S>::infinity() : S(0)) ||
           std::isfinite(natural_upper_[j]);
  }

  /// True where every parameter is its own unknown.
  bool one_to_one() const { return free_ == size(); }

  /// True where the user fixed, tied and bounded nothing.
  bool unconstrained() const { return unconstrained_; }

  /// theta' = exp(phi), fixed values filled in.
  void centred(CRef<Parameters<S>> phi, Parameters<S>& theta) const {
    theta.resize(size());
    for (Index j = 0; j < size(); ++j) theta[j] = slot_[j] < 0 ? fixed_[j] : real(j) ? phi[slot_[j]] : std::exp(phi[slot_[j]]);
  }

  /// theta in natural units; fixed values and user's bounds are kept to the last bit.
  Parameters<S> natural(CRef<Parameters<S>> phi) const {
    Parameters<S> theta;
    centred(phi, theta);
    for (const UnitShift& shift : law_->units) {
      const int k = slot_[shift.parameter];
      if (k < 0) continue;
      theta[shift.parameter] = std::exp(phi[k] + log_unit(shift) * (shift.exponent < 0 ? S(1) : theta[shift.exponent]));
    }
    for (Index j = 0; j < size(); ++j) {
      const int k = slot_[j];
      if (k < 0) continue;
      theta[j] = std::min(std::max(theta[j], natural_lower_[j]), natural_upper_[j]);
      if (unconstrained_) continue;
      if (phi[k] == coordinate(j, natural_lower_[j])) theta[j] = natural_lower_[j];
      if (phi[k] == coordinate(j, natural_upper_[j])) theta[j] = natural_upper_[j];
    }
    return theta;
  }

  /// ln theta_j, natural units, even where theta_j is beyond the range of floating point.
  S log_natural(CRef<Parameters<S>> phi, Index j) const {
    if (slot_[j] < 0) return std::log(fixed_[j]);
    if (real(j)) return std::log(phi[slot_[j]]);
    S out = phi[slot_[j]];
    for (const UnitShift& shift : law_->units) {
      if (shift.parameter != static_cast<int>(j)) continue;
      const S exponent = shift.exponent < 0          ? S(1)
                         : slot_[shift.exponent] < 0 ? fixed_[shift.exponent]
                                                     : std::exp(phi[slot_[shift.exponent]]);
      out += log_unit(shift) * exponent;
    }
    return out;
  }

  /// phi of a natural theta. A tied group takes the value of its first member; fixed values overrule theirs, before the change
  /// of units, which depends on the exponents.
  Parameters<S> phi(CRef<Parameters<S>> theta) const {
    Parameters<S> log_theta = coordinates(theta);
    for (Index j = 0; j < size(); ++j) {
      Index first = 0;
      while (slot_[first] != slot_[j]) ++first;
      log_theta[j] = slot_[j] < 0 ? coordinate(j, fixed_[j]) : log_theta[first];
      if (is_exponent(law_->parameter(j).role) && slot_[j] >= 0)
        log_theta[j] = std::min(std::max(log_theta[j], lower[slot_[j]]), upper[slot_[j]]);
    }
    for (const UnitShift& shift : law_->units)
      log_theta[shift.parameter] -= log_unit(shift) * (shift.exponent < 0 ? S(1) : std::exp(log_theta[shift.exponent]));
    return phi_of_logs(log_theta);
  }

  /// Whether phi is theta itself and not its logarithm.
  bool real(Index j) const { return law_->parameter(j).role == Role::real; }

  /// ln theta_j, or theta_j of Role::real.
  S coordinate(Index j, S theta) const { return real(j) ? theta : std::log(theta); }
  Parameters<S> coordinates(const Parameters<S>& theta) const {
    Parameters<S> out(size());
    for (Index j = 0; j < size(); ++j) out[j] = coordinate(j, theta[j]);
    return out;
  }

  /// d theta_j / d phi_k at an unknown of its own.
  S slope(Index j, S theta) const { return real(j) ? S(1) : theta; }

  /// phi of coordinates of theta'.
  Parameters<S> phi_of_logs(CRef<Parameters<S>> log_theta) const {
    Parameters<S> out(free_);
    for (Index j = size() - 1; j >= 0; --j)
      if (slot_[j] >= 0) out[slot_[j]] = log_theta[j];
    return out.cwiseMax(lower).cwiseMin(upper);
  }

  /// J, (n, m), with N and D counted in units of their geometric means, which is where conditioning is defined: the same as J
  /// but for an axis that the fit left in its own unit. Needs the scale parameter and its exponent to be unknowns of their own.
  Jacobian<S> recentred(Jacobian<S> J, CRef<Parameters<S>> theta, S log_mean_N, S log_mean_D) const {
    for (const UnitShift& shift : law_->units) {
      if (shift.exponent < 0 || slot_[shift.parameter] < 0 || slot_[shift.exponent] < 0) continue;
      // ln A = ln A' + alpha ln N0, so at fixed A' the exponent's column gains alpha ln N0 times that of ln A.
      const S moved = (shift.axis == Axis::N ? log_mean_N : log_mean_D) - log_unit(shift);
      J.col(slot_[shift.exponent]) += theta[shift.exponent] * moved * J.col(slot_[shift.parameter]);
    }
    return J;
  }

  /// d ln theta_j / d phi, (m,), theta in natural units.
  Vector<S> log_chain(CRef<Parameters<S>> theta, Index j) const { return chain(theta).row(j).transpose() / theta[j]; }

  /// d theta / d phi, (p, m), theta in natural units.
  Square<S> chain(CRef<Parameters<S>> theta) const {
    Square<S> T = Square<S>::Zero(size(), free_);
    for (Index j = 0; j < size(); ++j)
      if (slot_[j] >= 0) T(j, slot_[j]) = slope(j, theta[j]);
    for (const UnitShift& shift : law_->units) {
      if (shift.exponent < 0 || slot_[shift.exponent] < 0) continue;
      T(shift.parameter, slot_[shift.exponent]) += theta[shift.parameter] * log_unit(shift) * theta[shift.exponent];
    }
    return T;
  }

 private:
  const AnyLaw<S>* law_;
  Index free_ = 0;
  bool unconstrained_ = true;
  Eigen::Matrix<int, Eigen::Dynamic, 1, Eigen::ColMajor, kMaxParameters, 1> slot_;
  Parameters<S> fixed_;  ///< values of fixed parameters; their axis keeps its unit
  Parameters<S> natural_lower_, natural_upper_;

  S log_unit(const UnitShift& shift) const { return shift.axis == Axis::N ? log_N0 : log_D0; }

  void set_bounds(const Constraints<S>& constraints) {
    lower.setConstant(free_, -std::numeric_limits<S>::infinity());
    upper.setConstant(free_, std::numeric_limits<S>::infinity());
    for (Index j = 0; j < size(); ++j) {
      if (slot_[j] < 0) continue;
      S low = S(0), high = S(0);
      default_bounds(j, low, high);
      S& lo = lower[slot_[j]];
      S& hi = upper[slot_[j]];
      lo = std::max({lo, low, coordinate(j, constraints.lower[j])});
      hi = std::min({hi, high, coordinate(j, constraints.upper[j])});
    }
  }

  /// Bounds that only a runaway parameter meets, as logarithms. A floor below 1e-15 nats per token changes no loss in double
  /// (1e-280 where it enters through up to its 20th root); the exponent of a coefficient (A N^-alpha) stays where natural
  /// values and their variances are numbers in double, N0^alpha <= 1e250; exponents of scales are relative to the outer one.
  void default_bounds(Index j, S& low, S& high) const {
    const S decade = std::log(S(10));
    S steepest = S(1e4);
    bool natural_units = true, relative = law_->term(Term::outer) >= 0;
    for (const UnitShift& shift : law_->units) {
      if (shift.exponent >= 0) relative = false;
      if (shift.exponent == j) steepest = steepest_exponent(log_unit(shift));
      if (shift.parameter == j) natural_units = log_unit(shift) == S(0);
    }
    switch (law_->parameter(j).role) {
      case Role::floor:
        low = (law_->floor_inside ? -280 : -15) * decade, high = (law_->of_sum ? 280 : 12) * decade;
        break;
      case Role::coefficient:
        low = -130 * decade, high = (natural_units ? 290 : 12) * decade;
        break;
      case Role::scale:
        low = -60 * decade, high = 130 * decade;
        break;
      case Role::exponent:
        low = (relative ? -8 : -4) * decade, high = relative ? 7 * decade : std::log(steepest);
        break;
      case Role::outer:
        low = -4 * decade, high = std::log(steepest);
        break;
      case Role::decay:
        low = -4 * decade, high = 8 * decade;
        break;
      case Role::positive:
        low = -130 * decade, high = 130 * decade;
        break;
      case Role::real:
        low = S(-1e100), high = S(1e100);
        break;
    }
  }

 public:
  S log_N0, log_D0;            ///< ln of the units of N and D
  Parameters<S> lower, upper;  ///< bounds on phi
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
