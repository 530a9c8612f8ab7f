// SPDX-License-Identifier: Apache-2.0
/// \file
/// The objectives over many residuals at once, in loops that a compiler turns into vector instructions.
#pragma once

#include <cmath>

#include "offray/loss.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// sum w rho(r). \param w (n,) or nullptr for ones. \param[out] work (n,).
template <typename S>
S total_rho(const Loss<S>& loss, Index n, const S* r, const S* w, S* work) {
  using Array = Eigen::Array<S, Eigen::Dynamic, 1>;
  const Eigen::Map<const Array> residual(r, n);
  Eigen::Map<Array> value(work, n);
  const S delta = loss.delta;
  switch (loss.objective) {
    case Objective::squares:
      value = residual.square() / S(2);
      break;
    case Objective::huber:
      for (Index i = 0; i < n; ++i) {
        const S size = std::abs(r[i]), inside = size < delta ? size : delta;
        work[i] = inside * (size - inside / S(2));
      }
      break;
    case Objective::soft_l1:
      value = residual.square() / (S(1) + (S(1) + (residual / delta).square()).sqrt());
      break;
    case Objective::cauchy:
    case Objective::absolute:
    case Objective::quantile:
      for (Index i = 0; i < n; ++i) work[i] = rho(loss, r[i]).value;
      break;
  }
  return w == nullptr ? value.sum() : (value * Eigen::Map<const Array>(w, n)).sum();
}

/// sum w rho(r) without the smoothing of a kink. \param w (n,) or empty.
template <typename S>
S exact_total_rho(const Loss<S>& loss, CRef<Vector<S>> r, CRef<Vector<S>> w) {
  S sum = S(0);
  for (Index i = 0; i < r.size(); ++i) sum += (w.size() == 0 ? S(1) : w[i]) * exact_rho(loss, r[i]);
  return sum;
}

/// psi(r) / r, and rho''(r) - psi(r) / r, at every residual.
template <typename S>
void influence(const Loss<S>& loss, Index n, const S* r, S* majorizer, S* excess) {
  const S delta = loss.delta;
  using Array = Eigen::Array<S, Eigen::Dynamic, 1>;
  const Eigen::Map<const Array> residual(r, n);
  Eigen::Map<Array> weight(majorizer, n), rest(excess, n);
  switch (loss.objective) {
    case Objective::squares:
      weight.setOnes();
      rest.setZero();
      return;
    case Objective::huber:
      for (Index i = 0; i < n; ++i) {
        const S size = std::abs(r[i]);
        majorizer[i] = delta / (size > delta ? size : delta);
        excess[i] = size > delta ? -majorizer[i] : S(0);
      }
      return;
    case Objective::soft_l1:
      weight = (S(1) + (residual / delta).square()).sqrt().inverse();
      rest = weight.cube() - weight;
      return;
    case Objective::cauchy:
      weight = (S(1) + (residual / delta).square()).inverse();
      rest = S(-2) * (residual / delta * weight).square();
      return;
    case Objective::absolute:
    case Objective::quantile:
      for (Index i = 0; i < n; ++i) {
        const Rho<S> at = rho(loss, r[i]);
        majorizer[i] = at.majorizer;
        excess[i] = at.curvature - at.majorizer;
      }
      return;
  }
}

}  // namespace OFFRAY_ABI
}  // namespace offray
