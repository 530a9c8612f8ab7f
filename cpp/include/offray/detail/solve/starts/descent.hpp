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
  /// References must outlive the object.
  Descent(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation)
      : law_(law), runs_(runs), space_(space), parametrisation_(parametrisation) {
    if (law.separable()) rows_ = power_sum_rows(law, runs, space, parametrisation);
    if (rows_) separable_.emplace(rows_->rows);
  }

  /// Of a power sum; without a value otherwise, and the functions about one must not be called.
  const std::optional<PowerSumRows<S>>& rows() const { return rows_; }
  VariableProjection<S>& projection() { return *separable_; }

  Basin<S> general(Parameters<S> phi, const SolverOptions<S>& options);
  Basin<S> separable(PowerSum<S> form, const SolverOptions<S>& options);

  PowerSum<S> form_of(const Parameters<S>& phi) const { return form_of_phi(law_, parametrisation_, *rows_, phi); }
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
  Basin<S> at_form(const PowerSum<S>& form, const Summary<S>& summary, const SolverOptions<S>& options);

  const AnyLaw<S>& law_;
  const Runs<S>& runs_;
  Space space_;
  const Parametrisation<S>& parametrisation_;
  std::optional<PowerSumRows<S>> rows_;
  std::optional<VariableProjection<S>> separable_;
  std::optional<LawResidual<S>> problem_;
  std::optional<GaussNewton<S>> solver_;
  bool beyond_ = false;
};

template <typename S>
Basin<S> Descent<S>::general(Parameters<S> phi, const SolverOptions<S>& options) {
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
Basin<S> Descent<S>::separable(PowerSum<S> form, const SolverOptions<S>& options) {
  const Summary<S> summary = in_stages(options, rows_->magnitude, form, [&](const SolverOptions<S>& stage, PowerSum<S>& at) {
    return separable_->minimise(*rows_, stage, at);
  });
  return at_form(form, summary, options);
}

/// A power sum as phi. Where its parameters are beyond their range (N_c = n^(1/p) with a small p), the general solver looks for
/// the best point inside, from the nearest one, which may be a bad start.
template <typename S>
Basin<S> Descent<S>::at_form(const PowerSum<S>& form, const Summary<S>& summary, const SolverOptions<S>& options) {
  Basin<S> out{{}, summary, separable_->edges()};
  const bool inside = phi_of_form(law_, parametrisation_, *rows_, form, out.phi);
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
