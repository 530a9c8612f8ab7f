// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a global fit of a power sum starts: every node of a grid over its exponents, coefficients in closed form.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "offray/detail/solve/power_sum/variable_projection.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

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

  /// Whether `cell` most likely leads to `at`: each exponent within .6 and 1.7 of the node, about as far as the next nodes are.
  bool beside(const PowerSum<S>& cell, const PowerSum<S>& at) const;

  /// Two points between the exponents of `from` and those of `to`.
  std::vector<PowerSum<S>> between(const PowerSumRows<S>& rows, const Vector<S>& reweight, const PowerSum<S>& from,
                                   const PowerSum<S>& to) const;

  /// Local minima of the two lines through `at` along which p or q takes the values of the grid, other than `at` itself: with
  /// one exponent at its best value a node can show what the misfit of the other hid.
  std::vector<GridCell<S>> minima_along(const PowerSumRows<S>& rows, const Vector<S>& reweight, const PowerSum<S>& at);

 private:
  using Kernel = Kernels<S>;

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
    alignas(64) S WU[kNodes * kBlock];  ///< the same times the row weights
    alignas(64) S WV[kNodes * kBlock];
    alignas(64) S ends[2 * kBlock];      ///< the constant and the target, weighted
    alignas(64) S log_loss[2 * kBlock];  ///< ln (L / L0) and L / L0
  };

  void add_rows(const PowerSumRows<S>& rows, const Vector<S>& reweight, const std::vector<Plane>& planes,
                std::vector<Sums>& sums) const;
  void weigh(const PowerSumRows<S>& rows, const Vector<S>& reweight, S outer, Index first, Index n, Block& block) const;
  using Segment = Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>, Eigen::Aligned16>;
  static Segment column(S* columns, int k, Index n) { return Segment(columns + k * kBlock, n); }
  static void powers(const Nodes& nodes, Index n, const S* x, S* out);
  void finish(const Sums& sums, Column& column) const;
  Vector3<S> solve_cell(const Sums& sums, const Column& u, const Column& v, S uv, S& gain) const;
  void solve_plane(const Plane& plane, Sums& sums, S* objective) const;
  GridCell<S> cell(const Plane& plane, const Sums& sums, int p, int q) const;

  /// Coefficients of L instead of L / L0.
  GridCell<S> in_units(GridCell<S> cell) const {
    PowerSum<S>& form = cell.form;
    for (S* c : {&form.floor, &form.n, &form.d}) *c *= std::exp(log_scale_ / form.outer);
    return cell;
  }

  S outer_value(int a) const {
    const Range& range = grid_.outer;
    return range.count == 1 ? S(range.low) : S(range.low * std::pow(range.high / range.low, a / (range.count - 1.0)));
  }
  /// Exponents of .025 to 4.8. With `outer` unknown p and q are ratios to it, and what the data see is p outer: .01 to 1.9,
  /// which keeps the valley of p against outer along the grid.
  Nodes nodes_for(S outer) const { return {kNodes, grid_.outer.count == 1 ? S(0.025) : S(0.01) / outer}; }

  StartGrid grid_;
  S log_scale_ = S(0);  ///< ln L0, where the rows need it
};

/// Columns exp(-p x).
template <typename S>
void GridSearch<S>::powers(const Nodes& nodes, Index n, const S* x, S* out) {
  Kernel::power(n, nodes.base, x, nullptr, out, nullptr);
  Kernel::products(n, nodes.count, &kParents[0][0], out, kBlock);
}

/// Row weights, constant and target of a block. With y = (L / L0)^(1 / outer), dy = y dL / (outer L) sets the weights.
template <typename S>
void GridSearch<S>::weigh(const PowerSumRows<S>& rows, const Vector<S>& reweight, S outer, Index first, Index n,
                          Block& block) const {
  auto row = column(block.ends, 0, n), target = column(block.ends, 1, n);
  if (rows.space == Space::loss && outer == S(1)) {
    row.setOnes();
    target = rows.observed.segment(first, n).array();
  } else {
    Kernel::exp(n, S(1) / outer, block.log_loss, target.data());
    row = outer / target;
    if (rows.space == Space::loss) row *= column(block.log_loss, 1, n);
  }
  if (rows.root.size() != 0) row *= rows.root.segment(first, n).array();
  if (reweight.size() != 0) row *= reweight.segment(first, n).array().sqrt();
  target *= row;
}

/// Adds the inner products of all rows, block by block, for every plane.
template <typename S>
void GridSearch<S>::add_rows(const PowerSumRows<S>& rows, const Vector<S>& reweight, const std::vector<Plane>& planes,
                             std::vector<Sums>& sums) const {
  Block block;
  S part[kNodes * kNodes];
  for (Index first = 0; first < rows.rows; first += kBlock) {
    const Index n = std::min(kBlock, rows.rows - first);
    if (rows.space == Space::log_loss || grid_.outer.count > 1) {  // ln (L / L0) and, for the loss, L / L0
      const S* observed = rows.observed.data() + first;
      if (rows.space == Space::loss)
        Kernel::log(n, observed, block.log_loss);
      else
        std::copy(observed, observed + n, block.log_loss);
      column(block.log_loss, 0, n) -= log_scale_;
      Kernel::exp(n, S(1), block.log_loss, block.log_loss + kBlock);
    }
    S base_p = S(0), base_q = S(0);
    for (std::size_t a = 0; a < planes.size(); ++a) {
      const Plane& plane = planes[a];
      Sums& sum = sums[a];
      weigh(rows, reweight, plane.outer, first, n, block);
      if (plane.p.base != base_p || plane.q.base != base_q) {
        base_p = plane.p.base;
        base_q = plane.q.base;
        powers(plane.p, n, rows.x.data() + first, block.U);
        powers(plane.q, n, rows.y.data() + first, block.V);
      }
      const bool plain = rows.space == Space::loss && plane.outer == S(1) && rows.root.size() == 0 && reweight.size() == 0;
      const S* U = plain ? block.U : block.WU;
      const S* V = plain ? block.V : block.WV;
      if (!plain) {
        Kernel::scaled(n, plane.p.count, block.ends, block.U, block.WU, kBlock);
        Kernel::scaled(n, plane.q.count, block.ends, block.V, block.WV, kBlock);
      }
      const S* target = block.ends + kBlock;
      sum.ee += Kernel::dot(n, block.ends, block.ends);
      sum.et += Kernel::dot(n, block.ends, target);
      sum.tt += Kernel::dot(n, target, target);
      const auto add = [&](const S* W, int count, std::array<Column, kNodes>& columns) {
        Kernel::gram(n, 2, block.ends, count, W, kBlock, part);
        for (int k = 0; k < count; ++k) {
          Column& c = columns[static_cast<std::size_t>(k)];
          c.e += part[2 * k];
          c.t += part[2 * k + 1];
          if (count == 1 || kDouble[k] < 0) c.self += Kernel::dot(n, W + k * kBlock, W + k * kBlock);
        }
      };
      add(U, plane.p.count, sum.u);
      add(V, plane.q.count, sum.v);
      Kernel::gram(n, plane.q.count, V, plane.p.count, U, kBlock, part);
      for (int k = 0; k < plane.p.count * plane.q.count; ++k) sum.uv[static_cast<std::size_t>(k)] += part[k];
    }
  }
  // (row u)^2 is row times the weighted column of twice the exponent.
  const auto squares = [](int count, std::array<Column, kNodes>& columns) {
    for (int k = 0; count > 1 && k < kNodes; ++k)
      if (kDouble[k] >= 0) columns[static_cast<std::size_t>(k)].self = columns[static_cast<std::size_t>(kDouble[k])].e;
  };
  for (std::size_t a = 0; a < planes.size(); ++a) {
    squares(planes[a].p.count, sums[a].u);
    squares(planes[a].q.count, sums[a].v);
  }
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
void GridSearch<S>::solve_plane(const Plane& plane, Sums& sums, S* objective) const {
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
  }
  add_rows(rows, reweight, plane, sums);
  for (int a = 0; a < planes; ++a)
    solve_plane(plane[static_cast<std::size_t>(a)], sums[static_cast<std::size_t>(a)], &objective[index(a, 0, 0)]);
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
        out.push_back(in_units(cell(plane[static_cast<std::size_t>(a)], sums[static_cast<std::size_t>(a)], p, q)));
      }
  std::stable_sort(out.begin(), out.end(), [](const auto& x, const auto& y) { return x.objective < y.objective; });
  if (out.size() > most) out.resize(most);
  return out;
}

template <typename S>
bool GridSearch<S>::beside(const PowerSum<S>& cell, const PowerSum<S>& at) const {
  const auto near = [](S node, S value) { return value >= node * S(0.6) && value <= node * S(1.7); };
  const bool same_plane = grid_.outer.count == 1 || near(cell.outer, at.outer);
  // The exponent of an absent term means nothing, and a cell that has the term leads elsewhere.
  const bool same_p = cell.n > S(0) ? at.n > S(0) && near(cell.p, at.p) : !(at.n > S(0));
  const bool same_q = cell.d > S(0) ? at.d > S(0) && near(cell.q, at.q) : !(at.d > S(0));
  return same_plane && same_p && same_q;
}

template <typename S>
std::vector<PowerSum<S>> GridSearch<S>::between(const PowerSumRows<S>& rows, const Vector<S>& reweight, const PowerSum<S>& from,
                                                const PowerSum<S>& to) const {
  constexpr int kParts = 3;
  std::vector<Plane> way;
  for (int part = 1; part < kParts; ++part) {
    const auto at = [&](S first, S last) { return first * std::pow(last / first, S(part) / S(kParts)); };
    way.push_back({at(from.outer, to.outer), {1, at(from.p, to.p)}, {1, at(from.q, to.q)}});
  }
  std::vector<Sums> sums(way.size());
  add_rows(rows, reweight, way, sums);
  std::vector<PowerSum<S>> out;
  for (std::size_t k = 0; k < way.size(); ++k) {
    S objective;
    solve_plane(way[k], sums[k], &objective);
    out.push_back(in_units(cell(way[k], sums[k], 0, 0)).form);
  }
  return out;
}

template <typename S>
std::vector<GridCell<S>> GridSearch<S>::minima_along(const PowerSumRows<S>& rows, const Vector<S>& reweight,
                                                     const PowerSum<S>& at) {
  log_scale_ = rows.space == Space::log_loss ? rows.observed.head(rows.rows).mean() : rows.log_unit;
  std::vector<GridCell<S>> out;
  const auto line = [&](const Plane& plane, S here, bool absent) {
    const Nodes& nodes = plane.p.count > 1 ? plane.p : plane.q;
    std::vector<Sums> found(1);
    std::array<S, kNodes> objective;
    add_rows(rows, reweight, {plane}, found);
    Sums& sums = found.front();
    solve_plane(plane, sums, objective.data());
    for (int k = 0; k < kNodes; ++k) {
      const S value = objective[static_cast<std::size_t>(k)];
      // The two nodes around `at` see its own basin.
      const bool beside = (k == 0 || here >= nodes[k - 1]) && (k + 1 == kNodes || here <= nodes[k + 1]);
      const bool left = k == 0 || value < objective[static_cast<std::size_t>(k - 1)];
      const bool right = k + 1 == kNodes || value <= objective[static_cast<std::size_t>(k + 1)];
      if ((beside && !absent) || !left || !right || !std::isfinite(value)) continue;
      out.push_back(in_units(plane.p.count > 1 ? cell(plane, sums, k, 0) : cell(plane, sums, 0, k)));
    }
  };
  line({at.outer, nodes_for(at.outer), {1, at.q}}, at.p, !(at.n > S(0)));
  if (grid_.q.count > 1) line({at.outer, {1, at.p}, nodes_for(at.outer)}, at.q, !(at.d > S(0)));
  return out;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
