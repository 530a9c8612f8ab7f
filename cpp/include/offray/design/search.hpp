// SPDX-License-Identifier: Apache-2.0
/// \file
/// Run lists that determine most within a budget.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "offray/design/exchange.hpp"
#include "offray/design/information.hpp"
#include "offray/design/polytope.hpp"
#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Minimises a criterion over run lists with sum cost <= budget, at most max_runs runs, and none more than max_repeats times.
///
/// First over weights w >= 0 in place of counts, where the criterion is convex: pairwise Frank-Wolfe steps (Lacoste-Julien &
/// Jaggi 2015), each towards the vertex that the linearised criterion likes best. With sensitivities phi_i = -d criterion / d
/// w_i, every design v within the limits obeys (the equivalence theorem of Kiefer & Wolfowitz 1960)
///   criterion(v) >= criterion(w) - (max_v sum v phi - sum w phi),
/// which is the bound. Then whole runs: round down, fill up, exchange until no single exchange helps. Deterministic.
template <typename S>
class DesignSearch : private detail::DesignInformation<S> {
 public:
  DesignSearch(std::vector<DesignModel<S>> models, const DesignLimits<S>& limits, Criterion criterion)
      : Information(std::move(models), criterion), limits_(limits), polytope_((check(), limits)) {}

  OptimalDesign<S> search() {
    OptimalDesign<S> out;
    relax(out.weight, out.bound);
    out.count = round(out.weight);
    out.value = value_of(out.count);
    // Few whole runs near a singular optimum may leave a parameter open: then from the list that determines all of them best.
    if (!std::isfinite(out.value) && criterion_ != Criterion::D) {
      out.count = DesignSearch(models_, limits_, Criterion::D).search().count;
      exchange_from(out.weight, out.count);
      out.value = value_of(out.count);
    }
    return out;
  }

  /// The criterion of a list of counts.
  S value_of(const std::vector<Index>& count) const { return value(factors(detail::as_weight<S>(count))); }

 private:
  static constexpr Index kPool = 2048;  ///< candidates that exchanges try first

  using Information = detail::DesignInformation<S>;
  using Information::criterion_, Information::existing_, Information::everything, Information::factor, Information::factors,
      Information::gains, Information::models_, Information::value;
  using typename Information::Factors;
  using typename Information::Pool;
  using Polytope = detail::BudgetPolytope<S>;
  using Atom = typename Polytope::Atom;
  /// A vertex of the limits with what it adds to the information, so that mixtures of many runs cost no more than of few.
  struct Vertex {
    Atom runs;
    Factors R;
  };
  DesignLimits<S> limits_;
  Polytope polytope_;

  Index candidates() const { return limits_.cost.size(); }

  void check() const {
    detail::require_positive<S>("cost", limits_.cost);
    if (!(limits_.budget > S(0) && std::isfinite(limits_.budget))) detail::reject("budget must be positive and finite");
    if (limits_.max_runs < 1) detail::reject("max_runs must be at least 1");
    if (limits_.max_repeats < 1) detail::reject("max_repeats must be at least 1");
    const S cheapest = limits_.cost.minCoeff();
    if (cheapest <= limits_.budget) return;
    char cost[32];
    std::snprintf(cost, sizeof cost, "%.4g", static_cast<double>(cheapest));
    detail::reject("budget: no single candidate run is as cheap as that; the cheapest costs " + std::string(cost));
  }

  Vertex vertex(Atom runs) const {
    Vertex out{std::move(runs), {}};
    for (const DesignModel<S>& model : models_) {
      Jacobian<S> rows(static_cast<Index>(out.runs.size()), model.candidates.cols());
      for (std::size_t a = 0; a < out.runs.size(); ++a)
        rows.row(static_cast<Index>(a)) = std::sqrt(out.runs[a].second) * model.candidates.row(out.runs[a].first);
      out.R.push_back(factor(rows));
    }
    return out;
  }

  /// Of a mixture of vertices, the existing runs included.
  Factors factors(const std::vector<Vertex>& vertices, const std::vector<S>& mix) const {
    Factors out;
    for (std::size_t k = 0; k < models_.size(); ++k) {
      const Index p = models_[k].candidates.cols();
      Jacobian<S> rows(p * (1 + static_cast<Index>(vertices.size())), p);
      rows.topRows(p) = existing_[k];
      for (std::size_t a = 0; a < vertices.size(); ++a)
        rows.middleRows(p * (1 + static_cast<Index>(a)), p) = std::sqrt(std::max(mix[a], S(0))) * vertices[a].R[k];
      out.push_back(factor(rows));
    }
    return out;
  }

  /// Where exchanges most likely help: what the relaxed design has, and the candidates nearest to its prices of runs and cost.
  Pool promising(const Vector<S>& weight) const {
    if (candidates() <= kPool) return everything();
    const Vector<S> phi = gains(factors(weight), false, everything());
    return promising(phi, polytope_.best(phi), weight);
  }

  Pool promising(const Vector<S>& phi, const Atom& best, const std::vector<Vertex>& vertices) const {
    Vector<S> weight = Vector<S>::Zero(candidates());
    for (const Vertex& vertex : vertices)
      if (static_cast<Index>(vertex.runs.size()) < kPool / 2) Polytope::add(vertex.runs, S(1), weight);
    return promising(phi, best, weight);
  }

  Pool promising(const Vector<S>& phi, const Atom& best, const Vector<S>& weight) const {
    S price = S(0);
    if (best.size() == 2)
      price = (phi[best[0].first] - phi[best[1].first]) / (limits_.cost[best[0].first] - limits_.cost[best[1].first]);
    const Vector<S> score = phi - price * limits_.cost;
    Pool out;
    out.index.resize(static_cast<std::size_t>(candidates()));
    std::iota(out.index.begin(), out.index.end(), Index(0));
    const auto before = [&](Index a, Index b) {
      const bool first = weight[a] > S(0), second = weight[b] > S(0);
      if (first != second) return first;
      return score[a] != score[b] ? score[a] > score[b] : a < b;
    };
    std::nth_element(out.index.begin(), out.index.begin() + kPool, out.index.end(), before);
    out.index.resize(static_cast<std::size_t>(kPool));
    std::sort(out.index.begin(), out.index.end());
    for (const DesignModel<S>& model : models_) out.rows.push_back(model.candidates(out.index, Eigen::all));
    return out;
  }

  static S along(const Atom& atom, const Vector<S>& phi) {
    S sum = S(0);
    for (const auto& [i, w] : atom) sum += w * phi[i];
    return sum;
  }

  /// The share in [0, most] of the way from one vertex to another at which the criterion is least, by golden section.
  S step(const std::vector<Vertex>& vertices, std::vector<S> mix, std::size_t from, std::size_t to, S most) const {
    constexpr S ratio = S(0.6180339887498949L);
    const S there = mix[from], here = mix[to];
    const auto at = [&](S share) {
      mix[from] = there - share;
      mix[to] = here + share;
      return value(factors(vertices, mix));
    };
    S low = S(0), high = most, a = high - ratio * (high - low), b = low + ratio * (high - low), fa = at(a), fb = at(b);
    for (int i = 0; i < 24; ++i) {
      if (fa <= fb)
        high = b, b = a, fb = fa, a = high - ratio * (high - low), fa = at(a);
      else
        low = a, a = b, fa = fb, b = low + ratio * (high - low), fb = at(b);
    }
    return at(most) <= std::min(fa, fb) ? most : (low + high) / S(2);
  }

  /// sum_i v_i phi_i of a vertex v, whose rows add up to its factor.
  S along(const Vertex& vertex, const Factors& R) const {
    Pool rows;
    rows.index.resize(static_cast<std::size_t>(vertex.R.front().rows()));
    rows.rows = vertex.R;
    return gains(R, false, rows).sum();
  }

  /// Steps among few candidates, those that may matter; at every kLook-th, and where their own gap is half of what is asked
  /// for, one look at all of them, which gives the bound and the next few.
  void relax(Vector<S>& weight, S& bound) const {
    constexpr int kMaxSteps = 400, kLook = 16;
    constexpr S kGap = S(1e-3);  // of the criterion: relative for I, in units of p for D
    const S share =
        std::min({S(limits_.max_runs) / S(candidates()), limits_.budget / limits_.cost.sum(), S(limits_.max_repeats)});
    Atom even;
    for (Index i = 0; i < candidates(); ++i) even.push_back({i, share});
    std::vector<Vertex> vertices{vertex(std::move(even))};
    std::vector<S> mix{S(1)};
    const Pool all = everything();
    Pool few;  // none: all of them
    bound = -std::numeric_limits<S>::infinity();
    for (int i = 0; i < kMaxSteps; ++i) {
      if (i % kLook == 0) few = {};
      const bool every = few.index.empty();
      const Factors R = factors(vertices, mix);
      const S here = value(R);
      Vector<S> phi = gains(R, false, every ? all : few);
      if (!std::isfinite(here) || !phi.allFinite()) break;
      if (!every) {
        Vector<S> spread = Vector<S>::Zero(candidates());
        spread(few.index) = phi;
        phi.swap(spread);
      }
      const Atom best = polytope_.best(phi);
      std::vector<S> slope;
      S now = S(0);
      for (std::size_t a = 0; a < vertices.size(); ++a) {
        slope.push_back(along(vertices[a], R));
        now += mix[a] * slope[a];
      }
      const S gap = along(best, phi) - now, scale = criterion_ == Criterion::D ? S(models_[0].candidates.cols()) : here;
      if (every) {
        bound = std::max(bound, here - gap);
        if (here - bound <= kGap * scale) break;
        if (candidates() > kPool) few = promising(phi, best, vertices);
      } else if (gap <= kGap * scale / S(2)) {
        few = {};
        continue;
      }
      // The vertex that the criterion likes least gives way to the best one.
      const auto worst = static_cast<std::size_t>(std::min_element(slope.begin(), slope.end()) - slope.begin());
      std::size_t to = 0;
      while (to < vertices.size() && vertices[to].runs != best) ++to;
      if (to == vertices.size()) {
        vertices.push_back(vertex(best));
        mix.push_back(S(0));
      }
      const S moved = step(vertices, mix, worst, to, mix[worst]);
      mix[worst] -= moved;
      mix[to] += moved;
      if (!(mix[worst] > S(1e-12))) {
        vertices.erase(vertices.begin() + static_cast<std::ptrdiff_t>(worst));
        mix.erase(mix.begin() + static_cast<std::ptrdiff_t>(worst));
      }
    }
    weight = Vector<S>::Zero(candidates());
    for (std::size_t a = 0; a < vertices.size(); ++a) Polytope::add(vertices[a].runs, mix[a], weight);
  }

  std::vector<Index> round(const Vector<S>& weight) const {
    std::vector<Index> count(static_cast<std::size_t>(candidates()), 0);
    S left = limits_.budget;
    Index runs = limits_.max_runs;
    const auto take = [&](Index i) {
      ++count[static_cast<std::size_t>(i)];
      left -= limits_.cost[i];
      --runs;
    };
    const auto fits = [&](Index i, S room) { return limits_.cost[i] <= room * (S(1) + S(1e-12)); };
    for (Index i = 0; i < candidates(); ++i)
      for (Index k = 0; k < static_cast<Index>(weight[i] + S(1e-9)) && runs > 0 && fits(i, left); ++k) take(i);
    // The largest remainders next, as far as they are affordable.
    std::vector<Index> order(count.size());
    std::iota(order.begin(), order.end(), Index(0));
    const auto rest = [&](Index i) { return weight[i] - std::floor(weight[i] + S(1e-9)); };
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return rest(a) > rest(b); });
    const auto allowed = [&](Index i) { return count[static_cast<std::size_t>(i)] < limits_.max_repeats; };
    for (const Index i : order)
      if (rest(i) > S(0) && runs > 0 && fits(i, left) && allowed(i)) take(i);

    exchange(promising(weight), weight, left, runs, count);
    if (candidates() > kPool) exchange(everything(), weight, left, runs, count);
    return count;
  }

  void exchange(const Pool& pool, const Vector<S>& weight, S& left, Index& runs, std::vector<Index>& count) const {
    detail::RunExchange<S>(*this, limits_, pool)(weight, left, runs, count);
  }

  /// Exchanges until none helps, from a list within the limits.
  void exchange_from(const Vector<S>& weight, std::vector<Index>& count) const {
    S left = limits_.budget - limits_.cost.dot(detail::as_weight<S>(count));
    Index runs = limits_.max_runs - std::accumulate(count.begin(), count.end(), Index(0));
    exchange(everything(), weight, left, runs, count);
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
