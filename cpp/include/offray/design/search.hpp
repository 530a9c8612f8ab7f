// SPDX-License-Identifier: Apache-2.0
/// \file
/// Run lists that determine most within a budget.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "offray/conditioning.hpp"
#include "offray/design/criterion.hpp"
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
class DesignSearch {
 public:
  /// References must outlive the object.
  DesignSearch(const std::vector<DesignModel<S>>& models, const DesignLimits<S>& limits, Criterion criterion)
      : models_(models), limits_(limits), criterion_(criterion) {
    check();
    for (const DesignModel<S>& model : models_) {
      const Index p = model.candidates.cols();
      existing_.push_back(model.existing.rows() == 0 ? Jacobian<S>::Zero(p, p) : factor(model.existing));
    }
  }

  OptimalDesign<S> search() {
    OptimalDesign<S> out;
    relax(out.weight, out.bound);
    out.count = round(out.weight);
    out.value = value(factors(as_weight(out.count)));
    return out;
  }

  /// The criterion of a list of counts.
  S value_of(const std::vector<Index>& count) const { return value(factors(as_weight(count))); }

 private:
  using Factors = std::vector<Jacobian<S>>;  ///< R with R'R = M, one per model
  using Atom = std::vector<std::pair<Index, S>>;

  const std::vector<DesignModel<S>>& models_;
  const DesignLimits<S>& limits_;
  Criterion criterion_;
  Factors existing_;

  Index candidates() const { return limits_.cost.size(); }

  void check() const {
    if (models_.empty()) throw InvalidInput("theta: at least one is needed");
    detail::require_positive<S>("cost", limits_.cost);
    if (!(limits_.budget > S(0) && std::isfinite(limits_.budget))) throw InvalidInput("budget must be positive and finite");
    if (limits_.max_runs < 1) throw InvalidInput("max_runs must be at least 1");
    if (limits_.max_repeats < 1) throw InvalidInput("max_repeats must be at least 1");
    if (limits_.cost.minCoeff() > limits_.budget) throw InvalidInput("budget: no single candidate run is as cheap as that");
    for (const DesignModel<S>& model : models_)
      if (!model.candidates.allFinite() || !model.existing.allFinite() || !model.targets.allFinite())
        throw InvalidInput("theta: the law's derivatives are not finite at these runs");
  }

  /// The triangular factor of a tall matrix.
  static Jacobian<S> factor(const Jacobian<S>& rows) {
    const Index p = rows.cols();
    Jacobian<S> M(std::max(rows.rows(), p), p + 1), R(p, p + 1);
    M.setZero();
    M.topLeftCorner(rows.rows(), p) = rows;
    detail::tall_qr<S>(M, R);
    return R.leftCols(p);
  }

  Vector<S> as_weight(const std::vector<Index>& count) const {
    Vector<S> out(candidates());
    for (Index i = 0; i < out.size(); ++i) out[i] = S(count[static_cast<std::size_t>(i)]);
    return out;
  }

  Factors factors(const Vector<S>& weight) const {
    std::vector<Index> active;
    for (Index i = 0; i < weight.size(); ++i)
      if (weight[i] > S(0)) active.push_back(i);
    Factors out;
    for (std::size_t k = 0; k < models_.size(); ++k) {
      const Index p = models_[k].candidates.cols();
      Jacobian<S> rows(p + static_cast<Index>(active.size()), p);
      rows.topRows(p) = existing_[k];
      for (std::size_t a = 0; a < active.size(); ++a)
        rows.row(p + static_cast<Index>(a)) = std::sqrt(weight[active[a]]) * models_[k].candidates.row(active[a]);
      out.push_back(factor(rows));
    }
    return out;
  }

  /// R^-T x for every column of x; infinite where R is singular.
  static Jacobian<S> solve(const Jacobian<S>& R, const Jacobian<S>& x) {
    if (!(R.diagonal().minCoeff() > S(0))) return Jacobian<S>::Constant(x.rows(), x.cols(), std::numeric_limits<S>::infinity());
    return R.transpose().template triangularView<Eigen::Lower>().solve(x);
  }

  S value(const Factors& R) const {
    S sum = S(0);
    for (std::size_t k = 0; k < models_.size(); ++k) {
      if (!(R[k].diagonal().minCoeff() > S(0))) return std::numeric_limits<S>::infinity();
      if (criterion_ == Criterion::D)
        sum -= S(2) * R[k].diagonal().array().log().sum();
      else
        sum += solve(R[k], models_[k].targets.transpose()).squaredNorm() / S(models_[k].targets.rows());
    }
    return sum / S(models_.size());
  }

  /// For every candidate: the sensitivity phi, or, with `whole`, by how much one more run of it lowers the criterion.
  Vector<S> gains(const Factors& R, bool whole) const {
    Vector<S> out = Vector<S>::Zero(candidates());
    for (std::size_t k = 0; k < models_.size(); ++k) {
      const Jacobian<S> u = solve(R[k], models_[k].candidates.transpose());
      const Vector<S> length = u.colwise().squaredNorm().transpose();
      if (criterion_ == Criterion::D) {
        out += whole ? Vector<S>(length.array().log1p()) : length;
      } else {
        const Jacobian<S> H = solve(R[k], models_[k].targets.transpose());
        const Vector<S> shared = (u.transpose() * H).rowwise().squaredNorm() / S(models_[k].targets.rows());
        out += whole ? Vector<S>(shared.array() / (S(1) + length.array())) : shared;
      }
    }
    return out / S(models_.size());
  }

  /// argmax sum v phi over v >= 0, sum v <= max_runs, sum cost v <= budget: a mixture of at most two neighbours on the upper
  /// concave hull of the points (cost, phi), the origin standing for runs that are not made.
  Atom best_vertex(const Vector<S>& phi) const {
    if (limits_.max_repeats < limits_.max_runs) return capped_vertex(phi);
    std::vector<Index> order(static_cast<std::size_t>(phi.size()));
    std::iota(order.begin(), order.end(), Index(0));
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return limits_.cost[a] < limits_.cost[b]; });
    const auto cost = [&](Index i) { return i < 0 ? S(0) : limits_.cost[i]; };
    const auto gain = [&](Index i) { return i < 0 ? S(0) : phi[i]; };
    std::vector<Index> hull{-1};
    for (const Index i : order) {
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

  /// The same where no candidate may be run more than max_repeats times. For a price mu of the cost the best runs are those
  /// with the largest positive phi - mu cost; between two neighbouring prices a mixture meets the budget.
  Atom capped_vertex(const Vector<S>& phi) const {
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

  static S along(const Atom& atom, const Vector<S>& phi) {
    S sum = S(0);
    for (const auto& [i, w] : atom) sum += w * phi[i];
    return sum;
  }

  static void add(const Atom& atom, S share, Vector<S>& weight) {
    for (const auto& [i, w] : atom) weight[i] = std::max(weight[i] + share * w, S(0));
  }

  /// The share in [0, most] of the way along `direction` at which the criterion is least, by golden section.
  S step(const Vector<S>& weight, const Vector<S>& direction, S most) const {
    constexpr S ratio = S(0.6180339887498949L);
    const auto at = [&](S share) { return value(factors((weight + share * direction).cwiseMax(S(0)))); };
    S low = S(0), high = most, a = high - ratio * (high - low), b = low + ratio * (high - low), fa = at(a), fb = at(b);
    for (int i = 0; i < 24; ++i) {
      if (fa <= fb)
        high = b, b = a, fb = fa, a = high - ratio * (high - low), fa = at(a);
      else
        low = a, a = b, fa = fb, b = low + ratio * (high - low), fb = at(b);
    }
    return at(most) <= std::min(fa, fb) ? most : (low + high) / S(2);
  }

  void relax(Vector<S>& weight, S& bound) const {
    constexpr int kMaxSteps = 400;
    constexpr S kGap = S(1e-3);  // of the criterion: relative for I, in units of p for D
    const S share =
        std::min({S(limits_.max_runs) / S(candidates()), limits_.budget / limits_.cost.sum(), S(limits_.max_repeats)});
    std::vector<Atom> atoms(1);
    for (Index i = 0; i < candidates(); ++i) atoms[0].push_back({i, share});
    std::vector<S> mix{S(1)};
    weight = Vector<S>::Constant(candidates(), share);
    bound = -std::numeric_limits<S>::infinity();
    for (int i = 0; i < kMaxSteps; ++i) {
      const Factors R = factors(weight);
      const S here = value(R);
      const Vector<S> phi = gains(R, false);
      if (!std::isfinite(here) || !phi.allFinite()) return;
      const Atom best = best_vertex(phi);
      const S gap = along(best, phi) - weight.dot(phi);
      bound = std::max(bound, here - gap);
      const S scale = criterion_ == Criterion::D ? S(models_[0].candidates.cols()) : here;
      if (here - bound <= kGap * scale) return;
      // The atom that the criterion likes least gives way to the best vertex.
      std::size_t worst = 0;
      for (std::size_t a = 1; a < atoms.size(); ++a)
        if (along(atoms[a], phi) < along(atoms[worst], phi)) worst = a;
      Vector<S> direction = Vector<S>::Zero(candidates());
      for (const auto& [j, w] : best) direction[j] += w;
      for (const auto& [j, w] : atoms[worst]) direction[j] -= w;
      const S moved = step(weight, direction, mix[worst]);
      mix[worst] -= moved;
      const auto same = std::find(atoms.begin(), atoms.end(), best);
      if (same == atoms.end()) {
        atoms.push_back(best);
        mix.push_back(moved);
      } else {
        mix[static_cast<std::size_t>(same - atoms.begin())] += moved;
      }
      if (!(mix[worst] > S(1e-12))) {
        atoms.erase(atoms.begin() + static_cast<std::ptrdiff_t>(worst));
        mix.erase(mix.begin() + static_cast<std::ptrdiff_t>(worst));
      }
      weight.setZero();
      for (std::size_t a = 0; a < atoms.size(); ++a) add(atoms[a], mix[a], weight);
    }
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

    // A trace of the relaxed design keeps the criterion finite until the whole runs do.
    for (const S trace : {S(1e-3), S(0)}) {
      for (int pass = 0; pass < 1000; ++pass) {
        Vector<S> now = as_weight(count) + trace * weight;
        Factors R = factors(now);
        const S here = value(R);
        Index out = -1, in = -1;
        S best = here - S(1e-9) * std::max(std::abs(here), S(1));
        if (runs > 0) consider(R, here, left, count, -1, best, out, in);
        for (Index i = 0; i < candidates(); ++i) {
          if (count[static_cast<std::size_t>(i)] == 0) continue;
          now[i] -= S(1);
          R = factors(now);
          consider(R, value(R), left + limits_.cost[i], count, i, best, out, in);
          now[i] += S(1);
        }
        if (in < 0) break;
        if (out >= 0) {
          --count[static_cast<std::size_t>(out)];
          left += limits_.cost[out];
          ++runs;
        }
        take(in);
      }
    }
    return count;
  }

  /// The best affordable run to add to a design of factor R, where `removed` was taken out.
  void consider(const Factors& R, S base, S room, const std::vector<Index>& count, Index removed, S& best, Index& out,
                Index& in) const {
    if (!std::isfinite(base)) return;
    const Vector<S> gain = gains(R, true);
    for (Index j = 0; j < candidates(); ++j)
      if (count[static_cast<std::size_t>(j)] < limits_.max_repeats && limits_.cost[j] <= room * (S(1) + S(1e-12)) &&
          base - gain[j] < best)
        best = base - gain[j], out = removed, in = j;
  }
};

}  // namespace OFFRAY_ABI
}  // namespace offray
