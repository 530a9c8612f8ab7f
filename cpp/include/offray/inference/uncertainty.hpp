// SPDX-License-Identifier: Apache-2.0
/// \file
/// How far the noise of the runs may have moved a fit.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "offray/conditioning.hpp"
#include "offray/fit.hpp"
#include "offray/groups.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What the residuals say about the noise of a run of unit weight.
template <typename S>
struct Noise {
  S score;  ///< sum w psi^2 / (n - p), the variance of psi; infinite where n = p
  S slope;  ///< m, the mean slope of psi; 1 for squares
  S sd;  ///< standard deviation of a new run: s for squares, else 1.4826 median |x - median x| sqrt(n / (n - p)), x = sqrt(w) r

  /// The variance that (J'WJ)^-1 scales with; infinite where the residuals do not say.
  S variance() const { return slope > S(0) && std::isfinite(score) ? score / (slope * slope) : infinity(); }

  static constexpr S infinity() { return std::numeric_limits<S>::infinity(); }
};

namespace detail {

/// The median, the upper one of two.
template <typename S>
S median(Vector<S> x) {
  std::nth_element(x.data(), x.data() + x.size() / 2, x.data() + x.size());
  return x[x.size() / 2];
}

}  // namespace detail

/// Squares: score = s^2 = RSS / (n - p), slope 1. Robust objectives (Huber 1981, ch. 7): m is the mean slope of psi over a
/// window of half-width h = 1.06 s n^(-1/5), s the scaled median of |r|. The window keeps m positive where no residual lies
/// inside delta; the exact curvature there is zero and would give no interval at all. A redescending psi (cauchy) with most
/// residuals beyond delta has m <= 0: it says nothing.
template <typename S>
Noise<S> noise(const Fit<S>& fit) {
  const S dof = S(fit.degrees_of_freedom());
  if (!(dof > S(0))) return {Noise<S>::infinity(), S(1), Noise<S>::infinity()};
  const Objective<S>& objective = fit.options.solver.objective;
  if (objective.kind == ObjectiveKind::squares) {
    const S variance = S(2) * fit.summary.objective / dof;
    return {variance, S(1), std::sqrt(variance)};
  }
  const Vector<S> r = fit.residual();
  const Index n = r.size();
  const S h = S(1.06) * S(1.4826) * detail::median<S>(r.cwiseAbs()) * std::pow(S(n), S(-0.2));
  const bool weighted = fit.weight().size() != 0;
  S squares = S(0), slope = S(0), total = S(0);
  for (Index i = 0; i < n; ++i) {
    const S w = weighted ? fit.weight()[i] : S(1);
    const Rho<S> at = rho(objective, r[i]);
    squares += w * at.slope * at.slope;
    slope += w * (h > S(0) ? (rho(objective, r[i] + h).slope - rho(objective, r[i] - h).slope) / (S(2) * h) : at.curvature);
    total += w;
  }
  const Vector<S> alike = weighted ? Vector<S>(r.cwiseProduct(fit.weight().cwiseSqrt())) : r;
  const S middle = detail::median<S>(alike);
  return {squares / dof, slope / total, S(1.4826) * detail::median<S>((alike.array() - middle).abs()) * std::sqrt(S(n) / dof)};
}

/// Covariance of the unknowns phi in factored form, cov = F F', and what follows from it by the delta method.
template <typename S>
class Uncertainty {
 public:
  /// variance (J'WJ)^-1: independent noise, of one size but for the weights. From the QR factors of J, never from J'J.
  /// \param variance as Noise::variance().
  Uncertainty(const Fit<S>& fit, S variance) : condition_(fit.weighted_jacobian()), known_(std::isfinite(variance)) {
    if (known_) factor_ = std::sqrt(variance) * condition_.inverse_factor();
  }

  explicit Uncertainty(const Fit<S>& fit) : Uncertainty(fit, noise(fit).variance()) {}

  /// The sandwich (J'WJ)^-1 (sum_g s_g s_g') (J'WJ)^-1 / m^2 with s_g = sum_(i in g) w_i psi_i J_i: independent between groups,
  /// whatever its size and whatever the groups have in common (Huber 1967, White 1980; Liang & Zeger 1986). The bread is the
  /// reweighted form with the mean slope m, never the exact curvature, which is singular or indefinite for robust objectives.
  /// Scaled by n / (n - p), for groups by G / (G - 1) (n - 1) / (n - p).
  static Uncertainty sandwich(const Fit<S>& fit, const std::vector<Index>& labels = {});

  /// Standard error of a quantity with derivatives g by phi, (m,); infinite where the runs do not determine it.
  S se(CRef<Vector<S>> g) const;

  /// cov(theta), (p, p), natural units. Rows and columns of fixed parameters are zero; those of a parameter that the runs do
  /// not determine are infinite.
  Jacobian<S> covariance(const Fit<S>& fit) const;

  /// A direction in phi in which a quantity with derivatives g moves by 1 at the least cost, (m,): C g / (g'C g).
  Parameters<S> least_cost(CRef<Vector<S>> g) const;

 private:
  Conditioning<S> condition_;
  bool known_;
  Jacobian<S> factor_;
};

template <typename S>
S Uncertainty<S>::se(CRef<Vector<S>> g) const {
  if (g.isZero(S(0))) return S(0);
  if (!known_ || condition_.undetermined(g)) return Noise<S>::infinity();
  const S out = factor_.transpose().lazyProduct(g).norm();
  return std::isnan(out) ? Noise<S>::infinity() : out;
}

template <typename S>
Jacobian<S> Uncertainty<S>::covariance(const Fit<S>& fit) const {
  const Square<S> chain = fit.parametrisation.chain(fit.theta);
  // A product F F' is symmetric and positive semi-definite whatever the rounding.
  const Jacobian<S> factor = known_ ? Jacobian<S>(chain.lazyProduct(factor_)) : Jacobian<S>::Zero(chain.rows(), 1);
  Jacobian<S> out = factor.lazyProduct(factor.transpose());
  std::vector<Index> unknown;
  for (Index j = 0; j < out.rows(); ++j) {
    if (fit.parametrisation.slot(j) < 0) continue;
    const bool determined = known_ && !condition_.undetermined(Vector<S>(chain.row(j).transpose()));
    if (!determined || !out.row(j).allFinite()) unknown.push_back(j);
  }
  for (const Index j : unknown)
    for (Index i = 0; i < out.rows(); ++i)
      if (fit.parametrisation.slot(i) >= 0) out(i, j) = out(j, i) = Noise<S>::infinity();
  return out;
}

template <typename S>
Parameters<S> Uncertainty<S>::least_cost(CRef<Vector<S>> g) const {
  const Jacobian<S> F = condition_.inverse_factor();
  const Vector<S> y = F.transpose().lazyProduct(g);
  return F.lazyProduct(y) / y.squaredNorm();
}

template <typename S>
Uncertainty<S> Uncertainty<S>::sandwich(const Fit<S>& fit, const std::vector<Index>& labels) {
  const Groups groups(fit.runs.size(), labels);
  const Noise<S> noise = offray::noise(fit);
  Uncertainty out(fit, noise.variance());
  if (!out.known_) return out;
  const Vector<S> r = fit.residual();
  const Jacobian<S> J = fit.jacobian();
  Jacobian<S> scores = Jacobian<S>::Zero(J.cols(), groups.count());
  for (Index i = 0; i < r.size(); ++i) {
    const S w = fit.weight().size() == 0 ? S(1) : fit.weight()[i];
    scores.col(groups.of(i)) += w * rho(fit.options.solver.objective, r[i]).slope * J.row(i).transpose();
  }
  const Jacobian<S> F = out.condition_.inverse_factor();
  const S n = S(r.size()), G = S(groups.count());
  const S small_sample = labels.empty() ? n / S(fit.degrees_of_freedom()) : G / (G - 1) * (n - 1) / S(fit.degrees_of_freedom());
  const Jacobian<S> influence = F.transpose().lazyProduct(scores);
  out.factor_ = std::sqrt(small_sample) / noise.slope * F.lazyProduct(influence);
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
