// SPDX-License-Identifier: Apache-2.0
/// \file
/// Whole runs of a list exchanged for better ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "offray/design/information.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

template <typename S>
Vector<S> as_weight(const std::vector<Index>& count) {
  Vector<S> out(static_cast<Index>(count.size()));
  for (Index i = 0; i < out.size(); ++i) out[i] = S(count[static_cast<std::size_t>(i)]);
  return out;
}

/// Exchanges single runs for ones of a pool, and where that no longer helps two for one, until none helps: a dear run may be
/// worth two cheap ones that the budget holds it against. What is given up leaves room for the candidates of a range of costs;
/// cheaper ones were considered with less given up, which is never worse.
template <typename S>
class RunExchange {
 public:
  using Information = DesignInformation<S>;
  using Pool = typename Information::Pool;
  using Factors = typename Information::Factors;

  /// Keeps references to the first two.
  RunExchange(const Information& information, const DesignLimits<S>& limits, const Pool& pool)
      : information_(information), limits_(limits), cost_(static_cast<Index>(pool.index.size())) {
    std::vector<Index> place(pool.index.size());
    std::iota(place.begin(), place.end(), Index(0));
    const auto cost = [&](Index k) { return limits.cost[pool.index[static_cast<std::size_t>(k)]]; };
    std::stable_sort(place.begin(), place.end(), [&](Index a, Index b) { return cost(a) < cost(b); });
    for (const Index k : place) {
      cost_[static_cast<Index>(by_cost_.index.size())] = cost(k);
      by_cost_.index.push_back(pool.index[static_cast<std::size_t>(k)]);
    }
    for (const Jacobian<S>& rows : pool.rows) by_cost_.rows.push_back(rows(place, Eigen::all));
  }
  RunExchange(const Information&&, const DesignLimits<S>&, const Pool&) = delete;
  RunExchange(const Information&, const DesignLimits<S>&&, const Pool&) = delete;

  /// \param weight the relaxed design. \param left of the budget, \param runs and of their number: brought up to date with
  /// \param count.
  void operator()(const Vector<S>& weight, S& left, Index& runs, std::vector<Index>& count) const {
    // A trace of the relaxed design keeps the criterion finite until the whole runs do.
    for (const S trace : {S(1e-3), S(0)}) {
      const Factors traces = information_.factors(trace * weight);
      for (int pass = 0; pass < 1000; ++pass) {
        const Exchange best = best_exchange({traces, as_weight<S>(count), left, runs > 0});
        if (best.in < 0) break;
        for (const Index i : best.out) {
          --count[static_cast<std::size_t>(i)];
          left += limits_.cost[i];
          ++runs;
        }
        ++count[static_cast<std::size_t>(best.in)];
        left -= limits_.cost[best.in];
        --runs;
      }
    }
  }

 private:
  /// A list, on top of what weighs little, and what is left of the budget.
  struct List {
    const Factors& below;
    Vector<S> count;
    S left;
    bool may_grow;  ///< whether it may have one more run
  };
  /// Runs to take out, the one to put in for them, and the criterion then.
  struct Exchange {
    S value;
    std::vector<Index> out;
    Index in = -1;
  };

  const Information& information_;
  const DesignLimits<S>& limits_;
  Pool by_cost_;    ///< from the cheapest to the dearest
  Vector<S> cost_;  ///< of each

  Exchange best_exchange(const List& list) const {
    const S here = information_.value(information_.factors(list.count, list.below));
    Exchange best{here - S(1e-9) * std::max(std::abs(here), S(1)), {}};
    std::vector<Index> made;
    for (Index i = 0; i < list.count.size(); ++i)
      if (list.count[i] > S(0)) made.push_back(i);
    if (list.may_grow) consider(list, {}, S(0), best);
    for (const Index i : made) consider(list, {i}, list.may_grow ? list.left : S(0), best);
    if (best.in >= 0) return best;
    for (std::size_t a = 0; a < made.size(); ++a)
      for (std::size_t b = a; b < made.size(); ++b) {
        const Index i = made[a], j = made[b];
        if (i != j || list.count[i] > S(1))
          consider(list, {i, j}, list.left + std::max(limits_.cost[i], limits_.cost[j]), best);
      }
    return best;
  }

  /// The place of the first candidate that is dearer than what a sum buys.
  Index after(S sum) const { return std::upper_bound(cost_.begin(), cost_.end(), sum * (S(1) + S(1e-12))) - cost_.begin(); }

  /// The best affordable run dearer than `above` to add where `removed` are taken out.
  void consider(const List& list, const std::vector<Index>& removed, S above, Exchange& best) const {
    S room = list.left;
    for (const Index i : removed) room += limits_.cost[i];
    const Index begin = after(above), end = after(room);
    if (begin == end) return;
    Vector<S> count = list.count;
    for (const Index i : removed) count[i] -= S(1);
    const Factors R = information_.factors(count, list.below);
    const S base = information_.value(R);
    if (!std::isfinite(base)) return;
    const Vector<S> gain = information_.gains(R, true, by_cost_, begin, end);
    for (Index k = 0; k < gain.size(); ++k) {
      const Index j = by_cost_.index[static_cast<std::size_t>(begin + k)];
      if (list.count[j] < S(limits_.max_repeats) && base - gain[k] < best.value) best = {base - gain[k], removed, j};
    }
  }
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
