// SPDX-License-Identifier: Apache-2.0
/// \file
/// The search on one ray, where the optimum can be proven.
#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "offray/detail/solve/power_sum/grid_search.hpp"
#include "offray/detail/solve/starts/descent.hpp"
#include "offray/detail/solve/starts/ray_bound.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// `form` with the term that matters least, or has about that exponent already, at exponent t.
template <typename S>
PowerSum<S> with_term(PowerSum<S> form, S t) {
  const auto near = [&](S exponent) { return exponent < S(2) * t && t < S(2) * exponent; };
  const bool has_n = form.n > S(0), has_d = form.d > S(0);
  const bool instead_of_n = has_n != has_d ? has_d : near(form.p) != near(form.q) ? near(form.p) : form.n < form.d;
  (instead_of_n ? form.p : form.q) = t;
  return form;
}

/// Descends from the lowest node of a grid and, where the bound leaves room below, from where it says that the objective falls.
/// \return whether the best of `found` came to be proven: no other is lower by a millionth. Most rays end so.
template <typename S>
bool search_ray(Descent<S>& descent, const GridSearch<S>& grid, PowerSum<S> start, const SolverOptions<S>& options,
                RayBound<S>& bound, std::vector<Basin<S>>& found) {
  constexpr S kGap = S(1e-6);
  constexpr int kRounds = 3;
  const PowerSumRows<S>& rows = *descent.rows();
  const bool n_reaches_farther = rows.upper[1] >= rows.upper[2];
  S before = std::numeric_limits<S>::infinity();
  for (int round = 0; round < kRounds; ++round) {
    // Of two equal ones always the same, with room for the larger exponent.
    if ((start.p < start.q) == n_reaches_farther) start = exchanged(start);
    Basin<S> end = descent.separable(start, options);
    const S F = end.summary.objective;
    if (!(F < before) || !is_settled(end.summary.status) || !RayBound<S>::is_convex(rows, options.objective, F))
      return add_basin(std::move(end), found), false;
    const PowerSum<S> form = descent.form_of(end);
    add_basin(std::move(end), found);
    bound.at(rows, options.objective, form, F);
    if (bound.gap() <= kGap * F) return true;
    start = with_term(form, bound.steepest());
    start = grid.at(start.outer, start.p, start.q);
    before = F;
  }
  return false;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
