// SPDX-License-Identifier: Apache-2.0
/// \file
/// When an optimum that was followed from the last one is as good as one that was searched for.
#pragma once

#include <string_view>

#include "offray/options.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Why the optimum of an OnlineFit was searched for globally; `followed` where it was not.
enum class Searched {
  followed,       ///< a descent from the last optimum, trusted
  first,          ///< there was no optimum to start from
  few,            ///< fewer than kSearchedRuns runs per unknown
  changed,        ///< a quarter as many runs came or went as there were at the last search
  not_interior,   ///< the last optimum, or the new one, is not Status::converged
  surprised,      ///< the new runs miss the last optimum by more than kSurprise standard deviations
  fell,           ///< the objective fell although runs were added only: the last optimum was not the lowest
  rival,          ///< another basin of the last search is lower on the new runs
  not_followable  ///< the objective has a kink, is not convex or takes its scale from the data, or the options give a start
};

inline constexpr std::string_view kSearched[] = {"followed",  "first", "few",   "changed",       "not_interior",
                                                 "surprised", "fell",  "rival", "not_followable"};

/// Below as many runs per unknown every refit searches: few runs have many optima, and a search costs little.
inline constexpr Index kSearchedRuns = 6;
/// A search is repeated once this share of the runs that the last one saw came or went.
inline constexpr double kSearchGrowth = 0.25;
/// Runs that miss the last optimum by more standard deviations, in the mean square, call for a search.
inline constexpr double kSurprise = 4;

namespace detail {

/// What happened to the runs since the last refit and since the last search, measured at the last optimum.
///
/// With theta the last optimum, F its objective on the runs of then, m its unknowns, s^2 = 2 F / (n - m), and C the k runs that
/// came or went since, the optimum that a descent from theta reaches, with objective F', is trusted where
///   n >= 6 m,   runs changed since the last search <= n_search / 4,
///   theta and the new optimum are interior, converged and of full rank,
///   sum_C w rho(r_i(theta)) <= k (16 s^2 / 2 + rounding),                                              (surprised)
///   F' >= F (1 - 1e-9) - rounding where runs only came,                                                (fell)
///   F' <= F_b for every other basin b of the last search.                                              (rival)
/// The bound on the surprise bounds how far the optimum moves: F(theta; new) - F' <= sum_C w rho(r_i(theta)). A basin's least
/// objective only grows while runs come, so one whose last value is above F' need not be looked at; the others, and all after
/// a removal, are followed by a descent of their own. What none of this excludes is a basin that did not exist at the last
/// search and came below since; the next search finds it.
template <typename S>
struct Changes {
  Index since_search = 0;  ///< runs that came or went
  Index searched_at = 0;   ///< n of the last search
  Index since_refit = 0;
  bool removed = false;  ///< since the last refit
  S surprise = S(0);     ///< sum of w rho(r) over the runs that came or went, at the last optimum

  void add(S rho) {
    ++since_search;
    ++since_refit;
    surprise += rho;
  }
  void remove(S rho) {
    add(rho);
    removed = true;
  }
  void refitted() {
    since_refit = 0;
    removed = false;
    surprise = S(0);
  }
  void searched(Index n) {
    since_search = 0;
    searched_at = n;
  }

  /// What forbids to follow the last optimum before any descent.
  /// \param F, runs, unknowns of the last refit. \param rounding of w rho of one run.
  Searched before(Index n, S F, Index runs, Index unknowns, S rounding) const {
    if (n < kSearchedRuns * unknowns) return Searched::few;
    if (S(since_search) > S(kSearchGrowth) * S(searched_at)) return Searched::changed;
    const S variance = runs > unknowns ? S(2) * F / S(runs - unknowns) : S(0);
    const S bound = S(since_refit) * (S(kSurprise * kSurprise) * variance / S(2) + rounding);
    return surprise <= bound ? Searched::followed : Searched::surprised;
  }

  /// What forbids to trust where it led. \param before, after objectives.
  Searched after(S before, S after, S rounding) const {
    const bool fell = !removed && after < before * (S(1) - S(1e-9)) - S(since_refit + 1) * rounding;
    return fell ? Searched::fell : Searched::followed;
  }
};

/// Whether an optimum may be followed at all: one of many for a kink, a scale that moves with the data, a rho that is not
/// convex.
template <typename S>
bool followable(const FitOptions<S>& options) {
  const ObjectiveKind kind = options.solver.objective.kind;
  const bool convex = kind == ObjectiveKind::squares || kind == ObjectiveKind::huber || kind == ObjectiveKind::soft_l1;
  return convex && !options.robust_scale && options.start.size() == 0;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
