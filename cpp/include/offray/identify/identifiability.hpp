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
#include <vector>

#include "offray/finding.hpp"
#include "offray/identify/input_planes.hpp"
#include "offray/identify/tpp_diversity.hpp"
#include "offray/inference/misfit.hpp"

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

/// What follows from the tangent space of a fit without singular values: all that a healthy one needs.
template <typename S>
struct QuickLook {
  const Fit<S>& fit;
  TangentSpace<S> space;
  S sd;          ///< of the noise; infinite where it is not known
  Vector<S> se;  ///< standard errors of phi', infinite where R is singular

  QuickLook(const Fit<S>& of, S variance) : fit(of), space(of), sd(std::sqrt(variance)) {
    const Index m = space.unknowns();
    se.resize(m);
    for (Index j = 0; j < m; ++j) se[j] = spread(Parameters<S>::Unit(m, j));
  }

  QuickLook(const Fit<S>&&, S) = delete;

  /// Standard error of a quantity with derivatives g by phi': sd ||R^-T g||.
  S spread(Parameters<S> g) const {
    for (Index k = 0; k < g.size(); ++k) {
      for (Index i = 0; i < k; ++i) g[k] -= space.R(i, k) * g[i];
      if (!(space.R(k, k) > S(0))) return std::numeric_limits<S>::infinity();
      g[k] /= space.R(k, k);
    }
    return sd * g.norm();
  }

  S se_of(int parameter) const {
    const int slot = parameter < 0 ? -1 : fit.parametrisation.slot(parameter);
    return slot < 0 ? S(0) : se[slot];
  }

  /// An upper bound on kappa_2, at most m times too large.
  S kappa_bound() const {
    return S(1) / detail::inverse_condition<S>(space.R.topLeftCorner(space.unknowns(), space.unknowns() + 1),
                                               [](Index) { return false; });
  }

  /// kappa_eq of the two coefficients' columns. They part with the gap p - q of the exponents, which runs near a ray hardly
  /// know: the gap counts as the smallest one within t standard errors, so that the figure is the largest that the runs allow.
  S pair_kappa(const std::array<int, 2>& pair, S t) const {
    const int p_at = fit.law->term(Term::p), q_at = fit.law->term(Term::q), outer_at = fit.law->containing_outer();
    const auto value = [&](int j, S absent) { return j < 0 ? absent : fit.theta[j]; };
    const S outer = value(outer_at, S(1)), p = fit.theta[p_at] / outer, q = value(q_at, outer) / outer, gap = p - q;
    Parameters<S> g = Parameters<S>::Zero(space.unknowns());  // of p - q by phi'
    const auto add = [&](int j, S by) {
      if (j >= 0 && fit.parametrisation.slot(j) >= 0) g[fit.parametrisation.slot(j)] += by;
    };
    add(p_at, p);
    add(q_at, -q);
    add(outer_at, q_at < 0 ? -p : -gap);
    const S room = g.isZero(S(0)) ? S(0) : t * spread(g);
    const S shrink = room < std::abs(gap) ? std::copysign(room, gap) : gap;  // what the gap loses
    const Inputs<S>& at = fit.runs.at;
    Jacobian<S> columns(space.J.rows(), 2);
    columns.col(0) = space.J.col(pair[0]).array() * (shrink / S(2) * (at.log_N.array() - at.log_N.mean())).exp();
    columns.col(1) = space.J.col(pair[1]).array() * (-shrink / S(2) * (at.log_D.array() - at.log_D.mean())).exp();
    if (!columns.allFinite()) return std::numeric_limits<S>::infinity();
    const S kappa = Conditioning<S>(columns).kappa();
    return kappa * kappa;
  }
};

}  // namespace detail

/// Interior optima but the best that lie within its confidence region, as places in Fit::basins: 2 (F_b - F) / s^2 <= t^2, the
/// bound of the profile. For robust objectives s^2 is the matching scale; none for those with a kink, and none where residuals
/// are rounding, which ranks mirror images of one optimum (a logistic with its ends exchanged) at random.
template <typename S>
std::vector<std::size_t> rivals(const Fit<S>& fit) {
  std::vector<std::size_t> out;
  if (fit.basins.size() < 2 || has_kink(fit.options.solver.objective.kind)) return out;
  const Noise<S> noise = offray::noise(fit);
  const S scale = noise.score / noise.slope;
  const S rounding = S(detail::kRounding) * (fit.options.space == Space::loss ? fit.runs.loss.cwiseAbs().mean() : S(1));
  const S weight = fit.weight().size() == 0 ? S(1) : fit.weight().mean();
  if (!(scale > weight * rounding * rounding) || !std::isfinite(scale)) return out;
  for (std::size_t b = 1; b < fit.basins.size(); ++b) {
    const FitBasin<S>& other = fit.basins[b];
    // A descent that ended beside the best optimum is none of its own.
    const bool same = ((other.theta - fit.theta).cwiseAbs().array() <= S(1e-3) * fit.theta.cwiseAbs().array()).all();
    if (other.status != Status::converged || same) continue;
    const S worse = S(2) * (other.objective - fit.summary.objective) / scale;
    // Student's t is at most 12.8.
    if (worse < S(164) && worse <= std::pow(detail::half_width(fit), S(2))) out.push_back(b);
  }
  return out;
}

namespace detail {

/// Findings about the two terms and the design.
template <typename S>
Findings design_findings(const QuickLook<S>& look, S vaguest_exponent) {
  const Fit<S>& fit = look.fit;
  const AnyLaw<S>& law = *fit.law;
  const auto pair = pair_slots(fit);
  if (pair[0] < 0) return 0;
  Findings out = 0;
  if (law.reads("params") && ratio(fit.runs.at.log_N) < S(kOneRay)) out |= flag(Finding::one_size);
  if (law.reads("tokens") && ratio(fit.runs.at.log_D) < S(kOneRay)) out |= flag(Finding::one_token_count);
  const bool exponents_free = vaguest_exponent >= S(0);
  // Different epoch counts would tell the terms apart.
  const auto log_epochs = fit.runs.at.repeats.array().log1p();
  const bool alike = !law.reads("unique_tokens") || log_epochs.maxCoeff() - log_epochs.minCoeff() < std::log(S(kOneRay));
  const S tpp = fit.runs.at.tpp_ratio();
  // Runs that scatter about a ray may be precise enough after all.
  const bool told = tpp >= S(kExactRay) && fit.converged() && vaguest_exponent < S(kVague);
  if (alike && exponents_free && tpp < S(kOneRay) && !told) out |= flag(Finding::one_ray);
  const S vaguest = exponents_free ? vaguest_exponent : std::max(look.se_of(law.term(Term::n)), look.se_of(law.term(Term::d)));
  // Infinite where n = p or the rank is short: then few_runs or ill_conditioned says what is wrong.
  if (vaguest >= S(kVague) && std::isfinite(vaguest) && fit.degrees_of_freedom() > 0 &&
      look.pair_kappa(pair, half_width(fit)) >= S(kParallel))
    out |= flag(Finding::parallel_terms);
  return out;
}

/// The range of N, D or their ratio that counts as one value; other inputs, such as losses, may say much within a tenth.
template <typename S>
S one_value(const Inputs<S>& at) {
  return S(at.columns.empty() ? kOneRay : kExactRay);
}

/// Whether the runs keep to a plane of their inputs and do not tell what depends on the rest.
template <typename S>
bool is_confined(const Fit<S>& fit, bool told) {
  const AnyLaw<S>& law = *fit.law;
  if (told || (pair_slots(fit)[0] >= 0 && fit.runs.at.columns.empty())) return false;
  return law.inputs.size() > 1 && !input_planes(law, fit.runs.at, one_value(fit.runs.at)).empty();
}

/// Whether counts or losses look as if they were in other units.
template <typename S>
bool has_odd_units(const Runs<S>& runs) {
  const Vector<S> log_k = runs.at.log_D - runs.at.log_N;
  return runs.at.log_N.minCoeff() < std::log(S(1e3)) || runs.at.log_D.minCoeff() < std::log(S(1e5)) ||
         log_k.minCoeff() < std::log(S(1e-3)) || log_k.maxCoeff() > std::log(S(1e5)) || runs.loss.maxCoeff() > S(kLargestLoss);
}

/// Findings about the law and the runs.
template <typename S>
Findings remarks(const Fit<S>& fit, const Misfit<S>& misfit) {
  Findings out = 0;
  const bool of_runs = fit.law->reads("params") && fit.law->reads("tokens");
  const bool huge = of_runs && misfit.relative_sd > S(kHugeNoise) && std::isfinite(misfit.relative_sd);
  const S unexplained = misfit.unexplained();
  if (unexplained > S(0) || huge) out |= flag(Finding::lack_of_fit);
  const bool together = misfit.by_size.is_unlikely(kDependent) || misfit.in_series;
  const bool varied =
      misfit.pure_dof >= fit.runs.size() / 2 && misfit.pure_error * misfit.relative_sd > S(kSeeds) * misfit.residual_sd;
  if (together || varied) out |= flag(Finding::dependent_runs);
  if (misfit.repeated > 0) out |= flag(Finding::repeated_rows);
  // Robust objectives do not follow them.
  const bool followed = fit.options.solver.objective.kind == ObjectiveKind::squares;
  if (followed && !misfit.outliers.empty()) out |= flag(Finding::outliers);
  if (of_runs && has_odd_units(fit.runs)) out |= flag(Finding::implausible_units);
  constexpr Findings kAlways = flag(Finding::repeated_rows) | flag(Finding::outliers) | flag(Finding::implausible_units);
  if (unexplained >= S(kLargeMisfit) || huge || together || (out & kAlways) != 0) out |= kLoud;
  return out;
}

}  // namespace detail

/// What a fit leaves open and what speaks against it; without singular values where the fit is healthy, hence cheap enough for
/// every fit.
template <typename S>
Findings findings(const Fit<S>& fit) {
  const AnyLaw<S>& law = *fit.law;
  const Noise<S> noise = offray::noise(fit);
  const detail::QuickLook<S> look(fit, noise.variance());
  const Misfit<S> misfit = detail::misfit(fit, look.space);
  const S t = fit.degrees_of_freedom() > kFewDegrees ? S(3.2) : std::numeric_limits<S>::infinity();  // Student's, at most
  S exponent = S(-1), shape = S(-1);  // the vaguest exponent; of exponents and decay constants
  for (Index j = 0; j < law.size(); ++j) {
    if (fit.parametrisation.slot(j) < 0) continue;
    const S se = look.se_of(static_cast<int>(j));
    if (is_exponent(law.parameter(j).role)) exponent = std::max(exponent, se);
    if (is_exponent(law.parameter(j).role) || law.parameter(j).role == Role::decay) shape = std::max(shape, se);
  }
  Findings out = detail::design_findings(look, exponent);
  bool stuck = fit.status() == Status::at_bound;
  for (Index j = 0; j < law.size(); ++j) stuck = stuck || fit.at_bound(j) != 0;
  if (stuck) out |= flag(Finding::at_bound);
  const bool vague = !(shape >= S(0) && shape < S(kVague));
  if (!(look.kappa_bound() <= S(kCollinear))) {
    const Conditioning<S> condition(look.space.J);
    if ((vague && condition.kappa() > S(kCollinear)) || condition.rank() < look.space.unknowns())
      out |= flag(Finding::ill_conditioned);
  }
  constexpr Findings kOfDesign = flag(Finding::one_ray) | flag(Finding::one_size) | flag(Finding::one_token_count);
  const bool told = shape < S(kVague) && fit.converged() && !has(out, Finding::ill_conditioned);
  if ((out & kOfDesign) == 0 && detail::is_confined(fit, told))
    out = (out & ~flag(Finding::ill_conditioned)) | flag(Finding::confined_inputs);
  if (fit.degrees_of_freedom() <= kFewDegrees || misfit.distinct <= look.space.rank) out |= flag(Finding::few_runs);
  const std::function<S(Index)> relative_se = [&](Index j) {
    return fit.parametrisation.slot(j) < 0 ? S(-1) : look.se_of(static_cast<int>(j));
  };
  out |= law.findings(FitEvidence<S>{fit.theta, fit.runs.at, relative_se});
  if (!rivals(fit).empty()) out |= flag(Finding::rival_optimum);
  const S floor = look.se_of(law.term(Term::floor));
  // Elsewhere their intervals are no news. Most fits need no quantile.
  const auto unknown = [&](S se) { return t * se >= S(1) && detail::half_width(fit) * se >= S(1); };
  if (out == 0 && unknown(floor)) out |= flag(Finding::floor_unknown);
  if (out == 0 && unknown(shape)) out |= flag(Finding::exponent_unknown);
  return out | detail::remarks(fit, misfit);
}

/// What the inputs of all runs have in common, where the fit does not see past it: off these planes it says nothing.
template <typename S>
std::vector<InputPlane<S>> confining_planes(const Fit<S>& fit) {
  constexpr Findings kConfined =
      flag(Finding::one_ray) | flag(Finding::one_size) | flag(Finding::one_token_count) | flag(Finding::confined_inputs);
  if ((findings(fit) & kConfined) == 0) return {};
  return input_planes(*fit.law, fit.runs.at, detail::one_value(fit.runs.at));
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
  const Conditioning<S> condition(look.space.J);
  out.rank = condition.rank();
  out.singular_values = condition.singular_values();
  out.kappa = condition.kappa();
  out.factorial_kappa = detail::factorial_kappa(fit);
  const auto directions = Conditioning<S>(look.space.J, Columns::raw).singular_values();
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
