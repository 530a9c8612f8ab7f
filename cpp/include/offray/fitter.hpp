// SPDX-License-Identifier: Apache-2.0
/// \file
/// Fits one after another in the same memory, for programs that fit inside of a loop, a service or another library.
#pragma once

#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "offray/fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What Fitter::fit() came to. A value without memory elsewhere: it may be copied and kept.
template <typename S>
struct FitResult {
  InputError error;     ///< what is wrong with the input; the figures below mean nothing where something is
  Parameters<S> theta;  ///< the minimiser, (p,), natural units; empty after an error
  S objective = std::numeric_limits<S>::quiet_NaN();  ///< sum w rho(r), nats^2 for squares on the loss
  Status status = Status::evaluation_failed;
  Location location = Location::unsettled;
  int location_parameter = -1;  ///< the parameter that `location` is about, or -1
  Index runs = 0;
  Index degrees_of_freedom = 0;  ///< n - rank
  /// Between 1 / (p kappa_2) and 1 / kappa_2 of the Jacobian: below about 1e-3 the parameters are hardly told apart.
  S inverse_condition = S(0);
  int basins = 0;  ///< distinct optima that the search found

  /// Whether there is an optimum, of whatever status.
  explicit operator bool() const noexcept { return !error; }
  bool converged() const noexcept { return !error && status == Status::converged; }
  /// One sentence: on the input, or on the status.
  std::string_view message() const noexcept { return error ? error.message() : describe(status); }
};

namespace detail {

template <typename S>
void set_result(const Optimum<S>& at, Index unknowns, Index runs, FitResult<S>& out) {
  out.theta = at.theta;
  out.objective = at.summary.objective;
  out.status = at.summary.status;
  out.location = at.where.location;
  out.location_parameter = at.where.parameter;
  out.runs = runs;
  out.degrees_of_freedom = runs - unknowns + at.lost;
  out.inverse_condition = at.summary.inverse_condition;
}

/// Does the work; what it throws (memory that is not there, a user's law) becomes an error.
template <typename Work>
void guarded(InputError& error, const Work& work) noexcept {
#if OFFRAY_EXCEPTIONS
  try {
    work();
  } catch (const std::bad_alloc&) {
    error = InputError::of("memory", "there is not enough memory for these runs");
  } catch (const std::exception& thrown) {
    error = InputError::of("law", thrown.what());
  } catch (...) {
    error = InputError::of("law", "the law threw something that is no std::exception");
  }
#else
  static_cast<void>(error);
  work();
#endif
}

}  // namespace detail

/// A law with its options, constraints and workspace.
///
/// \code
/// offray::Fitter<double> fitter(offray::Chinchilla{});
/// const offray::FitResult<double>& result = fitter.fit(N, D, loss);  // std::vector, std::span, Eigen: whatever is a Span
/// if (!result.converged()) log(result.message());
/// \endcode
///
/// fit() throws nothing. The arrays are read during the call and never kept. Of a law that is a power sum of N and D
/// (Chinchilla, Kaplan, DroppoElibol), ln N, ln D and the rows of the solver are written to the workspace and the losses and
/// weights are read where they are; for any other law the workspace holds all columns.
///
/// \par Memory
/// After the first call with as many runs, or reserve(), a power sum allocates nothing, global search included, unless its
/// optimum lies beyond the range of the law's parameters, its constraints cannot be expressed as those of a power sum, or the
/// objective has a kink. A law of another form allocates for its list of starts alone: nothing where the options give a start.
///
/// \par Threads
/// One Fitter per thread; there is no state outside of it. The law is shared and not changed.
template <typename S>
class Fitter {
 public:
  /// \param law e.g. of make_law(). \param constraints of that law.
  Fitter(std::shared_ptr<const AnyLaw<S>> law, FitOptions<S> options, Constraints<S> constraints)
      : law_(std::move(law)),
        options_(std::move(options)),
        constraints_(std::move(constraints)),
        engine_(std::make_unique<detail::FitEngine<S>>()) {
    options_.solver.interruption = nullptr;  // it may not live as long as this object
  }
  explicit Fitter(const std::shared_ptr<const AnyLaw<S>>& law, FitOptions<S> options = {})
      : Fitter(law, std::move(options), Constraints<S>(*law)) {}

  /// \param law a law object such as Chinchilla{}.
  template <typename Law, typename = std::enable_if_t<!std::is_convertible_v<Law, std::shared_ptr<const AnyLaw<S>>>>>
  explicit Fitter(Law law, FitOptions<S> options = {}) : Fitter(shared_law<S>(std::move(law)), std::move(options)) {}
  template <typename Law, typename = std::enable_if_t<!std::is_convertible_v<Law, std::shared_ptr<const AnyLaw<S>>>>>
  Fitter(Law law, FitOptions<S> options, Constraints<S> constraints)
      : Fitter(shared_law<S>(std::move(law)), std::move(options), std::move(constraints)) {}

  /// Makes room for so many runs of a power sum, so that not even the first fit() of that size allocates.
  void reserve(Index runs, bool weighted = false) {
    detail::make_room(log_N_, runs);
    detail::make_room(log_D_, runs);
    engine_->reserve(runs, weighted);
  }

  /// \param N, D model parameters and training tokens, (n,). \param loss nats per token, (n,). \param weight (n,) or empty.
  /// \param U unique tokens, (n,) or empty.
  /// \return the result, which stays until the next call.
  const FitResult<S>& fit(Span<S> N, Span<S> D, Span<S> loss, Span<S> weight = {}, Span<S> U = {}) noexcept {
    result_ = {};
    detail::guarded(result_.error, [&] {
      detail::RunsView<S> view;
      result_.error = read(N, D, loss, weight, U, view);
      if (!result_.error) solve(view);
    });
    return result_;
  }

  /// The same of runs that are there already.
  const FitResult<S>& fit(const Runs<S>& runs) noexcept {
    result_ = {};
    detail::guarded(result_.error, [&] { solve(detail::RunsView<S>(runs)); });
    return result_;
  }

  /// What the last fit() came to.
  const FitResult<S>& result() const noexcept { return result_; }

  const AnyLaw<S>& law() const noexcept { return *law_; }
  const FitOptions<S>& options() const noexcept { return options_; }
  const Constraints<S>& constraints() const noexcept { return constraints_; }
  /// For changes between one fit and the next.
  FitOptions<S>& options() noexcept { return options_; }
  Constraints<S>& constraints() noexcept { return constraints_; }

 private:
  InputError read(Span<S> N, Span<S> D, Span<S> loss, Span<S> weight, Span<S> U, detail::RunsView<S>& view);
  void solve(const detail::RunsView<S>& view);

  std::shared_ptr<const AnyLaw<S>> law_;
  FitOptions<S> options_;
  Constraints<S> constraints_;
  std::unique_ptr<detail::FitEngine<S>> engine_;
  Vector<S> log_N_, log_D_;  ///< of a power sum
  Runs<S> runs_;             ///< of any other law
  FitResult<S> result_;
};

template <typename S>
InputError Fitter<S>::read(Span<S> N, Span<S> D, Span<S> loss, Span<S> weight, Span<S> U, detail::RunsView<S>& view) {
  if (!law_->separable()) {
    if (const InputError error = runs_.assign(N, D, loss, weight, U)) return error;
    view = detail::RunsView<S>(runs_);
    return {};
  }
  if (const InputError error = detail::runs_error(N, D, loss, weight, U)) return error;
  const Index n = N.size();
  detail::make_room(log_N_, n);
  detail::make_room(log_D_, n);
  detail::kernels<S>().log(n, N.data(), log_N_.data());
  detail::kernels<S>().log(n, D.data(), log_D_.data());
  view.rows = n;
  view.log_N = log_N_.data();
  view.log_D = log_D_.data();
  view.loss = loss.data();
  view.weight = weight.empty() ? nullptr : weight.data();
  return {};
}

template <typename S>
void Fitter<S>::solve(const detail::RunsView<S>& view) {
  result_.error = engine_->begin(*law_, view, options_, constraints_);
  if (!result_.error) result_.error = engine_->solve();
  if (result_.error) return;
  detail::set_result(engine_->optimum(), engine_->parametrisation().free(), view.rows, result_);
  result_.basins = static_cast<int>(engine_->basins().size());
}

}  // namespace OFFRAY_ABI
}  // namespace offray
