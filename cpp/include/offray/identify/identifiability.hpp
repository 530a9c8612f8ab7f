// SPDX-License-Identifier: Apache-2.0
/// \file
/// What the runs behind a fit determine, and what they do not.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

#include "offray/finding.hpp"
#include "offray/identify/tpp_diversity.hpp"
#include "offray/inference/predict.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// The report on one fit; per parameter where it says (p,), in the law's order.
template <typename S>
struct Identifiability {
  Findings findings;
  S tpp_low, tpp_high;  ///< range of the runs' tokens per parameter
  Index rank;           ///< of the unit-column Jacobian against rounding; see rank_tolerance()
  /// Directions of the unknowns known to better than a factor e: singular values of d r / d ln theta' with sigma_i > s, s the
  /// noise's standard deviation.
  Index rank_against_noise;
  Vector<S> singular_values;  ///< of the unit-column Jacobian, N and D in units of their geometric means
  S kappa;                    ///< their ratio kappa_2
  S factorial_kappa;  ///< kappa_2 of a 3 x 3 factorial design over the same ranges (of N, U and epochs for repeated data)
  /// kappa_eq of the two coefficients' columns (A, B) at the smallest gap between the exponents that the runs allow; 1 where
  /// they are not both free.
  S pair_kappa;
  /// (J'J)^-1_jj (J'J)_jj, (p,): the variance over that with orthogonal columns. 0 for a fixed parameter.
  Parameters<S> variance_inflation;
  Parameters<S> relative_se;  ///< standard errors of ln theta, (p,); 0 for a fixed parameter
};

namespace detail {

/// The slots of the two coefficients whose columns grow parallel on a ray, or {-1, -1} where they are not both unknowns.
template <typename S>
std::array<int, 2> pair_slots(const Fit<S>& fit) {
  const int first = fit.law->term(Term::n), second = fit.law->term(Term::d);
  if (first < 0 || second < 0 || fit.law->term(Term::p) < 0) return {-1, -1};
  const int n = fit.parametrisation.slot(first), d = fit.parametrisation.slot(second);
  return n < 0 || d < 0 || n == d ? std::array<int, 2>{-1, -1} : std::array<int, 2>{n, d};
}

/// Largest over smallest.
template <typename S>
S ratio(const Vector<S>& log_x) {
  return std::exp(log_x.maxCoeff() - log_x.minCoeff());
}

template <typename S>
S half_width(const Fit<S>& fit) {
  return student_t_half_width(S(.95), S(fit.degrees_of_freedom()));
}

/// The weighted Jacobian, N and D in units of their geometric means, its triangular factor by Gram-Schmidt, and what follows
/// from that: all that a healthy fit needs.
template <typename S>
struct QuickLook {
  const Fit<S>& fit;
  Jacobian<S> J, R;  ///< R is (m, m + 1), its last column zero
  S sd;              ///< of the noise; infinite where it is not known
  Vector<S> se;      ///< standard errors of phi', infinite where R is singular

  QuickLook(const Fit<S>& of, S variance)
      : fit(of),
        J(of.parametrisation.recentred(of.weighted_jacobian(), of.theta, of.runs.at.log_N.mean(), of.runs.at.log_D.mean())),
        R(J.cols(), J.cols() + 1),
        sd(std::sqrt(variance)) {
    const Index m = J.cols();
    Jacobian<S> M(J.rows(), m + 1);
    M.leftCols(m) = J;
    M.col(m).setZero();
    detail::tall_qr<S>(M, R);
    se.resize(m);
    for (Index j = 0; j < m; ++j) se[j] = spread(Parameters<S>::Unit(m, j));
  }

  /// Standard error of a quantity with derivatives g by phi': sd ||R^-T g||.
  S spread(Parameters<S> g) const {
    for (Index k = 0; k < g.size(); ++k) {
      for (Index i = 0; i < k; ++i) g[k] -= R(i, k) * g[i];
      if (!(R(k, k) > S(0))) return std::numeric_limits<S>::infinity();
      g[k] /= R(k, k);
    }
    return sd * g.norm();
  }

  S se_of(int parameter) const {
    const int slot = parameter < 0 ? -1 : fit.parametrisation.slot(parameter);
    return slot < 0 ? S(0) : se[slot];
  }

  /// An upper bound on kappa_2, at most m times too large.
  S kappa_bound() const {
    return S(1) / detail::inverse_condition<S>(R, [](Index) { return false; });
  }

  /// kappa_eq of the two coefficients' columns. They part with the gap p - q of the exponents, which runs near a ray hardly
  /// know: the gap counts as the smallest one within t standard errors, so that the figure is the largest that the runs allow.
  S pair_kappa(const std::array<int, 2>& pair, S t) const {
    const int p_at = fit.law->term(Term::p), q_at = fit.law->term(Term::q), outer_at = fit.law->containing_outer();
    const auto value = [&](int j, S absent) { return j < 0 ? absent : fit.theta[j]; };
    const S outer = value(outer_at, S(1)), p = fit.theta[p_at] / outer, q = value(q_at, outer) / outer, gap = p - q;
    Parameters<S> g = Parameters<S>::Zero(J.cols());  // of p - q by phi'
    const auto add = [&](int j, S by) {
      if (j >= 0 && fit.parametrisation.slot(j) >= 0) g[fit.parametrisation.slot(j)] += by;
    };
    add(p_at, p);
    add(q_at, -q);
    add(outer_at, q_at < 0 ? -p : -gap);
    const S room = g.isZero(S(0)) ? S(0) : t * spread(g);
    const S shrink = room < std::abs(gap) ? std::copysign(room, gap) : gap;  // what the gap loses
    const Inputs<S>& at = fit.runs.at;
    Jacobian<S> columns(J.rows(), 2);
    columns.col(0) = J.col(pair[0]).array() * (shrink / S(2) * (at.log_N.array() - at.log_N.mean())).exp();
    columns.col(1) = J.col(pair[1]).array() * (-shrink / S(2) * (at.log_D.array() - at.log_D.mean())).exp();
    if (!columns.allFinite()) return std::numeric_limits<S>::infinity();
    const S kappa = Conditioning<S>(columns).kappa();
    return kappa * kappa;
  }
};

}  // namespace detail

/// What a fit leaves open; without singular values where the fit is healthy, hence cheap enough for every fit.
template <typename S>
Findings findings(const Fit<S>& fit) {
  const AnyLaw<S>& law = *fit.law;
  const detail::QuickLook<S> look(fit, noise(fit).variance());
  const S t = fit.degrees_of_freedom() > kFewDegrees ? S(3.2) : std::numeric_limits<S>::infinity();  // Student's, at most
  Findings out = 0;
  const bool repeated = law.reads("unique_tokens");
  const auto pair = detail::pair_slots(fit);
  S vaguest = S(-1);
  for (Index j = 0; j < law.size(); ++j)
    if (is_exponent(law.parameter(j).role) && fit.parametrisation.slot(j) >= 0)
      vaguest = std::max(vaguest, look.se_of(static_cast<int>(j)));
  const bool exponents_free = vaguest >= S(0);
  if (pair[0] >= 0) {
    if (law.reads("params") && detail::ratio(fit.runs.at.log_N) < S(kOneRay)) out |= flag(Finding::one_size);
    if (law.reads("tokens") && detail::ratio(fit.runs.at.log_D) < S(kOneRay)) out |= flag(Finding::one_token_count);
    const bool fresh = !repeated || fit.runs.at.repeats.maxCoeff() == S(0);  // epoch counts would tell the terms apart
    const S ratio = fit.runs.at.tpp_ratio();
    // Runs that scatter about a ray may be precise enough after all.
    const bool told = ratio >= S(kExactRay) && fit.converged() && vaguest < S(kVague);
    if (fresh && exponents_free && ratio < S(kOneRay) && !told) out |= flag(Finding::one_ray);
    if (!exponents_free) vaguest = std::max(look.se_of(law.term(Term::n)), look.se_of(law.term(Term::d)));
    // Infinite where n = p: then few_runs says what is wrong.
    if (vaguest >= S(kVague) && fit.degrees_of_freedom() > 0 && look.pair_kappa(pair, detail::half_width(fit)) >= S(kParallel))
      out |= flag(Finding::parallel_terms);
  }
  bool stuck = fit.status() == Status::at_bound;
  for (Index j = 0; j < law.size(); ++j) stuck = stuck || fit.at_bound(j) != 0;
  if (stuck) out |= flag(Finding::at_bound);
  if (!(look.kappa_bound() <= S(kCollinear))) {
    const Conditioning<S> condition(look.J);
    if (condition.kappa() > S(kCollinear) || condition.rank() < look.J.cols()) out |= flag(Finding::ill_conditioned);
  }
  if (fit.degrees_of_freedom() <= kFewDegrees) out |= flag(Finding::few_runs);
  const S floor = look.se_of(law.term(Term::floor));
  // Elsewhere its interval is no news. Most fits need no quantile.
  if (out == 0 && t * floor >= S(1) && detail::half_width(fit) * floor >= S(1)) out |= flag(Finding::floor_unknown);
  const std::function<S(Index)> relative_se = [&](Index j) {
    return fit.parametrisation.slot(j) < 0 ? S(-1) : look.se_of(static_cast<int>(j));
  };
  return out | law.findings(FitEvidence<S>{fit.theta, fit.runs.at, relative_se});
}

namespace detail {

/// kappa_2 of a factorial design over the ranges of the runs: 3 x 3 in N and D, or 3 x 3 x 3 in N, U and epochs where the law
/// tells them apart. Infinite where a range is a point.
template <typename S>
S factorial_kappa(const Fit<S>& fit) {
  const Inputs<S>& at = fit.runs.at;
  if (!at.columns.empty() || fit.law->form == PowerSumForm::none) return std::numeric_limits<S>::infinity();
  const bool repeated = fit.law->reads("unique_tokens") && at.repeats.maxCoeff() > S(0);
  const Vector<S> log_epochs = at.repeats.array().log1p();
  const Index n = repeated ? 27 : 9;
  const auto level = [](const Vector<S>& x, Index k) { return x.minCoeff() + S(k) / S(2) * (x.maxCoeff() - x.minCoeff()); };
  Fit<S> factorial = fit;
  Inputs<S>& design = factorial.runs.at;
  design.log_N.resize(n), design.log_D.resize(n), design.log_U.resize(n), design.repeats.resize(n);
  for (Index i = 0; i < n; ++i) {
    const S more = repeated ? level(log_epochs, i / 9) : S(0);
    design.log_N[i] = level(at.log_N, i % 3);
    design.log_U[i] = level(repeated ? at.log_U : at.log_D, i / 3 % 3);
    design.log_D[i] = design.log_U[i] + more;
    design.repeats[i] = std::expm1(more);
  }
  factorial.runs.loss = Vector<S>::Ones(n);
  factorial.runs.weight.resize(0);
  const Jacobian<S> J = factorial.weighted_jacobian();
  return Conditioning<S>(fit.parametrisation.recentred(J, fit.theta, design.log_N.mean(), design.log_D.mean())).kappa();
}

}  // namespace detail

/// The whole report.
template <typename S>
Identifiability<S> identifiability(const Fit<S>& fit) {
  Identifiability<S> out;
  out.findings = findings(fit);
  const Vector<S> log_k = fit.runs.at.log_D - fit.runs.at.log_N;
  out.tpp_low = std::exp(log_k.minCoeff());
  out.tpp_high = std::exp(log_k.maxCoeff());
  const Noise<S> noise = offray::noise(fit);
  const detail::QuickLook<S> look(fit, noise.variance());
  const Conditioning<S> condition(look.J);
  out.rank = condition.rank();
  out.singular_values = condition.singular_values();
  out.kappa = condition.kappa();
  out.factorial_kappa = detail::factorial_kappa(fit);
  const auto directions = Conditioning<S>(look.J, Columns::raw).singular_values();
  out.rank_against_noise = (directions.array() > look.sd).count();
  const auto pair = detail::pair_slots(fit);
  out.pair_kappa = pair[0] < 0 ? S(1) : look.pair_kappa(pair, detail::half_width(fit));
  const Uncertainty<S> uncertainty(fit, noise.variance());
  const Vector<S> inflation = condition.variance_inflation();
  out.variance_inflation.setZero(fit.theta.size());
  out.relative_se.setZero(fit.theta.size());
  for (Index j = 0; j < fit.theta.size(); ++j) {
    const int slot = fit.parametrisation.slot(j);
    if (slot < 0) continue;
    out.variance_inflation[j] = inflation[slot];
    out.relative_se[j] = uncertainty.se(fit.parametrisation.log_chain(fit.theta, j));
  }
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
