// SPDX-License-Identifier: Apache-2.0
/// \file
/// What small changes of the parameters can do to the losses of a fit, and which curves they cannot make.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "offray/detail/linalg/tall_qr.hpp"
#include "offray/fit.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Squares and products of the centred logarithms of what a law reads, at most `most` of them, (n, q), times sqrt(w). In place
/// of D stands D / N, which is constant on a ray; inputs that do not vary are left out.
template <typename S>
Jacobian<S> curves(const Fit<S>& fit, Index most) {
  const Inputs<S>& at = fit.runs.at;
  std::vector<Vector<S>> x;
  const auto add = [&](Vector<S> log_x) {
    if (log_x.size() == 0) return;
    log_x.array() -= log_x.mean();
    const auto inputs = static_cast<Index>(x.size()) + 1;
    if (log_x.maxCoeff() - log_x.minCoeff() > S(1e-6) && inputs * (inputs + 1) / 2 <= most) x.push_back(std::move(log_x));
  };
  const bool N = fit.law->reads("params");
  if (N) add(at.log_N);
  if (fit.law->reads("tokens")) add(N ? Vector<S>(at.log_D - at.log_N) : at.log_D);
  if (fit.law->reads("unique_tokens")) add(at.repeats.array().log1p());
  for (const Vector<S>& column : at.columns) add(column);
  Jacobian<S> out(fit.runs.size(), static_cast<Index>(x.size() * (x.size() + 1) / 2));
  Index k = 0;
  for (std::size_t a = 0; a < x.size(); ++a)
    for (std::size_t b = 0; b <= a; ++b) out.col(k++) = x[a].cwiseProduct(x[b]);
  if (fit.weight().size() != 0) out = fit.weight().cwiseSqrt().asDiagonal() * out;
  return out;
}

/// [J | X | f] = Q R by Gram-Schmidt: J the weighted Jacobian at the optimum, N and D in units of their geometric means, X the
/// curves, f the force sqrt(w) psi(r), for squares the residual.
template <typename S>
struct TangentSpace {
  Jacobian<S> J;           ///< (n, m)
  Jacobian<S> R;           ///< (m + q, m + q + 1): the triangular factor, and Q'f
  Jacobian<S> Q;           ///< (n, m + q): orthogonal columns, R(k, k) long, zero where a direction is lost
  Vector<S> residual;      ///< r, unweighted, (n,)
  Vector<S> rest;          ///< f without its part in J and X, (n,)
  S square_rest = S(0);    ///< its squared length
  S square_curves = S(0);  ///< of the part in X that J leaves
  Index rank = 0;          ///< directions of J that are not lost in those before
  Index curve_rank = 0;    ///< the same of X

  explicit TangentSpace(const Fit<S>& fit) {
    // A curve of which J leaves less than this share is one that the law makes itself.
    constexpr double kLeft = 1e-6;
    const Index n = fit.runs.size(), m = fit.parametrisation.free();
    rest.resize(n);
    J.resize(n, m);
    LawResidual<S>(*fit.law, fit.runs, fit.options.space, fit.parametrisation).evaluate(fit.phi, rest, J);
    if (!J.allFinite() || !rest.allFinite()) J.setZero(), rest.setZero();  // Status::evaluation_failed
    residual = rest;
    const Objective<S>& objective = fit.options.solver.objective;
    if (objective.kind != ObjectiveKind::squares)
      for (Index i = 0; i < n; ++i) rest[i] = rho(objective, rest[i]).slope;
    if (fit.weight().size() != 0) {
      const Vector<S> root = fit.weight().cwiseSqrt();
      J = root.asDiagonal() * J;
      rest.array() *= root.array();
    }
    J = fit.parametrisation.recentred(std::move(J), fit.theta, fit.runs.at.log_N.mean(), fit.runs.at.log_D.mean());
    const Jacobian<S> X = curves(fit, kMaxParameters - m);
    const Index q = X.cols();
    Q.resize(n, m + q + 1);
    Q << J, X, rest;
    R.resize(m + q, m + q + 1);
    tall_qr<S>(Q, R);
    rest = Q.col(m + q);
    Q.conservativeResize(Eigen::NoChange, m + q);
    square_rest = rest.squaredNorm();
    for (Index k = 0; k < m; ++k) rank += R(k, k) > S(0);
    for (Index k = m; k < m + q; ++k) {
      const S z = R(k, m + q) * R(k, m + q);
      if (R(k, k) > S(kLeft) * R.col(k).head(k + 1).norm()) {
        square_curves += z;
        ++curve_rank;
      } else {
        square_rest += z;
      }
    }
  }

  Index unknowns() const { return J.cols(); }
  /// The force without its part in J, (n,).
  Vector<S> outside() const {
    Vector<S> out = rest;
    const Index m = unknowns(), last = Q.cols();
    for (Index k = m; k < last; ++k)
      if (R(k, k) > S(0)) out += Q.col(k) * (R(k, last) / R(k, k));
    return out;
  }
  /// The squared length of the force without its part in J.
  S square() const { return square_rest + square_curves; }
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
