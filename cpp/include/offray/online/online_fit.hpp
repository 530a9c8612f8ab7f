// SPDX-License-Identifier: Apache-2.0
/// \file
/// A fit that follows runs as they come.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "offray/fitter.hpp"
#include "offray/identify/identifiability.hpp"
#include "offray/inference/predict.hpp"
#include "offray/online/answers.hpp"
#include "offray/online/run.hpp"
#include "offray/online/text.hpp"
#include "offray/online/trust.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// A law's fit to runs that come one by one, and perhaps go.
///
/// \code
/// offray::OnlineFit<double> online(offray::Chinchilla{});
/// online.add({N, D, loss});                                        // a run, or a checkpoint of one
/// if (online.refit().converged()) plan(online.forecast(N_next, D_next)->value);
/// \endcode
///
/// refit() is the batch fit of the runs that are there: where it is trusted, the optimum is followed from the last one, in
/// microseconds; otherwise it is searched for as fit() does. detail::Changes states when it is trusted, and
/// OnlineResult::searched says what happened. Either way the parameters are those of fit() to about 1e-10, where the runs
/// determine them.
///
/// \par Memory
/// add(), remove() and refit() of a power sum allocate nothing within what reserve() made room for, but when the first run
/// with a weight other than 1 comes, which reserve(n, true) provides for. forecast(), determined() and fit() allocate.
///
/// \par Threads
/// As for any container: const members may be called from several threads, the others by one at a time. Nothing throws.
template <typename S>
class OnlineFit {
 public:
  OnlineFit(std::shared_ptr<const AnyLaw<S>> law, FitOptions<S> options, Constraints<S> constraints)
      : law_(std::move(law)),
        options_(std::move(options)),
        constraints_(std::move(constraints)),
        engine_(std::make_unique<detail::FitEngine<S>>()) {
    options_.solver.interruption = nullptr;  // it may not live as long as this object
  }
  explicit OnlineFit(const std::shared_ptr<const AnyLaw<S>>& law, FitOptions<S> options = {})
      : OnlineFit(law, std::move(options), Constraints<S>(*law)) {}
  /// \param law a law object such as Chinchilla{}.
  template <typename Law, typename = std::enable_if_t<!std::is_convertible_v<Law, std::shared_ptr<const AnyLaw<S>>>>>
  explicit OnlineFit(Law law, FitOptions<S> options = {}) : OnlineFit(shared_law<S>(std::move(law)), std::move(options)) {}
  template <typename Law, typename = std::enable_if_t<!std::is_convertible_v<Law, std::shared_ptr<const AnyLaw<S>>>>>
  OnlineFit(Law law, FitOptions<S> options, Constraints<S> constraints)
      : OnlineFit(shared_law<S>(std::move(law)), std::move(options), std::move(constraints)) {}

  /// Makes room for so many runs.
  void reserve(Index runs, bool weighted = false) {
    store_.reserve(static_cast<std::size_t>(runs));
    engine_->reserve(runs, weighted);
  }

  /// Adds a run; refit() takes it in. \return its name, or what is wrong with it.
  Expected<RunId> add(const Run<S>& run) noexcept;

  /// Takes a run out. \return whether it was there.
  bool remove(RunId id) noexcept;

  /// Brings the optimum up to date. \return the result, which stays until the next change.
  const OnlineResult<S>& refit() noexcept;

  /// What the last refit() came to: of fewer runs than there are now where some were added since.
  const OnlineResult<S>& result() const noexcept { return result_; }
  /// Whether runs came or went since the last refit().
  bool stale() const noexcept { return stale_; }

  Index size() const noexcept { return store_.size(); }
  /// Names of the runs that are there, in the order in which they were added.
  const std::vector<RunId>& ids() const noexcept { return store_.ids(); }
  /// The runs that are there.
  Runs<S> runs() const {
    Runs<S> out;
    store_.copy(out);
    return out;
  }
  /// The same, one by one as they were added.
  std::vector<Run<S>> as_added() const {
    std::vector<Run<S>> out;
    for (std::size_t i = 0; i < store_.ids().size(); ++i) out.push_back(store_.run(i));
    return out;
  }
  const AnyLaw<S>& law() const noexcept { return *law_; }

  /// The optimum as any function of the library takes it, or why there is none. Call refit() before.
  Expected<Fit<S>> fit() const;

  /// The loss at N, D. \param level of the intervals, in (0, 1). \param U unique tokens, for laws that read them.
  Expected<Forecast<S>> forecast(S N, S D, S level = S(.95), S U = std::numeric_limits<S>::infinity()) const;

  /// What the runs determine, or why there is no optimum.
  Expected<Determined<S>> determined() const;

  /// All of it but the law, as text: a later deserialise() continues with the same bits.
  std::string serialise() const;

  /// \param law the same as before. \return the object, or why the text is not one of it.
  static Expected<OnlineFit> deserialise(std::string_view text, const std::shared_ptr<const AnyLaw<S>>& law);
  template <typename Law, typename = std::enable_if_t<!std::is_convertible_v<Law, std::shared_ptr<const AnyLaw<S>>>>>
  static Expected<OnlineFit> deserialise(std::string_view text, Law law) {
    return deserialise(text, shared_law<S>(std::move(law)));
  }

 private:
  /// A basin between one refit and the next: in natural units, since those of the solver move with the runs.
  struct Kept {
    Parameters<S> theta;
    S objective;
    Status status;
    std::array<int, kTerms> edges;
  };
  static constexpr std::size_t kMostKept = 8;

  S rho_of(std::size_t run);
  detail::RunsView<S> view();
  void update();
  Searched follow();
  InputError search();
  void conclude(Searched searched);
  std::vector<FitBasin<S>> basins() const;
  void read(detail::TextReader& in);

  std::shared_ptr<const AnyLaw<S>> law_;
  FitOptions<S> options_;
  Constraints<S> constraints_;
  detail::RunStore<S> store_;
  RunId next_ = 0;
  bool stale_ = true;
  detail::Changes<S> changes_;
  std::vector<Kept> kept_;  ///< distinct basins, the best first; none before the first refit and after an error
  detail::Optimum<S> optimum_;
  std::optional<detail::Parametrisation<S>> parametrisation_;
  SolverOptions<S> solver_;  ///< as used
  OnlineResult<S> result_;

  std::unique_ptr<detail::FitEngine<S>> engine_;
  Runs<S> whole_;    ///< for laws that are no power sums
  Inputs<S> place_;  ///< of one run
  Vector<S> value_;  ///< of one run
  Jacobian<S> none_;
};

template <typename S>
Expected<RunId> OnlineFit<S>::add(const Run<S>& run) noexcept {
  InputError error = detail::run_error(run);
  if (!error)
    detail::guarded(error, [&] {
      store_.add(next_, run);
      changes_.add(rho_of(static_cast<std::size_t>(store_.size() - 1)));
      stale_ = true;
    });
  if (error) return error;
  return next_++;
}

template <typename S>
bool OnlineFit<S>::remove(RunId id) noexcept {
  const std::size_t at = store_.find(id);
  if (at == static_cast<std::size_t>(store_.size())) return false;
  changes_.remove(rho_of(at));
  store_.erase(at);
  stale_ = true;
  return true;
}

/// w rho of a run at the last optimum.
template <typename S>
S OnlineFit<S>::rho_of(std::size_t at) {
  if (kept_.empty()) return S(0);
  const Run<S> run = store_.run(at);
  for (Vector<S>* x : {&place_.log_N, &place_.log_D, &place_.log_U, &place_.repeats, &value_}) x->resize(1);
  place_.log_N[0] = std::log(run.N);
  place_.log_D[0] = std::log(run.D);
  place_.log_U[0] = std::log(std::min(run.unique_tokens, run.D));
  place_.repeats[0] = std::max((run.D - run.unique_tokens) / run.unique_tokens, S(0));
  none_.resize(1, 0);
  law_->evaluate(kept_.front().theta, place_, value_, none_);
  const bool logs = options_.space == Space::log_loss;
  const S r = logs ? std::log(value_[0] / run.loss) : value_[0] - run.loss;
  const S out = run.weight * exact_rho(options_.solver.objective, r);
  return std::isfinite(out) ? out : std::numeric_limits<S>::infinity();
}

template <typename S>
detail::RunsView<S> OnlineFit<S>::view() {
  if (law_->separable()) return store_.view();
  store_.copy(whole_);
  return detail::RunsView<S>(whole_);
}

template <typename S>
const OnlineResult<S>& OnlineFit<S>::refit() noexcept {
  if (!stale_) return result_;
  detail::guarded(result_.error, [&] { update(); });
  if (result_.error) {
    const InputError error = result_.error;
    result_ = {};
    result_.error = error;
    kept_.clear();
  }
  stale_ = false;
  return result_;
}

template <typename S>
void OnlineFit<S>::update() {
  result_.error = engine_->begin(*law_, view(), options_, constraints_);
  if (result_.error) return;
  Searched searched = follow();
  if (searched != Searched::followed) {
    result_.error = search();
    if (result_.error) return;
    changes_.searched(store_.size());
  }
  changes_.refitted();
  conclude(searched);
}

/// Descends from the last optimum. \return why that is not enough, or Searched::followed, with the engine at the new optimum.
template <typename S>
Searched OnlineFit<S>::follow() {
  if (!detail::followable(options_)) return Searched::not_followable;
  if (kept_.empty()) return Searched::first;
  const Index n = store_.size(), unknowns = engine_->parametrisation().free();
  const S rounding = engine_->rounding();
  const S before = optimum_.summary.objective;
  if (optimum_.summary.status != Status::converged) return Searched::not_interior;
  const Searched barred = changes_.before(n, before, result_.runs, unknowns, rounding);
  if (barred != Searched::followed) return barred;
  const detail::Basin<S> best = engine_->descend_from(kept_.front().theta, kept_.front().edges);
  if (best.summary.status != Status::converged) return Searched::not_interior;
  const S after = best.summary.objective;
  const Searched doubt = changes_.after(before, after, rounding);
  if (doubt != Searched::followed) return doubt;
  for (std::size_t b = 1; b < kept_.size(); ++b) {
    Kept& other = kept_[b];
    if (other.objective > after && !changes_.removed) continue;  // it only grew since
    const detail::Basin<S> rival = engine_->descend_from(other.theta, other.edges);
    if (!std::isfinite(rival.summary.objective)) continue;
    if (rival.summary.objective < after * (S(1) - S(1e-9)) - rounding) return Searched::rival;
    other = {engine_->parametrisation().natural(rival.phi), rival.summary.objective, rival.summary.status, rival.edges};
  }
  if (engine_->settle_on(best)) return Searched::not_interior;
  if (engine_->optimum().summary.status != Status::converged) return Searched::not_interior;
  kept_.front() = {engine_->optimum().theta, after, best.summary.status, best.edges};
  return Searched::followed;
}

template <typename S>
InputError OnlineFit<S>::search() {
  if (const InputError error = engine_->solve()) return error;
  kept_.clear();
  for (const detail::Basin<S>& basin : engine_->basins()) {
    if (kept_.size() == kMostKept) break;
    kept_.push_back(
        {engine_->parametrisation().natural(basin.phi), basin.summary.objective, basin.summary.status, basin.edges});
  }
  return {};
}

template <typename S>
void OnlineFit<S>::conclude(Searched searched) {
  optimum_ = engine_->optimum();
  parametrisation_ = engine_->parametrisation();
  solver_ = engine_->solver();
  detail::set_result<S>(optimum_, parametrisation_->free(), store_.size(), result_);
  result_.basins = static_cast<int>(kept_.size());
  result_.searched = searched;
}

template <typename S>
std::vector<FitBasin<S>> OnlineFit<S>::basins() const {
  std::vector<FitBasin<S>> out;
  for (const Kept& basin : kept_) out.push_back({basin.theta, basin.objective, basin.status});
  return out;
}

template <typename S>
Expected<Fit<S>> OnlineFit<S>::fit() const {
  if (stale_) return InputError::of("runs", "runs came or went since the last refit()");
  if (result_.error) return result_.error;
  FitOptions<S> used = options_;
  used.solver = solver_;
  return detail::fit_of(optimum_, *parametrisation_, *law_, runs(), used, constraints_, basins());
}

template <typename S>
Expected<Forecast<S>> OnlineFit<S>::forecast(S N, S D, S level, S U) const {
  if (!(level > S(0) && level < S(1))) return InputError::of("level", "level must be in (0, 1)");
  const Run<S> at{N, D, S(1), S(1), U};
  if (const InputError error = detail::run_error(at)) return error;
  const Expected<Fit<S>> fit = this->fit();
  if (!fit) return fit.error();
  detail::RunStore<S> place;
  place.add(0, at);
  Runs<S> one;
  place.copy(one);
  const Prediction<S> predicted = predict(*fit, one.at);
  const S t = student_t_half_width(level, S(fit->degrees_of_freedom())), sd = noise(*fit).sd;
  Forecast<S> out{predicted.value[0], predicted.se[0], S(0), S(0), S(0), S(0)};
  // Of ln L where that was fitted, so that no end is negative.
  const bool logs = options_.space == Space::log_loss;
  const S se = logs ? out.se / out.value : out.se, of_run = std::hypot(se, sd);
  const auto end = [&](S away) {
    if (std::isnan(away)) away = std::numeric_limits<S>::infinity();
    return logs ? out.value * std::exp(away) : std::max(out.value + away, S(0));
  };
  out.lower = end(-t * se);
  out.upper = end(t * se);
  out.run_lower = end(-t * of_run);
  out.run_upper = end(t * of_run);
  return out;
}

template <typename S>
Expected<Determined<S>> OnlineFit<S>::determined() const {
  const Expected<Fit<S>> fit = this->fit();
  if (!fit) return fit.error();
  const Conditioning<S> condition = conditioning(*fit);
  const Findings found = findings(*fit);
  return Determined<S>{condition.rank(), fit->parametrisation.free(), condition.kappa(), found,
                       fit->converged() && identifies(found)};
}

}  // namespace OFFRAY_ABI
}  // namespace offray
