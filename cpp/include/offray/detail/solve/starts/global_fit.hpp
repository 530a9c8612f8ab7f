// SPDX-License-Identifier: Apache-2.0
/// \file
/// From runs to basins: starts, descents, and which of them are distinct.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "offray/detail/solve/gauss_newton.hpp"
#include "offray/detail/solve/power_sum/grid_search.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"
#include "offray/detail/solve/power_sum/terms.hpp"
#include "offray/detail/solve/power_sum/variable_projection.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/detail/solve/starts/data_start.hpp"
#include "offray/detail/solve/starts/general_start.hpp"
#include "offray/detail/solve/starts/stages.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// How many local minima of the start grid are followed to the end.
inline constexpr std::size_t kStarts = 6;
/// The start grid looks at no more runs than this, evenly spaced through the table.
inline constexpr Index kStartRuns = 4096;

/// Where one descent ended.
template <typename S>
struct Basin {
  Parameters<S> phi;
  Summary<S> summary;
  std::array<int, kTerms> edges{};  ///< of a power sum: -1 or 1 where a Term sits at its lower or upper edge
};

/// Fits one set of runs from every promising start. Deterministic: the same runs give the same basins.
template <typename S>
class GlobalFit {
 public:
  /// References must outlive the object.
  GlobalFit(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation)
      : law_(law), runs_(runs), space_(space), parametrisation_(parametrisation) {
    if (law.separable() && parametrisation.unconstrained()) rows_ = power_sum_rows(law, runs, space);
  }

  /// As Residual::magnitude().
  S magnitude() const { return rows_ ? rows_->magnitude : LawResidual<S>(law_, runs_, space_, parametrisation_).magnitude(); }

  /// The basin of one start.
  Basin<S> descend_from(CRef<Parameters<S>> phi, const SolverOptions<S>& options) {
    if (rows_) {
      // A power sum may be beyond floating point where the law is not: (1e100)^(alpha_N / alpha).
      Basin<S> out = descend_separable(form_of(Parameters<S>(phi)), options);
      if (std::isfinite(out.summary.objective)) return out;
    }
    return descend_general(phi, options);
  }

  /// Distinct basins, the best first; empty where the law is finite nowhere near the runs.
  std::vector<Basin<S>> basins(const SolverOptions<S>& options);

 private:
  PowerSum<S> form_of(const Parameters<S>& phi) const { return form_of_phi(law_, parametrisation_, *rows_, phi); }
  /// The same of a basin: a term at its edge is absent, not 1e-130.
  PowerSum<S> form_of(const Basin<S>& basin) const {
    PowerSum<S> form = form_of(basin.phi);
    if (basin.edges[1] != 0) form.n = S(0);
    if (basin.edges[2] != 0) form.d = S(0);
    return form;
  }
  Basin<S> descend_separable(PowerSum<S> form, const SolverOptions<S>& options);
  Basin<S> descend_general(Parameters<S> phi, const SolverOptions<S>& options);
  Basin<S> at_form(const PowerSum<S>& form, const Summary<S>& summary, const SolverOptions<S>& options);
  bool falls(const GridSearch<S>& search, const PowerSumRows<S>& rows, const Vector<S>& reweight, const PowerSum<S>& from,
             const Basin<S>& to, SolverOptions<S> options);
  void from_grid(const SolverOptions<S>& options, std::vector<Basin<S>>& found);
  void exchange_terms(const SolverOptions<S>& options, std::vector<Basin<S>>& found);
  void from_laws_inside(const SolverOptions<S>& options, std::vector<Basin<S>>& found);
  std::vector<Parameters<S>> own_starts(const SolverOptions<S>& options);
  std::vector<Parameters<S>> sprint(const std::vector<Parameters<S>>& starts, SolverOptions<S> options);
  Runs<S> sample() const {
    return runs_.size() > kStartRuns ? runs_.every((runs_.size() + kStartRuns - 1) / kStartRuns) : runs_;
  }
  static void add(Basin<S> basin, std::vector<Basin<S>>& found);

  const AnyLaw<S>& law_;
  const Runs<S>& runs_;
  Space space_;
  const Parametrisation<S>& parametrisation_;
  std::optional<PowerSumRows<S>> rows_;
  std::optional<VariableProjection<S>> separable_;
  std::optional<LawResidual<S>> problem_;
  std::optional<GaussNewton<S>> solver_;
  bool beyond_ = false;  ///< whether a power sum had parameters beyond their range
};

/// Puts a basin in its place unless it is there already: the same objective to 1e-9 at the same exponents, or a worse one than
/// needed to be of interest.
template <typename S>
void GlobalFit<S>::add(Basin<S> basin, std::vector<Basin<S>>& found) {
  if (!std::isfinite(basin.summary.objective)) return;
  const auto settled = [](const Basin<S>& b) { return b.summary.status == Status::converged; };
  for (Basin<S>& other : found) {
    const S F = basin.summary.objective, G = other.summary.objective;
    if (!(std::abs(F - G) <= S(1e-9) * std::max(F, G))) continue;
    // Equal to within what a later basin has to gain to count: a converged one speaks for both.
    if (settled(basin) && !settled(other)) other = basin;
    return;
  }
  const auto place = std::upper_bound(found.begin(), found.end(), basin, [](const Basin<S>& a, const Basin<S>& b) {
    return a.summary.objective < b.summary.objective;
  });
  found.insert(place, std::move(basin));
}

template <typename S>
Basin<S> GlobalFit<S>::descend_general(Parameters<S> phi, const SolverOptions<S>& options) {
  if (!problem_) {
    problem_.emplace(law_, runs_, space_, parametrisation_);
    solver_.emplace(problem_->rows(), problem_->cols());
  }
  Basin<S> out;
  out.phi = phi;
  out.summary = in_stages(options, problem_->magnitude(), out.phi, [&](const SolverOptions<S>& stage, Parameters<S>& at) {
    return solver_->minimise(*problem_, runs_.weight, parametrisation_.lower, parametrisation_.upper, stage, at);
  });
  return out;
}

template <typename S>
Basin<S> GlobalFit<S>::descend_separable(PowerSum<S> form, const SolverOptions<S>& options) {
  if (!separable_) separable_.emplace(rows_->rows);
  const Summary<S> summary = in_stages(options, rows_->magnitude, form, [&](const SolverOptions<S>& stage, PowerSum<S>& at) {
    return separable_->minimise(*rows_, stage, at);
  });
  return at_form(form, summary, options);
}

/// A power sum as phi. Where its parameters are beyond their range (N_c = n^(1/p) with a small p), the general solver looks for
/// the best point inside, from the nearest one, which may be a bad start.
template <typename S>
Basin<S> GlobalFit<S>::at_form(const PowerSum<S>& form, const Summary<S>& summary, const SolverOptions<S>& options) {
  Basin<S> out{{}, summary, separable_->edges()};
  const bool inside = phi_of_form(law_, parametrisation_, *rows_, form, out.phi);
  if (inside && out.phi.allFinite()) return out;
  beyond_ = true;
  if (std::isfinite(summary.objective) && out.phi.allFinite()) return descend_general(out.phi, options);
  out.summary.status = Status::evaluation_failed;
  out.summary.objective = std::numeric_limits<S>::infinity();
  return out;
}

/// Whether the objective falls all the way from a cell to a basin, as two points between them see it: then no barrier keeps the
/// cell out of the basin, and only the coarseness of the grid, or its linearised residuals, made it a minimum.
template <typename S>
bool GlobalFit<S>::falls(const GridSearch<S>& search, const PowerSumRows<S>& rows, const Vector<S>& reweight,
                         const PowerSum<S>& from, const Basin<S>& to, SolverOptions<S> options) {
  if (has_kink(options.objective.kind)) options.objective.delta = to.summary.smoothing;
  const PowerSum<S> end = form_of(to);
  S before = separable_->objective(rows, options, from);
  for (const PowerSum<S>& form : search.between(rows, reweight, from, end)) {
    const S here = separable_->objective(rows, options, form);
    if (!(here < before)) return false;
    before = here;
  }
  return separable_->objective(rows, options, end) < before;
}

/// Descents from the minima of the grid; robust objectives search it again with the residuals' influence bounded, since rows
/// that do not belong can move the minima of the sum of squares anywhere.
template <typename S>
void GlobalFit<S>::from_grid(const SolverOptions<S>& options, std::vector<Basin<S>>& found) {
  const Runs<S> some = sample();
  const PowerSumRows<S> rows = some.size() == rows_->rows ? *rows_ : power_sum_rows(law_, some, space_);
  GridSearch<S> search(law_.grid);
  const auto follow = [&](const std::vector<GridCell<S>>& cells, const Vector<S>& reweight) {
    for (const GridCell<S>& cell : cells) {
      const bool known = std::any_of(found.begin(), found.end(), [&](const Basin<S>& basin) {
        return search.beside(cell.form, form_of(basin)) || falls(search, rows, reweight, cell.form, basin, options);
      });
      if (!known) add(descend_separable(cell.form, options), found);
    }
  };
  const auto look_around = [&](const Vector<S>& reweight) {
    for (int round = 0; round < 3 && !found.empty(); ++round) {
      const S before = found.front().summary.objective;
      follow(search.minima_along(rows, reweight, form_of(found.front())), reweight);
      if (!(found.front().summary.objective < before)) return;
    }
  };
  follow(search.minima(rows, Vector<S>(), kStarts), Vector<S>());
  if (options.objective.kind == ObjectiveKind::squares || found.empty()) return look_around(Vector<S>());
  Objective<S> wide = options.objective;
  if (has_kink(wide.kind)) wide.delta = S(1e-3) * rows.magnitude;
  Vector<S> reweight(rows.rows), excess(rows.rows);
  separable_->objective(rows, options, form_of(found.front()));
  Kernels<S>::influence(wide, rows.rows, separable_->residual(), reweight.data(), excess.data());
  follow(search.minima(rows, reweight, kStarts), reweight);
  look_around(reweight);
  if (options.objective.kind != ObjectiveKind::cauchy) return;
  // Not convex: the basins of wider scales, where there are fewer, lead to further ones.
  SolverOptions<S> wider = options;
  for (const S factor : {S(3), S(10), S(30)}) {
    PowerSum<S> form = form_of(found.front());
    for (S share = factor; share > S(1); share /= S(2)) {
      wider.objective.delta = share * options.objective.delta;
      separable_->minimise(*rows_, wider, form);
    }
    add(descend_separable(form, options), found);
  }
}

/// On one ray N^-p and D^-q may change places: then there are two basins, closer to each other than the nodes of the grid and
/// alike in the objective but for what the runs are off the ray. Tried where J is as ill-conditioned as a few per cent of
/// scatter about a ray make it.
template <typename S>
void GlobalFit<S>::exchange_terms(const SolverOptions<S>& options, std::vector<Basin<S>>& found) {
  if (found.empty() || !rows_->free[2] || !(found.front().summary.inverse_condition < S(2e-3))) return;
  PowerSum<S> form = form_of(found.front());
  std::swap(form.n, form.d);
  std::swap(form.p, form.q);
  add(descend_separable(form, options), found);
}

/// An outer power of 1, or no floor, make a smaller law of one that has both (Chinchilla's or Kaplan's of Droppo and Elibol's).
/// From its optimum inside the parameters' range the descent ends at least as low, wherever the power sums led.
template <typename S>
void GlobalFit<S>::from_laws_inside(const SolverOptions<S>& options, std::vector<Basin<S>>& found) {
  if (!rows_->free[0] || !rows_->floor) return;
  if (!separable_) separable_.emplace(rows_->rows);
  for (const bool with_floor : {true, false}) {
    PowerSumRows<S> rows = *rows_;
    StartGrid grid = law_.grid;
    rows.floor = grid.has_floor = with_floor;
    if (with_floor) {
      grid.outer = {1, 1, 1};
      rows.free[0] = false;
      rows.log_unit = S(0);
    }
    for (const GridCell<S>& cell : GridSearch<S>(grid).minima(rows, Vector<S>(), 2)) {
      PowerSum<S> form = cell.form;
      separable_->minimise(rows, options, form);
      Parameters<S> phi;
      phi_of_form(law_, parametrisation_, *rows_, form, phi);
      if (phi.allFinite()) add(descend_general(phi, options), found);
    }
  }
}

/// The law's own starts as phi, the runs of the sample being those that its power sums are fitted to.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::own_starts(const SolverOptions<S>& options) {
  const Runs<S> some = sample();
  PowerSumRows<S> rows = power_sum_rows(law_, some, space_);
  GridSearch<S> search(law_.grid);
  LawResidual<S> problem(law_, some, space_, parametrisation_);
  const Inputs<S> at = some.at.in_units(parametrisation_.log_N0, parametrisation_.log_D0);
  Vector<S> r(rows.rows);
  // A term that came out as zero starts small: ln 0 would never move again.
  const S little = S(1e-3) * some.loss.mean();
  using Found = std::pair<Parameters<S>, S>;
  const auto search_at = [&](const Parameters<S>& theta, std::size_t most) {
    law_.effective(theta, at, rows.x, rows.y);
    const S least_N = rows.x.minCoeff(), least_D = rows.y.minCoeff();
    rows.x.array() -= least_N;
    rows.y.array() -= least_D;
    std::vector<Found> out;
    for (const GridCell<S>& cell : search.minima(rows, Vector<S>(), most)) {
      PowerSum<S> form = cell.form;
      form.n *= std::exp(form.p * least_N);
      form.d *= std::exp(form.q * least_D);
      for (S* c : {&form.floor, &form.n, &form.d}) *c = std::max(*c, little);
      Found found{theta, std::numeric_limits<S>::infinity()};
      set_power_sum<S>(law_, form, found.first);
      problem.residual(parametrisation_.phi_of_logs(Parameters<S>(found.first.array().log())), r);
      const S F =
          Kernels<S>::total_rho(options.objective, r.size(), r.data(), rows.weight.size() == 0 ? nullptr : rows.weight.data());
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

/// The most promising of many starts for a law that is no power sum: all of them a few steps down, then the best.
template <typename S>
std::vector<Parameters<S>> GlobalFit<S>::sprint(const std::vector<Parameters<S>>& starts, SolverOptions<S> options) {
  constexpr int kSprint = 20;
  options.max_evaluations = std::min(options.max_evaluations, kSprint);
  std::vector<Basin<S>> reached;
  for (const Parameters<S>& phi : starts) reached.push_back(descend_general(phi, options));
  std::stable_sort(reached.begin(), reached.end(),
                   [](const Basin<S>& a, const Basin<S>& b) { return a.summary.objective < b.summary.objective; });
  if (reached.size() > kStarts) reached.resize(kStarts);
  std::vector<Parameters<S>> best;
  S last = -std::numeric_limits<S>::infinity();
  for (const Basin<S>& basin : reached) {
    // The same objective to 1e-7: on the way to one optimum.
    if (basin.summary.objective > last * (S(1) + S(1e-7))) best.push_back(basin.phi);
    last = basin.summary.objective;
  }
  return best;
}

template <typename S>
std::vector<Basin<S>> GlobalFit<S>::basins(const SolverOptions<S>& options) {
  std::vector<Basin<S>> found;
  if (rows_) {
    from_grid(options, found);
    exchange_terms(options, found);
    // Where power sums led beyond the parameters' range, the best point inside may be far from all of them.
    if (!found.empty() && !beyond_) return found;
    from_laws_inside(options, found);
  }
  std::vector<Parameters<S>> starts;
  // The law's own rule knows nothing of constraints.
  if (law_.own_starts && parametrisation_.unconstrained()) starts = own_starts(options);
  if (!starts.empty()) {
    starts = sprint(starts, options);
  } else if (law_.form == PowerSumForm::none) {
    const Runs<S> some = sample();
    starts = sprint(GeneralStart<S>(law_, some, space_, parametrisation_).best(options.objective, 4 * kStarts), options);
  } else {
    const Runs<S> some = sample();
    starts = DataStart<S>(law_, some, space_, parametrisation_).best(options, kStarts);
  }
  for (const Parameters<S>& phi : starts) add(descend_general(phi, options), found);
  return found;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
