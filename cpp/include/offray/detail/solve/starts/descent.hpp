// SPDX-License-Identifier: Apache-2.0
/// \file
/// One descent, in the form that suits the law.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "offray/detail/solve/gauss_newton.hpp"
#include "offray/detail/solve/power_sum/constraints.hpp"
#include "offray/detail/solve/power_sum/terms.hpp"
#include "offray/detail/solve/power_sum/variable_projection.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/detail/solve/starts/basin.hpp"
#include "offray/detail/solve/starts/stages.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Descends in all parameters at once, or, for a law that is a power sum under its constraints, by variable projection. The
/// workspace is made when first needed and serves every descent.
template <typename S>
class Descent {
 public:
  Descent() = default;
  /// As begin().
  Descent(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation) {
    begin(law, RunsView<S>(runs), space, parametrisation);
  }

  /// Takes in a problem, in the buffers of the one before. All of it must outlive the calls below.
  void begin(const AnyLaw<S>& law, const RunsView<S>& runs, Space space, const Parametrisation<S>& parametrisation) {
    law_ = &law;
    view_ = runs;
    space_ = space;
    parametrisation_ = &parametrisation;
    beyond_ = copied_ = posed_ = false;
    power_sum_ = law.separable() && fill_power_sum_rows(law, runs, space, parametrisation, rows_);
    if (power_sum_ && !(separable_ && separable_->capacity() >= runs.rows)) separable_.emplace(std::max(capacity_, runs.rows));
  }

  /// Makes room for power sums of as many rows.
  void reserve(Index capacity, bool weighted) {
    capacity_ = std::max(capacity_, capacity);
    rows_.begin({}, capacity_, weighted);
    if (!(separable_ && separable_->capacity() >= capacity_)) separable_.emplace(capacity_);
  }

  /// Of a power sum; null otherwise, and the functions about one must not be called.
  const PowerSumRows<S>* rows() const { return power_sum_ ? &rows_ : nullptr; }
  VariableProjection<S>& projection() { return *separable_; }
  /// The residuals of the law itself.
  LawResidual<S>& problem();
  const RunsView<S>& view() const { return view_; }
  const Runs<S>& runs();

  Basin<S> general(Parameters<S> phi, const SolverOptions<S>& options);
  /// The same with the objective as smooth as its delta makes it, where rho has a kink.
  Basin<S> smooth(Parameters<S> phi, const SolverOptions<S>& options);
  Basin<S> separable(PowerSum<S> form, const SolverOptions<S>& options);

  PowerSum<S> form_of(const Parameters<S>& phi) const { return form_of_phi(*law_, *parametrisation_, rows_, phi); }
  /// The same of a basin: a term at its edge is absent, not 1e-130.
  PowerSum<S> form_of(const Basin<S>& basin) const {
    PowerSum<S> form = form_of(basin.phi);
    if (basin.edges[1] != 0) form.n = S(0);
    if (basin.edges[2] != 0) form.d = S(0);
    return form;
  }

  /// Whether a power sum had parameters beyond their range.
  bool beyond() const { return beyond_; }

 private:
  GaussNewton<S>& solver();
  Basin<S> at_form(const PowerSum<S>& form, const Summary<S>& summary, const SolverOptions<S>& options);

  const AnyLaw<S>* law_ = nullptr;
  RunsView<S> view_;
  Space space_ = Space::loss;
  const Parametrisation<S>* parametrisation_ = nullptr;
  Index capacity_ = 0;
  PowerSumRows<S> rows_;
  std::optional<VariableProjection<S>> separable_;
  Runs<S> copy_;  ///< where the view is of no Runs
  std::optional<LawResidual<S>> problem_;
  std::optional<GaussNewton<S>> solver_;
  bool power_sum_ = false, beyond_ = false;
  bool copied_ = false, posed_ = false;  ///< whether copy_ and problem_ are of this problem
};

template <typename S>
const Runs<S>& Descent<S>::runs() {
  if (view_.whole != nullptr) return *view_.whole;
  if (!copied_) view_.copy(copy_);
  copied_ = true;
  return copy_;
}

template <typename S>
LawResidual<S>& Descent<S>::problem() {
  if (posed_) return *problem_;
  if (problem_)
    problem_->begin(*law_, runs(), space_, *parametrisation_);
  else
    problem_.emplace(*law_, runs(), space_, *parametrisation_);
  posed_ = true;
  return *problem_;
}

template <typename S>
GaussNewton<S>& Descent<S>::solver() {
  const LawResidual<S>& problem = this->problem();
  if (!solver_ || solver_->rows() != problem.rows() || solver_->cols() != problem.cols())
    solver_.emplace(problem.rows(), problem.cols());
  return *solver_;
}

template <typename S>
Basin<S> Descent<S>::smooth(Parameters<S> phi, const SolverOptions<S>& options) {
  Basin<S> out;
  out.phi = std::move(phi);
  const auto& p = *parametrisation_;
  out.summary = solver().minimise(problem(), runs().weight, p.lower, p.upper, options, out.phi);
  return out;
}

template <typename S>
Basin<S> Descent<S>::general(Parameters<S> phi, const SolverOptions<S>& options) {
  LawResidual<S>& problem = this->problem();
  Basin<S> out;
  out.phi = std::move(phi);
  const auto minimise = [&](const SolverOptions<S>& stage, Parameters<S>& at) {
    return solver().minimise(problem, runs().weight, parametrisation_->lower, parametrisation_->upper, stage, at);
  };
  const auto value = [&](const SolverOptions<S>& stage, const Parameters<S>& at) {
    Vector<S> r(problem.rows());
    problem.residual(at, r);
    const Vector<S>& w = runs().weight;
    return kernels<S>().total_rho(stage.objective, r.size(), r.data(), w.size() == 0 ? nullptr : w.data());
  };
  out.summary = in_stages(options, problem.magnitude(), out.phi, minimise, value);
  return out;
}

template <typename S>
Basin<S> Descent<S>::separable(PowerSum<S> form, const SolverOptions<S>& options) {
  const auto minimise = [&](const SolverOptions<S>& stage, PowerSum<S>& at) { return separable_->minimise(rows_, stage, at); };
  const auto value = [&](const SolverOptions<S>& stage, const PowerSum<S>& at) {
    return separable_->objective(rows_, stage, at);
  };
  const Summary<S> summary = in_stages(options, rows_.magnitude, form, minimise, value);
  return at_form(form, summary, options);
}

/// A power sum as phi. Where its parameters are beyond their range (N_c = n^(1/p) with a small p), the general solver looks for
/// the best point inside, from the nearest one, which may be a bad start.
template <typename S>
Basin<S> Descent<S>::at_form(const PowerSum<S>& form, const Summary<S>& summary, const SolverOptions<S>& options) {
  Basin<S> out{{}, summary, separable_->edges()};
  const bool inside = phi_of_form(*law_, *parametrisation_, rows_, form, out.phi);
  if (inside && out.phi.allFinite()) return out;
  beyond_ = true;
  if (std::isfinite(summary.objective) && out.phi.allFinite()) return general(out.phi, options);
  out.summary.status = Status::evaluation_failed;
  out.summary.objective = std::numeric_limits<S>::infinity();
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
