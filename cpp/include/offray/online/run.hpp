// SPDX-License-Identifier: Apache-2.0
/// \file
/// Runs that come one by one.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "offray/detail/solve/runs_view.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// One run, or one checkpoint of a run.
template <typename S>
struct Run {
  S N;                                                   ///< model parameters
  S D;                                                   ///< training tokens so far, repetitions counted
  S loss;                                                ///< nats per token
  S weight = 1;                                          ///< as in Runs
  S unique_tokens = std::numeric_limits<S>::infinity();  ///< U; what is above D means that every token is fresh
};

/// The name of a run: 0 for the first that was added, 1 for the next, never given twice.
using RunId = std::int64_t;

namespace detail {

/// What is wrong with a run.
template <typename S>
InputError run_error(const Run<S>& run) noexcept {
  const auto good = [](S v) { return v > S(0) && v <= std::numeric_limits<S>::max(); };
  const auto bad = [](std::string_view argument, S v) {
    return InputError::of_value(argument, v, "it must be positive and finite");
  };
  if (!good(run.N)) return bad("N", run.N);
  if (!good(run.D)) return bad("D", run.D);
  if (!good(run.loss)) return bad("loss", run.loss);
  if (!good(run.weight)) return bad("weight", run.weight);
  return run.unique_tokens > S(0) ? InputError() : bad("unique_tokens", run.unique_tokens);
}

/// Runs in the order in which they were added, column by column.
template <typename S>
class RunStore {
 public:
  Index size() const { return static_cast<Index>(id_.size()); }
  bool weighted() const { return unequal_ != 0; }
  const std::vector<RunId>& ids() const { return id_; }
  Run<S> run(std::size_t i) const { return {N_[i], D_[i], loss_[i], weight_[i], U_[i]}; }

  void reserve(std::size_t runs) {
    id_.reserve(runs);
    for (auto* column : columns()) column->reserve(runs);
  }

  void add(RunId id, const Run<S>& run) {
    if (id_.size() == id_.capacity()) reserve(2 * id_.size() + 16);  // all or nothing: what follows does not throw
    id_.push_back(id);
    N_.push_back(run.N);
    D_.push_back(run.D);
    U_.push_back(run.unique_tokens);
    loss_.push_back(run.loss);
    weight_.push_back(run.weight);
    log_N_.push_back(std::log(run.N));
    log_D_.push_back(std::log(run.D));
    unequal_ += run.weight != S(1) ? 1 : 0;
  }

  /// The place of a run, or size().
  std::size_t find(RunId id) const {
    const auto at = std::lower_bound(id_.begin(), id_.end(), id);
    return at != id_.end() && *at == id ? static_cast<std::size_t>(at - id_.begin()) : id_.size();
  }

  void erase(std::size_t at) {
    unequal_ -= weight_[at] != S(1) ? 1 : 0;
    const auto place = static_cast<std::ptrdiff_t>(at);
    id_.erase(id_.begin() + place);
    for (auto* column : columns()) column->erase(column->begin() + place);
  }

  /// Without `whole`. Until the next change.
  RunsView<S> view() const {
    RunsView<S> out;
    out.rows = size();
    out.log_N = log_N_.data();
    out.log_D = log_D_.data();
    out.loss = loss_.data();
    out.weight = weighted() ? weight_.data() : nullptr;
    return out;
  }

  /// As Runs, in the buffers of `out`.
  void copy(Runs<S>& out) const {
    view().copy(out);
    for (std::size_t i = 0; i < id_.size(); ++i) {
      if (!(U_[i] < D_[i])) continue;
      out.at.log_U[static_cast<Index>(i)] = std::log(U_[i]);
      out.at.repeats[static_cast<Index>(i)] = (D_[i] - U_[i]) / U_[i];
    }
  }

 private:
  std::array<std::vector<S>*, 7> columns() { return {&N_, &D_, &U_, &loss_, &weight_, &log_N_, &log_D_}; }

  std::vector<RunId> id_;
  std::vector<S> N_, D_, U_, loss_, weight_, log_N_, log_D_;
  Index unequal_ = 0;  ///< how many weights are not 1
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
