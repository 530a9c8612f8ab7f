// SPDX-License-Identifier: Apache-2.0
/// \file
/// Starting points for a law that is no power sum: a low-discrepancy sweep over its parameters, the size of the loss solved.
#pragma once

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "offray/detail/solve/parametrisation.hpp"
#include "offray/detail/solve/residual.hpp"
#include "offray/rho.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Sweeps exponents, outer powers, decay constants and the shares of the terms with a Halton sequence (Halton 1960), the same
/// points for the same law. A floor outside of any power and the common size s of what stands above it are then two numbers in
/// closed form, since coefficients times s and scales times s^(1 / exponent) multiply the reducible loss by s.
template <typename S>
class GeneralStart {
 public:
  /// References must outlive the object.
  GeneralStart(const AnyLaw<S>& law, const Runs<S>& runs, Space space, const Parametrisation<S>& parametrisation)
      : law_(law),
        runs_(runs),
        parametrisation_(parametrisation),
        at_(runs.at.in_units(parametrisation.log_N0, parametrisation.log_D0)),
        problem_(law, runs, space, parametrisation),
        J_(runs.size(), law.size()),
        shape_(runs.size()),
        r_(runs.size()) {
    for (Index j = 0; j < law.size(); ++j)
      if (std::find(law.linear.begin(), law.linear.end(), static_cast<int>(j)) == law.linear.end()) searched_.push_back(j);
    row_ = space == Space::loss ? Vector<S>::Ones(runs.size()).eval() : runs.loss.cwiseInverse().eval();
    if (runs.weight.size() != 0) row_.array() *= runs.weight.array().sqrt();
  }

  /// Up to `most` starts phi, the most promising first.
  std::vector<Parameters<S>> best(const Objective<S>& objective, std::size_t most) {
    std::vector<std::pair<S, Parameters<S>>> found;
    // As many points as the parameters that are not solved need: 32 for one, 512 for three or more.
    const int points = searched_.empty() ? 1 : 8 << (2 * std::min<std::size_t>(searched_.size(), 3));
    for (int k = 1; k <= points; ++k) {
      Parameters<S> theta = sized(point(k));
      const Parameters<S> phi = parametrisation_.phi_of_logs(parametrisation_.coordinates(theta));
      problem_.residual(phi, r_);
      S sum = S(0);
      for (Index i = 0; i < r_.size(); ++i)
        sum += (runs_.weight.size() == 0 ? S(1) : runs_.weight[i]) * exact_rho(objective, r_[i]);
      if (std::isfinite(sum)) found.emplace_back(sum, phi);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Parameters<S>> out;
    for (const auto& start : found)
      if (out.size() < most) out.push_back(start.second);
    return out;
  }

 private:
  /// The k-th number of the van der Corput sequence in a base: in (0, 1).
  static S halton(int k, int base) {
    S out = S(0), digit = S(1);
    for (; k > 0; k /= base) {
      digit /= S(base);
      out += digit * S(k % base);
    }
    return out;
  }

  /// theta' of point k: the terms at the mean of the runs share the mean loss.
  Parameters<S> point(int k) const {
    constexpr std::array<int, kMaxParameters> kBases{2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
    const S typical = runs_.loss.mean();
    Parameters<S> theta = Parameters<S>::Ones(law_.size());
    for (std::size_t i = 0; i < searched_.size(); ++i) {
      const Index j = searched_[i];
      const S u = halton(k, kBases[i]);
      const auto between = [&](double low, double high) { return S(low * std::pow(high / low, double(u))); };
      if (!law_.ranges.empty() && law_.ranges[static_cast<std::size_t>(j)].range != StartRange::by_role) {
        theta[j] = beside_input(law_.ranges[static_cast<std::size_t>(j)], u, parametrisation_.real(j));
        continue;
      }
      switch (law_.parameter(j).role) {
        case Role::floor:
        case Role::coefficient:
          theta[j] = u * typical;
          break;
        case Role::scale:
          theta[j] = between(1e-3, 1e3);
          break;
        case Role::exponent:
        case Role::outer:
          theta[j] = between(.02, 2);
          break;
        case Role::decay:
          theta[j] = between(.5, 100);
          break;
        case Role::positive:
          theta[j] = between(1e-3, 1e3);
          break;
        case Role::real: {
          // Of either sign and any size, or evenly between the user's bounds.
          const auto [low, high] = parametrisation_.range(j);
          const S v = S(2) * u - S(1);
          theta[j] = std::isfinite(high - low) ? low + u * (high - low)
                                               : std::copysign(S(std::pow(10.0, 6 * std::abs(double(v)) - 3)), v);
          break;
        }
      }
    }
    return theta;
  }

  /// A parameter by the range of its input, u in (0, 1) saying where.
  S beside_input(const InputRange& by, S u, bool signs) const {
    const Vector<S>& x = by.column == 0   ? at_.log_N
                         : by.column == 1 ? at_.log_D
                                          : at_.columns[static_cast<std::size_t>(by.column - 3)];
    const S low = x.minCoeff(), width = x.maxCoeff() - low;
    if (by.range == StartRange::beside) return low + u * width;
    if (by.range == StartRange::beside_log) return std::exp(low + u * width);
    const S v = signs ? S(2) * u - S(1) : u;
    return std::copysign(S(.3 * std::pow(300., std::abs(double(v)))), v) / (width > S(0) ? width : S(1));
  }

  /// theta with the parameters that the loss is linear in by weighted least squares of the loss, none of them negative but
  /// those that may be: while one is, the most negative leaves. As it is where that says nothing.
  Parameters<S> solved(Parameters<S> theta) {
    Vector<S> rest(at_.size());
    for (const int j : law_.linear) theta[j] = S(1);
    law_.evaluate(theta, at_, rest, J_);
    rest = runs_.loss - rest;
    for (const int j : law_.linear) rest += J_.col(j);
    rest.array() *= row_.array();
    std::vector<int> kept = law_.linear;
    while (!kept.empty()) {
      const Index m = static_cast<Index>(kept.size());
      Jacobian<S> M(at_.size(), m);
      for (Index k = 0; k < m; ++k) M.col(k) = J_.col(kept[static_cast<std::size_t>(k)]).cwiseProduct(row_);
      if (!M.allFinite()) return theta;
      const Vector<S> c = M.colPivHouseholderQr().solve(rest);
      Index worst = -1;
      for (Index k = 0; k < m; ++k)
        if (!parametrisation_.real(kept[static_cast<std::size_t>(k)]) && !(c[k] > S(0)) && (worst < 0 || c[k] < c[worst]))
          worst = k;
      if (worst < 0) {
        for (Index k = 0; k < m; ++k) theta[kept[static_cast<std::size_t>(k)]] = c[k];
        break;
      }
      theta[kept[static_cast<std::size_t>(worst)]] = S(1e-3) * runs_.loss.minCoeff();
      kept.erase(kept.begin() + worst);
    }
    return theta;
  }

  /// theta with floor and common size by weighted least squares of the loss; as it is where that says nothing.
  Parameters<S> sized(Parameters<S> theta) {
    if (!law_.linear.empty()) return solved(theta);
    Jacobian<S> none(at_.size(), 0);
    const int floor = law_.floor_inside ? -1 : law_.term(Term::floor);
    law_.evaluate(theta, at_, shape_, none);
    if (floor >= 0) shape_.array() -= theta[floor];
    const auto w = row_.array().square();
    const S total = w.sum(), hh = (w * shape_.array().square()).sum(), h = (w * shape_.array()).sum();
    const S y = (w * runs_.loss.array()).sum(), hy = (w * shape_.array() * runs_.loss.array()).sum();
    S size = hy / hh, at_floor = S(0);
    if (floor >= 0) {
      const S spread = hh - h * h / total, slope = (hy - h * y / total) / spread;
      // The smallest loss bounds the floor; where the line would leave it, a tenth of it.
      at_floor = (y - slope * h) / total;
      if (slope > S(0) && at_floor > S(0) && at_floor < runs_.loss.minCoeff()) {
        size = slope;
      } else {
        at_floor = runs_.loss.minCoeff() / S(10);
        size = (hy - at_floor * h) / hh;
      }
      theta[floor] = at_floor;
    }
    if (!(size > S(0)) || !std::isfinite(size)) return theta;
    for (Index j = 0; j < law_.size(); ++j) {
      const Parameter& p = law_.parameter(j);
      if (p.role == Role::coefficient) theta[j] *= size;
      if (p.role == Role::scale) theta[j] *= std::pow(size, S(1) / total_exponent(theta, p.axis));
      if (p.role == Role::floor && law_.floor_inside) theta[j] *= size;
    }
    return theta;
  }

  S total_exponent(const Parameters<S>& theta, Axis axis) const {
    const int own = law_.term(axis == Axis::N ? Term::p : Term::q);
    return own >= 0 ? theta[own] : law_.term(Term::outer) >= 0 ? theta[law_.term(Term::outer)] : S(1);
  }

  const AnyLaw<S>& law_;
  const Runs<S>& runs_;
  const Parametrisation<S>& parametrisation_;
  Inputs<S> at_;
  LawResidual<S> problem_;
  Jacobian<S> J_;
  Vector<S> shape_, r_, row_;
  std::vector<Index> searched_;  ///< parameters that are not solved
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
