// SPDX-License-Identifier: Apache-2.0
/// \file
/// fit<S>(law, runs, options): the one call that embedders need.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "offray/conditioning.hpp"
#include "offray/constraints.hpp"
#include "offray/detail/solve/starts/global_fit.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

template <typename S>
struct FitOptions {
  Space space = Space::loss;
  SolverOptions<S> solver{};
  /// Take the objective's scale delta from the data: 1.345 times 1.4826 median |r| about the fit of least absolute deviation,
  /// which gives Huber's estimate 95 % of the efficiency of least squares under normal noise (Huber 1981).
  bool robust_scale = false;
  /// Start theta, (p,), natural units, positive; empty for the global optimum.
  Vector<S> start{};
};

/// One descent of the global search.
template <typename S>
struct FitBasin {
  Parameters<S> theta;  ///< (p,), natural units
  S objective;          ///< sum w rho
  Status status;
};

/// A fitted law. Cheap to make: residuals, Jacobian, conditioning and covariance are computed when asked for.
template <typename S>
struct Fit {
  std::shared_ptr<const AnyLaw<S>> law;
  Runs<S> runs;
  detail::Parametrisation<S> parametrisation;
  Constraints<S> constraints;
  FitOptions<S> options;  ///< as used: with the scale that was estimated
  Parameters<S> theta;    ///< (p,), natural units
  Parameters<S> phi;      ///< (m,), the unknowns at the optimum
  Summary<S> summary;
  std::vector<FitBasin<S>> basins;  ///< distinct ones, the best first; one where a start was given
  Location location;                ///< where the optimum lies
  int location_parameter;           ///< the parameter that `location` is about, or -1
  Index lost;                       ///< directions of the unknowns that the runs say nothing about
  /// For a rho with a kink, which is smoothed on the way: the objective is at most this much above its minimum in this basin.
  S gap;

  Status status() const { return summary.status; }
  bool converged() const { return summary.status == Status::converged; }
  const Vector<S>& weight() const { return runs.weight; }

  /// r = L_hat - L or ln L_hat - ln L, (n,), unweighted.
  Vector<S> residual() const {
    Vector<S> r(runs.size());
    detail::LawResidual<S>(*law, runs, options.space, parametrisation).residual(phi, r);
    return r;
  }
  /// d residual / d phi, (n, m), unweighted.
  Jacobian<S> jacobian() const {
    Vector<S> r(runs.size());
    Jacobian<S> J(runs.size(), parametrisation.free());
    detail::LawResidual<S>(*law, runs, options.space, parametrisation).evaluate(phi, r, J);
    return J;
  }
  /// sqrt(w) J, (n, m): what the runs say about the unknowns.
  Jacobian<S> weighted_jacobian() const {
    Jacobian<S> J = jacobian();
    if (!J.allFinite()) J.setZero();  // Status::evaluation_failed
    if (weight().size() != 0) J = weight().cwiseSqrt().asDiagonal() * J;
    return J;
  }
  /// sum w r^2 in the fitted space, whatever the objective.
  S rss() const {
    const Vector<S> r = residual();
    return weight().size() == 0 ? r.squaredNorm() : weight().dot(r.cwiseAbs2());
  }
  /// n - rank.
  Index degrees_of_freedom() const { return runs.size() - parametrisation.free() + lost; }
  /// -1 where parameter j sits at its lower bound, 1 at its upper one, 0 elsewhere.
  int at_bound(Index j) const {
    const int k = parametrisation.slot(j);
    return k < 0 ? 0 : int(phi[k] >= parametrisation.upper[k]) - int(phi[k] <= parametrisation.lower[k]);
  }
  /// Distance of every parameter to its nearer bound, in ln theta' (Parametrisation), (p,); infinite where it is fixed.
  Parameters<S> room() const {
    Parameters<S> out = Parameters<S>::Constant(theta.size(), std::numeric_limits<S>::infinity());
    for (Index j = 0; j < theta.size(); ++j) {
      const int k = parametrisation.slot(j);
      if (k >= 0) out[j] = std::min(phi[k] - parametrisation.lower[k], parametrisation.upper[k] - phi[k]);
    }
    return out;
  }
};

namespace detail {

template <typename S>
void check_options(const AnyLaw<S>& law, const Runs<S>& runs, const detail::Parametrisation<S>& parametrisation,
                   const FitOptions<S>& options, const Constraints<S>& constraints) {
  const auto name = [&](Index j) { return std::string(law.parameter(j).name); };
  for (Index j = 0; j < law.size(); ++j) {
    const S value = constraints.fixed[constraints.root(j)];
    if (value < constraints.lower[j] || value > constraints.upper[j])
      throw InvalidInput("fixed: the value of " + name(j) + " lies outside its bounds");
    const int k = parametrisation.slot(j);
    if (k >= 0 && !(parametrisation.lower[k] < parametrisation.upper[k]))
      throw InvalidInput("bounds: nothing is left of the range of " + name(j) +
                         " between its own bounds, those of parameters " +
                         "tied to it and the default ones (see Parametrisation)");
  }
  if (parametrisation.free() == 0) throw InvalidInput("fixed: every parameter is fixed; nothing is left to fit");
  if (runs.size() < parametrisation.free())
    throw InvalidInput(std::to_string(parametrisation.free()) + " free parameters of " + std::string(law.name) +
                       " need at least as many runs; got " + std::to_string(runs.size()));
  if (options.start.size() != 0) {
    if (options.start.size() != law.size())
      throw InvalidInput("start has " + std::to_string(options.start.size()) + " values, but " + std::string(law.name) +
                         " has " + std::to_string(law.size()) + " parameters");
    for (Index j = 0; j < law.size(); ++j)
      if (!std::isfinite(options.start[j]) || !(options.start[j] > S(0) || parametrisation.real(j)))
        require_positive<S>("start", options.start);
    for (Index j = 0; j < law.size(); ++j)
      if (options.start[j] < constraints.lower[j] || options.start[j] > constraints.upper[j])
        throw InvalidInput("start: " + name(j) + " lies outside its bounds");
  }
  if (!(options.solver.objective.delta > S(0) && std::isfinite(options.solver.objective.delta)))
    throw InvalidInput("delta must be positive and finite");
  if (!(options.solver.objective.quantile > S(0) && options.solver.objective.quantile < S(1)))
    throw InvalidInput("quantile must be in (0, 1)");
}

/// Where the optimum lies, and which parameter says so.
template <typename S>
void classify(const Constraints<S>& constraints, const std::array<int, kTerms>& edges, Fit<S>& fit) {
  const AnyLaw<S>& law = *fit.law;
  const auto say = [&](Location location, Index parameter) {
    fit.location = location;
    fit.location_parameter = static_cast<int>(parameter);
  };
  const auto is_floor = [&](Index j) { return law.parameter(j).role == Role::floor; };
  const auto is_term = [&](Index j) {
    return law.term(Term::n) == static_cast<int>(j) || law.term(Term::d) == static_cast<int>(j);
  };
  say(Location::interior, -1);
  if (fit.summary.status == Status::converged) return;
  if (fit.summary.status == Status::at_bound) {
    for (std::size_t k = 0; k < kTerms; ++k)
      if (edges[k] != 0)
        return say(k == 0 ? Location::floor_vanishes : k < 3 ? Location::term_vanishes : Location::runaway, law.terms[k]);
    for (Index j = 0; j < law.size(); ++j) {
      const int side = fit.at_bound(j);
      if (side == 0) continue;
      const S edge = side < 0 ? constraints.lower[j] : constraints.upper[j];
      if (fit.theta[j] == edge) return say(Location::bounded, j);
      if (side < 0 && is_floor(j)) return say(Location::floor_vanishes, j);
      return say(side < 0 && is_term(j) ? Location::term_vanishes : Location::runaway, j);
    }
  }
  if (fit.summary.status != Status::rank_deficient) return say(Location::unsettled, -1);
  if (law.term(Term::d) < 0) return say(Location::unidentified, -1);
  // The exponents of the two terms, p and q of the power sum; on one ray their terms have one shape.
  const int p = law.term(Term::p), q = law.term(Term::q) >= 0 ? law.term(Term::q) : law.term(Term::outer);
  if (p < 0 || q < 0) return say(Location::unidentified, -1);
  const bool equal = std::abs(std::log(fit.theta[p] / fit.theta[q])) < S(1e-3);
  say(equal ? Location::equal_exponents : Location::unidentified, equal ? p : -1);
}

/// delta of FitOptions::robust_scale.
template <typename S>
S robust_scale(detail::GlobalFit<S>& search, detail::LawResidual<S>& problem, SolverOptions<S> options) {
  options.objective.kind = ObjectiveKind::absolute;
  const std::vector<detail::Basin<S>> found = search.basins(options);
  if (found.empty()) return S(0);
  Vector<S> r(problem.rows());
  problem.residual(found.front().phi, r);
  r = r.cwiseAbs();
  std::nth_element(r.data(), r.data() + r.size() / 2, r.data() + r.size());
  return S(1.345) * S(1.4826) * r[r.size() / 2];
}

}  // namespace detail

/// Fits a law seen as AnyLaw; see fit().
template <typename S>
Fit<S> fit_any(const AnyLaw<S>& law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>& constraints) {
  if (runs.size() == 0) throw InvalidInput("N is empty: there are no runs to fit");
  Fit<S> out{law.shared_from_this(),
             runs,
             detail::Parametrisation<S>(law, runs.at, constraints),
             constraints,
             options,
             {},
             {},
             {},
             {},
             Location::unsettled,
             -1,
             0,
             S(0)};
  const detail::Parametrisation<S>& parametrisation = out.parametrisation;
  detail::check_options(law, runs, parametrisation, options, constraints);

  detail::GlobalFit<S> search(law, runs, options.space, parametrisation);
  Objective<S>& objective = out.options.solver.objective;
  if (has_scale(objective.kind)) {
    const S least = S(64) * std::numeric_limits<S>::epsilon() * search.magnitude();
    if (options.robust_scale) {
      detail::LawResidual<S> problem(law, runs, options.space, parametrisation);
      objective.delta = std::max(detail::robust_scale(search, problem, options.solver), least);
    }
    if (objective.delta < least) throw InvalidInput("delta is below the rounding error of the residuals");
  }
  std::vector<detail::Basin<S>> found;
  if (options.start.size() != 0)
    found.push_back(search.descend_from(parametrisation.phi(Parameters<S>(options.start)), out.options.solver));
  else
    found = search.basins(out.options.solver);
  out.options.solver.interruption = nullptr;
  if (found.empty()) throw InvalidInput("loss: the law is not finite anywhere near these runs");

  for (const detail::Basin<S>& basin : found)
    out.basins.push_back({parametrisation.natural(basin.phi), basin.summary.objective, basin.summary.status});
  out.phi = found.front().phi;
  out.theta = out.basins.front().theta;
  out.summary = found.front().summary;
  if (!out.theta.allFinite())
    throw InvalidInput("fixed: with these exponents a scale parameter is beyond the range of floating point");
  if (has_kink(objective.kind)) {
    objective.delta = out.summary.smoothing;
    out.gap = objective.delta / S(2) * (runs.weight.size() == 0 ? S(runs.size()) : runs.weight.sum());
    out.summary.objective = exact_total_rho<S>(objective, out.residual(), runs.weight);
  }
  // The iteration's estimate of the condition number cannot tell a factor of p; the singular values can.
  const Status status = out.status();
  if ((status == Status::converged || status == Status::rank_deficient) &&
      out.summary.inverse_condition < rank_tolerance<S>()) {
    out.lost = parametrisation.free() - Conditioning<S>(out.weighted_jacobian()).rank();
    if (out.lost > 0) out.summary.status = Status::rank_deficient;
    // As many runs as unknowns leave nothing over, whatever the rank where they are met.
    if (runs.size() == parametrisation.free()) out.lost = 0;
  }
  detail::classify(constraints, found.front().edges, out);
  return out;
}

/// Fits `law` to `runs`: the global optimum, or the local one of a given start.
///
/// \code
/// offray::Runs<double> runs(N, D, loss);
/// auto fit = offray::fit<double>(offray::Chinchilla{}, runs);
/// \endcode
/// A law object with state is kept by the fit; `law` may also be a shared AnyLaw (make_law), which fit_any() takes as it is.
/// \param constraints fixed, tied or bounded parameters, e.g. Constraints<S>(any_law<S, Law>()).fix(Law::parameters[3].name,
/// 0.34).
/// \throws InvalidInput for input that no fit can use. Everything that the fit itself can meet is in Fit::status().
template <typename S, typename Law>
Fit<S> fit(Law law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>& constraints) {
  if constexpr (std::is_empty_v<Law>)
    return fit_any<S>(any_law<S, Law>(), runs, options, constraints);
  else
    return fit_any<S>(*make_law<S>(std::move(law)), runs, options, constraints);
}

template <typename S, typename Law>
Fit<S> fit(Law law, const Runs<S>& runs, const FitOptions<S>& options = {}) {
  if constexpr (std::is_empty_v<Law>) {
    return fit<S>(law, runs, options, Constraints<S>(any_law<S, Law>()));
  } else {
    const std::shared_ptr<const AnyLaw<S>> object = make_law<S>(std::move(law));
    return fit_any<S>(*object, runs, options, Constraints<S>(*object));
  }
}

}  // namespace OFFRAY_ABI
}  // namespace offray
