// SPDX-License-Identifier: Apache-2.0
#include "loss_law.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <offray/offray.hpp>
#include <sstream>
#include <stdexcept>

namespace trainer {
namespace {

using offray::Index;

offray::Inputs<double> inputs(const std::vector<Place>& places) {
  offray::Vector<double> N(Index(places.size())), D(Index(places.size()));
  for (Index i = 0; i < N.size(); ++i) {
    N[i] = places[std::size_t(i)].params;
    D[i] = places[std::size_t(i)].tokens;
  }
  return {N, D};
}

offray::Fit<double> fitted(const std::vector<Place>& runs, const std::string& name) {
  const auto laws = offray::Laws::all<double>();
  const auto law = std::find_if(laws.begin(), laws.end(), [&](const auto* known) { return known->name == name; });
  if (law == laws.end()) throw std::runtime_error("offray knows no law " + name);
  offray::Vector<double> loss(Index(runs.size()));
  for (Index i = 0; i < loss.size(); ++i) loss[i] = runs[std::size_t(i)].loss;
  offray::FitOptions<double> options;
  options.space = offray::Space::log_loss;  // larger losses scatter more
  return offray::fit_any<double>(**law, offray::Runs<double>(inputs(runs), loss, offray::Vector<double>()), options,
                                 offray::Constraints<double>(**law));
}

}  // namespace

struct LossLaw::Fitted {
  std::vector<Place> runs;
  offray::Fit<double> fit;
  offray::Rolling<double> rolling;

  Fitted(const std::vector<Place>& made, const std::string& law)
      : runs(made), fit(fitted(made, law)), rolling(offray::rolling(fit)) {}
};

LossLaw::LossLaw(const std::vector<Place>& runs, const std::string& law) : fitted_(std::make_shared<const Fitted>(runs, law)) {}

Forecast LossLaw::forecast(const Place& at) const {
  const offray::Fit<double>& fit = fitted_->fit;
  const offray::Prediction<double> predicted = offray::predict(fit, inputs({at}));
  const double loss = predicted.value[0], t = offray::student_t_half_width(0.95, double(fit.degrees_of_freedom()));
  // What the law missed of its larger runs when fitted to the smaller ones, carried on beyond the largest.
  const double beyond = std::max(0.0, std::log(at.params * at.tokens) - fitted_->rolling.log_compute);
  const double missed = 1.25 * fitted_->rolling.slope * beyond;
  const double spread = t * std::hypot(predicted.se[0] / loss, offray::noise(fit).sd, missed);
  return {loss, loss * std::exp(-spread), loss * std::exp(spread)};
}

std::vector<std::size_t> LossLaw::next(const std::vector<Place>& candidates, const Place& target, double budget,
                                       int most) const {
  const offray::Fit<double>& fit = fitted_->fit;
  std::vector<Place> all = candidates;
  all.insert(all.end(), fitted_->runs.begin(), fitted_->runs.end());
  all.push_back(target);
  const Index c = Index(candidates.size()), n = Index(fitted_->runs.size());
  // Derivatives of ln L by the unknowns, in units of the noise.
  const offray::Fit<double> plan =
      offray::planned<double>(*fit.law, inputs(all), offray::Vector<double>(fit.theta), fit.options.space);
  const double noise = offray::noise(fit).sd;
  const offray::Jacobian<double> J = plan.jacobian() / (std::isfinite(noise) && noise > 0 ? noise : 0.01);
  const std::vector<offray::DesignModel<double>> models{{J.topRows(c), J.middleRows(c, n), J.bottomRows(1)}};
  offray::DesignLimits<double> limits{offray::Vector<double>(c), budget, Index(most), 1};
  for (Index i = 0; i < c; ++i) limits.cost[i] = candidates[std::size_t(i)].flops;
  std::vector<std::size_t> out;
  if (!(limits.cost.minCoeff() <= budget)) return out;
  const offray::OptimalDesign<double> design = offray::DesignSearch<double>(models, limits, offray::Criterion::I).search();
  for (std::size_t i = 0; i < design.count.size(); ++i)
    if (design.count[i] > 0) out.push_back(i);
  return out;
}

std::string LossLaw::text() const {
  const offray::Fit<double>& fit = fitted_->fit;
  const offray::Uncertainty<double> uncertainty(fit);
  std::ostringstream out;
  out.precision(4);
  out << fit.law->name << ", " << fit.runs.size() << " runs: " << offray::describe(fit.status()) << "\n";
  const offray::Jacobian<double> covariance = uncertainty.covariance(fit);
  for (Index j = 0; j < fit.theta.size(); ++j)
    out << (j ? ", " : "") << fit.law->parameter(j).name << " = " << fit.theta[j] << " (s.e. " << std::sqrt(covariance(j, j))
        << ")";
  out << "\nresiduals: s.d. " << 100 * offray::noise(fit).sd
      << " % of the loss; kappa_2 = " << offray::conditioning(fit).kappa() << "\n";
  return out.str();
}

}  // namespace trainer
