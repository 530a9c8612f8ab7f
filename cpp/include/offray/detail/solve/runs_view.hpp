// SPDX-License-Identifier: Apache-2.0
/// \file
/// Runs in the memory of someone else.
#pragma once

#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// What a power sum needs of runs; whoever holds them keeps them for as long as the view is used.
template <typename S>
struct RunsView {
  Index rows = 0;
  const S *log_N = nullptr, *log_D = nullptr, *loss = nullptr;
  const S* weight = nullptr;  ///< null for equal ones
  const Runs<S>* whole =
      nullptr;  ///< the same as Runs; null where nobody has them so, which a law of N and D alone can do without

  RunsView() = default;
  explicit RunsView(const Runs<S>& runs)
      : rows(runs.size()),
        log_N(runs.at.log_N.data()),
        log_D(runs.at.log_D.data()),
        loss(runs.loss.data()),
        weight(runs.weight.size() == 0 ? nullptr : runs.weight.data()),
        whole(&runs) {}

  Eigen::Map<const Vector<S>> vector(const S* column) const { return {column, rows}; }

  /// Every `stride`-th run, in the buffers of `out`; only what a power sum reads.
  void every(Index stride, Runs<S>& out) const {
    const Index count = (rows + stride - 1) / stride;
    const auto take = [&](const S* from, Vector<S>& to) {
      to = Eigen::Map<const Vector<S>, 0, Eigen::InnerStride<>>(from, count, Eigen::InnerStride<>(stride));
    };
    take(log_N, out.at.log_N);
    take(log_D, out.at.log_D);
    take(loss, out.loss);
    if (weight != nullptr)
      take(weight, out.weight);
    else
      out.weight.resize(0);
  }

  /// The same runs as Runs, in the buffers of `out`; every token fresh.
  void copy(Runs<S>& out) const {
    out.at.log_N = vector(log_N);
    out.at.log_D = out.at.log_U = vector(log_D);
    out.at.repeats.setZero(rows);
    out.loss = vector(loss);
    out.weight = Eigen::Map<const Vector<S>>(weight, weight == nullptr ? 0 : rows);
  }
};

/// Makes room for n entries, keeping what is larger.
template <typename S>
void make_room(Vector<S>& x, Index n) {
  if (x.size() < n) x.resize(n);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
