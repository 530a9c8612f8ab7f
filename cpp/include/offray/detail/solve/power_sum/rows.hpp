// SPDX-License-Identifier: Apache-2.0
/// \file
/// The rows that the solver of power sums works on.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

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
  Vector<S> observed;         ///< L or ln L
  Vector<S> weight, root;     ///< w and sqrt(w), or empty
  Space space = Space::loss;  ///< of the residual
  bool floor = true;          ///< whether the law has one
  /// Of outer, p, q: which are unknowns, and their bounds.
  std::array<bool, 3> free{};
  std::array<S, 3> lower{}, upper{};
  S log_unit = S(0);   ///< ln L0; 0 where `outer` is no unknown
  S magnitude = S(0);  ///< as Residual::magnitude()
};

/// The rows of a power sum, N and D counted from the smallest ones: u and v are at most 1, and a term that an exponent running
/// away leaves to the smallest runs keeps its coefficient.
template <typename S>
PowerSumRows<S> power_sum_rows(const AnyLaw<S>& law, const Runs<S>& runs, Space space) {
  PowerSumRows<S> out;
  out.rows = runs.size();
  out.log_N0 = runs.at.log_N.minCoeff();
  out.log_D0 = runs.at.log_D.minCoeff();
  out.x = runs.at.log_N.array() - out.log_N0;
  out.y = runs.at.log_D.array() - out.log_D0;
  out.space = space;
  out.observed = runs.loss;
  if (space == Space::log_loss) Kernels<S>::log(out.rows, runs.loss.data(), out.observed.data());
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
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
