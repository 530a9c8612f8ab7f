// SPDX-License-Identifier: Apache-2.0
/// \file
/// Whether the law follows the runs, and whether they are runs of their own.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "offray/detail/numeric/equal_rows.hpp"
#include "offray/inference/departures.hpp"
#include "offray/inference/f_test.hpp"
#include "offray/inference/tangent_space.hpp"
#include "offray/inference/uncertainty.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// What the residuals say of the law and of the runs. Tests assume normal noise; every probability is that of chance doing as
/// much or more.
template <typename S>
struct Misfit {
  S residual_sd = Noise<S>::infinity();  ///< s = sqrt(RSS / (n - rank)), in the fitted space; infinite where n = rank
  S relative_sd = Noise<S>::infinity();  ///< the same as a share of the loss
  /// Squares and products of the centred logarithms of the law's inputs, without what the parameters could take up: a curve of
  /// the residuals that the law cannot follow.
  FTest<S> trend;
  S pattern = S(0);          ///< root mean square of that curve, in the fitted space
  Departures<S> departures;  ///< directions that runs are known to leave a law in, each alone

  Index distinct = 0;      ///< different inputs: what repeats adds nothing that would test the law
  FTest<S> lack_of_fit;    ///< scatter of the cells' means about the law, against that within cells of equal inputs
  S pure_error = S(0);     ///< standard deviation within cells; 0 where no inputs repeat
  Index pure_dof = 0;      ///< its degrees of freedom
  FTest<S> by_size;        ///< residuals of runs of one N against those of another, a trend taken out
  Index sizes = 0;         ///< different N
  S serial = S(0);         ///< correlation of neighbours in D among runs of one N, a trend taken out; 0 for few runs each
  bool in_series = false;  ///< whether that is more than chance and more than a little, as among checkpoints of one run
  Index repeated = 0;      ///< rows that equal an earlier one, loss and all
  /// Rows with residuals beyond what normal noise of the median's size could bring, where they are what makes residual_sd as
  /// large as it is: kSwayed times that of the others.
  std::vector<Index> outliers;

  const DepartureTest<S>& departure(Departure which) const { return departures[static_cast<std::size_t>(which)]; }
  bool departs(Departure which) const { return departure(which).test.is_unlikely(unlikely(which)); }

  /// The largest of the curve, the departures, and of what the means of repeated runs are off the law beyond their scatter, as
  /// a share of the loss; 0 where chance explains all.
  S unexplained() const {
    S out = trend.is_unlikely(kUnlikely) ? pattern : S(0);
    for (const Departure which : kAllDepartures)
      if (departs(which)) out = std::max(out, departure(which).pattern);
    if (lack_of_fit.is_unlikely(kUnlikely)) out = std::max(out, std::sqrt(lack_of_fit.F - S(1)) * pure_error);
    return out > S(0) ? out * relative_sd / residual_sd : S(0);
  }
};

namespace detail {

/// Residuals of this size, as a share of the loss, are rounding.
inline constexpr double kRounding = 1e-9;
/// Runs of one N, on average, from which neighbours in D are compared.
inline constexpr Index kLongSeries = 6;

/// The part of a force sqrt(w) r that means of classes make up, and the rest of it: sum_c W_c mean_c^2 with the weighted means
/// of r and the sums W_c of w.
template <typename S>
struct BetweenClasses {
  S between = S(0), within = S(0);

  /// \param root sqrt(w), (n,), or empty.
  BetweenClasses(const EqualRows& equal, CRef<Vector<S>> root, CRef<Vector<S>> force) {
    std::vector<S> sum(static_cast<std::size_t>(equal.count)), weight(sum.size());
    S square = S(0);
    for (std::size_t i = 0; i < equal.of.size(); ++i) {
      const auto c = static_cast<std::size_t>(equal.of[i]);
      const auto row = static_cast<Index>(i);
      const S f = force[row], w = root.size() == 0 ? S(1) : root[row];
      sum[c] += w * f, weight[c] += w * w, square += f * f;
    }
    for (std::size_t c = 0; c < sum.size(); ++c) between += sum[c] * sum[c] / weight[c];
    within = std::max(square - between, S(0));
  }
};

/// How many of the means of classes are free of what the law and the curves take up: the trace of P (I - H), P the projector
/// on the classes, H that on J and X, which is what the sum of squares between classes has as its mean, in units of the noise.
template <typename S>
S free_means(const EqualRows& classes, CRef<Vector<S>> root, const TangentSpace<S>& space) {
  S out = S(classes.count);
  for (Index k = 0; k < space.Q.cols(); ++k)
    if (space.R(k, k) > S(0)) out -= BetweenClasses<S>(classes, root, space.Q.col(k) / space.R(k, k)).between;
  return out;
}

/// The correlation of the forces of neighbours in x within each class, and how many pairs there are.
template <typename S>
std::pair<S, Index> serial_correlation(const EqualRows& classes, CRef<Vector<S>> x, CRef<Vector<S>> force) {
  std::vector<Index> order(classes.of.size());
  std::iota(order.begin(), order.end(), Index(0));
  const auto of = [&](Index i) { return classes.of[static_cast<std::size_t>(i)]; };
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return of(a) != of(b) ? of(a) < of(b) : x[a] < x[b]; });
  S products = S(0);
  Index pairs = 0;
  for (std::size_t k = 1; k < order.size(); ++k) {
    if (of(order[k]) != of(order[k - 1])) continue;
    products += force[order[k]] * force[order[k - 1]];
    ++pairs;
  }
  return {products / force.squaredNorm() * S(force.size()) / S(std::max(pairs, Index(1))), pairs};
}

/// Rows whose residual is more than kReach robust standard deviations from zero, where they sway a fit of least squares.
template <typename S>
std::vector<Index> outlying(CRef<Vector<S>> force, Index dof) {
  constexpr double kReach = 6;  // normal noise brings one in 5e8
  constexpr Index kLeastDof = 8;
  constexpr double kSwayed = 1.5;
  std::vector<Index> out;
  if (dof < kLeastDof) return out;
  const Vector<S> size = force.cwiseAbs();
  // The median is at most sqrt(2) times the root mean square.
  if (size.maxCoeff() < S(2) * std::sqrt(force.squaredNorm() / S(dof))) return out;
  const S n = S(size.size()), limit = S(kReach * 1.4826) * median<S>(size) * std::sqrt(n / S(dof));
  S others = S(0);
  for (Index i = 0; i < size.size(); ++i) {
    if (size[i] > limit)
      out.push_back(i);
    else
      others += size[i] * size[i];
  }
  const S left = n - S(out.size());
  if (!(force.squaredNorm() / n > S(kSwayed * kSwayed) * others / left)) out.clear();
  return out;
}

/// The columns that a law reads.
template <typename S>
std::vector<const S*> columns_read(const Fit<S>& fit) {
  const Inputs<S>& at = fit.runs.at;
  std::vector<const S*> out;
  if (fit.law->reads("params")) out.push_back(at.log_N.data());
  if (fit.law->reads("tokens")) out.push_back(at.log_D.data());
  if (fit.law->reads("unique_tokens")) out.push_back(at.log_U.data());
  for (const Vector<S>& column : at.columns) out.push_back(column.data());
  return out;
}

/// Whether runs of one N are many enough to be tested against those of another.
inline bool sizes_are_compared(Index runs, Index sizes) { return sizes >= 3 && runs >= 2 * sizes; }

/// Fills in what repeats and sizes say. \param unit of the force, in residuals.
template <typename S>
void compare_classes(const Fit<S>& fit, const TangentSpace<S>& space, const EqualRows& cells, const EqualRows& sizes, S unit,
                     Misfit<S>& out) {
  const Index n = fit.runs.size(), left = n - space.rank - space.curve_rank;
  const Vector<S> root = fit.weight().cwiseSqrt();
  if (cells.count < n) {
    const BetweenClasses<S> by(cells, root, space.rest);
    out.pure_dof = n - cells.count;
    out.pure_error = unit * std::sqrt(by.within / S(out.pure_dof));
    out.lack_of_fit = FTest<S>(std::max(space.square() - by.within, S(0)), cells.count - space.rank, by.within, out.pure_dof);
  }
  if (sizes_are_compared(n, sizes.count)) {
    const BetweenClasses<S> by(sizes, root, space.rest);
    const auto means = static_cast<Index>(std::lround(free_means<S>(sizes, root, space)));
    out.by_size = FTest<S>(by.between, means, by.within, left - means);
  }
  if (n >= kLongSeries * sizes.count && fit.law->reads("tokens")) {
    const auto [correlation, pairs] = serial_correlation<S>(sizes, fit.runs.at.log_D, space.rest);
    out.serial = correlation;
    // Of independent residuals it has a standard deviation of 1 / sqrt(pairs).
    out.in_series = correlation > S(0.5) && correlation * std::sqrt(S(pairs)) > S(4);
  }
}

template <typename S>
Misfit<S> misfit(const Fit<S>& fit, const TangentSpace<S>& space) {
  Misfit<S> out;
  const Index n = fit.runs.size(), dof = n - space.rank;
  const EqualRows sizes(n, std::vector<const S*>{fit.runs.at.log_N.data()});
  out.sizes = sizes.count;
  // Runs whose N all differ differ.
  std::vector<const S*> columns = columns_read(fit);
  const bool all_differ = sizes.count == n && fit.law->reads("params");
  const EqualRows cells = all_differ ? sizes : EqualRows(n, columns);
  out.distinct = cells.count;
  if (cells.count < n) {
    columns.push_back(fit.runs.loss.data());
    out.repeated = n - EqualRows(n, columns).count;
  }
  if (dof <= 0) return out;
  const bool weighted = fit.weight().size() != 0;
  const Noise<S> noise = offray::noise(fit);
  out.residual_sd = noise.sd;
  out.relative_sd = out.residual_sd / (fit.options.space == Space::loss ? fit.runs.loss.mean() : S(1)) *
                    (weighted ? std::sqrt(fit.weight().cwiseInverse().mean()) : S(1));
  // A force psi(r) over its mean slope stands for r.
  const S unit = S(1) / noise.slope;
  if (!(out.relative_sd > S(kRounding)) || !(unit > S(0) && std::isfinite(unit))) return out;
  const ObjectiveKind kind = fit.options.solver.objective.kind;
  if (kind == ObjectiveKind::squares)
    out.outliers = outlying<S>(space.rest, dof);
  else if (kind != ObjectiveKind::quantile)  // whose residuals are not about 0
    out.outliers =
        outlying<S>(weighted ? Vector<S>(fit.residual().cwiseProduct(fit.weight().cwiseSqrt())) : fit.residual(), dof);
  // Copies tell nothing of their own.
  out.trend = FTest<S>(space.square_curves, space.curve_rank, space.square_rest, dof - space.curve_rank - out.repeated);
  out.pattern = unit * std::sqrt(space.square_curves / S(n));
  out.departures = departures(fit, space, dof - 1 - out.repeated, unit, sizes_are_compared(n, sizes.count));
  if (out.repeated == 0) compare_classes(fit, space, cells, sizes, unit, out);
  return out;
}

}  // namespace detail

/// Of a fit: what its residuals say.
template <typename S>
Misfit<S> misfit(const Fit<S>& fit) {
  return detail::misfit(fit, detail::TangentSpace<S>(fit));
}

}  // namespace OFFRAY_ABI
}  // namespace offray
