// SPDX-License-Identifier: Apache-2.0
/// \file
/// How much lower than a fit of runs on one ray any other can be.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"
#include "offray/options.hpp"
#include "offray/rho.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Where D = k N both terms are powers of N. Among floors and sums of any number of such powers, a convex set, the objective F
/// is convex where rho(h(s)) is, so that its slopes at one point bound it everywhere: with f_i = -w_i psi_i h'(s_i) and f(q) =
/// sum f_i N_i^-q, the rate at which F falls as a term with exponent q comes in,
///
///   F(any) >= F - |sum f_i s_i| - max(0, f(q) for all q, sum f_i) top,
///
/// top being the largest value that the any may have at the smallest run, where all its terms do, without losing there alone
/// what F is. A bound of nothing proves the optimum global; otherwise the largest f(q) shows with which exponent to go on.
template <typename S>
class RayBound {
 public:
  /// Makes room for as many rows.
  void reserve(Index rows) {
    for (Vector<S>* column : {&force_, &u_, &xu_}) make_room(*column, rows);
  }

  /// Whether F is convex: rho is and h the identity, or, squares on log loss, wherever ln s - ln L < 1, and beyond that F is
  /// more than w / 2.
  static bool is_convex(const PowerSumRows<S>& rows, const Objective<S>& objective, S F) {
    if (rows.free[0] || rows.value[0] != S(1)) return false;
    const ObjectiveKind kind = objective.kind;
    if (rows.space == Space::log_loss)
      return kind == ObjectiveKind::squares &&
             S(2) * F < (rows.weight.size() == 0 ? S(1) : rows.weight.head(rows.rows).minCoeff());
    return kind == ObjectiveKind::squares || kind == ObjectiveKind::huber || kind == ObjectiveKind::soft_l1;
  }

  /// \param form a stationary point of objective F.
  void at(const PowerSumRows<S>& rows, const Objective<S>& objective, const PowerSum<S>& form, S F);

  /// At most how much lower F may become.
  S gap() const { return gap_; }
  /// With a term of which exponent it falls most.
  S steepest() const { return steepest_; }

 private:
  void take_forces(const PowerSumRows<S>& rows, const Objective<S>& objective, const PowerSum<S>& form, S F);
  S along(const Vector<S>& x, S q) {
    kernels<S>().power(rows_, q, x.data(), nullptr, u_.data(), xu_.data());
    return kernels<S>().dot(rows_, force_.data(), u_.data());
  }
  void look_along(const Vector<S>& x, S low, S high);
  void consider(S q, S falls) {
    if (!(falls > most_)) return;
    most_ = falls;
    steepest_ = q;
  }

  Index rows_ = 0;
  Vector<S> force_, u_, xu_;  // (n,)
  S most_ = S(0), steepest_ = S(0), own_ = S(0), top_ = S(0), gap_ = S(0);
};

/// The f_i, sum f_i s_i and top.
template <typename S>
void RayBound<S>::take_forces(const PowerSumRows<S>& rows, const Objective<S>& objective, const PowerSum<S>& form, S F) {
  kernels<S>().power(rows_, form.p, rows.x.data(), nullptr, u_.data(), xu_.data());
  force_.head(rows_) = form.floor + form.n * u_.head(rows_).array();
  kernels<S>().power(rows_, form.q, rows.y.data(), nullptr, u_.data(), xu_.data());
  force_.head(rows_) += form.d * u_.head(rows_);
  const bool in_logs = rows.space == Space::log_loss, weighted = rows.weight.size() != 0;
  own_ = S(0);
  top_ = std::numeric_limits<S>::infinity();
  for (Index i = 0; i < rows_; ++i) {
    const S s = force_[i], w = weighted ? rows.weight[i] : S(1);
    const S r = (in_logs ? std::log(s) : s) - rows.observed[i];
    force_[i] = -w * rho(objective, r).slope * (in_logs ? S(1) / s : S(1));
    own_ += force_[i] * s;
    if (rows.x[i] > S(0)) continue;
    // rho(r) <= F / w: r^2 <= 2 F / w for squares; the others are at least delta |r| - delta^2 / 2, or delta |r| - delta^2.
    const S farthest =
        objective.kind == ObjectiveKind::squares ? std::sqrt(S(2) * F / w) : F / (w * objective.delta) + objective.delta;
    top_ = std::min(top_, in_logs ? std::exp(rows.observed[i] + farthest) : rows.observed[i] + farthest);
  }
}

/// f(q) at exponents a quarter apart, and at the tops of the parabolas through three that rise and fall again.
template <typename S>
void RayBound<S>::look_along(const Vector<S>& x, S low, S high) {
  const int steps = std::max(2, int(std::ceil(std::log(high / low) / std::log(S(1.25)))));
  const S ratio = std::pow(high / low, S(1) / S(steps));
  S q = low, before = S(0), here = along(x, q);
  consider(q, here);
  for (int k = 1; k <= steps; ++k) {
    const S next_q = k == steps ? high : q * ratio, next = along(x, next_q);
    consider(next_q, next);
    if (k > 1 && here >= before && here >= next) {
      const S bend = before - S(2) * here + next, shift = bend < S(0) ? (before - next) / (S(2) * bend) : S(0);
      const S vertex = q * std::pow(ratio, std::min(std::max(shift, S(-1)), S(1)));
      consider(vertex, along(x, vertex));
    }
    before = here;
    here = next;
    q = next_q;
  }
}

template <typename S>
void RayBound<S>::at(const PowerSumRows<S>& rows, const Objective<S>& objective, const PowerSum<S>& form, S F) {
  rows_ = rows.rows;
  reserve(rows_);
  take_forces(rows, objective, form, F);
  most_ = rows.floor ? std::max(force_.head(rows_).sum(), S(0)) : S(0);
  steepest_ = S(0);
  look_along(rows.x, rows.lower[1], rows.upper[1]);
  // D / N is the same but for rounding: D^-q is N^-q to within q times that, unless the sums would see it.
  const S apart = (rows.x.head(rows_) - rows.y.head(rows_)).cwiseAbs().maxCoeff();
  const S seen = rows.upper[2] * apart * force_.head(rows_).cwiseAbs().sum();
  const bool alike = seen * top_ <= S(1e-7) * F && rows.lower[2] >= rows.lower[1] && rows.upper[2] <= rows.upper[1];
  if (alike)
    most_ += seen;
  else
    look_along(rows.y, rows.lower[2], rows.upper[2]);
  gap_ = std::abs(own_) + most_ * top_;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
