// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where a global fit of a power sum starts: every node of a grid over its exponents, coefficients in closed form.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "offray/detail/linalg/bounded.hpp"
#include "offray/detail/solve/power_sum/grid_cells.hpp"
#include "offray/detail/solve/power_sum/grid_sums.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// L^(1/outer) = floor + n N^-p + d D^-q at every node: given the inner products of its columns a bounded least-squares problem
/// in three unknowns with a closed form.
template <typename S>
class GridSearch {
 public:
  /// References must outlive the object. \param outer the law's range. \param reweight as GridProducts takes it.
  GridSearch(const PowerSumRows<S>& rows, const Range& outer, const Vector<S>& reweight, GridBuffers<S>& buffers)
      : rows_(rows),
        outer_(outer),
        products_(rows, reweight),
        buffers_(buffers),
        box_is_default_(rows.coefficients.is_default()) {}

  /// Local minima of the grid for every outer power, lowest first, at most `most` of each; until the next call with these
  /// buffers.
  const GridCells<S>& minima(std::size_t most) const;

  /// The best node with exponents of ordinary size, .12 to 1.3: extreme ones may fit the noise better, near a ray.
  PowerSum<S> middle() const;

  /// The best coefficients for given exponents.
  PowerSum<S> at(S outer, S p, S q) const;

  /// Whether `cell` most likely leads to `at`: each exponent within .6 and 1.7 of the node, about as far as the next nodes are.
  bool beside(const PowerSum<S>& cell, const PowerSum<S>& at) const;

  /// Two points between the exponents of `from` and those of `to`.
  std::array<PowerSum<S>, 2> between(const PowerSum<S>& from, const PowerSum<S>& to) const;

  /// Local minima of the two lines through `at` along which p or q takes the values of the grid, other than `at` itself: with
  /// one exponent at its best value a node can show what the misfit of the other hid. Until the next call, as above.
  const std::vector<GridCell<S>>& minima_along(const PowerSum<S>& at) const;

 private:
  void prepare() const;
  void finish(const GridSums<S>& sums, GridColumn<S>& column) const;
  Vector3<S> solve_cell(const GridSums<S>& sums, const GridColumn<S>& u, const GridColumn<S>& v, S uv, S& gain) const;
  Vector3<S> bounded_cell(const GridSums<S>& sums, const GridColumn<S>& u, const GridColumn<S>& v, S uv, S outer,
                          S& gain) const;
  void solve_plane(const GridPlane<S>& plane, GridSums<S>& sums, S* objective) const;
  void minima_of_line(const GridPlane<S>& plane, S here, std::vector<GridCell<S>>& out) const;
  void unbend(const GridPlane<S>& plane, const GridSums<S>& sums, int node, PowerSum<S>& form) const;
  GridCell<S> cell(const GridPlane<S>& plane, const GridSums<S>& sums, int p, int q) const;

  /// Coefficients of L instead of L / L0.
  GridCell<S> in_units(GridCell<S> cell) const {
    PowerSum<S>& form = cell.form;
    for (S* c : {&form.floor, &form.n, &form.d}) *c *= std::exp(products_.log_scale() / form.outer);
    return cell;
  }

  int outer_count() const { return rows_.free[0] ? outer_.count : 1; }
  S outer_value(int a) const {
    if (!rows_.free[0]) return rows_.value[0];
    const S low = std::max(S(outer_.low), rows_.lower[0]), high = std::min(S(outer_.high), rows_.upper[0]);
    return low * std::pow(high / low, S(a) / S(outer_.count - 1));
  }
  /// Exponents of .025 to 4.8. With `outer` unknown p and q are ratios to it, and what the data see is p outer: .01 to 1.9,
  /// which keeps the valley of p against outer along the grid.
  GridNodes<S> nodes(std::size_t which, S outer) const {
    if (!rows_.free[which]) return GridNodes<S>::one(rows_.value[which]);
    return GridNodes<S>::all(rows_.free[0] ? S(0.01) / outer : S(0.025), rows_.lower[which], rows_.upper[which]);
  }

  // 16 eps would do for exact inner products; centred ones carry the rounding of much larger sums.
  static constexpr S kParallel = S(1e4) * std::numeric_limits<S>::epsilon();

  const PowerSumRows<S>& rows_;
  Range outer_;
  GridProducts<S> products_;
  GridBuffers<S>& buffers_;
  bool box_is_default_;
};

template <typename S>
void GridSearch<S>::finish(const GridSums<S>& sums, GridColumn<S>& c) const {
  c.gain = c.t * c.t / c.self;
  if (!rows_.floor) return;
  c.self_centred = c.self - c.e * c.e / sums.ee;
  c.t_centred = c.t - c.e * sums.et / sums.ee;
  const S slope = c.t_centred / c.self_centred;
  if (slope > S(0) && sums.et >= slope * c.e) c.gain = sums.et * sums.et / sums.ee + slope * c.t_centred;
}

/// Coefficients (floor, n, d) >= 0 of one node and how far they lower the objective from that of L = 0.
template <typename S>
Vector3<S> GridSearch<S>::solve_cell(const GridSums<S>& sums, const GridColumn<S>& u, const GridColumn<S>& v, S uv,
                                     S& gain) const {
  const S ee = sums.ee, et = sums.et;
  Vector3<S> c = Vector3<S>::Zero();
  if (rows_.floor) {
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
    const GridColumn<S>& one = k == 1 ? u : v;
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

/// The same between the user's bounds; often the best coefficients that are not negative are within them.
template <typename S>
Vector3<S> GridSearch<S>::bounded_cell(const GridSums<S>& sums, const GridColumn<S>& u, const GridColumn<S>& v, S uv, S outer,
                                       S& gain) const {
  Box<S> box = rows_.coefficients;
  if (products_.log_scale() != S(0)) box = box.times(std::exp(-products_.log_scale() / outer));
  if (!rows_.floor) box.lower[0] = box.upper[0] = S(0);
  const bool positive = std::all_of(box.lower.begin(), box.lower.end(), [](S low) { return low >= S(0); });
  const Vector3<S> c = solve_cell(sums, u, v, uv, gain);
  if (positive && box.holds(c)) return c;
  InnerProducts<S> products{{{sums.ee, u.e, v.e}, {u.e, u.self, uv}, {v.e, uv, v.self}}, {sums.et, u.t, v.t}};
  return bounded_solution(products, kParallel, box, gain);
}

/// The objective at every node of a plane, q running fastest.
template <typename S>
void GridSearch<S>::solve_plane(const GridPlane<S>& plane, GridSums<S>& sums, S* objective) const {
  for (int p = 0; p < plane.p.count; ++p) finish(sums, sums.u[static_cast<std::size_t>(p)]);
  for (int q = 0; q < plane.q.count; ++q) finish(sums, sums.v[static_cast<std::size_t>(q)]);
  for (int p = 0; p < plane.p.count; ++p)
    for (int q = 0; q < plane.columns(); ++q) *objective++ = cell(plane, sums, p, q).objective;
}

template <typename S>
GridCell<S> GridSearch<S>::cell(const GridPlane<S>& plane, const GridSums<S>& sums, int p, int q) const {
  S gain = S(0);
  const int other = plane.equal ? p : q;
  const GridColumn<S>&u = sums.u[static_cast<std::size_t>(p)], &v = sums.v[static_cast<std::size_t>(other)];
  const S uv = sums.uv[static_cast<std::size_t>(p * plane.columns() + q)];
  const Vector3<S> c = box_is_default_ ? solve_cell(sums, u, v, uv, gain) : bounded_cell(sums, u, v, uv, plane.outer, gain);
  return {{plane.outer, plane.p[p], plane.q[other], c[0], c[1], c[2]}, sums.tt - gain};
}

/// The planes and their inner products.
template <typename S>
void GridSearch<S>::prepare() const {
  buffers_.planes.clear();
  for (int a = 0; a < outer_count(); ++a) {
    const S outer = outer_value(a);
    buffers_.planes.push_back({outer, nodes(1, outer), nodes(2, outer), rows_.equal_exponents, 0});
  }
  buffers_.sums.resize(buffers_.planes.size());
  products_.of(buffers_.planes.data(), buffers_.planes.size(), buffers_.sums.data());
  buffers_.objective.resize(static_cast<std::size_t>(buffers_.planes[0].size()));
}

template <typename S>
const GridCells<S>& GridSearch<S>::minima(std::size_t most) const {
  prepare();
  std::vector<GridSums<S>>& sums = buffers_.sums;
  std::vector<S>& objective = buffers_.objective;
  std::vector<GridCell<S>>& cells = buffers_.minima.cells;
  cells.clear();
  buffers_.minima.end.clear();
  for (std::size_t a = 0; a < buffers_.planes.size(); ++a) {
    const GridPlane<S>& plane = buffers_.planes[a];
    const std::size_t first = cells.size();
    solve_plane(plane, sums[a], objective.data());
    const int p_count = plane.p.count, q_count = plane.columns();
    const auto index = [&](int p, int q) { return static_cast<std::size_t>(p * q_count + q); };
    // Of equal neighbours (a term that is absent makes a plateau) the first counts.
    const auto is_minimum = [&](int p, int q) {
      const S here = objective[index(p, q)];
      if (!std::isfinite(here)) return false;
      for (int j = std::max(p - 1, 0); j <= std::min(p + 1, p_count - 1); ++j)
        for (int k = std::max(q - 1, 0); k <= std::min(q + 1, q_count - 1); ++k) {
          const S there = objective[index(j, k)];
          if (there < here || (there == here && index(j, k) < index(p, q))) return false;
        }
      return true;
    };
    for (int p = 0; p < p_count; ++p)
      for (int q = 0; q < q_count; ++q)
        if (is_minimum(p, q)) cells.push_back(in_units(cell(plane, sums[a], p, q)));
    sort_few(cells.data() + first, cells.data() + cells.size(),
             [](const auto& x, const auto& y) { return x.objective < y.objective; });
    if (cells.size() > first + most) cells.resize(first + most);
    buffers_.minima.end.push_back(cells.size());
  }
  return buffers_.minima;
}

template <typename S>
PowerSum<S> GridSearch<S>::middle() const {
  GridCell<S> best{{}, std::numeric_limits<S>::infinity()};
  prepare();
  const auto ordinary = [](S exponent) { return exponent > S(0.12) && exponent < S(1.3); };
  for (std::size_t a = 0; a < buffers_.planes.size(); ++a) {
    const GridPlane<S>& plane = buffers_.planes[a];
    GridSums<S>& sums = buffers_.sums[a];
    const std::vector<S>& objective = buffers_.objective;
    solve_plane(plane, sums, buffers_.objective.data());
    for (int p = 0; p < plane.p.count; ++p)
      for (int q = 0; q < plane.columns(); ++q) {
        if (!ordinary(plane.p[p] * plane.outer) || !ordinary(plane.q[plane.equal ? p : q] * plane.outer)) continue;
        if (objective[static_cast<std::size_t>(p * plane.columns() + q)] < best.objective) best = cell(plane, sums, p, q);
      }
  }
  return in_units(best).form;
}

template <typename S>
PowerSum<S> GridSearch<S>::at(S outer, S p, S q) const {
  const GridPlane<S> plane{outer, GridNodes<S>::one(p), GridNodes<S>::one(q), false, 0};
  GridSums<S> sums = products_.of(plane);
  S objective;
  solve_plane(plane, sums, &objective);
  return in_units(cell(plane, sums, 0, 0)).form;
}

template <typename S>
bool GridSearch<S>::beside(const PowerSum<S>& cell, const PowerSum<S>& at) const {
  const auto near = [](S node, S value) { return value >= node * S(0.6) && value <= node * S(1.7); };
  const bool same_plane = !rows_.free[0] || near(cell.outer, at.outer);
  // The exponent of an absent term means nothing, and a cell that has the term leads elsewhere.
  const bool same_p = cell.n > S(0) ? at.n > S(0) && near(cell.p, at.p) : !(at.n > S(0));
  const bool same_q = cell.d > S(0) ? at.d > S(0) && near(cell.q, at.q) : !(at.d > S(0));
  return same_plane && same_p && same_q;
}

template <typename S>
std::array<PowerSum<S>, 2> GridSearch<S>::between(const PowerSum<S>& from, const PowerSum<S>& to) const {
  const auto part = [&](S share) {
    const auto way = [&](S first, S last) { return first * std::pow(last / first, share); };
    return at(way(from.outer, to.outer), way(from.p, to.p), way(from.q, to.q));
  };
  return {part(S(1) / S(3)), part(S(2) / S(3))};
}

template <typename S>
const std::vector<GridCell<S>>& GridSearch<S>::minima_along(const PowerSum<S>& at) const {
  std::vector<GridCell<S>>& out = buffers_.along;
  out.clear();
  // Where p is the only exponent, or moves with q, the grid itself has looked along it.
  if (rows_.equal_exponents) return out;
  const auto one = [](S value) { return GridNodes<S>::one(value); };
  const bool bends_p = rows_.free[1] && at.n > S(0), bends_q = rows_.free[2] && at.d > S(0);
  if (rows_.free[1]) {
    const GridPlane<S> line{at.outer, nodes(1, at.outer), one(at.q), false, bends_q ? 2 : 0};
    minima_of_line(line, at.n > S(0) ? at.p : S(0), out);
  }
  if (rows_.free[2]) {
    const GridPlane<S> line{at.outer, one(at.p), nodes(2, at.outer), false, bends_p ? 1 : 0};
    minima_of_line(line, at.d > S(0) ? at.q : S(0), out);
  }
  return out;
}

/// As the line has the other exponent fixed and, to see basins that lie beside it, with that free to first order.
/// \param here the value of the line's exponent where its own basin is, or 0 where that has no such term.
template <typename S>
void GridSearch<S>::minima_of_line(const GridPlane<S>& plane, S here, std::vector<GridCell<S>>& out) const {
  const bool along_p = plane.p.count > 1;
  const GridNodes<S>& nodes = along_p ? plane.p : plane.q;
  std::array<S, kGridNodes> objective;
  const auto scan = [&](GridSums<S> sums, bool bent) {
    solve_plane(plane, sums, objective.data());
    for (int k = 0; k < kGridNodes; ++k) {
      const S value = objective[static_cast<std::size_t>(k)];
      // The two nodes around `here` see its own basin.
      const bool beside = (k == 0 || here >= nodes[k - 1]) && (k + 1 == kGridNodes || here <= nodes[k + 1]);
      const bool left = k == 0 || value < objective[static_cast<std::size_t>(k - 1)];
      const bool right = k + 1 == kGridNodes || value <= objective[static_cast<std::size_t>(k + 1)];
      if ((beside && here > S(0)) || !left || !right || !std::isfinite(value)) continue;
      out.push_back(in_units(along_p ? cell(plane, sums, k, 0) : cell(plane, sums, 0, k)));
      if (bent) unbend(plane, sums, k, out.back().form);
    }
  };
  const GridSums<S> sums = products_.of(plane);
  scan(sums, false);
  if (plane.bent != 0) scan(beside_slope(plane, sums), true);
}

/// Moves the exponent that was free to first order to where it was best, at most by half.
template <typename S>
void GridSearch<S>::unbend(const GridPlane<S>& plane, const GridSums<S>& sums, int node, PowerSum<S>& form) const {
  const GridSlope<S>& z = sums.slope;
  const std::size_t p = plane.bent == 1 ? 0 : static_cast<std::size_t>(node),
                    q = plane.bent == 2 ? 0 : static_cast<std::size_t>(node);
  const S scale = std::exp(-products_.log_scale() / form.outer);
  const S along = (z.t - scale * (form.floor * z.e + form.n * z.u[p] + form.d * z.v[q])) / z.self;
  const S c = scale * (plane.bent == 1 ? form.n : form.d);
  const S before = plane.bent == 1 ? form.p : form.q;
  S after = c > S(0) ? before - along / c : before;
  if (!std::isfinite(after)) after = before;
  after = std::min(std::max(after, before / S(1.5)), before * S(1.5));
  form = plane.bent == 1 ? at(form.outer, after, form.q) : at(form.outer, form.p, after);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
