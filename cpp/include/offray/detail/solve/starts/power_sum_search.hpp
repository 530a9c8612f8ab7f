// SPDX-License-Identifier: Apache-2.0
/// \file
/// The basins of a power sum.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "offray/detail/solve/power_sum/grid_search.hpp"
#include "offray/detail/solve/starts/descent.hpp"
#include "offray/detail/solve/starts/few_places.hpp"
#include "offray/detail/solve/starts/ray_search.hpp"
#include "offray/detail/solve/starts/search_buffers.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// How many local minima of the start grid are followed to the end.
inline constexpr std::size_t kStarts = 6;

/// A start whose objective is more times that of the best, after a few steps of both, is left.
inline constexpr double kPromising = 3;

/// The outer powers that a search tries: as a floor inside of the power hides it, larger ones count too.
template <typename S>
Range outer_powers(const PowerSumRows<S>& rows) {
  return rows.floor ? Range{.005, 5.12, 16} : Range{.005, 1.28, 17};
}

/// Descends from every promising node of a grid, and from where experience tells that other basins may hide.
template <typename S>
class PowerSumSearch {
 public:
  /// References must outlive the object. \param rows to look at: all, or a sample.
  PowerSumSearch(Descent<S>& descent, const PowerSumRows<S>& rows, const SolverOptions<S>& options, SearchBuffers<S>& buffers)
      : descent_(descent), rows_(rows), options_(options), buffers_(buffers), roughly_(options), outer_(outer_powers(rows)) {
    exchangeable_ = one_ray();
    if (has_kink(options.objective.kind)) roughly_.objective.delta = S(1e-3) * rows.magnitude;
  }

  /// Adds to the basins found so far.
  void run(std::vector<Basin<S>>& found) {
    from_grid(found);
    if (!proven_) from_alternatives(found);
  }

 private:
  /// A few of the rows.
  const PowerSumRows<S>& few() {
    if (!has_few_) few_rows(rows_, buffers_.few);
    has_few_ = true;
    return buffers_.few;
  }
  bool falls(const GridSearch<S>& search, const PowerSum<S>& from, const PowerSum<S>& to, S smoothing);
  void follow(const GridSearch<S>& search, const GridCell<S>* first, const GridCell<S>* last, std::ptrdiff_t followed,
              std::vector<Basin<S>>& found);
  void follow_minima(const GridSearch<S>& search, std::vector<Basin<S>>& found) {
    const GridCells<S>& minima = search.minima(kStarts);
    // Where there are few places every optimum counts.
    std::ptrdiff_t followed = 0;
    if (exchangeable_ && found.empty() && !minima.cells.empty() && !few_places(rows_)) {
      proven_ = search_ray(descent_, search, minima.cells.front().form, options_, buffers_.bound, found);
      followed = 1;
    }
    if (!proven_) follow(search, minima.first(0), minima.last(0), followed, found);
  }
  void look_around(const GridSearch<S>& search, std::vector<Basin<S>>& found);
  void from_grid(std::vector<Basin<S>>& found);
  void from_profile(const GridSearch<S>& search, std::vector<Basin<S>>& found);
  void from_law_inside(std::vector<Basin<S>>& found);
  void from_wider_scales(std::vector<Basin<S>>& found);
  void from_alternatives(std::vector<Basin<S>>& found);
  void from_everywhere(const SolverOptions<S>& roughly, S lowest, std::vector<Basin<S>>& found);
  static bool arrives(const PowerSum<S>& start, const PowerSum<S>& basin);
  bool one_ray() const;
  bool doubtful(const Basin<S>& best, const PowerSum<S>& form) const;
  const std::vector<PowerSum<S>>& alternatives(const PowerSum<S>& form);
  void descend(const PowerSum<S>& form, std::vector<Basin<S>>& found) { add_basin(descent_.separable(form, options_), found); }

  Descent<S>& descent_;
  const PowerSumRows<S>& rows_;
  bool has_few_ = false;
  const SolverOptions<S>& options_;
  SearchBuffers<S>& buffers_;
  SolverOptions<S> roughly_;  ///< a smooth objective, for a few steps
  Range outer_;
  bool exchangeable_ = false;  ///< whether the terms may change places without a change of the objective
  bool proven_ = false;        ///< that no other basin is lower
};

/// Whether every run has the same tokens per parameter and nothing else tells the terms apart: then n N^-p + d D^-q is, with p
/// and q exchanged, the same sum. Where D / N varies by less than a millionth the optima of both differ by little more than
/// that, and from_alternatives() descends from the other one. With an unknown outer power every start is needed.
template <typename S>
bool PowerSumSearch<S>::one_ray() const {
  constexpr S kSpread = S(1e-6);
  if (rows_.free[0] || !rows_.free[1] || !rows_.free[2] || rows_.equal_exponents) return false;
  if (!rows_.coefficients.is_default()) return false;
  for (const std::size_t k : {std::size_t(1), std::size_t(2)})
    if (rows_.bounded_below[k] || rows_.bounded_above[k]) return false;
  const S ratio = rows_.y[0] - rows_.x[0];
  for (Index i = 1; i < rows_.rows; ++i)
    if (!(std::abs(rows_.y[i] - rows_.x[i] - ratio) <= kSpread)) return false;
  return true;
}

/// Whether the objective falls all the way from a cell to a basin, as two points between them see it: then no barrier keeps the
/// cell out of the basin, and only the coarseness of the grid, or its linearised residuals, made it a minimum.
template <typename S>
bool PowerSumSearch<S>::falls(const GridSearch<S>& search, const PowerSum<S>& from, const PowerSum<S>& to, S smoothing) {
  SolverOptions<S> options = options_;
  if (has_kink(options.objective.kind)) options.objective.delta = smoothing;
  S before = descent_.projection().objective(rows_, options, from);
  for (const PowerSum<S>& form : search.between(from, to)) {
    const S here = descent_.projection().objective(rows_, options, form);
    if (!(here < before)) return false;
    before = here;
  }
  return descent_.projection().objective(rows_, options, to) < before;
}

/// Descends from cells, but for the first few, which have been `followed`, and those that lead to a basin that is known.
template <typename S>
void PowerSumSearch<S>::follow(const GridSearch<S>& search, const GridCell<S>* first, const GridCell<S>* last,
                               std::ptrdiff_t followed, std::vector<Basin<S>>& found) {
  for (const GridCell<S>* next = first + followed; next != last; ++next) {
    const PowerSum<S>& cell = next->form;
    const auto repeats = [&](const GridCell<S>& other) {
      const PowerSum<S>& form = other.form;
      return (form.outer == cell.outer && form.p == cell.p && form.q == cell.q) ||
             (exchangeable_ && form.p == cell.q && form.q == cell.p);
    };
    if (std::any_of(first, next, repeats)) continue;
    const auto leads_to = [&](const PowerSum<S>& form, S smoothing) {
      return search.beside(cell, form) || falls(search, cell, form, smoothing);
    };
    const bool known = std::any_of(found.begin(), found.end(), [&](const Basin<S>& basin) {
      const PowerSum<S> form = descent_.form_of(basin);
      const S smoothing = basin.summary.smoothing;
      return leads_to(form, smoothing) || (exchangeable_ && leads_to(exchanged(form), smoothing));
    });
    if (!known) descend(cell, found);
  }
}

template <typename S>
void PowerSumSearch<S>::look_around(const GridSearch<S>& search, std::vector<Basin<S>>& found) {
  for (int round = 0; round < 3 && !found.empty(); ++round) {
    const S before = found.front().summary.objective;
    const std::vector<GridCell<S>>& cells = search.minima_along(descent_.form_of(found.front()));
    follow(search, cells.data(), cells.data() + cells.size(), 0, found);
    if (!(found.front().summary.objective < before)) return;
  }
}

/// Descents from the minima of the grid; robust objectives search it again with the residuals' influence bounded, since rows
/// that do not belong can move the minima of the sum of squares anywhere.
template <typename S>
void PowerSumSearch<S>::from_grid(std::vector<Basin<S>>& found) {
  const Vector<S> equally;
  const GridSearch<S> search(rows_, outer_, equally, buffers_.grid);
  if (rows_.free[0])
    from_profile(search, found);
  else
    follow_minima(search, found);
  if (proven_) return;
  if (options_.objective.kind == ObjectiveKind::squares || found.empty()) return look_around(search, found);
  make_room(buffers_.reweight, rows_.rows);
  make_room(buffers_.excess, rows_.rows);
  descent_.projection().objective(rows_, options_, descent_.form_of(found.front()));
  kernels<S>().influence(roughly_.objective, rows_.rows, descent_.projection().residual(), buffers_.reweight.data(),
                         buffers_.excess.data());
  const GridSearch<S> bounded(rows_, outer_, buffers_.reweight, buffers_.grid);
  if (!rows_.free[0]) follow_minima(bounded, found);
  look_around(bounded, found);
  if (options_.objective.kind == ObjectiveKind::cauchy) from_wider_scales(found);
}

/// Where rho is not convex: the basins of wider scales, where there are fewer, lead to further ones.
template <typename S>
void PowerSumSearch<S>::from_wider_scales(std::vector<Basin<S>>& found) {
  SolverOptions<S> wider = options_;
  for (const S factor : {S(3), S(10), S(30)}) {
    PowerSum<S> form = descent_.form_of(found.front());
    for (S share = factor; share > S(1); share /= S(2)) {
      wider.objective.delta = share * options_.objective.delta;
      descent_.projection().minimise(*descent_.rows(), wider, form);
    }
    descend(form, found);
  }
}

/// An unknown outer power bends the residuals, so that the linearised misfit of a node says little about which power is best.
/// The other unknowns are fitted for each of a row of powers instead, roughly; descents begin where that profile has minima.
template <typename S>
void PowerSumSearch<S>::from_profile(const GridSearch<S>& search, std::vector<Basin<S>>& found) {
  constexpr std::size_t kBranches = 2;  // minima of each power that are followed
  constexpr double kFarBehind = 10;     // times the lowest: between nodes the objective falls, but not that far
  SolverOptions<S> roughly = roughly_;
  roughly.gradient_tolerance = S(1e-2);
  roughly.max_evaluations = std::min(options_.max_evaluations, 10);
  PowerSumRows<S>& held = buffers_.held;
  held.take(few());
  std::vector<std::pair<S, PowerSum<S>>>& profile = buffers_.profile;
  profile.clear();
  const GridCells<S>& minima = search.minima(kBranches);
  for (std::size_t a = 0; a < minima.planes(); ++a) {
    std::pair<S, PowerSum<S>> best{std::numeric_limits<S>::infinity(), {}};
    for (const GridCell<S>* cell = minima.first(a); cell != minima.last(a); ++cell) {
      held.log_unit = rows_.log_unit;
      held.hold_outer(cell->form.outer);
      const S F = descent_.projection().objective(held, roughly, cell->form);
      if (F < best.first) best = {F, cell->form};
    }
    if (std::isfinite(best.first)) best.first = descent_.projection().minimise(held, roughly, best.second).objective;
    profile.push_back(best);
  }
  const auto lowest =
      std::min_element(profile.begin(), profile.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t a = 0; a < profile.size(); ++a) {
    const S here = profile[a].first;
    const bool minimum = (a == 0 || here < profile[a - 1].first) && (a + 1 == profile.size() || here <= profile[a + 1].first);
    if (minimum && std::isfinite(here) && here <= S(kFarBehind) * lowest->first) descend(profile[a].second, found);
  }
  if (rows_.floor) from_law_inside(found);
}

/// With an outer power of 1 it is a smaller law, Chinchilla's in Droppo and Elibol's, whose optimum must not be lower.
template <typename S>
void PowerSumSearch<S>::from_law_inside(std::vector<Basin<S>>& found) {
  PowerSumRows<S>& inside = buffers_.held;
  inside.take(rows_);
  inside.hold_outer(S(1));
  const Vector<S> equally;
  for (const GridCell<S>& cell : GridSearch<S>(inside, outer_, equally, buffers_.grid).minima(2).cells) {
    PowerSum<S> form = cell.form;
    const S F = descent_.projection().minimise(inside, roughly_, form).objective;
    if (found.empty() || F < found.front().summary.objective) descend(form, found);
  }
}

/// Whether another basin may be near that no node of the grid saw: where there are few places, where J is as ill-conditioned as
/// a few per cent of scatter about a ray make it, a term or an exponent is at its edge, or a term is a spike at the smallest
/// runs. With an unknown outer power that is the rule.
template <typename S>
bool PowerSumSearch<S>::doubtful(const Basin<S>& best, const PowerSum<S>& form) const {
  constexpr S kSpike = S(3);
  if (rows_.equal_exponents || !(rows_.free[1] || rows_.free[2])) return false;
  if (rows_.free[0] && !rows_.free[2]) return true;
  return best.summary.inverse_condition < S(2e-3) ||
         std::any_of(
             best.edges.begin(), best.edges.end(), [](int side) { return side != 0; }) ||
         (rows_.free[1] && form.p * form.outer > kSpike) || (rows_.free[2] && form.q * form.outer > kSpike);
}

/// Where such basins were found: on one ray N^-p and D^-q may change places, closer to each other than the nodes are and alike
/// in the objective but for what the runs are off the ray; exponents of ordinary size; a spike for either term.
template <typename S>
const std::vector<PowerSum<S>>& PowerSumSearch<S>::alternatives(const PowerSum<S>& form) {
  constexpr S kSpike = S(12);
  const Vector<S> equally;
  const GridSearch<S> search(*descent_.rows(), outer_, equally, buffers_.grid);
  std::vector<PowerSum<S>>& out = buffers_.alternatives;
  out.clear();
  const auto propose = [&](S outer, S p, S q) {
    if (outer >= rows_.lower[0] && outer <= rows_.upper[0]) out.push_back(search.at(outer, p, q));
  };
  if (rows_.free[1] && rows_.free[2]) {
    out.push_back(exchanged(form));
    if (!exchangeable_) out.push_back(search.middle());
  } else if (rows_.free[0]) {
    // The exponent of D is the outer power: when the terms change places p, a ratio to it, becomes 1 / p.
    for (const S outer : {form.outer * form.p, form.outer})
      for (const S p : {S(1) / form.p, (S(1) + S(1) / form.p) / S(2)}) propose(outer, p, form.q);
    propose(form.outer * form.p, S(1), form.q);
  }
  if (rows_.free[1]) propose(form.outer, kSpike / form.outer, form.q);
  if (rows_.free[2] && !exchangeable_) propose(form.outer, form.p, kSpike / form.outer);
  return out;
}

/// Whether a few steps took a start to within a hundredth of the exponents of a basin on the same rows.
template <typename S>
bool PowerSumSearch<S>::arrives(const PowerSum<S>& start, const PowerSum<S>& basin) {
  const auto close = [](S a, S b) { return std::abs(a - b) <= S(0.01) * b; };
  return close(start.outer, basin.outer) && close(start.p, basin.p) && close(start.q, basin.q) &&
         (start.n > S(0)) == (basin.n > S(0)) && (start.d > S(0)) == (basin.d > S(0));
}

/// Descents from the alternatives that a few steps take to about as low as the best basin.
template <typename S>
void PowerSumSearch<S>::from_alternatives(std::vector<Basin<S>>& found) {
  if (found.empty()) return;
  const PowerSum<S> form = descent_.form_of(found.front());
  const bool everywhere = few_places(rows_);
  if (!everywhere && !doubtful(found.front(), form)) return;
  SolverOptions<S> roughly = roughly_;
  roughly.max_evaluations = std::min(options_.max_evaluations, 10);
  PowerSum<S> best = form;  // of the few rows
  const S lowest = descent_.projection().minimise(few(), roughly, best).objective;
  for (PowerSum<S> other : alternatives(form)) {
    const S F = descent_.projection().minimise(few(), roughly, other).objective;
    if ((everywhere || F < S(kPromising) * lowest) && !arrives(other, best)) descend(other, found);
  }
  if (everywhere) from_everywhere(roughly, lowest, found);
}

/// Where several optima may be as low as the repeats allow: descents from everywhere, each of which counts.
template <typename S>
void PowerSumSearch<S>::from_everywhere(const SolverOptions<S>& roughly, S lowest, std::vector<Basin<S>>& found) {
  constexpr std::array<double, 10> kNodes{.05, .075, .11, .17, .25, .38, .57, .85, 1.3, 1.9};
  if (!rows_.free[1] || !rows_.free[2] || rows_.free[0]) return;
  const Vector<S> equally;
  const GridSearch<S> search(*descent_.rows(), outer_, equally, buffers_.grid);
  const S outer = descent_.form_of(found.front()).outer;
  for (const double p : kNodes) {
    for (const double q : kNodes) {
      PowerSum<S> start = search.at(outer, S(p), S(q));
      const S F = descent_.projection().minimise(few(), roughly, start).objective;
      if (!(F < S(kPromising) * lowest) || (exchangeable_ && start.p < start.q)) continue;
      const auto ends_here = [&](const Basin<S>& b) { return arrives(start, descent_.form_of(b)); };
      if (std::none_of(found.begin(), found.end(), ends_here)) add_distinct(descent_.separable(start, options_), found);
    }
  }
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
