// SPDX-License-Identifier: Apache-2.0
/// \file
/// The rows that the solver of power sums works on.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "offray/detail/linalg/bounded.hpp"
#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/laws/law.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Rows of a power-sum problem: r = L0 s^outer - L, or ln L0 + outer ln s - ln L, with s = floor + n u + d v, u = exp(-p x),
/// v = exp(-q y). With L0 the typical loss s is about 1, so that a change of `outer` leaves the coefficients where they are.
template <typename S>
struct PowerSumRows {
  Index rows = 0;  ///< how many entries of the vectors below count
  Vector<S> x, y;  ///< ln (N / N0) and ln (D / D0)
  S log_N0 = S(0), log_D0 = S(0);
  std::array<bool, 2> natural{};  ///< whether N0, D0 are 1, for the sake of a constraint, and not the smallest N, D
  Vector<S> observed;             ///< L or ln L
  Vector<S> weight, root;         ///< w and sqrt(w), or empty
  Space space = Space::loss;      ///< of the residual
  bool floor = true;              ///< whether the law has one
  /// Of outer, p, q: which are unknowns, their bounds, and the value of those that are none.
  std::array<bool, 3> free{};
  std::array<S, 3> lower{}, upper{}, value{S(1), S(1), S(1)};
  std::array<bool, 3> bounded_below{}, bounded_above{};  ///< whether that bound is the user's
  bool equal_exponents = false;                          ///< p = q
  Box<S> coefficients;                                   ///< where floor, n and d may be
  S log_unit = S(0);                                     ///< ln L0; 0 where `outer` is 1
  S magnitude = S(0);                                    ///< as Residual::magnitude()

  /// Makes `outer` a given number.
  void hold_outer(S outer) {
    free[0] = false;
    value[0] = outer;
    if (outer == S(1)) log_unit = S(0);
  }

  /// Counts N and D from the smallest ones, unless they keep their units: u and v are at most 1 then, and a term that an
  /// exponent running away leaves to the smallest runs keeps its coefficient.
  void count_from_smallest(CRef<Vector<S>> log_N, CRef<Vector<S>> log_D) {
    log_N0 = natural[0] ? S(0) : log_N.minCoeff();
    log_D0 = natural[1] ? S(0) : log_D.minCoeff();
    if (x.size() < rows) x.resize(rows);
    if (y.size() < rows) y.resize(rows);
    x.head(rows) = log_N.array() - log_N0;
    y.head(rows) = log_D.array() - log_D0;
  }
};

/// What a user's constraints are to the power sum; false where it cannot express them (a scale N_c whose exponent is unknown,
/// say).
template <typename S>
bool constrain(const AnyLaw<S>& law, const Parametrisation<S>& parametrisation, PowerSumRows<S>& rows) {
  if (parametrisation.unconstrained()) return true;
  const auto index = [&](Term which) { return law.term(which); };
  const auto touched = [&](Term which) { return index(which) >= 0 && parametrisation.touches(index(which)); };
  const auto shared = [&](Term a, Term b) {
    return index(a) >= 0 && index(b) >= 0 && parametrisation.slot(index(a)) >= 0 &&
           parametrisation.slot(index(a)) == parametrisation.slot(index(b));
  };
  // Every tie must be one of those below.
  int ties = static_cast<int>(law.size()), expressed = 0;
  for (Index j = 0; j < law.size(); ++j)
    if (parametrisation.slot(j) < 0) --ties;
  ties -= static_cast<int>(parametrisation.free());

  // p and q of the form are ratios to outer, and q alone is where the law has no exponent of its own.
  const std::array<Term, 3> exponent{Term::outer, Term::p, Term::q};
  const bool outer_known = index(Term::outer) < 0 || parametrisation.slot(index(Term::outer)) < 0;
  const S outer = index(Term::outer) < 0 ? S(1) : outer_known ? parametrisation.fixed(index(Term::outer)) : S(0);
  if (outer_known) rows.hold_outer(outer);
  for (std::size_t k = 0; k < 3; ++k) {
    if (!touched(exponent[k])) continue;
    const auto [low, high] = parametrisation.range(index(exponent[k]));
    const bool limited = low > S(0) || std::isfinite(high);
    if (k > 0 && limited && !outer_known) return false;
    const S unit = k == 0 ? S(1) : outer;
    if (low == high) {
      if (k == 0) continue;
      rows.free[k] = false;
      rows.value[k] = low / unit;
    } else if (limited) {
      rows.bounded_below[k] = low / unit > rows.lower[k];
      rows.bounded_above[k] = high / unit < rows.upper[k];
      rows.lower[k] = std::max(rows.lower[k], low / unit);
      rows.upper[k] = std::min(rows.upper[k], high / unit);
    }
  }
  for (const std::size_t k : {std::size_t(1), std::size_t(2)})
    if (shared(Term::outer, exponent[k])) {
      rows.free[k] = false;
      rows.value[k] = S(1);
      ++expressed;
    }
  if (shared(Term::p, Term::q)) {
    rows.equal_exponents = rows.free[1] && rows.free[2];
    if (rows.equal_exponents) {
      ++expressed;
      rows.lower[1] = rows.lower[2] = std::max(rows.lower[1], rows.lower[2]);
      rows.upper[1] = rows.upper[2] = std::min(rows.upper[1], rows.upper[2]);
      rows.bounded_below[1] = rows.bounded_below[2] = rows.bounded_below[1] || rows.bounded_below[2];
      rows.bounded_above[1] = rows.bounded_above[2] = rows.bounded_above[1] || rows.bounded_above[2];
    }
  }

  const std::array<Term, 3> coefficient{Term::floor, Term::n, Term::d};
  for (std::size_t k = 0; k < 3; ++k) {
    if (!touched(coefficient[k])) continue;
    const Parameter& parameter = law.parameter(index(coefficient[k]));
    // The coefficient that a bound on the parameter is: E^(1 / outer), or N_c^p.
    S power = S(1);
    if (k == 0) {
      if (!outer_known) return false;
      if (law.floor_inside) power = S(1) / outer;
    } else if (parameter.role == Role::scale) {
      if (!outer_known || rows.free[k]) return false;
      power = rows.value[k];
    } else if (!outer_known) {
      return false;
    }
    const auto [low, high] = parametrisation.range(index(coefficient[k]));
    rows.coefficients.lower[k] = power == S(1) ? low : std::pow(low, power);
    rows.coefficients.upper[k] = power == S(1) ? high : std::pow(high, power);
    if (k > 0) rows.natural[k - 1] = true;
  }
  if (shared(Term::n, Term::d) && outer_known && law.parameter(index(Term::n)).role == Role::coefficient) {
    rows.coefficients.equal = true;
    for (auto* bound : {&rows.coefficients.lower, &rows.coefficients.upper})
      (*bound)[1] = (*bound)[2] =
          bound == &rows.coefficients.lower ? std::max((*bound)[1], (*bound)[2]) : std::min((*bound)[1], (*bound)[2]);
    ++expressed;
  }
  return ties == expressed;
}

/// The rows of a power sum, or nothing where it cannot express the constraints.
template <typename S>
std::optional<PowerSumRows<S>> power_sum_rows(const AnyLaw<S>& law, const Runs<S>& runs, Space space,
                                              const Parametrisation<S>& parametrisation) {
  PowerSumRows<S> out;
  out.rows = runs.size();
  out.space = space;
  out.observed = runs.loss;
  if (space == Space::log_loss) kernels<S>().log(out.rows, runs.loss.data(), out.observed.data());
  out.magnitude = residual_magnitude<S>(out.observed, space);
  if (runs.weight.size() != 0) {
    out.weight = runs.weight;
    out.root = runs.weight.cwiseSqrt();
  }
  out.floor = law.grid.has_floor;
  out.free = {law.term(Term::outer) >= 0, law.term(Term::p) >= 0, law.term(Term::q) >= 0};
  // Beyond these an exponent is not told from its limit: N^-p is a spike at the smallest N, s^outer an exponential. With a
  // floor `outer` ends where floor^(1 / outer) can still be as good as zero; an exponent that sets a coefficient's unit has the
  // bound of Parametrisation, and a little beyond, so as to be on it for certain.
  const auto steepest = [&](S log_unit) {
    return law.parameter(law.term(Term::n)).role == Role::coefficient ? steepest_exponent(log_unit) * (S(1) + S(1e-12))
                                                                      : S(1e5);
  };
  if (out.free[0]) out.log_unit = space == Space::log_loss ? out.observed.mean() : std::log(out.observed.mean());
  // L0^(1 / outer) stays a number in double.
  out.lower = {std::max(S(1e-4), std::abs(out.log_unit) / S(600)), S(1e-4), S(1e-4)};
  out.upper = {law.grid.has_floor ? S(20) : S(1e4), steepest(runs.at.log_N.mean()), steepest(runs.at.log_D.mean())};
  if (!constrain(law, parametrisation, out)) return std::nullopt;
  out.count_from_smallest(runs.at.log_N, runs.at.log_D);
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
