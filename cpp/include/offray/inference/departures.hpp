// SPDX-License-Identifier: Apache-2.0
/// \file
/// Ways of leaving a law that runs are known to take, each tested alone.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include "offray/finding.hpp"
#include "offray/inference/f_test.hpp"
#include "offray/inference/tangent_space.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// A direction of the losses that a law without it cannot follow. One direction takes one degree of freedom, so that a smaller
/// departure is seen than by the curves of all inputs.
enum class Departure {
  outer_power,   ///< of a law that has none, L = E + z^q, q near one: z ln z, z the loss above the floor
  short_runs,    ///< an excess of runs of few tokens, as of a warm-up that costs each as much: 1 / D
  large_models,  ///< a jump of the loss at the geometric mean of N, as of two tokenizers: another floor
};

inline constexpr Departure kAllDepartures[] = {Departure::outer_power, Departure::short_runs, Departure::large_models};
inline constexpr std::string_view kDepartures[] = {"outer_power", "short_runs", "large_models"};

/// The probability below which one counts. Published laws have an outer power (Droppo and Elibol, 2021), hence twice the
/// others'; with the tests of a curve and of repeated runs, a law that is true is accused in at most six times kUnlikely, 3 %.
constexpr double unlikely(Departure departure) { return departure == Departure::outer_power ? 2 * kUnlikely : kUnlikely; }

/// What the residuals have of one.
template <typename S>
struct DepartureTest {
  FTest<S> test;     ///< nothing to test where the law follows it itself, or reads no such input
  S pattern = S(0);  ///< root mean square of the residuals' part in that direction, in the fitted space
};

template <typename S>
using Departures = std::array<DepartureTest<S>, std::size(kDepartures)>;

namespace detail {

/// The part of a force outside J along one direction; nothing to test where J leaves nothing of that.
///
/// The variance of s'f, s the direction without its part in J, is |s|^2 times the mean square of the rest; where the noise
/// grows with the loss it is larger, since such directions are longest there. Counted is the larger of that and of the sum of
/// s_i^2 e_i^2 / (1 - h_i)^2 (MacKinnon and White, 1985, HC3), e the rest, h the leverage.
template <typename S>
DepartureTest<S> along(const TangentSpace<S>& space, CRef<Vector<S>> force, Vector<S> direction, Index dof) {
  // J has to leave this share of the square: what is left is then known to eight digits in double.
  constexpr double kLeft = 1e-8;
  // No level here is reached below the 5 % point of chi^2, whatever dof.
  constexpr double kNoNeed = 3.84;
  const S length = direction.squaredNorm();
  S left = length;
  const auto part_in = [&](Index k) { return space.R(k, k) > S(0) ? space.Q.col(k).dot(direction) / space.R(k, k) : S(0); };
  for (Index k = 0; k < space.unknowns(); ++k) left -= std::pow(part_in(k), S(2));
  if (!(left > S(kLeft) * length)) return {};
  const S part = force.dot(direction), square = part * part / left, rest = std::max(force.squaredNorm() - square, S(0));
  DepartureTest<S> out{{square, 1, rest, dof}, std::sqrt(square / S(force.size()))};
  if (!(out.test.F > S(kNoNeed))) return out;
  Vector<S> leverage = Vector<S>::Zero(force.size());
  for (Index k = 0; k < space.unknowns(); ++k) {
    if (!(space.R(k, k) > S(0))) continue;
    direction -= space.Q.col(k) * (part_in(k) / space.R(k, k));
    leverage += space.Q.col(k).cwiseAbs2() / std::pow(space.R(k, k), S(2));
  }
  leverage += direction.cwiseAbs2() / left;
  S variance = S(0);
  for (Index i = 0; i < force.size(); ++i)
    if (leverage[i] < S(1))
      variance += std::pow(direction[i] * (force[i] - part / left * direction[i]) / (S(1) - leverage[i]), S(2));
  if (variance > S(0)) out.test.F = std::min(out.test.F, part * part / variance);
  return out;
}

/// The sum of the parameters of a role, and how many there are.
template <typename S>
std::pair<S, int> sum_of(const Fit<S>& fit, Role role) {
  std::pair<S, int> out{S(0), 0};
  for (Index j = 0; j < fit.theta.size(); ++j)
    if (fit.law->parameter(j).role == role) out.first += fit.theta[j], ++out.second;
  return out;
}

/// \param dof of what is left beside a direction.
/// \param unit of the force, in residuals.
/// \param sizes_are_compared whether runs of one N are tested against those of another anyway.
template <typename S>
Departures<S> departures(const Fit<S>& fit, const TangentSpace<S>& space, Index dof, S unit, bool sizes_are_compared) {
  const Inputs<S>& at = fit.runs.at;
  const bool of_loss = fit.options.space == Space::loss;
  const Vector<S> predicted =
      of_loss ? Vector<S>(fit.runs.loss + space.residual) : Vector<S>(fit.runs.loss.array() * space.residual.array().exp());
  const Vector<S> force = space.outside();
  Departures<S> out;
  const auto set = [&](Departure which, Vector<S> direction) {
    if (!of_loss) direction.array() /= predicted.array();
    if (fit.weight().size() != 0) direction.array() *= fit.weight().array().sqrt();
    DepartureTest<S>& found = out[static_cast<std::size_t>(which)];
    found = along<S>(space, force, std::move(direction), dof);
    found.pattern *= unit;
  };
  const Vector<S> z = predicted.array() - sum_of(fit, Role::floor).first;
  if (sum_of(fit, Role::outer).second == 0 && z.minCoeff() > S(0))
    set(Departure::outer_power, z.array() * (z.array() / z.mean()).log());
  if (fit.law->reads("tokens")) set(Departure::short_runs, (at.log_D.minCoeff() - at.log_D.array()).exp());
  if (fit.law->reads("params") && !sizes_are_compared)
    set(Departure::large_models, (at.log_N.array() > at.log_N.mean()).template cast<S>());
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
