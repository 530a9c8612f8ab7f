// SPDX-License-Identifier: Apache-2.0
/// \file
/// From runs to basins: starts, descents, and which of them are distinct.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "offray/detail/solve/starts/data_start.hpp"
#include "offray/detail/solve/starts/general_start.hpp"
#include "offray/detail/solve/starts/power_sum_search.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// The start grid looks at no more runs than this, evenly spaced through the table.
inline constexpr Index kStartRuns = 4096;

/// Fits one set of runs from every promising start. Deterministic: the same runs give the same basins.
template <typename S>
class GlobalFit {
 public:
  GlobalFit() = default;
  /// As begin().
  GlobalFit(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation) {
    begin(law, RunsView<S>(runs), space, parametrisation);
  }

  /// Takes in a problem, in the buffers of the one before. All of it must outlive the calls below.
  void begin(const AnyLaw<S>& law, const RunsView<S>& runs, Space space, const Parametrisation<S>& parametrisation) {
    law_ = &law;
    space_ = space;
    parametrisation_ = &parametrisation;
    descent_.begin(law, runs, space, parametrisation);
    reserve_lists();
  }

  /// Makes room for power sums of as many rows.
  void reserve(Index capacity, bool weighted) {
    descent_.reserve(capacity, weighted);
    buffers_.reserve(capacity);
    reserve_lists();
  }

  /// As Residual::magnitude().
  S magnitude() { return rows() != nullptr ? rows()->magnitude : descent_.problem().magnitude(); }

  /// The basin of one start.
  Basin<S> descend_from(CRef<Parameters<S>> phi, const SolverOptions<S>& options) {
    if (rows() != nullptr) {
      // A power sum may be beyond floating point where the law is not: (1e100)^(alpha_N / alpha).
      Basin<S> out = descent_.separable(descent_.form_of(Parameters<S>(phi)), options);
      if (std::isfinite(out.summary.objective)) return out;
    }
    return descent_.general(phi, options);
  }
  /// The same of a basin of other runs, whose absent terms stay absent at the start.
  Basin<S> descend_from(const Basin<S>& basin, const SolverOptions<S>& options) {
    if (rows() == nullptr) return descent_.general(basin.phi, options);
    const Basin<S> out = descent_.separable(descent_.form_of(basin), options);
    return std::isfinite(out.summary.objective) ? out : descent_.general(basin.phi, options);
  }

  /// Distinct basins, the best first; empty where the law is finite nowhere near the runs. They stay until the next call.
  std::vector<Basin<S>>& basins(const SolverOptions<S>& options) {
    search(options);
    if (rows() != nullptr && rows()->free[0]) go_on(options);
    return found_;
  }

  /// What the last call found, and where a caller may put what it finds itself.
  std::vector<Basin<S>>& basins_buffer() { return found_; }
  const std::vector<Basin<S>>& basins_buffer() const { return found_; }

  Descent<S>& descent() { return descent_; }

 private:
  const PowerSumRows<S>* rows() const { return descent_.rows(); }
  void reserve_lists() {
    found_.reserve(64);
    if (descent_.rows() != nullptr) buffers_.reserve_lists();
  }
  const Runs<S>& runs() { return descent_.runs(); }
  void search(const SolverOptions<S>& options);
  void go_on(const SolverOptions<S>& options);
  void from_laws_inside(const SolverOptions<S>& options, std::vector<Basin<S>>& found);
  Starts<S> own_starts(const SolverOptions<S>& options);
  std::vector<Parameters<S>> without_constraints(const SolverOptions<S>& options);
  /// Evaluations for every start, how many of them go on, and how many times the lowest objective they may have.
  struct Heat {
    int evaluations;
    std::size_t kept;
    double promising;
  };
  static std::vector<Parameters<S>> heats(Descent<S>& descent, std::vector<Parameters<S>> starts, SolverOptions<S> options,
                                          const std::vector<Heat>& heats);
  static Index stride(Index rows) { return (rows + kStartRuns - 1) / kStartRuns; }
  Runs<S> sample() { return runs().size() > kStartRuns ? runs().every(stride(runs().size())) : runs(); }

  const AnyLaw<S>* law_ = nullptr;
  Space space_ = Space::loss;
  const Parametrisation<S>* parametrisation_ = nullptr;
  Descent<S> descent_;
  SearchBuffers<S> buffers_;
  Runs<S> sample_;  ///< of a power sum's
  PowerSumRows<S> fewer_;
  std::vector<Basin<S>> found_;
};

/// An outer power of 1, or no floor, make a smaller law of one that has both (Chinchilla's or Kaplan's of Droppo and Elibol's).
/// From its optimum inside the parameters' range the descent ends at least as low, wherever the power sums led.
template <typename S>
void GlobalFit<S>::from_laws_inside(const SolverOptions<S>& options, std::vector<Basin<S>>& found) {
  if (!rows()->free[0] || !rows()->floor || !parametrisation_->unconstrained()) return;
  for (const bool with_floor : {true, false}) {
    PowerSumRows<S> inside = *rows();
    inside.floor = with_floor;
    if (with_floor) inside.hold_outer(S(1));
    const Vector<S> equally;
    std::vector<GridCell<S>> cells = GridSearch<S>(inside, outer_powers(inside), equally, buffers_.grid).minima(2).cells;
    std::stable_sort(cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.objective < b.objective; });
    if (cells.size() > 2) cells.resize(2);
    for (const GridCell<S>& cell : cells) {
      PowerSum<S> form = cell.form;
      descent_.projection().minimise(inside, options, form);
      Parameters<S> phi;
      phi_of_form(*law_, *parametrisation_, *rows(), form, phi);
      if (phi.allFinite()) add_basin(descent_.general(phi, options), found);
    }
  }
}

/// The law's own starts, as phi, the runs of the sample being those that its power sums are fitted to.
template <typename S>
Starts<S> GlobalFit<S>::own_starts(const SolverOptions<S>& options) {
  const Runs<S> some = sample();
  PowerSumRows<S> rows = *power_sum_rows(*law_, some, space_, *parametrisation_);
  const Vector<S> equally;
  LawResidual<S> problem(*law_, some, space_, *parametrisation_);
  const Inputs<S> at = some.at.in_units(parametrisation_->log_N0, parametrisation_->log_D0);
  Vector<S> r(rows.rows);
  VariableProjection<S> projection(rows.rows);
  SolverOptions<S> roughly = options;
  roughly.max_evaluations = std::min(options.max_evaluations, 12);
  if (has_kink(options.objective.kind)) roughly.objective.delta = S(1e-3) * rows.magnitude;
  // A term that came out as zero starts small: ln 0 would never move again.
  const S little = S(1e-3) * some.loss.mean();
  using Found = std::pair<Parameters<S>, S>;
  const auto search_at = [&](const Parameters<S>& theta, std::size_t most) {
    law_->effective(theta, at, rows.x, rows.y);
    const S least_N = rows.x.minCoeff(), least_D = rows.y.minCoeff();
    rows.x.array() -= least_N;
    rows.y.array() -= least_D;
    std::vector<Found> out;
    const GridCells<S>& cells = GridSearch<S>(rows, outer_powers(rows), equally, buffers_.grid).minima(most);
    for (const GridCell<S>* cell = cells.first(0); cell != cells.last(0); ++cell) {
      PowerSum<S> form = cell->form;
      projection.minimise(rows, roughly, form);
      form.n *= std::exp(form.p * least_N);
      form.d *= std::exp(form.q * least_D);
      for (S* c : {&form.floor, &form.n, &form.d}) *c = std::max(*c, little);
      Found found{theta, std::numeric_limits<S>::infinity()};
      set_power_sum<S>(*law_, form, found.first);
      problem.residual(parametrisation_->phi_of_logs(Parameters<S>(found.first.array().log())), r);
      const S F =
          kernels<S>().total_rho(options.objective, r.size(), r.data(), rows.weight.size() == 0 ? nullptr : rows.weight.data());
      if (std::isfinite(F)) found.second = F;
      out.push_back(found);
    }
    return out;
  };
  const auto basins_of = [&](const AnyLaw<S>& law, const Vector<S>& log_D) {
    Runs<S> other = runs();
    other.at.log_D = log_D;
    const Parametrisation<S> same_units(law, parametrisation_->log_N0, parametrisation_->log_D0, Constraints<S>(law));
    GlobalFit<S> search(law, other, space_, same_units);
    std::vector<Parameters<S>> out;
    for (const Basin<S>& basin : search.basins(options)) out.push_back(basin.phi);
    return out;
  };
  Starts<S> out = law_->starts(
      {runs(), space_, options.objective, parametrisation_->log_N0, parametrisation_->log_D0, search_at, basins_of});
  for (std::vector<Parameters<S>>* starts : {&out.many, &out.inside})
    for (Parameters<S>& start : *starts) start = parametrisation_->phi_of_logs(Parameters<S>(start));
  return out;
}

/// Where constraints keep a power sum from being solved as one: its basins without them, moved to where they hold.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::without_constraints(const SolverOptions<S>& options) {
  const Parametrisation<S> free(*law_, runs().at, Constraints<S>(*law_));
  std::vector<Parameters<S>> out;
  GlobalFit<S> search(*law_, runs(), space_, free);
  for (const Basin<S>& basin : search.basins(options)) {
    const Parameters<S> theta = free.natural(basin.phi);
    if (theta.allFinite() && theta.minCoeff() > S(0)) out.push_back(parametrisation_->phi(theta));
  }
  return out;
}

/// The most promising of many starts for a law that is no power sum: all of them a few steps down, those that are not far
/// behind some more, and so on, so that the long way down a flat valley is gone by few.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::heats(Descent<S>& descent, std::vector<Parameters<S>> starts, SolverOptions<S> options,
                                               const std::vector<Heat>& heats) {
  const int most = options.max_evaluations;
  if (has_kink(options.objective.kind)) options.objective.delta = S(1e-3) * descent.problem().magnitude();
  std::vector<Basin<S>> reached;
  for (const Heat& heat : heats) {
    options.max_evaluations = std::min(most, heat.evaluations);
    reached.clear();
    for (const Parameters<S>& phi : starts) reached.push_back(descent.smooth(phi, options));
    std::stable_sort(reached.begin(), reached.end(),
                     [](const Basin<S>& a, const Basin<S>& b) { return a.summary.objective < b.summary.objective; });
    starts.clear();
    S last = -std::numeric_limits<S>::infinity();
    for (const Basin<S>& basin : reached) {
      const S F = basin.summary.objective;
      if (starts.size() == heat.kept || !(starts.empty() || F < S(heat.promising) * reached.front().summary.objective)) break;
      // The same objective to 1e-7: on the way to one optimum.
      if (F > last * (S(1) + S(1e-7))) starts.push_back(basin.phi);
      last = F;
    }
  }
  return starts;
}

template <typename S>
void GlobalFit<S>::search(const SolverOptions<S>& options) {
  std::vector<Basin<S>>& found = found_;
  found.clear();
  if (rows() != nullptr) {
    const RunsView<S>& view = descent_.view();
    const PowerSumRows<S>* looked_at = rows();
    if (view.rows > kStartRuns) {
      view.every(stride(view.rows), sample_);
      if (fill_power_sum_rows(*law_, RunsView<S>(sample_), space_, *parametrisation_, fewer_)) looked_at = &fewer_;
    }
    PowerSumSearch<S>(descent_, *looked_at, options, buffers_).run(found);
    // Where power sums led beyond the parameters' range, the best point inside may be far from all of them.
    if (!found.empty() && !descent_.beyond()) return;
    from_laws_inside(options, found);
  }
  std::vector<Parameters<S>> starts;
  // The law's own rule knows nothing of constraints.
  Starts<S> own;
  if (law_->own_starts && parametrisation_->unconstrained()) own = own_starts(options);
  if (!own.many.empty()) {
    starts = heats(descent_, std::move(own.many), options, {{20, 40, 20}, {60, 15, 4}, {200, 3, 1.5}});
    starts.insert(starts.end(), own.inside.begin(), own.inside.end());
  } else if (law_->form == PowerSumForm::none) {
    const Runs<S> few = few_runs(runs());
    Descent<S> roughly(*law_, few, space_, *parametrisation_);
    const auto promising = GeneralStart<S>(*law_, few, space_, *parametrisation_).best(options.objective, 4 * kStarts);
    starts = heats(roughly, promising, options, {{20, kStarts, kPromising}});
  } else {
    const Runs<S> some = sample();
    starts = DataStart<S>(*law_, some, space_, *parametrisation_).best(options, kStarts);
  }
  if (law_->separable() && rows() == nullptr)
    for (const Parameters<S>& phi : without_constraints(options)) starts.push_back(phi);
  for (const Parameters<S>& phi : starts) add_basin(descent_.general(phi, options), found);
}

/// Along the flat valleys of an unknown outer power a descent may end at an edge that it should leave, or out of evaluations:
/// one that begins anew where it ended, with its terms all present, ends lower until nothing is to be gained.
template <typename S>
void GlobalFit<S>::go_on(const SolverOptions<S>& options) {
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds && !found_.empty(); ++round) {
    const Basin<S>& best = found_.front();
    const bool interior = std::all_of(best.edges.begin(), best.edges.end(), [](int side) { return side == 0; });
    if (best.summary.status == Status::converged && interior) return;
    const S before = best.summary.objective;
    add_basin(descend_from(Parameters<S>(best.phi), options), found_);
    if (!(found_.front().summary.objective < before * (S(1) - S(1e-9)))) return;
  }
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
