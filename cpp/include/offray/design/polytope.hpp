// SPDX-License-Identifier: Apache-2.0
/// \file
/// The run lists that a budget allows, and the best of them for a linear criterion.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "offray/design/criterion.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// v >= 0 with sum v <= max_runs, sum cost v <= budget and v <= max_repeats.
template <typename S>
class BudgetPolytope {
 public:
  using Atom = std::vector<std::pair<Index, S>>;  ///< candidates with their weights; the others have none

  explicit BudgetPolytope(const DesignLimits<S>& limits)
      : limits_(limits), by_cost_(static_cast<std::size_t>(limits.cost.size())) {
    std::iota(by_cost_.begin(), by_cost_.end(), Index(0));
    std::stable_sort(by_cost_.begin(), by_cost_.end(), [&](Index a, Index b) { return limits_.cost[a] < limits_.cost[b]; });
  }

  /// argmax sum v phi over v >= 0, sum v <= max_runs, sum cost v <= budget: a mixture of at most two neighbours on the upper
  /// concave hull of the points (cost, phi), the origin standing for runs that are not made.
  Atom best(const Vector<S>& phi) const {
    if (limits_.max_repeats < limits_.max_runs) return capped(phi);
    const auto cost = [&](Index i) { return i < 0 ? S(0) : limits_.cost[i]; };
    const auto gain = [&](Index i) { return i < 0 ? S(0) : phi[i]; };
    std::vector<Index> hull{-1};
    for (const Index i : by_cost_) {
      if (!(gain(i) > gain(hull.back()))) continue;  // dearer and no better
      while (hull.size() > 1 || cost(hull.back()) == cost(i)) {
        const Index last = hull.back();
        if (cost(last) < cost(i)) {
          const Index before = hull[hull.size() - 2];
          // `last` stays where the slope to it is above the slope from it on.
          if ((gain(last) - gain(before)) * (cost(i) - cost(last)) > (gain(i) - gain(last)) * (cost(last) - cost(before)))
            break;
        }
        hull.pop_back();
        if (hull.empty()) break;
      }
      hull.push_back(i);
    }
    const S runs = S(limits_.max_runs), mean = limits_.budget / runs;  // affordable cost per run
    std::size_t right = 0;
    while (right < hull.size() && cost(hull[right]) <= mean) ++right;
    if (right == hull.size()) return hull.back() < 0 ? Atom{} : Atom{{hull.back(), runs}};
    const Index low = hull[right - 1], high = hull[right];
    const S share = (mean - cost(low)) / (cost(high) - cost(low));
    Atom out{{high, runs * share}};
    if (low >= 0) out.push_back({low, runs * (S(1) - share)});
    return out;
  }

  static void add(const Atom& atom, S share, Vector<S>& weight) {
    for (const auto& [i, w] : atom) weight[i] = std::max(weight[i] + share * w, S(0));
  }

 private:
  /// The same where no candidate may be run more than max_repeats times. For a price mu of the cost the best runs are those
  /// with the largest positive phi - mu cost; between two neighbouring prices a mixture meets the budget.
  Atom capped(const Vector<S>& phi) const {
    std::vector<Index> order(static_cast<std::size_t>(phi.size()));
    const auto at_price = [&](S mu, Atom& atom) {
      const Vector<S> score = phi - mu * limits_.cost;
      std::iota(order.begin(), order.end(), Index(0));
      std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return score[a] > score[b]; });
      atom.clear();
      S runs = S(limits_.max_runs), spent = S(0);
      for (const Index i : order) {
        if (!(score[i] > S(0)) || !(runs > S(0))) break;
        const S taken = std::min(S(limits_.max_repeats), runs);
        atom.push_back({i, taken});
        runs -= taken;
        spent += taken * limits_.cost[i];
      }
      return spent;
    };
    Atom dear, cheap;
    S spent = at_price(S(0), dear), saved = S(0);
    if (spent <= limits_.budget) return dear;
    S low = S(0), high = S(2) * (phi.array() / limits_.cost.array()).maxCoeff();
    for (int i = 0; i < 80; ++i) {
      const S middle = (low + high) / S(2);
      Atom trial;
      const S cost = at_price(middle, trial);
      if (cost > limits_.budget)
        low = middle, dear = trial, spent = cost;
      else
        high = middle, cheap = trial, saved = cost;
    }
    const S share = (limits_.budget - saved) / (spent - saved);
    Vector<S> mixed = Vector<S>::Zero(phi.size());
    add(dear, share, mixed);
    add(cheap, S(1) - share, mixed);
    Atom out;
    for (Index i = 0; i < mixed.size(); ++i)
      if (mixed[i] > S(0)) out.push_back({i, mixed[i]});
    return out;
  }

  DesignLimits<S> limits_;
  std::vector<Index> by_cost_;
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
