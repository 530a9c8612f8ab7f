// SPDX-License-Identifier: Apache-2.0
/// \file
/// fit<S>(law, runs, options): the one call that embedders need.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "offray/conditioning.hpp"
#include "offray/constraints.hpp"
#include "offray/data_start.hpp"
#include "offray/gauss_newton.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

template <typename S>
struct FitOptions {
  Space space = Space::loss;
  SolverOptions<S> solver{};
  /// Start theta, (p,), natural units, positive; empty for starts from the data.
  Vector<S> start{};
};

/// A fitted law. Cheap to make: conditioning and covariance are computed by the functions of inference.hpp when asked for.
template <typename S>
struct Fit {
  const AnyLaw<S>* law;
  Parametrisation<S> parametrisation;
  FitOptions<S> options;
  Parameters<S> theta;  ///< (p,), natural units
  Parameters<S> phi;    ///< (m,), the unknowns at the optimum
  Summary<S> summary;
  Vector<S> residual;        ///< (n,), unweighted, in the fitted space
  Jacobian<S> jacobian;      ///< (n, m), d residual / d phi, unweighted
  Vector<S> weight;          ///< (n,) or empty
  S tpp_ratio;               ///< largest over smallest tokens-per-parameter ratio of the runs
  S log_mean_N, log_mean_D;  ///< logarithms of the geometric means of N and D

  Status status() const { return summary.status; }
  bool converged() const { return summary.status == Status::converged; }
  /// sum w r^2 in the fitted space, whatever the objective.
  S rss() const { return weight.size() == 0 ? residual.squaredNorm() : weight.dot(residual.cwiseAbs2()); }
  Index degrees_of_freedom() const { return residual.size() - parametrisation.free(); }
  /// -1 where parameter j sits at its lower bound, 1 at its upper one, 0 elsewhere.
  int at_bound(Index j) const {
    const int k = parametrisation.slot(j);
    return k < 0 ? 0 : int(phi[k] >= parametrisation.upper[k]) - int(phi[k] <= parametrisation.lower[k]);
  }
  /// sqrt(w) J, (n, m): what the runs say about the unknowns.
  Jacobian<S> weighted_jacobian() const {
    if (!jacobian.allFinite()) return Jacobian<S>::Zero(jacobian.rows(), jacobian.cols());  // Status::evaluation_failed
    return weight.size() == 0 ? jacobian : Jacobian<S>(weight.cwiseSqrt().asDiagonal() * jacobian);
  }
};

/// How many local minima of the start grid are followed to the end.
inline constexpr std::size_t kStarts = 6;
/// The start grid looks at no more runs than this, evenly spaced through the table.
inline constexpr Index kStartRuns = 4096;

namespace detail {

template <typename S>
void check_options(const AnyLaw<S>& law, const Runs<S>& runs, const Parametrisation<S>& parametrisation,
                   const FitOptions<S>& options, const Constraints<S>& constraints) {
  const auto name = [&](Index j) { return std::string(law.parameters[static_cast<std::size_t>(j)]); };
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
    require_positive<S>("start", options.start);
    for (Index j = 0; j < law.size(); ++j)
      if (options.start[j] < constraints.lower[j] || options.start[j] > constraints.upper[j])
        throw InvalidInput("start: " + name(j) + " lies outside its bounds");
  }
  if (!(options.solver.delta > S(0) && std::isfinite(options.solver.delta)))
    throw InvalidInput("delta must be positive and finite");
}

}  // namespace detail

/// Fits a law seen as AnyLaw; see fit().
template <typename S>
Fit<S> fit_any(const AnyLaw<S>& law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>& constraints) {
  if (runs.size() == 0) throw InvalidInput("N is empty: there are no runs to fit");
  Fit<S> out{&law,
             Parametrisation<S>(law, runs.at, constraints),
             options,
             {},
             {},
             {},
             {},
             {},
             runs.weight,
             runs.at.tpp_ratio(),
             runs.at.log_N.mean(),
             runs.at.log_D.mean()};
  const Parametrisation<S>& parametrisation = out.parametrisation;
  detail::check_options(law, runs, parametrisation, options, constraints);

  LawResidual<S> problem(law, runs, options.space, parametrisation);
  if (options.solver.objective != Objective::squares &&
      options.solver.delta < S(64) * std::numeric_limits<S>::epsilon() * problem.magnitude())
    throw InvalidInput("delta is below the rounding error of the residuals");
  std::vector<Parameters<S>> starts;
  if (options.start.size() != 0) {
    starts.push_back(parametrisation.phi(Parameters<S>(options.start)));
  } else {
    const Runs<S> sample = runs.size() > kStartRuns ? runs.every((runs.size() + kStartRuns - 1) / kStartRuns) : runs;
    starts = DataStart<S>(law, sample, options.space, parametrisation).best(options.solver, kStarts);
    if (starts.empty()) throw InvalidInput("loss: the law is not finite anywhere near these runs");
  }
  GaussNewton<S> solver(problem.rows(), problem.cols());
  for (Parameters<S>& phi : starts) {
    const Summary<S> summary =
        solver.minimise(problem, runs.weight, parametrisation.lower, parametrisation.upper, options.solver, phi);
    // A later basin has to be lower by more than rounding, so that the choice does not depend on it.
    if (out.phi.size() != 0 && !(summary.objective < out.summary.objective * (S(1) - S(1e-9)))) continue;
    out.summary = summary;
    out.phi = phi;
    out.residual = solver.residual();
    out.jacobian = solver.jacobian();
  }
  out.theta = parametrisation.natural(out.phi);
  if (!out.theta.allFinite())
    throw InvalidInput("fixed: with these exponents a scale parameter is beyond the range of floating point");
  // The iteration's estimate of the condition number cannot tell a factor of p; the singular values can.
  if (out.converged() && out.summary.inverse_condition < rank_tolerance<S>() &&
      Conditioning<S>(out.weighted_jacobian()).rank() < parametrisation.free())
    out.summary.status = Status::rank_deficient;
  return out;
}

/// Fits `law` to `runs` by damped Gauss-Newton, from the given start or from the best of several starts taken from the data.
///
/// \code
/// offray::Runs<double> runs(N, D, loss);
/// auto fit = offray::fit<double>(offray::Chinchilla{}, runs);
/// \endcode
/// \param constraints fixed, tied or bounded parameters, e.g. Constraints<S>(any_law<S, Law>()).fix("alpha", 0.34).
/// \throws InvalidInput for input that no fit can use. Everything that the fit itself can meet is in Fit::status().
template <typename S, typename Law>
Fit<S> fit(Law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>& constraints) {
  return fit_any<S>(any_law<S, Law>(), runs, options, constraints);
}

template <typename S, typename Law>
Fit<S> fit(Law law, const Runs<S>& runs, const FitOptions<S>& options = {}) {
  return fit<S>(law, runs, options, Constraints<S>(any_law<S, Law>()));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
