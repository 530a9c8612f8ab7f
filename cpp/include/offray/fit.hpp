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
#include "offray/detail/solve/engine.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

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
  int at_bound(Index j) const { return detail::bound_met(parametrisation, phi, j); }
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

/// An optimum of runs as a fit, with the options as they were used.
template <typename S>
Fit<S> fit_of(const Optimum<S>& at, const Parametrisation<S>& parametrisation, const AnyLaw<S>& law, const Runs<S>& runs,
              const FitOptions<S>& options, const Constraints<S>& constraints, std::vector<FitBasin<S>> basins) {
  return {law.shared_from_this(),
          runs,
          parametrisation,
          constraints,
          options,
          at.theta,
          at.phi,
          at.summary,
          std::move(basins),
          at.where.location,
          at.where.parameter,
          at.lost,
          at.gap};
}

template <typename S>
std::vector<FitBasin<S>> basins_of(const FitEngine<S>& engine) {
  std::vector<FitBasin<S>> out;
  out.reserve(engine.basins().size());
  for (const Basin<S>& basin : engine.basins())
    out.push_back({engine.parametrisation().natural(basin.phi), basin.summary.objective, basin.summary.status});
  return out;
}

}  // namespace detail

/// Fits a law seen as AnyLaw, without exceptions: an error for what fit() throws.
template <typename S>
Expected<Fit<S>> try_fit_any(const AnyLaw<S>& law, const Runs<S>& runs, const FitOptions<S>& options,
                             const Constraints<S>& constraints) {
  detail::FitEngine<S> engine;
  if (const InputError error = engine.begin(law, detail::RunsView<S>(runs), options, constraints)) return error;
  if (const InputError error = engine.solve()) return error;
  FitOptions<S> used = options;
  used.solver = engine.solver();
  return detail::fit_of(engine.optimum(), engine.parametrisation(), law, runs, used, constraints, detail::basins_of(engine));
}

/// Fits a law seen as AnyLaw; see fit().
template <typename S>
Fit<S> fit_any(const AnyLaw<S>& law, const Runs<S>& runs, const FitOptions<S>& options, const Constraints<S>& constraints) {
  Expected<Fit<S>> out = try_fit_any<S>(law, runs, options, constraints);
  detail::reject_if(out.error());
  return *std::move(out);
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
  return fit_any<S>(*shared_law<S>(std::move(law)), runs, options, constraints);
}

template <typename S, typename Law>
Fit<S> fit(Law law, const Runs<S>& runs, const FitOptions<S>& options = {}) {
  const std::shared_ptr<const AnyLaw<S>> object = shared_law<S>(std::move(law));
  return fit_any<S>(*object, runs, options, Constraints<S>(*object));
}

/// The same without exceptions: an error for what fit() throws.
template <typename S, typename Law>
Expected<Fit<S>> try_fit(Law law, const Runs<S>& runs, const FitOptions<S>& options = {}) {
  const std::shared_ptr<const AnyLaw<S>> object = shared_law<S>(std::move(law));
  return try_fit_any<S>(*object, runs, options, Constraints<S>(*object));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
