// SPDX-License-Identifier: Apache-2.0
/// \file
/// Refits of resampled runs.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "offray/detail/numeric/parallel.hpp"
#include "offray/detail/solve/power_sum/terms.hpp"
#include "offray/detail/solve/starts/global_fit.hpp"
#include "offray/inference/resample.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

struct BootstrapOptions {
  Index replicates = 1000;
  Resampling kind = Resampling::pairs;
  std::uint64_t seed = 0;
  int threads = 0;             ///< 0: one per processor
  std::vector<Index> group{};  ///< one label per run, for runs that are resampled together; empty: each on its own
};

/// Optima of the resampled data, one column or entry per replicate. A replicate that has none (fewer distinct runs than
/// unknowns, a resampled loss that is not positive) holds NaN and Status::evaluation_failed.
template <typename S>
struct Bootstrap {
  Jacobian<S> theta;           ///< (p, replicates), natural units
  Vector<S> objective;         ///< sum w rho of the resampled data
  std::vector<Status> status;  ///< how each descent ended
  Index finished = 0;          ///< replicates that were done before a stop: the first ones; the others are as failed ones
};

namespace detail {

/// Refits replicates one after another, each from the optimum of the fit. Power sums without a kink go through one solver and
/// one set of rows that are made once: nothing is allocated per replicate.
template <typename S>
class Refit {
 public:
  /// References must outlive the object.
  Refit(const Fit<S>& fit, const Resampler<S>& resampler)
      : fit_(fit), resampler_(resampler), pairs_(resampler.kind() == Resampling::pairs), kept_(fit.runs.size()) {
    if (pairs_) {
      drawn_.reserve(static_cast<std::size_t>(resampler.groups().count()));
      row_.resize(static_cast<std::size_t>(kept_));
      weight_.resize(kept_);
    } else {
      losses_.resize(kept_);
    }
    if (!fit.law->separable() || has_kink(fit.options.solver.objective.kind)) return;
    rows_ = detail::power_sum_rows(*fit.law, fit.runs, fit.options.space, fit.parametrisation);
    if (!rows_) return;
    separable_.emplace(kept_);
    if (!pairs_) return;
    rows_->weight.resize(kept_);
    rows_->root.resize(kept_);
  }

  Refit(const Fit<S>&&, const Resampler<S>&) = delete;
  Refit(const Fit<S>&, const Resampler<S>&&) = delete;
  Refit(const Fit<S>&&, const Resampler<S>&&) = delete;

  /// Writes column `replicate` of the result; leaves it alone where the replicate cannot be fitted.
  void operator()(Index replicate, Bootstrap<S>& out) {
    if (!(pairs_ ? draw_runs(replicate) : resampler_.draw_losses(replicate, losses_))) return;
    Parameters<S> phi;
    Summary<S> summary;
    if (!rows_ || !descend_in_place(phi, summary)) descend(phi, summary);
    const Parameters<S> theta = fit_.parametrisation.natural(phi);
    if (summary.status == Status::evaluation_failed || !theta.allFinite()) return;
    out.theta.col(replicate) = theta;
    out.objective[replicate] = summary.objective;
    out.status[static_cast<std::size_t>(replicate)] = summary.status;
  }

 private:
  const Fit<S>& fit_;
  const Resampler<S>& resampler_;
  bool pairs_;
  std::vector<std::uint32_t> drawn_;  ///< how often each group was
  Index kept_;                        ///< distinct runs of the replicate
  std::vector<Index> row_;            ///< which they are
  Vector<S> weight_;                  ///< how often each was drawn, times its own weight
  Vector<S> losses_;                  ///< new ones in the fitted space; residual and wild
  std::optional<detail::PowerSumRows<S>> rows_;
  std::optional<detail::VariableProjection<S>> separable_;

  bool draw_runs(Index replicate) {
    resampler_.draw_groups(replicate, drawn_);
    const Vector<S>& own = fit_.weight();
    kept_ = 0;
    for (Index i = 0; i < fit_.runs.size(); ++i) {  // without a branch, which would be mispredicted every third time
      const std::uint32_t times = drawn_[static_cast<std::size_t>(resampler_.groups().of(i))];
      row_[static_cast<std::size_t>(kept_)] = i;
      weight_[kept_] = own.size() == 0 ? S(times) : S(times) * own[i];
      kept_ += times != 0 ? 1 : 0;
    }
    return kept_ >= fit_.parametrisation.free();
  }

  /// The rows of this replicate in the buffers of all. N and D are counted from the smallest runs drawn.
  void fill_rows() {
    detail::PowerSumRows<S>& rows = *rows_;
    if (!pairs_) {
      rows.observed = losses_;
      return;
    }
    rows.rows = kept_;
    const Inputs<S>& at = fit_.runs.at;
    for (Index k = 0; k < kept_; ++k) {
      const Index i = row_[static_cast<std::size_t>(k)];
      rows.x[k] = at.log_N[i];
      rows.y[k] = at.log_D[i];
      rows.observed[k] = resampler_.observed()[i];
    }
    rows.weight.head(kept_) = weight_.head(kept_);
    rows.root.head(kept_) = weight_.head(kept_).cwiseSqrt();
    rows.count_from_smallest(rows.x.head(kept_), rows.y.head(kept_));
  }

  /// False where the optimum of the power sum is beyond the range of the law's parameters.
  bool descend_in_place(Parameters<S>& phi, Summary<S>& summary) {
    fill_rows();
    PowerSum<S> form = detail::form_of_phi(*fit_.law, fit_.parametrisation, *rows_, fit_.phi);
    summary = separable_->minimise(*rows_, fit_.options.solver, form);
    return detail::phi_of_form(*fit_.law, fit_.parametrisation, *rows_, form, phi);
  }

  void descend(Parameters<S>& phi, Summary<S>& summary) {
    const Runs<S> runs = sample();
    const Objective<S>& objective = fit_.options.solver.objective;
    const detail::Basin<S> basin = detail::GlobalFit<S>(*fit_.law, runs, fit_.options.space, fit_.parametrisation)
                                       .descend_from(fit_.phi, fit_.options.solver);
    phi = basin.phi;
    summary = basin.summary;
    if (!has_kink(objective.kind)) return;
    Vector<S> r(runs.size());
    detail::LawResidual<S>(*fit_.law, runs, fit_.options.space, fit_.parametrisation).residual(phi, r);
    summary.objective = exact_total_rho<S>(objective, r, runs.weight);
  }

  Runs<S> sample() const {
    const Runs<S>& all = fit_.runs;
    if (!pairs_) {
      Runs<S> out = all;
      if (fit_.options.space == Space::log_loss)
        out.loss = losses_.array().exp();
      else
        out.loss = losses_;
      return out;
    }
    Runs<S> out;
    const Eigen::Map<const Eigen::Matrix<Index, Eigen::Dynamic, 1>> rows(row_.data(), kept_);
    out.at = all.at.at_rows(rows);
    out.loss = all.loss(rows);
    out.weight = weight_.head(kept_);
    return out;
  }
};

}  // namespace detail

/// Refits a law to resampled runs, with the fit's law, space, objective, scale and constraints, each from the fit's optimum.
///
/// The result depends on the fit, the kind, the seed and the groups alone: not on the number of threads, and the first
/// replicates not on how many follow.
/// \throws InvalidInput for a number of replicates or threads, or groups, that make no sense.
template <typename S>
Bootstrap<S> bootstrap(const Fit<S>& fit, const BootstrapOptions& options, const Progress& progress = {}) {
  constexpr Index kChunk = 16;
  if (options.replicates < 1) detail::reject("replicates must be positive; got " + std::to_string(options.replicates));
  const int threads = detail::thread_count(options.threads);
  const Resampler<S> resampler(fit, options.kind, options.seed, options.group);
  Bootstrap<S> out;
  out.theta.setConstant(fit.theta.size(), options.replicates, std::numeric_limits<S>::quiet_NaN());
  out.objective.setConstant(options.replicates, std::numeric_limits<S>::quiet_NaN());
  out.status.assign(static_cast<std::size_t>(options.replicates), Status::evaluation_failed);
  const auto make_work = [&] {
    return [refit = detail::Refit<S>(fit, resampler), &out](Index replicate) mutable { refit(replicate, out); };
  };
  out.finished = detail::in_chunks(options.replicates, kChunk, threads, make_work, progress);
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
