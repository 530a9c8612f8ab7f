// SPDX-License-Identifier: Apache-2.0
/// \file
/// From runs to an optimum, again and again in the same memory: what fit(), Fitter and OnlineFit have in common.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "offray/detail/linalg/rank.hpp"
#include "offray/detail/linalg/tall_qr.hpp"
#include "offray/detail/solve/checks.hpp"
#include "offray/detail/solve/starts/global_fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// An optimum and what is known of it; see Fit.
template <typename S>
struct Optimum {
  Parameters<S> theta, phi;
  Summary<S> summary;
  Whereabouts where;
  Index lost = 0;
  S gap = S(0);
};

template <typename S>
class FitEngine {
 public:
  /// Makes room for power sums of as many rows.
  void reserve(Index rows, bool weighted) { search_.reserve(rows, weighted); }

  /// Takes in a problem; all of it must outlive the calls below.
  InputError begin(const AnyLaw<S>& law, const RunsView<S>& runs, const FitOptions<S>& options,
                   const Constraints<S>& constraints) {
    if (runs.rows == 0) return InputError::of("N", "N is empty: there are no runs to fit");
    if (const InputError error = constraints.misplaced(law)) return error;
    if (const InputError error = columns_error(law, runs)) return error;
    law_ = &law;
    options_ = &options;
    constraints_ = &constraints;
    parametrisation_.emplace(law, runs.vector(runs.log_N).mean(), runs.vector(runs.log_D).mean(), constraints);
    if (const InputError error = options_error(law, runs.rows, *parametrisation_, options, constraints)) return error;
    search_.begin(law, runs, options.space, *parametrisation_);
    solver_ = options.solver;
    return has_scale(solver_.objective.kind) ? scale_error() : InputError();
  }

  /// The global optimum, or the local one of the options' start.
  InputError solve() {
    std::vector<Basin<S>>& found = search_.basins_buffer();
    if (options_->start.size() != 0) {
      found.clear();
      found.push_back(search_.descend_from(parametrisation_->phi(Parameters<S>(options_->start)), solver_));
      return finish(found);
    }
    return finish(search_.basins(solver_));
  }

  /// The basin of a theta, natural units, that an earlier problem had. \param edges terms that were absent there.
  Basin<S> descend_from(const Parameters<S>& theta, const std::array<int, kTerms>& edges) {
    return search_.descend_from({parametrisation_->phi(theta), {}, edges}, solver_);
  }
  /// Takes a basin for the optimum.
  InputError settle_on(const Basin<S>& basin) {
    std::vector<Basin<S>>& found = search_.basins_buffer();
    found.clear();
    found.push_back(basin);
    return finish(found);
  }

  /// What rounding makes of w rho of one run, w being 1: (64 eps y)^2 / 2 with y the size of the losses.
  S rounding() { return std::pow(S(64) * std::numeric_limits<S>::epsilon() * search_.magnitude(), S(2)) / S(2); }

  const Optimum<S>& optimum() const { return optimum_; }
  /// Distinct ones, the best first.
  const std::vector<Basin<S>>& basins() const { return search_.basins_buffer(); }
  const Parametrisation<S>& parametrisation() const { return *parametrisation_; }
  /// As used: with the scale that was estimated, without an interruption.
  SolverOptions<S> solver() const {
    SolverOptions<S> out = solver_;
    out.interruption = nullptr;
    return out;
  }

 private:
  const RunsView<S>& view() { return search_.descent().view(); }
  InputError scale_error();
  S scale_of_residuals();
  InputError finish(const std::vector<Basin<S>>& found);
  Index rank();

  const AnyLaw<S>* law_ = nullptr;
  const FitOptions<S>* options_ = nullptr;
  const Constraints<S>* constraints_ = nullptr;
  SolverOptions<S> solver_;
  std::optional<Parametrisation<S>> parametrisation_;
  GlobalFit<S> search_;
  Optimum<S> optimum_;
  Vector<S> r_;
  Jacobian<S> J_, augmented_, factor_;
};

/// The scale of the objective: given, or delta of FitOptions::robust_scale.
template <typename S>
InputError FitEngine<S>::scale_error() {
  const S least = S(64) * std::numeric_limits<S>::epsilon() * search_.magnitude();
  S& delta = solver_.objective.delta;
  if (options_->robust_scale) delta = std::max(scale_of_residuals(), least);
  return delta < least ? InputError::of("delta", "delta is below the rounding error of the residuals") : InputError();
}

template <typename S>
S FitEngine<S>::scale_of_residuals() {
  SolverOptions<S> options = solver_;
  options.objective.kind = ObjectiveKind::absolute;
  const std::vector<Basin<S>>& found = search_.basins(options);
  if (found.empty()) return S(0);
  LawResidual<S>& problem = search_.descent().problem();
  r_.resize(problem.rows());
  problem.residual(found.front().phi, r_);
  r_ = r_.cwiseAbs();
  std::nth_element(r_.data(), r_.data() + r_.size() / 2, r_.data() + r_.size());
  return S(1.345) * S(1.4826) * r_[r_.size() / 2];
}

/// What there is to say of the best basin.
template <typename S>
InputError FitEngine<S>::finish(const std::vector<Basin<S>>& found) {
  if (found.empty()) return InputError::of("loss", "loss: the law is not finite anywhere near these runs");
  const Basin<S>& best = found.front();
  Optimum<S>& out = optimum_;
  out.phi = best.phi;
  out.theta = parametrisation_->natural(best.phi);
  out.summary = best.summary;
  out.lost = 0;
  out.gap = S(0);
  if (!out.theta.allFinite())
    return InputError::of("fixed", "fixed: with these exponents a scale parameter is beyond the range of floating point");
  Objective<S>& objective = solver_.objective;
  if (has_kink(objective.kind)) {
    const Vector<S>& weight = search_.descent().runs().weight;
    objective.delta = out.summary.smoothing;
    out.gap = objective.delta / S(2) * (weight.size() == 0 ? S(view().rows) : weight.sum());
    r_.resize(view().rows);
    search_.descent().problem().residual(out.phi, r_);
    out.summary.objective = exact_total_rho<S>(objective, r_, weight);
  }
  // The iteration's estimate of the condition number cannot tell a factor of p; the singular values can.
  const Status status = out.summary.status;
  if ((status == Status::converged || status == Status::rank_deficient) &&
      out.summary.inverse_condition < rank_tolerance<S>()) {
    out.lost = parametrisation_->free() - rank();
    if (out.lost > 0) out.summary.status = Status::rank_deficient;
    // As many runs as unknowns leave nothing over, whatever the rank where they are met.
    if (view().rows == parametrisation_->free()) out.lost = 0;
  }
  out.where = whereabouts(*law_, *parametrisation_, *constraints_, best.edges, out.summary.status, out.phi, out.theta);
  return {};
}

/// Of sqrt(w) J at the optimum.
template <typename S>
Index FitEngine<S>::rank() {
  const Index n = view().rows, m = parametrisation_->free();
  r_.resize(n);
  J_.resize(n, m);
  search_.descent().problem().evaluate(optimum_.phi, r_, J_);
  if (!J_.allFinite()) return 0;  // Status::evaluation_failed
  augmented_.setZero(std::max(n, m), m + 1);
  augmented_.topLeftCorner(n, m) = J_;
  if (view().weight != nullptr)
    for (Index j = 0; j < m; ++j) augmented_.col(j).head(n).array() *= view().vector(view().weight).array().sqrt();
  factor_.resize(m, m + 1);
  tall_qr<S>(augmented_, factor_);
  return rank_of_factor<S>(factor_.leftCols(m));
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
