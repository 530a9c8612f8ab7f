// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a global fit of a power sum starts: every node of a grid over its exponents, coefficients in closed form.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "offray/separable.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// A node of the grid with its best coefficients.
template <typename S>
struct GridCell {
  PowerSum<S> form;
  S objective;  ///< sum w r^2 of the linearised problem
};

/// L^(1/outer) = floor + n N^-p + d D^-q with rows weighted so that its residual is the fitted one to first order (exactly for
/// outer = 1 on loss). All inner products over a plane of (p, q) are one matrix product of the columns N^-p with the columns
/// D^-q, taken over blocks of rows that stay in the first-level cache; given those, each node is a non-negative least-squares
/// problem in three unknowns with a closed form. Inner products lose digits on nearly collinear columns, which a start can
/// afford and a fit cannot: nothing else uses them.
template <typename S>
class GridSearch {
 public:
  /// \param grid the law's range of `outer`, and whether q is fixed (count 1).
  explicit GridSearch(const StartGrid& grid) : grid_(grid) {}

  /// Local minima of the grid, lowest first, at most `most`.
  /// \param reweight factor of every squared residual, (n,), or empty: psi / r of a robust fit, say.
  std::vector<GridCell<S>> minima(const PowerSumRows<S>& rows, const Vector<S>& reweight, std::size_t most);

  /// Local minima of the two lines through `at` along which p or q takes the values of the grid, other than `at` itself: with
  /// one exponent at its best value a node can show what the misfit of the other hid.
  std::vector<GridCell<S>> minima_along(const PowerSumRows<S>& rows, const Vector<S>& reweight, const PowerSum<S>& at);

 private:
  using Kernel = detail::Kernels<S>;

  // Exponents are multiples of one, so that each column is a product of two earlier ones: one exponential serves all.
  static constexpr int kNodes = 16;
  static constexpr std::array<int, kNodes> kMultiples{1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192};
  static constexpr int kParents[kNodes][2] = {{0, 0}, {0, 0}, {1, 1}, {2, 1}, {2, 2}, {4, 2},  {4, 4},   {6, 2},
                                              {6, 4}, {6, 6}, {9, 4}, {9, 6}, {9, 9}, {12, 9}, {12, 12}, {14, 12}};
  /// The node of twice the exponent, or -1.
  static constexpr int kDouble[kNodes] = {1, 2, 4, 5, 6, 8, 9, 10, 11, 12, -1, 13, 14, 15, -1, -1};
  static constexpr Index kBlock = 128;

  /// The exponents of an axis: `count` multiples of `base`, or one value.
  struct Nodes {
    int count;
    S base;
    S operator[](int k) const { return count == 1 ? base : base * S(kMultiples[static_cast<std::size_t>(k)]); }
  };

  struct Plane {
    S outer;
    Nodes p, q;
  };

  /// Inner products of one column with the constant, the target and itself, and the single-term solutions.
  struct Column {
    S e = S(0), t = S(0), self = S(0);
    S self_centred, t_centred;
    S gain;  ///< best decrease of the objective by this column, with or without the constant
  };

  /// All inner products of a plane.
  struct Sums {
    std::array<Column, kNodes> u, v;
    std::array<S, kNodes * kNodes> uv{};
    S ee = S(0), et = S(0), tt = S(0);
  };

  struct Block {
    alignas(64) S U[kNodes * kBlock];
    alignas(64) S V[kNodes * kBlock];
    alignas(64) S ends[2 * kBlock];  ///< the constant and the target, weighted
    alignas(64) S row[kBlock];
  };

  void add_rows(const PowerSumRows<S>& rows, const Vector<S>& reweight, const Plane& plane, Sums& sums) const;
  void weigh(const PowerSumRows<S>& rows, const Vector<S>& reweight, S outer, Index first, Index n, Block& block) const;
  static void powers(const Nodes& nodes, Index n, const S* x, const S* row, S* out);
  void finish(const Sums& sums, Column& column) const;
  Vector3<S> solve_cell(const Sums& sums, const Column& u, const Column& v, S uv, S& gain) const;
  void solve_plane(const PowerSumRows<S>& rows, const Vector<S>& reweight, const Plane& plane, Sums& sums, S* objective) const;
  GridCell<S> cell(const Plane& plane, const Sums& sums, int p, int q) const;

  S outer_value(int a) const {
    const Range& range = grid_.outer;
    return range.count == 1 ? S(range.low) : S(range.low * std::pow(range.high / range.low, a / (range.count - 1.0)));
  }
  /// p and q are alpha_N / alpha and alpha_D / alpha: a small alpha goes with large ratios.
  Nodes nodes_for(S outer) const { return {kNodes, S(0.025) * std::max(S(1), S(0.1) / outer)}; }

  StartGrid grid_;
  S log_scale_ = S(0);  ///< ln L0, where the rows need it
};

/// Columns exp(-p x) times the row weights.
template <typename S>
void GridSearch<S>::powers(const Nodes& nodes, Index n, const S* x, const S* row, S* out) {
  Kernel::power(n, nodes.base, x, nullptr, out, nullptr);
  const auto column = [&](int k) {
    return Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>, Eigen::Aligned16>(out + k * kBlock, n);
  };
  for (int k = 1; k < nodes.count; ++k) column(k) = column(kParents[k][0]) * column(kParents[k][1]);
  if (row == nullptr) return;
  const Eigen::Map<const Eigen::Array<S, Eigen::Dynamic, 1>, Eigen::Aligned16> weight(row, n);
  for (int k = 0; k < nodes.count; ++k) column(k) *= weight;
}

/// Row weights, constant and target of a block. With y = (L / L0)^(1 / outer), dy = y dL / (outer L) sets the weights.
template <typename S>
void GridSearch<S>::weigh(const PowerSumRows<S>& rows, const Vector<S>& reweight, S outer, Index first, Index n,
                          Block& block) const {
  S* row = block.row;
  S* target = block.ends + kBlock;
  const S* observed = rows.observed.data() + first;
  if (rows.space == Space::loss && outer == S(1)) {
    for (Index i = 0; i < n; ++i) row[i] = S(1), target[i] = observed[i];
  } else {
    if (rows.space == Space::loss)
      Kernel::log(n, observed, row);
    else
      std::copy(observed, observed + n, row);
    for (Index i = 0; i < n; ++i) row[i] -= log_scale_;
    Kernel::exp(n, S(1) / outer, row, target);
    if (rows.space == Space::loss)
      Kernel::exp(n, S(1), row, row);
    else
      std::fill(row, row + n, S(1));
    for (Index i = 0; i < n; ++i) row[i] *= outer / target[i];
  }
  if (rows.root.size() != 0)
    for (Index i = 0; i < n; ++i) row[i] *= rows.root[first + i];
  if (reweight.size() != 0)
    for (Index i = 0; i < n; ++i) row[i] *= std::sqrt(reweight[first + i]);
  for (Index i = 0; i < n; ++i) {
    block.ends[i] = row[i];
    target[i] *= row[i];
  }
}

template <typename S>
void GridSearch<S>::add_rows(const PowerSumRows<S>& rows, const Vector<S>& reweight, const Plane& plane, Sums& sums) const {
  Block block;
  S part[kNodes * kNodes];
  const bool plain = rows.space == Space::loss && plane.outer == S(1) && rows.root.size() == 0 && reweight.size() == 0;
  for (Index first = 0; first < rows.rows; first += kBlock) {
    const Index n = std::min(kBlock, rows.rows - first);
    weigh(rows, reweight, plane.outer, first, n, block);
    powers(plane.p, n, rows.x.data() + first, plain ? nullptr : block.row, block.U);
    powers(plane.q, n, rows.y.data() + first, plain ? nullptr : block.row, block.V);
    const S* target = block.ends + kBlock;
    sums.ee += Kernel::dot(n, block.ends, block.ends);
    sums.et += Kernel::dot(n, block.ends, target);
    sums.tt += Kernel::dot(n, target, target);
    const auto add = [&](const S* W, int count, std::array<Column, kNodes>& columns) {
      Kernel::gram(n, 2, block.ends, count, W, kBlock, part);
      for (int k = 0; k < count; ++k) {
        Column& column = columns[static_cast<std::size_t>(k)];
        column.e += part[2 * k];
        column.t += part[2 * k + 1];
        if (count == 1 || kDouble[k] < 0) column.self += Kernel::dot(n, W + k * kBlock, W + k * kBlock);
      }
    };
    add(block.U, plane.p.count, sums.u);
    add(block.V, plane.q.count, sums.v);
    Kernel::gram(n, plane.q.count, block.V, plane.p.count, block.U, kBlock, part);
    for (int k = 0; k < plane.p.count * plane.q.count; ++k) sums.uv[static_cast<std::size_t>(k)] += part[k];
  }
  // (row u)^2 is row times the column of twice the exponent.
  const auto squares = [](int count, std::array<Column, kNodes>& columns) {
    for (int k = 0; count > 1 && k < kNodes; ++k)
      if (kDouble[k] >= 0) columns[static_cast<std::size_t>(k)].self = columns[static_cast<std::size_t>(kDouble[k])].e;
  };
  squares(plane.p.count, sums.u);
  squares(plane.q.count, sums.v);
}

template <typename S>
void GridSearch<S>::finish(const Sums& sums, Column& c) const {
  c.gain = c.t * c.t / c.self;
  if (!grid_.has_floor) return;
  c.self_centred = c.self - c.e * c.e / sums.ee;
  c.t_centred = c.t - c.e * sums.et / sums.ee;
  const S slope = c.t_centred / c.self_centred;
  if (slope > S(0) && sums.et >= slope * c.e) c.gain = sums.et * sums.et / sums.ee + slope * c.t_centred;
}

/// Coefficients (floor, n, d) of one node and how far they lower the objective from that of L = 0.
template <typename S>
Vector3<S> GridSearch<S>::solve_cell(const Sums& sums, const Column& u, const Column& v, S uv, S& gain) const {
  const S ee = sums.ee, et = sums.et;
  // 16 eps would do for exact inner products; centred ones carry the rounding of much larger sums.
  constexpr S kParallel = S(1e4) * std::numeric_limits<S>::epsilon();
  Vector3<S> c = Vector3<S>::Zero();
  if (grid_.has_floor) {
    const S uv_centred = uv - u.e * v.e / ee;
    const S det = u.self_centred * v.self_centred - uv_centred * uv_centred;
    if (det > kParallel * u.self_centred * v.self) {
      const S n = (u.t_centred * v.self_centred - v.t_centred * uv_centred) / det;
      const S d = (v.t_centred * u.self_centred - u.t_centred * uv_centred) / det;
      const S floor = (et - n * u.e - d * v.e) / ee;
      if (n >= S(0) && d >= S(0) && floor >= S(0)) {
        gain = et * et / ee + n * u.t_centred + d * v.t_centred;
        return {floor, n, d};
      }
    }
    gain = et * et / ee;
    c[0] = et / ee;
  } else {
    gain = S(0);
  }
  const S det = u.self * v.self - uv * uv;
  if (det > kParallel * u.self * v.self) {
    const S n = (u.t * v.self - v.t * uv) / det, d = (v.t * u.self - u.t * uv) / det;
    if (n >= S(0) && d >= S(0) && n * u.t + d * v.t > gain) {
      gain = n * u.t + d * v.t;
      c << S(0), n, d;
    }
  }
  for (int k = 1; k <= 2; ++k) {
    const Column& one = k == 1 ? u : v;
    if (!(one.gain > gain)) continue;
    gain = one.gain;
    c.setZero();
    if (one.gain > one.t * one.t / one.self) {  // the solution with the constant
      c[k] = one.t_centred / one.self_centred;
      c[0] = (et - c[k] * one.e) / ee;
    } else {
      c[k] = one.t / one.self;
    }
  }
  return c;
}

/// The objective at every node of a plane, q running fastest.
template <typename S>
void GridSearch<S>::solve_plane(const PowerSumRows<S>& rows, const Vector<S>& reweight, const Plane& plane, Sums& sums,
                                S* objective) const {
  add_rows(rows, reweight, plane, sums);
  for (int p = 0; p < plane.p.count; ++p) finish(sums, sums.u[static_cast<std::size_t>(p)]);
  for (int q = 0; q < plane.q.count; ++q) finish(sums, sums.v[static_cast<std::size_t>(q)]);
  for (int p = 0; p < plane.p.count; ++p)
    for (int q = 0; q < plane.q.count; ++q) *objective++ = cell(plane, sums, p, q).objective;
}

template <typename S>
GridCell<S> GridSearch<S>::cell(const Plane& plane, const Sums& sums, int p, int q) const {
  S gain = S(0);
  const Vector3<S> c = solve_cell(sums, sums.u[static_cast<std::size_t>(p)], sums.v[static_cast<std::size_t>(q)],
                                  sums.uv[static_cast<std::size_t>(p * plane.q.count + q)], gain);
  return {{plane.outer, plane.p[p], plane.q[q], c[0], c[1], c[2]}, sums.tt - gain};
}

template <typename S>
std::vector<GridCell<S>> GridSearch<S>::minima(const PowerSumRows<S>& rows, const Vector<S>& reweight, std::size_t most) {
  log_scale_ = rows.space == Space::log_loss ? rows.observed.head(rows.rows).mean() : rows.log_unit;
  const int planes = grid_.outer.count, p_count = kNodes, q_count = grid_.q.count > 1 ? kNodes : 1;
  std::vector<Plane> plane;
  std::vector<Sums> sums(static_cast<std::size_t>(planes));
  std::vector<S> objective(static_cast<std::size_t>(planes * p_count * q_count));
  const auto index = [&](int a, int p, int q) { return static_cast<std::size_t>((a * p_count + p) * q_count + q); };
  for (int a = 0; a < planes; ++a) {
    const S outer = outer_value(a);
    plane.push_back({outer, nodes_for(outer), q_count > 1 ? nodes_for(outer) : Nodes{1, S(grid_.q.low)}});
    solve_plane(rows, reweight, plane.back(), sums[static_cast<std::size_t>(a)], &objective[index(a, 0, 0)]);
  }
  // Of equal neighbours (a term that is absent makes a plateau) the first counts.
  const auto is_minimum = [&](int a, int p, int q) {
    const S here = objective[index(a, p, q)];
    if (!std::isfinite(here)) return false;
    for (int i = std::max(a - 1, 0); i <= std::min(a + 1, planes - 1); ++i)
      for (int j = std::max(p - 1, 0); j <= std::min(p + 1, p_count - 1); ++j)
        for (int k = std::max(q - 1, 0); k <= std::min(q + 1, q_count - 1); ++k) {
          const S there = objective[index(i, j, k)];
          if (there < here || (there == here && index(i, j, k) < index(a, p, q))) return false;
        }
    return true;
  };
  std::vector<GridCell<S>> out;
  for (int a = 0; a < planes; ++a)
    for (int p = 0; p < p_count; ++p)
      for (int q = 0; q < q_count; ++q) {
        if (!is_minimum(a, p, q)) continue;
        out.push_back(cell(plane[static_cast<std::size_t>(a)], sums[static_cast<std::size_t>(a)], p, q));
        PowerSum<S>& form = out.back().form;
        for (S* c : {&form.floor, &form.n, &form.d}) *c *= std::exp(log_scale_ / form.outer);
      }
  std::stable_sort(out.begin(), out.end(), [](const auto& x, const auto& y) { return x.objective < y.objective; });
  if (out.size() > most) out.resize(most);
  return out;
}

template <typename S>
std::vector<GridCell<S>> GridSearch<S>::minima_along(const PowerSumRows<S>& rows, const Vector<S>& reweight,
                                                     const PowerSum<S>& at) {
  log_scale_ = rows.space == Space::log_loss ? rows.observed.head(rows.rows).mean() : rows.log_unit;
  std::vector<GridCell<S>> out;
  const auto line = [&](const Plane& plane, S here, bool absent) {
    const Nodes& nodes = plane.p.count > 1 ? plane.p : plane.q;
    Sums sums;
    std::array<S, kNodes> objective;
    solve_plane(rows, reweight, plane, sums, objective.data());
    for (int k = 0; k < kNodes; ++k) {
      const S value = objective[static_cast<std::size_t>(k)];
      // The two nodes around `at` see its own basin.
      const bool beside = (k == 0 || here >= nodes[k - 1]) && (k + 1 == kNodes || here <= nodes[k + 1]);
      const bool left = k == 0 || value < objective[static_cast<std::size_t>(k - 1)];
      const bool right = k + 1 == kNodes || value <= objective[static_cast<std::size_t>(k + 1)];
      if ((beside && !absent) || !left || !right || !std::isfinite(value)) continue;
      out.push_back(plane.p.count > 1 ? cell(plane, sums, k, 0) : cell(plane, sums, 0, k));
      PowerSum<S>& form = out.back().form;
      for (S* c : {&form.floor, &form.n, &form.d}) *c *= std::exp(log_scale_ / form.outer);
    }
  };
  line({at.outer, nodes_for(at.outer), {1, at.q}}, at.p, !(at.n > S(0)));
  if (grid_.q.count > 1) line({at.outer, {1, at.p}, nodes_for(at.outer)}, at.q, !(at.d > S(0)));
  return out;
}

}  // namespace OFFRAY_ABI
}  // namespace offray
