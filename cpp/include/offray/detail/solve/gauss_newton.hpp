// SPDX-License-Identifier: Apache-2.0
/// \file
/// Damped Gauss-Newton on a Residual, each step by orthogonal factorisation.
#pragma once

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "offray/detail/linalg/tall_qr.hpp"
#include "offray/detail/linalg/triangular.hpp"
#include "offray/detail/solve/convergence.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Workspace and iteration. Construct once per problem size; minimise() allocates nothing and throws nothing.
///
/// At each point the weighted problem min ||J d + b|| is factorised as a tall matrix [J b]; a trial step solves the stacked
/// system [R; sqrt(lambda) D] d = -[z; 0], D the column norms of J (Levenberg 1944, Marquardt 1963), again by orthogonal
/// factorisation and never through J'J. For robust objectives row i carries the weight omega_i between rho'' (Newton) and
/// psi/r (reweighted least squares, whose model never undershoots); it moves to Newton as steps succeed.
///
/// J'J leaves out the term sum w psi d2r/dphi2 of the Hessian. Where residuals are large that term decides: the error shrinks
/// by its largest relative eigenvalue per step, which can be .6 for a misfitting law, or above 1, where plain Gauss-Newton
/// never settles. A secant estimate of it (Dennis, Gay & Welsch 1981, NL2SOL) is kept beside J and used whenever it predicted
/// the last decrease better, in the coordinates y = R d where it adds to the identity.
template <typename S>
class GaussNewton {
 public:
  GaussNewton(Index rows, Index cols)
      : r_(rows),
        trial_r_(rows),
        J_(rows, cols),
        trial_J_(rows, cols),
        W_(rows, cols + 1),
        R_(cols, cols + 1),
        stacked_(2 * cols, cols + 1),
        R_small_(cols, cols + 1),
        force_(rows) {}

  Index rows() const { return J_.rows(); }
  Index cols() const { return J_.cols(); }

  /// \param weights (n,) positive, or empty.
  /// \param lower, upper bounds on phi, (m,).
  /// \param[in,out] phi start inside the bounds; best point on return.
  Summary<S> minimise(Residual<S>& problem, CRef<Vector<S>> weights, CRef<Parameters<S>> lower, CRef<Parameters<S>> upper,
                      const SolverOptions<S>& options, Parameters<S>& phi);

  /// Residuals and Jacobian at the returned point, unweighted.
  const Vector<S>& residual() const { return r_; }
  const Jacobian<S>& jacobian() const { return J_; }

 private:
  static constexpr S eps = std::numeric_limits<S>::epsilon();

  Vector<S> r_, trial_r_;
  Jacobian<S> J_, trial_J_;
  Jacobian<S> W_, R_;              ///< augmented weighted problem [J b] and its factor [R z]
  Jacobian<S> stacked_, R_small_;  ///< the damped system and its factor
  Parameters<S> norms_, step_, trial_;
  /// Damping takes a column to be at least this long: one shorter would have to move ln theta by 1000 to matter.
  S least_norm_ = S(1);
  Vector<S> force_;         ///< w psi(r)
  Parameters<S> gradient_;  ///< J' force
  Square<S> second_;        ///< secant estimate of sum w psi d2r/dphi2
  Eigen::Matrix<bool, Eigen::Dynamic, 1, Eigen::ColMajor, kMaxParameters, 1> held_;

  /// What a step leaves for the next one.
  struct Path {
    S F{};
    /// Relative to unit columns. The first value leaves a step along a direction with sigma > 1e-2 as it is: a shortened one
    /// would leave the basin along the others.
    S lambda = S(1e-4);
    S growth = S(8);
    S newton = S(0);      ///< as factorise() takes it
    bool secant = false;  ///< whether the estimate of the second-order term counts
    bool blind = false;   ///< the last accepted step changed F by less than its rounding error
  };

  bool attempt(Residual<S>& problem, CRef<Vector<S>> weights, CRef<Parameters<S>> lower, CRef<Parameters<S>> upper,
               const SolverOptions<S>& options, S rounding, Path& path, Parameters<S>& phi);
  bool retreat(CRef<Vector<S>> weights, const SolverOptions<S>& options, Path& path);
  S objective(const SolverOptions<S>& options, CRef<Vector<S>> weights, const Vector<S>& r) const;
  void differentiate(const SolverOptions<S>& options, CRef<Vector<S>> weights);
  void hold_at_bounds(CRef<Parameters<S>> lower, CRef<Parameters<S>> upper, const Parameters<S>& phi);
  void factorise(const SolverOptions<S>& options, CRef<Vector<S>> weights, S newton);
  void solve_damped(S lambda, bool secant);
  void bend();
  S predicted_decrease() const;
  S second_order() const { return step_.dot(second_ * step_) / S(2); }
  void update_second(const Parameters<S>& old_gradient, const Parameters<S>& crossed);
};

/// sum w rho(r), or infinity where r is not finite.
template <typename S>
S GaussNewton<S>::objective(const SolverOptions<S>& options, CRef<Vector<S>> weights, const Vector<S>& r) const {
  const S sum = kernels<S>().total_rho(options.objective, r.size(), r.data(), weights.size() == 0 ? nullptr : weights.data());
  return std::isfinite(sum) ? sum : std::numeric_limits<S>::infinity();
}

/// force_ = w psi(r) and the gradient J' force_ at the current point.
template <typename S>
void GaussNewton<S>::differentiate(const SolverOptions<S>& options, CRef<Vector<S>> weights) {
  if (options.objective.kind == ObjectiveKind::squares)
    force_ = r_;
  else
    for (Index i = 0; i < r_.size(); ++i) force_[i] = rho(options.objective, r_[i]).slope;
  if (weights.size() != 0) force_.array() *= weights.array();
  gradient_.noalias() = J_.transpose() * force_;
}

/// Marks the unknowns that sit at a bound which the objective pushes against.
template <typename S>
void GaussNewton<S>::hold_at_bounds(CRef<Parameters<S>> lower, CRef<Parameters<S>> upper, const Parameters<S>& phi) {
  held_.resize(phi.size());
  for (Index j = 0; j < phi.size(); ++j)
    held_[j] = (phi[j] <= lower[j] && gradient_[j] >= S(0)) || (phi[j] >= upper[j] && gradient_[j] <= S(0));
}

/// Builds the weighted problem [J b] and factorises it. `newton` in [0, 1] moves the row weight from psi/r to rho''.
template <typename S>
void GaussNewton<S>::factorise(const SolverOptions<S>& options, CRef<Vector<S>> weights, S newton) {
  const Index m = J_.cols();
  if (options.objective.kind == ObjectiveKind::squares) {
    W_.leftCols(m) = J_;
    W_.col(m) = r_;
    if (weights.size() != 0)
      for (Index j = 0; j <= m; ++j) W_.col(j).array() *= weights.array().sqrt();
  } else {
    for (Index i = 0; i < r_.size(); ++i) {
      const Rho<S> at = rho(options.objective, r_[i]);
      const S w = weights.size() == 0 ? S(1) : weights[i];
      // A negative curvature (cauchy) has no square root; there the majorizer alone counts.
      const S omega = newton * std::max(at.curvature, S(0)) + (S(1) - newton) * at.majorizer;
      W_.row(i).head(m) = std::sqrt(w * omega) * J_.row(i);
      W_(i, m) = std::sqrt(w / omega) * at.slope;
    }
  }
  for (Index j = 0; j < m; ++j)
    if (held_[j]) W_.col(j).setZero();
  tall_qr<S>(W_, R_);
  // Q has orthonormal columns, so the columns of R are as long as those of J.
  norms_.resize(m);
  for (Index j = 0; j < m; ++j) norms_[j] = R_.col(j).head(j + 1).norm();
}

/// step_ = argmin ||R d + z||^2 + lambda ||D d||^2, plus d' second_ d where `secant`.
template <typename S>
void GaussNewton<S>::solve_damped(S lambda, bool secant) {
  const Index m = R_.rows();
  stacked_.topRows(m) = R_;
  stacked_.bottomRows(m).setZero();
  for (Index j = 0; j < m; ++j) stacked_(m + j, j) = std::sqrt(lambda) * std::max(norms_[j], least_norm_);
  tall_qr<S>(stacked_, R_small_);
  if (secant) bend();
  step_ = -solve_triangular<S>(R_small_);
}

/// Replaces z in R_small_ by (I + R^-T second_ R^-1)^-1 z where every pivot of the bracket is at least 1/8, so that the step
/// descends; leaves it alone otherwise.
template <typename S>
void GaussNewton<S>::bend() {
  const Index m = R_.rows();
  Square<S> M = second_;
  for (Index j = 0; j < m; ++j)
    if (held_[j] || !(norms_[j] > S(0))) M.row(j).setZero(), M.col(j).setZero();
  for (int side = 0; side < 2; ++side) {  // M <- (R^-T M)', twice
    for (Index i = 0; i < m; ++i) {
      for (Index k = 0; k < i; ++k) M.row(i) -= R_small_(k, i) * M.row(k);
      if (R_small_(i, i) > S(0)) M.row(i) /= R_small_(i, i);
    }
    M.transposeInPlace();
  }
  M.diagonal().array() += S(1);
  const Eigen::LLT<Square<S>> factor(M);
  const bool descends = factor.info() == Eigen::Success && factor.matrixLLT().diagonal().cwiseAbs2().minCoeff() >= S(0.125);
  if (descends) R_small_.col(m) = factor.solve(R_small_.col(m));
}

/// The update of Dennis, Gay & Welsch, sized: second_ is made to map the last step onto (J_new - J_old)' force_new.
/// \param crossed J_old' force_new.
template <typename S>
void GaussNewton<S>::update_second(const Parameters<S>& old_gradient, const Parameters<S>& crossed) {
  const Parameters<S> change = gradient_ - old_gradient, wanted = gradient_ - crossed;
  const S curvature = change.dot(step_);
  // Without positive curvature along the step the quotients below have no meaning.
  if (!(curvature > std::sqrt(eps) * change.norm() * step_.norm())) return;
  const S present = step_.dot(second_ * step_);
  if (std::abs(present) > std::abs(wanted.dot(step_))) second_ *= std::abs(wanted.dot(step_)) / std::abs(present);
  const Parameters<S> miss = wanted - second_ * step_;
  const Parameters<S> along = change / curvature;
  second_ += miss * along.transpose() + along * miss.transpose() - miss.dot(step_) * along * along.transpose();
}

/// (||z||^2 - ||R d + z||^2) / 2 for the step as taken.
template <typename S>
S GaussNewton<S>::predicted_decrease() const {
  const Index m = R_.rows();
  const Parameters<S> z = R_.col(m);
  Parameters<S> moved = Parameters<S>::Zero(m);
  for (Index k = 0; k < m; ++k) moved[k] = R_.row(k).segment(k, m - k).dot(step_.segment(k, m - k));
  return -moved.dot(z + moved / S(2));
}

/// Tries one damped step; takes it, with all that follows for the next, where the objective falls as far as predicted.
template <typename S>
bool GaussNewton<S>::attempt(Residual<S>& problem, CRef<Vector<S>> weights, CRef<Parameters<S>> lower,
                             CRef<Parameters<S>> upper, const SolverOptions<S>& options, S rounding, Path& path,
                             Parameters<S>& phi) {
  constexpr S kMinDamping = S(16) * eps;
  solve_damped(path.lambda, path.secant);
  trial_ = (phi + step_).cwiseMax(lower).cwiseMin(upper);
  step_ = trial_ - phi;
  const S plain = predicted_decrease(), bent = plain - second_order();
  const S predicted = path.secant ? bent : plain;
  problem.evaluate(trial_, trial_r_, trial_J_);
  const S F = path.F, trial_F = objective(options, weights, trial_r_);
  // F carries an error of about |r|'|dr| <= rounding sqrt(2 F).
  const S noise = rounding * std::sqrt(S(2) * F) + S(8) * eps * F;
  const bool hidden = std::abs(predicted) <= noise;
  if (!(hidden ? trial_F <= F + noise : F - trial_F >= S(1e-4) * predicted && predicted > S(0))) return false;
  const Parameters<S> old_gradient = gradient_;
  r_.swap(trial_r_);
  J_.swap(trial_J_);
  differentiate(options, weights);
  if (!gradient_.allFinite()) {  // a finite loss with derivatives that are not: no place to go on from
    r_.swap(trial_r_);
    J_.swap(trial_J_);
    gradient_ = old_gradient;
    return false;
  }
  path.blind = hidden;
  const S ratio = hidden ? S(1) : (F - trial_F) / predicted;
  if (ratio > S(0.5)) {
    path.lambda = std::max(path.lambda / S(16), kMinDamping);
    path.newton = S(1) - std::max((S(1) - path.newton) / S(8), S(1e-3));
  } else if (ratio < S(0.1)) {
    path.lambda *= S(4);
  }
  path.growth = S(8);
  if (!hidden) path.secant = std::abs(F - trial_F - bent) < std::abs(F - trial_F - plain);
  phi = trial_;
  path.F = trial_F;
  trial_.noalias() = trial_J_.transpose() * force_;
  update_second(old_gradient, trial_);
  return true;
}

/// After a step that was not taken: more damping, and rows moved back from Newton to reweighting. \return whether there is
/// room.
template <typename S>
bool GaussNewton<S>::retreat(CRef<Vector<S>> weights, const SolverOptions<S>& options, Path& path) {
  constexpr S kMaxDamping = S(1) / eps;
  path.secant = false;
  path.lambda *= path.growth;
  path.growth *= S(2);
  if (!(path.lambda < kMaxDamping)) return false;
  if (options.objective.kind != ObjectiveKind::squares && path.newton > S(0)) {
    path.newton = std::max(S(1) - (S(1) - path.newton) * S(64), S(0));
    factorise(options, weights, path.newton);
  }
  return true;
}

template <typename S>
Summary<S> GaussNewton<S>::minimise(Residual<S>& problem, CRef<Vector<S>> weights, CRef<Parameters<S>> lower,
                                    CRef<Parameters<S>> upper, const SolverOptions<S>& options, Parameters<S>& phi) {
  constexpr int kPatience = 6;
  const S total_weight = weights.size() == 0 ? S(r_.size()) : weights.sum();
  const S rounding = S(8) * eps * problem.magnitude() * std::sqrt(total_weight);

  Summary<S> out;
  problem.evaluate(phi, r_, J_);
  out.evaluations = 1;
  Path path;
  path.F = objective(options, weights, r_);
  if (!std::isfinite(path.F) || !J_.allFinite()) {
    out.objective = path.F;
    return out;
  }

  step_.setZero(phi.size());
  second_.setZero(phi.size(), phi.size());
  differentiate(options, weights);
  S last_newton = S(0), last_measure = std::numeric_limits<S>::infinity();
  int idle = 0;  // blind steps that did not shrink the gradient
  for (;;) {
    hold_at_bounds(lower, upper, phi);
    const S scale = std::sqrt(S(2) * path.F);
    least_norm_ = scale > S(0) ? S(1e-3) * scale : S(1);
    factorise(options, weights, path.newton);
    ++out.iterations;
    const S offset = R_.col(R_.rows()).norm();
    out.objective = path.F;
    out.scaled_gradient = path.F > S(0) ? offset / scale : S(0);

    out.inverse_condition = inverse_condition<S>(R_, [&](Index k) { return held_[k]; });
    const Convergence<S> test = convergence<S>(R_, out.inverse_condition, options, scale, rounding);
    // Once F cannot tell two points apart, only a shrinking gradient (in one metric) shows progress, and chooses the model.
    if (path.blind && path.newton == last_newton && !(test.measure < last_measure)) {
      path.secant = !path.secant;
      ++idle;
    }
    const Status no_progress = test.without_progress(held_.any());
    if (test.converged() || idle == kPatience) {
      out.status = test.converged() ? test.settled(held_.any()) : no_progress;
      return out;
    }
    last_measure = test.measure;
    last_newton = path.newton;

    for (bool accepted = false; !accepted;) {
      if (options.spent(out.evaluations)) {
        out.status = Status::evaluation_limit;
        return out;
      }
      ++out.evaluations;
      accepted = attempt(problem, weights, lower, upper, options, rounding, path, phi);
      if (!accepted && !retreat(weights, options, path)) {
        out.status = no_progress;
        return out;
      }
    }
  }
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
