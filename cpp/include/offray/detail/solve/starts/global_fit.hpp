// SPDX-License-Identifier: Apache-2.0
/// \file
/// From runs to basins: starts, descents, and which of them are distinct.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
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
  /// References must outlive the object.
  GlobalFit(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation)
      : law_(law), runs_(runs), space_(space), parametrisation_(parametrisation), descent_(law, runs, space, parametrisation) {}

  /// As Residual::magnitude().
  S magnitude() const { return rows() ? rows()->magnitude : LawResidual<S>(law_, runs_, space_, parametrisation_).magnitude(); }

  /// The basin of one start.
  Basin<S> descend_from(CRef<Parameters<S>> phi, const SolverOptions<S>& options) {
    if (rows()) {
      // A power sum may be beyond floating point where the law is not: (1e100)^(alpha_N / alpha).
      Basin<S> out = descent_.separable(descent_.form_of(Parameters<S>(phi)), options);
      if (std::isfinite(out.summary.objective)) return out;
    }
    return descent_.general(phi, options);
  }

  /// Distinct basins, the best first; empty where the law is finite nowhere near the runs.
  std::vector<Basin<S>> basins(const SolverOptions<S>& options);

 private:
  const std::optional<PowerSumRows<S>>& rows() const { return descent_.rows(); }
  void from_laws_inside(const SolverOptions<S>& options, std::vector<Basin<S>>& found);
  std::vector<Parameters<S>> own_starts(const SolverOptions<S>& options);
  std::vector<Parameters<S>> without_constraints(const SolverOptions<S>& options);
  static std::vector<Parameters<S>> sprint(Descent<S>& descent, const std::vector<Parameters<S>>& starts,
                                           SolverOptions<S> options);
  Runs<S> sample() const {
    return runs_.size() > kStartRuns ? runs_.every((runs_.size() + kStartRuns - 1) / kStartRuns) : runs_;
  }

  const AnyLaw<S>& law_;
  const Runs<S>& runs_;
  Space space_;
  const Parametrisation<S>& parametrisation_;
  Descent<S> descent_;
};

/// An outer power of 1, or no floor, make a smaller law of one that has both (Chinchilla's or Kaplan's of Droppo and Elibol's).
/// From its optimum inside the parameters' range the descent ends at least as low, wherever the power sums led.
template <typename S>
void GlobalFit<S>::from_laws_inside(const SolverOptions<S>& options, std::vector<Basin<S>>& found) {
  if (!rows()->free[0] || !rows()->floor || !parametrisation_.unconstrained()) return;
  for (const bool with_floor : {true, false}) {
    PowerSumRows<S> inside = *rows();
    inside.floor = with_floor;
    if (with_floor) inside.hold_outer(S(1));
    const Vector<S> equally;
    std::vector<GridCell<S>> cells;
    for (const auto& of_plane : GridSearch<S>(inside, outer_powers(inside), equally).minima(2))
      cells.insert(cells.end(), of_plane.begin(), of_plane.end());
    std::stable_sort(cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.objective < b.objective; });
    if (cells.size() > 2) cells.resize(2);
    for (const GridCell<S>& cell : cells) {
      PowerSum<S> form = cell.form;
      descent_.projection().minimise(inside, options, form);
      Parameters<S> phi;
      phi_of_form(law_, parametrisation_, *rows(), form, phi);
      if (phi.allFinite()) add_basin(descent_.general(phi, options), found);
    }
  }
}

/// The law's own starts as phi, the runs of the sample being those that its power sums are fitted to.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::own_starts(const SolverOptions<S>& options) {
  const Runs<S> some = sample();
  PowerSumRows<S> rows = *power_sum_rows(law_, some, space_, parametrisation_);
  const Vector<S> equally;
  LawResidual<S> problem(law_, some, space_, parametrisation_);
  const Inputs<S> at = some.at.in_units(parametrisation_.log_N0, parametrisation_.log_D0);
  Vector<S> r(rows.rows);
  VariableProjection<S> projection(rows.rows);
  SolverOptions<S> roughly = options;
  roughly.max_evaluations = std::min(options.max_evaluations, 12);
  if (has_kink(options.objective.kind)) roughly.objective.delta = S(1e-3) * rows.magnitude;
  // A term that came out as zero starts small: ln 0 would never move again.
  const S little = S(1e-3) * some.loss.mean();
  using Found = std::pair<Parameters<S>, S>;
  const auto search_at = [&](const Parameters<S>& theta, std::size_t most) {
    law_.effective(theta, at, rows.x, rows.y);
    const S least_N = rows.x.minCoeff(), least_D = rows.y.minCoeff();
    rows.x.array() -= least_N;
    rows.y.array() -= least_D;
    std::vector<Found> out;
    const auto cells = GridSearch<S>(rows, outer_powers(rows), equally).minima(most);
    for (const GridCell<S>& cell : cells.front()) {
      PowerSum<S> form = cell.form;
      projection.minimise(rows, roughly, form);
      form.n *= std::exp(form.p * least_N);
      form.d *= std::exp(form.q * least_D);
      for (S* c : {&form.floor, &form.n, &form.d}) *c = std::max(*c, little);
      Found found{theta, std::numeric_limits<S>::infinity()};
      set_power_sum<S>(law_, form, found.first);
      problem.residual(parametrisation_.phi_of_logs(Parameters<S>(found.first.array().log())), r);
      const S F =
          kernels<S>().total_rho(options.objective, r.size(), r.data(), rows.weight.size() == 0 ? nullptr : rows.weight.data());
      if (std::isfinite(F)) found.second = F;
      out.push_back(found);
    }
    return out;
  };
  const StartProblem<S> start{runs_, space_, options.objective, parametrisation_.log_N0, parametrisation_.log_D0, search_at};
  std::vector<Parameters<S>> out;
  for (const Parameters<S>& log_theta : law_.starts(start)) out.push_back(parametrisation_.phi_of_logs(log_theta));
  return out;
}

/// Where constraints keep a power sum from being solved as one: its basins without them, moved to where they hold.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::without_constraints(const SolverOptions<S>& options) {
  const Parametrisation<S> free(law_, runs_.at, Constraints<S>(law_));
  std::vector<Parameters<S>> out;
  for (const Basin<S>& basin : GlobalFit<S>(law_, runs_, space_, free).basins(options)) {
    const Parameters<S> theta = free.natural(basin.phi);
    if (theta.allFinite() && theta.minCoeff() > S(0)) out.push_back(parametrisation_.phi(theta));
  }
  return out;
}

/// The most promising of many starts for a law that is no power sum: all of them a few steps down, then the best, unless they
/// are far behind.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::sprint(Descent<S>& descent, const std::vector<Parameters<S>>& starts,
                                                SolverOptions<S> options) {
  constexpr int kSprint = 20;
  options.max_evaluations = std::min(options.max_evaluations, kSprint);
  std::vector<Basin<S>> reached;
  for (const Parameters<S>& phi : starts) reached.push_back(descent.general(phi, options));
  std::stable_sort(reached.begin(), reached.end(),
                   [](const Basin<S>& a, const Basin<S>& b) { return a.summary.objective < b.summary.objective; });
  if (reached.size() > kStarts) reached.resize(kStarts);
  std::vector<Parameters<S>> best;
  S last = -std::numeric_limits<S>::infinity();
  for (const Basin<S>& basin : reached) {
    if (!best.empty() && !(basin.summary.objective < S(kPromising) * reached.front().summary.objective)) break;
    // The same objective to 1e-7: on the way to one optimum.
    if (basin.summary.objective > last * (S(1) + S(1e-7))) best.push_back(basin.phi);
    last = basin.summary.objective;
  }
  return best;
}

template <typename S>
std::vector<Basin<S>> GlobalFit<S>::basins(const SolverOptions<S>& options) {
  std::vector<Basin<S>> found;
  if (rows()) {
    std::optional<PowerSumRows<S>> fewer;
    if (runs_.size() > kStartRuns) fewer = power_sum_rows(law_, sample(), space_, parametrisation_);
    PowerSumSearch<S>(descent_, fewer ? *fewer : *rows(), options).run(found);
    // Where power sums led beyond the parameters' range, the best point inside may be far from all of them.
    if (!found.empty() && !descent_.beyond()) return found;
    from_laws_inside(options, found);
  }
  std::vector<Parameters<S>> starts;
  // The law's own rule knows nothing of constraints.
  if (law_.own_starts && parametrisation_.unconstrained()) starts = own_starts(options);
  if (!starts.empty()) {
    starts = sprint(descent_, starts, options);
  } else if (law_.form == PowerSumForm::none) {
    const Runs<S> few = few_runs(runs_);
    Descent<S> roughly(law_, few, space_, parametrisation_);
    const auto promising = GeneralStart<S>(law_, few, space_, parametrisation_).best(options.objective, 4 * kStarts);
    starts = sprint(roughly, promising, options);
  } else {
    const Runs<S> some = sample();
    starts = DataStart<S>(law_, some, space_, parametrisation_).best(options, kStarts);
  }
  if (law_.separable() && !rows())
    for (const Parameters<S>& phi : without_constraints(options)) starts.push_back(phi);
  for (const Parameters<S>& phi : starts) add_basin(descent_.general(phi, options), found);
  return found;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
