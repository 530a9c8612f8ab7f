// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a fit of the repeated-data law starts: it is a power sum only once its decay constants and N_opt are known.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "offray/detail/simd/kernels.hpp"
#include "offray/laws/chinchilla.hpp"
#include "offray/laws/law.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Searches the law over its exponents, its decay constants and lambda = ln N_opt at the mean of ln U.
///
/// Given those, beta / alpha and lambda fix A / B, so that L = E + B h with a known h: two coefficients in closed form. Where
/// N_opt lies among the runs' N decides how much of the law they see, so lambda is placed among them.
template <typename S>
class RepeatedStart {
 public:
  /// The problem must outlive the object.
  explicit RepeatedStart(const StartProblem<S>& problem)
      : objective_(problem.objective),
        runs_(problem.runs.every((problem.runs.size() + kRows - 1) / kRows)),
        at_(runs_.at.in_units(problem.log_N0, problem.log_D0)),
        h_(runs_.size()),
        g_(runs_.size()),
        r_(runs_.size()),
        row_(runs_.size()) {
    row_ = problem.space == Space::loss ? Vector<S>::Ones(runs_.size()).eval() : runs_.loss.cwiseInverse().eval();
  }

  /// Up to `most` starts ln theta, the most promising first, no two of them neighbours.
  std::vector<Parameters<S>> best(std::size_t most) {
    const bool repeated = at_.repeats.maxCoeff() > S(0);
    std::vector<Node> nodes;
    Node node;
    for (node.index[0] = 0; node.index[0] < (repeated ? kDecays : 1); ++node.index[0])
      for (node.index[1] = 0; node.index[1] < kDecays; ++node.index[1])
        for (node.index[2] = 0; node.index[2] < kRatios; ++node.index[2])
          for (node.index[3] = 0; node.index[3] < kPlaces; ++node.index[3]) {
            if (node.index[3] + 1 == kPlaces && node.index[1] > 0) continue;  // every parameter useful: R_N plays no part
            for (node.index[4] = 0; node.index[4] < kExponents; ++node.index[4]) {
              solve(node);
              if (std::isfinite(node.objective)) nodes.push_back(node);
            }
          }
    std::stable_sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.objective < b.objective; });
    std::vector<Node> chosen;
    for (const Node& candidate : nodes) {
      if (chosen.size() == most) break;
      const bool apart = std::all_of(chosen.begin(), chosen.end(), [&](const Node& other) {
        int distance = 0;
        for (std::size_t k = 0; k < candidate.index.size(); ++k) distance += std::abs(candidate.index[k] - other.index[k]);
        return distance > 1;
      });
      if (apart) chosen.push_back(candidate);
    }
    std::vector<Parameters<S>> out;
    out.reserve(chosen.size());
    for (const Node& candidate : chosen) out.push_back(candidate.theta.array().log());
    return out;
  }

 private:
  static constexpr Index kRows = 96;  ///< that are looked at, about evenly spaced through the table
  static constexpr int kDecays = 3, kRatios = 5, kPlaces = 4, kExponents = 6;

  struct Node {
    std::array<int, 5> index{};  ///< of R_D, R_N, beta / alpha, lambda, alpha
    Parameters<S> theta = Parameters<S>::Zero(7);
    S objective = std::numeric_limits<S>::infinity();
  };

  void solve(Node& node) {
    constexpr double kR[kDecays] = {1, 6, 40}, kRatio[kRatios] = {.2, .5, 1, 2, 5},
                     kAlpha[kExponents] = {.04, .1, .22, .45, .8, 1.4};
    const S alpha = S(kAlpha[node.index[4]]), beta = alpha * S(kRatio[node.index[2]]);
    const S low = at_.log_N.minCoeff(), high = at_.log_N.maxCoeff();
    const S lambda = low + (high - low) * S(node.index[3]) / S(kPlaces - 1), mean_U = at_.log_U.mean();
    const S ratio = std::exp(alpha * lambda - beta * mean_U) * beta / alpha;  // A / B
    Parameters<S>& theta = node.theta;
    theta << S(1), ratio, S(1), alpha, beta, S(kR[node.index[1]]), S(kR[node.index[0]]);
    kernel_paths::RepeatedDataRow<S> rows{};
    rows.n = at_.size();
    rows.theta = theta.data();
    rows.log_scale = alpha * lambda - beta * mean_U;
    rows.log_N = at_.log_N.data();
    rows.log_U = at_.log_U.data();
    rows.repeats = at_.repeats.data();
    rows.value = h_.data();
    kernels<S>().repeated_data(rows);
    h_.array() -= S(1);
    // Weighted least squares of L on 1 and h.
    g_ = row_.array().square();
    if (runs_.weight.size() != 0) g_.array() *= runs_.weight.array();
    const S total = g_.sum(), mean_h = g_.dot(h_) / total, mean_L = g_.dot(runs_.loss) / total;
    r_ = g_.cwiseProduct(h_);
    S B = (r_.dot(runs_.loss) - total * mean_h * mean_L) / (r_.dot(h_) - total * mean_h * mean_h), E = mean_L - B * mean_h;
    if (!(E > S(0))) {
      B = r_.dot(runs_.loss) / r_.dot(h_);
      E = S(1e-3) * mean_L;
    }
    node.objective = std::numeric_limits<S>::infinity();
    if (!(B > S(0)) || !std::isfinite(B * ratio) || !(B * ratio > S(0))) return;
    theta[0] = E;
    theta[1] = B * ratio;
    theta[2] = B;
    r_ = ((E + B * h_.array()) - runs_.loss.array()) * row_.array();
    node.objective =
        kernels<S>().total_rho(objective_, r_.size(), r_.data(), runs_.weight.size() == 0 ? nullptr : runs_.weight.data());
  }

  const Objective<S>& objective_;
  Runs<S> runs_;
  Inputs<S> at_;
  Vector<S> h_, g_, r_;
  Vector<S> row_;  ///< d residual / d L
};

/// Given the decay constants and the effective N' and D' of a first guess, the law is a power sum again. The first guess takes
/// every parameter as useful (N' = N); two rounds more adapt N' to the optimum that the fit implies.
/// \return up to `most` starts ln theta, the most promising first.
template <typename S>
std::vector<Parameters<S>> repeated_rounds(const StartProblem<S>& problem, std::size_t most) {
  constexpr Index A = 1, R_N = 5, R_D = 6;
  using Start = std::pair<Parameters<S>, S>;
  std::vector<Start> starts;
  for (const S tokens : {S(15), S(0.5), S(3), S(100)}) {
    Parameters<S> useful = Parameters<S>::Ones(7);
    useful[A] = S(1e30);  // N_opt above every N
    useful[R_D] = tokens;
    for (const Start& first : problem.search_at(useful, 2)) {
      for (const S parameters : {S(1e-3), S(1), S(10), S(1e8)}) {
        Parameters<S> theta = first.first;
        theta[R_N] = parameters;
        Start best{{}, std::numeric_limits<S>::infinity()};
        for (int round = 0; round < 2; ++round)
          for (const Start& next : problem.search_at(theta, 1)) {
            theta = next.first;
            if (next.second < best.second) best = next;
          }
        if (std::isfinite(best.second)) starts.push_back(best);
      }
    }
    if (!(problem.runs.at.repeats.maxCoeff() > S(0))) break;
  }
  std::stable_sort(starts.begin(), starts.end(), [](const Start& a, const Start& b) { return a.second < b.second; });
  std::vector<Parameters<S>> out;
  for (const Start& start : starts)
    if (out.size() < most) out.push_back(start.first.array().log());
  return out;
}

/// The law where every token is worth as much as a fresh one, and where a repeated one is worth nothing: Chinchilla's, in D and
/// in unique tokens. Its basins are the law's own with decay constants at their bounds, spikes at a few runs among them. A
/// spike of D fits the same runs with any large beta, of which N_opt allows some: it is tried with smaller ones too, as high at
/// the fewest tokens.
/// \return starts ln theta.
template <typename S>
std::vector<Parameters<S>> undecayed_starts(const StartProblem<S>& problem) {
  constexpr double kNone = 1e-4, kAll = 1e8, kSpikes[] = {6, 2.5};
  constexpr std::size_t kBasins = 3;
  constexpr Index B = 2, beta = 4;
  const Inputs<S>& at = problem.runs.at;
  std::vector<Parameters<S>> out;
  for (const double worth : {kAll, kNone}) {
    const Vector<S>& log_D = worth == kAll ? at.log_D : at.log_U;
    const S least = log_D.minCoeff() - problem.log_D0;
    std::vector<Parameters<S>> basins = problem.basins_of(any_law<S, Chinchilla>(), log_D);
    if (basins.size() > kBasins) basins.resize(kBasins);
    for (const Parameters<S>& plain : basins) {
      Parameters<S> theta(7);
      theta << plain, std::log(S(kAll)), std::log(S(worth));
      out.push_back(theta);
      for (const double spike : kSpikes) {
        const S lower = S(spike) - std::exp(plain[beta]);
        if (!(lower < S(0))) continue;
        theta[B] = plain[B] + lower * least;
        theta[beta] = std::log(S(spike));
        out.push_back(theta);
      }
    }
    if (!(at.repeats.maxCoeff() > S(0))) break;
  }
  return out;
}

/// The same with decay constants put to it: where nothing decays the fit can only gain.
template <typename S>
std::vector<Parameters<S>> with_decay(const std::vector<Parameters<S>>& undecayed) {
  constexpr Index R_N = 5, R_D = 6;
  std::vector<Parameters<S>> out;
  for (const Parameters<S>& plain : undecayed)
    for (const auto& [parameters, tokens] : {std::pair(50., .5), std::pair(.5, .5), std::pair(50., 5.), std::pair(50., 50.),
                                             std::pair(1e4, .5), std::pair(.5, 1e8), std::pair(.5, 1e-4)}) {
      Parameters<S> theta = plain;
      theta[R_N] = std::log(S(parameters));
      theta[R_D] = std::log(S(tokens));
      out.push_back(theta);
    }
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
