// SPDX-License-Identifier: Apache-2.0
/// \file
/// Profile likelihood: how far a quantity can be pushed before the runs object, everything else re-optimised.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "offray/detail/solve/gauss_newton.hpp"
#include "offray/inference/quantity.hpp"
#include "offray/inference/student_t.hpp"
#include "offray/inference/uncertainty.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// A fit's problem on the surface ln q(phi) = target. One unknown, the pivot, follows from the others, so that the solver sees
/// a problem without constraints in the m - 1 that are left.
template <typename S>
class Constrained final : public detail::Residual<S> {
 public:
  /// References must outlive the object.
  Constrained(detail::LawResidual<S>& base, const Quantity<S>& quantity, Index pivot, S least, S most)
      : base_(base), quantity_(quantity), pivot_(pivot), least_(least), most_(most), J_(base.rows(), base.cols()) {}

  Constrained(detail::LawResidual<S>&, const Quantity<S>&&, Index, S, S) = delete;

  void set_target(S target) { target_ = target; }

  Index rows() const override { return base_.rows(); }
  Index cols() const override { return base_.cols() - 1; }
  S magnitude() const override { return base_.magnitude(); }

  void evaluate(CRef<Parameters<S>> others, Ref<Vector<S>> r, Ref<Jacobian<S>> J) override {
    if (!lift(others)) {  // no such point: the step is refused
      r.setConstant(std::numeric_limits<S>::quiet_NaN());
      return;
    }
    base_.evaluate(phi_, r, J_);
    for (Index k = 0, j = 0; j < J_.cols(); ++j)
      if (j != pivot_) J.col(k++) = J_.col(j) - gradient_[j] / gradient_[pivot_] * J_.col(pivot_);
  }

  /// phi without the pivot.
  Parameters<S> others(const Parameters<S>& phi) const {
    Parameters<S> out(phi.size() - 1);
    for (Index k = 0, j = 0; j < phi.size(); ++j)
      if (j != pivot_) out[k++] = phi[j];
    return out;
  }

  /// Starts the search for the pivot here.
  void set_phi(const Parameters<S>& phi) { phi_ = phi; }
  const Parameters<S>& phi() const { return phi_; }

  /// Completes phi: Newton's method for the pivot. False where none in range meets the target.
  bool lift(CRef<Parameters<S>> others) {
    for (Index k = 0, j = 0; j < phi_.size(); ++j)
      if (j != pivot_) phi_[j] = others[k++];
    const S start = phi_[pivot_];
    S last = std::numeric_limits<S>::infinity();
    for (int i = 0; i < 50; ++i) {
      const S miss = target_ - quantity_(phi_, gradient_);
      const S step = miss / gradient_[pivot_];
      if (!std::isfinite(step)) break;
      // |ln q - target| <= 256 eps (1 + |target|): what ln q itself can carry in rounding errors. One that is found by
      // differences carries more, at most sqrt(eps) (1 + |target|): there once a step no longer halves the miss.
      const S reached = std::abs(miss) / (S(1) + std::abs(target_)), eps = std::numeric_limits<S>::epsilon();
      const bool stuck = reached > last / S(2);
      last = reached;
      if (reached <= S(256) * eps || (stuck && reached <= std::sqrt(eps)))
        return phi_[pivot_] >= least_ && phi_[pivot_] <= most_;
      phi_[pivot_] += std::min(std::max(step, S(-4)), S(4));
    }
    phi_[pivot_] = start;
    return false;
  }

 private:
  detail::LawResidual<S>& base_;
  const Quantity<S>& quantity_;
  Index pivot_;
  S least_, most_, target_ = S(0);
  Jacobian<S> J_;
  Parameters<S> phi_, gradient_;
};

/// An interval for ln q. An end is infinite where nothing in the parameters' range is ruled out.
template <typename S>
struct LogInterval {
  S estimate, lower, upper;
};

/// The profile of one quantity of a fit. With F(x) the least objective where ln q = x,
///   tau(x) = sign(x - x_hat) sqrt(2 (F(x) - F_hat) / (m v)),  v = Noise::variance(), m = Noise::slope,
/// is distributed like t on n - p degrees of freedom as far as the law is linear (Bates & Watts 1988, ch. 6); for squares m v
/// is s^2. The interval is |tau| <= t. Local: F(x) is followed from the optimum outwards, one descent from another.
template <typename S>
class Profile {
 public:
  /// The fit must outlive the object. \throws InvalidInput for a rho with a kink, whose objective is not smooth.
  Profile(const Fit<S>& fit, Quantity<S> quantity)
      : fit_(fit),
        quantity_(std::move(quantity)),
        uncertainty_(fit),
        base_(*fit.law, fit.runs, fit.options.space, fit.parametrisation) {
    if (has_kink(fit.options.solver.objective.kind))
      detail::reject("profile: the objective has a kink, so that its profile is not smooth; use the bootstrap");
    const Noise<S> noise = offray::noise(fit);
    scale_ = noise.score / noise.slope;
    estimate_ = quantity_(fit.phi, gradient_);
  }
  Profile(const Fit<S>&&, Quantity<S>) = delete;

  LogInterval<S> interval(S level);

 private:
  const Fit<S>& fit_;
  Quantity<S> quantity_;
  Uncertainty<S> uncertainty_;
  detail::LawResidual<S> base_;
  S scale_, estimate_;
  Parameters<S> gradient_;

  /// The unknown that gives way: the one that moves ln q most for what it costs, unless the user bounded it.
  Index pivot() const;

  /// The distance from the estimate at which tau reaches t on one side.
  S reach(S side, S t);

  /// The least objective on the surface.
  S least(Constrained<S>& problem, detail::GaussNewton<S>& solver, const Parameters<S>& low, const Parameters<S>& high,
          Parameters<S>& others) {
    if (problem.cols() > 0) return solver.minimise(problem, fit_.weight(), low, high, fit_.options.solver, others).objective;
    Vector<S> r(problem.rows());
    Jacobian<S> none(problem.rows(), 0);
    problem.evaluate(others, r, none);
    return r.allFinite() ? exact_total_rho<S>(fit_.options.solver.objective, r, fit_.weight())
                         : std::numeric_limits<S>::infinity();
  }
};

template <typename S>
LogInterval<S> Profile<S>::interval(S level) {
  const S infinity = std::numeric_limits<S>::infinity();
  const S t = student_t_half_width(level, S(fit_.degrees_of_freedom()));
  if (gradient_.isZero(S(0))) return {estimate_, estimate_, estimate_};
  if (!std::isfinite(t) || !(scale_ > S(0)) || !gradient_.allFinite()) return {estimate_, -infinity, infinity};
  return {estimate_, estimate_ - reach(S(-1), t), estimate_ + reach(S(1), t)};
}

template <typename S>
Index Profile<S>::pivot() const {
  const detail::Parametrisation<S>& parametrisation = fit_.parametrisation;
  const Vector<S> norms = fit_.weighted_jacobian().colwise().norm().transpose();
  Index best = -1;
  S most = S(-1);
  for (Index j = 0; j < norms.size(); ++j) {
    const bool narrow = parametrisation.upper[j] - parametrisation.lower[j] < S(5);
    const S gain = std::abs(gradient_[j]) / std::max(norms[j], std::numeric_limits<S>::min()) * (narrow ? S(1e-6) : S(1));
    if (gain > most) most = gain, best = j;
  }
  return best;
}

template <typename S>
S Profile<S>::reach(S side, S t) {
  constexpr S kFarthest = S(100);  // in ln q
  const detail::Parametrisation<S>& parametrisation = fit_.parametrisation;
  const Index j = pivot();
  Constrained<S> problem(base_, quantity_, j, parametrisation.lower[j], parametrisation.upper[j]);
  detail::GaussNewton<S> solver(problem.rows(), problem.cols());
  const Parameters<S> low = problem.others(parametrisation.lower), high = problem.others(parametrisation.upper);
  const Parameters<S> ahead = uncertainty_.least_cost(gradient_);
  Parameters<S> known = fit_.phi;  // the best point found at `inside`
  S inside = S(0), tau_inside = S(0);

  /// tau at x from a known point, and that point's successor. \return infinite where no descent gets anywhere.
  const auto descend = [&](S x, const Parameters<S>& from, S at, Parameters<S>& reached) {
    Parameters<S> guess = from + side * (x - at) * ahead;
    if (!guess.allFinite()) guess = from;
    guess = guess.cwiseMax(parametrisation.lower).cwiseMin(parametrisation.upper);
    problem.set_target(estimate_ + side * x);
    problem.set_phi(guess);
    Parameters<S> others = problem.others(guess);
    const S F = least(problem, solver, low, high, others);
    if (!std::isfinite(F) || !problem.lift(others)) return std::numeric_limits<S>::infinity();
    reached = problem.phi();
    return std::sqrt(std::max(S(2) * (F - fit_.summary.objective) / scale_, S(0)));
  };
  /// The least of the descents from the known point, along the tangent and straight on, and from the optimum.
  const auto tau = [&](S x) {
    Parameters<S> reached = known, other;
    S best = descend(x, known, inside, reached);
    if (best < t) return known = reached, best;
    for (const S at : {x, S(0)}) {
      const S again = descend(x, at == x ? known : fit_.phi, at, other);
      if (again < best) best = again, reached = other;
    }
    if (best < t) known = reached;
    return best;
  };

  const S se = uncertainty_.se(gradient_);
  S outside = std::isfinite(se) && se > S(0) ? std::min(t * se, S(1)) : S(.5), tau_outside;
  while ((tau_outside = tau(outside)) < t) {
    inside = outside, tau_inside = tau_outside;
    if (outside >= kFarthest) return Noise<S>::infinity();
    const S stretch = tau_outside > S(0) ? S(1.05) * t / tau_outside : S(2);
    outside = std::min(outside * std::min(std::max(stretch, S(1.1)), S(2)), kFarthest);
  }
  for (int i = 0; i < 80 && outside - inside > S(1e-7) * outside; ++i) {
    // tau is nearly linear in ln q, or bends once: false position, with the bracket halved every third time.
    const bool halve = i % 3 == 2 || !std::isfinite(tau_outside);
    const S x = halve ? (inside + outside) / S(2) : inside + (t - tau_inside) / (tau_outside - tau_inside) * (outside - inside);
    const S here = tau(x);
    if (std::abs(here - t) <= S(1e-7) * t) return x;
    if (here < t)
      inside = x, tau_inside = here;
    else
      outside = x, tau_outside = here;
  }
  // No point beyond: the end of the user's range, or of all sense.
  if (!std::isfinite(tau_outside)) return parametrisation.unconstrained() ? Noise<S>::infinity() : inside;
  return (inside + outside) / S(2);
}

}  // namespace OFFRAY_ABI
}  // namespace offray
