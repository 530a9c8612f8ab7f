// SPDX-License-Identifier: Apache-2.0
/// \file
/// The grid over a power sum's exponents, and the inner products of its columns.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "offray/detail/simd/kernels.hpp"
#include "offray/detail/solve/power_sum/rows.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

inline constexpr int kGridNodes = 16;

/// The exponents of an axis of the grid.
template <typename S>
struct GridNodes {
  // Multiples of one, so that each column is a product of two earlier ones: one exponential serves all.
  static constexpr std::array<int, kGridNodes> kMultiples{1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 192, 384};
  static constexpr int kParents[kGridNodes][2] = {{0, 0}, {0, 0}, {1, 1}, {2, 1}, {2, 2}, {4, 2},  {4, 4},   {6, 2},
                                                  {6, 4}, {6, 6}, {9, 4}, {9, 6}, {9, 9}, {12, 9}, {13, 13}, {14, 14}};
  /// The node of twice the exponent, or -1.
  static constexpr int kDouble[kGridNodes] = {1, 2, 4, 5, 6, 8, 9, 10, 11, 12, -1, 13, -1, 14, 15, -1};

  int count = 1;
  bool multiples = false;  ///< of the first
  std::array<S, kGridNodes> value{};

  static GridNodes one(S at) {
    GridNodes out;
    out.value[0] = at;
    return out;
  }

  /// Multiples of `base`; between bounds that cut them, as many in geometric progression.
  static GridNodes all(S base, S lower, S upper) {
    GridNodes out;
    out.count = kGridNodes;
    const S first = base, last = base * S(kMultiples.back());
    out.multiples = lower <= first && upper >= last;
    const S low = upper < first ? lower : std::max(lower, first), high = lower > last ? upper : std::min(upper, last);
    for (std::size_t k = 0; k < kGridNodes; ++k)
      out.value[k] = out.multiples ? base * S(kMultiples[k]) : low * std::pow(high / low, S(k) / S(kGridNodes - 1));
    return out;
  }

  S operator[](int k) const { return value[static_cast<std::size_t>(k)]; }
};

/// The nodes of one outer power: every p with every q, or, where they are `equal`, every p with the same q.
template <typename S>
struct GridPlane {
  S outer;
  GridNodes<S> p, q;
  bool equal = false;
  int bent = 0;  ///< of a line: 1 where p, which has one value, is free to first order, 2 where q is

  int columns() const { return equal ? 1 : q.count; }
  int size() const { return p.count * columns(); }
};

/// Inner products of one column with the constant, the target and itself, and the single-term solutions.
template <typename S>
struct GridColumn {
  S e = S(0), t = S(0), self = S(0);
  S self_centred, t_centred;
  S gain;  ///< best decrease of the objective by this column, with or without the constant
};

/// Inner products of x N^-p (or y D^-q), along which N^-p moves with p, with all others.
template <typename S>
struct GridSlope {
  S e = S(0), t = S(0), self = S(0);
  std::array<S, kGridNodes> u{}, v{};
};

/// All inner products of a plane, (p, q) with q running fastest.
template <typename S>
struct GridSums {
  GridSlope<S> slope;  ///< of a bent line
  std::array<GridColumn<S>, kGridNodes> u, v;
  std::array<S, kGridNodes * kGridNodes> uv{};
  S ee = S(0), et = S(0), tt = S(0);
};

/// Inner products of what is left of all columns beside the slope: with it in the model, to first order the exponent is at its
/// best at every node.
template <typename S>
GridSums<S> beside_slope(const GridPlane<S>& plane, GridSums<S> sum) {
  const GridSlope<S>& z = sum.slope;
  if (!(z.self > S(0))) return sum;
  sum.ee -= z.e * z.e / z.self;
  sum.et -= z.e * z.t / z.self;
  sum.tt -= z.t * z.t / z.self;
  const auto own = [&](int count, std::array<GridColumn<S>, kGridNodes>& columns, const std::array<S, kGridNodes>& with) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
      const S share = with[k] / z.self;
      columns[k].e -= share * z.e;
      columns[k].t -= share * z.t;
      columns[k].self -= share * with[k];
    }
  };
  own(plane.p.count, sum.u, z.u);
  own(plane.q.count, sum.v, z.v);
  for (int p = 0; p < plane.p.count; ++p)
    for (int q = 0; q < plane.q.count; ++q)
      sum.uv[static_cast<std::size_t>(p * plane.q.count + q)] -=
          z.u[static_cast<std::size_t>(p)] * z.v[static_cast<std::size_t>(q)] / z.self;
  return sum;
}

/// The products of planes over rows that are weighted so that the residual of L^(1/outer) is the fitted one to first order
/// (exactly for outer = 1 on loss): one matrix product of the columns N^-p with the columns D^-q, over blocks of rows that stay
/// in the first-level cache. Inner products lose digits on nearly collinear columns, which a start can afford and a fit cannot.
template <typename S>
class GridProducts {
 public:
  /// References must outlive the object. \param reweight factor of every squared residual, (n,), or empty: psi / r of a robust
  /// fit, say.
  GridProducts(const PowerSumRows<S>& rows, const Vector<S>& reweight)
      : rows_(rows),
        reweight_(reweight),
        log_scale_(rows.space == Space::log_loss ? rows.observed.head(rows.rows).mean() : rows.log_unit) {}

  /// ln of what the losses are counted in.
  S log_scale() const { return log_scale_; }

  /// \param planes `count` of them. \param[out] sums one for each.
  void of(const GridPlane<S>* planes, std::size_t count, GridSums<S>* sums) const;
  /// Of one plane.
  GridSums<S> of(const GridPlane<S>& plane) const {
    GridSums<S> out;
    of(&plane, 1, &out);
    return out;
  }

 private:
  static constexpr Index kBlock = 128;

  struct Block {
    alignas(64) S U[kGridNodes * kBlock];
    alignas(64) S V[kGridNodes * kBlock];
    alignas(64) S WU[kGridNodes * kBlock];  ///< the same times the row weights
    alignas(64) S WV[kGridNodes * kBlock];
    alignas(64) S ends[3 * kBlock];      ///< the constant, the target and, of a bent line, its slope, weighted
    alignas(64) S log_loss[2 * kBlock];  ///< ln (L / L0) and L / L0
  };
  using Segment = Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>, Eigen::Aligned16>;
  static Segment column(S* columns, int k, Index n) { return Segment(columns + k * kBlock, n); }

  void losses(Index first, Index n, Block& block) const;
  void weigh(S outer, Index first, Index n, Block& block) const;
  static void powers(const GridNodes<S>& nodes, Index n, const S* x, S* out, S* slope);
  void add(const GridPlane<S>& plane, Index n, Block& block, GridSums<S>& sum) const;
  bool plain(S outer) const {
    return rows_.space == Space::loss && outer == S(1) && rows_.root.size() == 0 && reweight_.size() == 0;
  }

  const PowerSumRows<S>& rows_;
  const Vector<S>& reweight_;
  S log_scale_;
};

/// Columns exp(-p x), and x exp(-p x) of the first unless null.
template <typename S>
void GridProducts<S>::powers(const GridNodes<S>& nodes, Index n, const S* x, S* out, S* slope) {
  const int own = nodes.multiples ? 1 : nodes.count;
  for (int k = 0; k < own; ++k) kernels<S>().power(n, nodes[k], x, nullptr, out + k * kBlock, k == 0 ? slope : nullptr);
  if (nodes.multiples) kernels<S>().products(n, nodes.count, &GridNodes<S>::kParents[0][0], out, kBlock);
}

/// ln (L / L0) and L / L0 of a block.
template <typename S>
void GridProducts<S>::losses(Index first, Index n, Block& block) const {
  const S* observed = rows_.observed.data() + first;
  if (rows_.space == Space::loss)
    kernels<S>().log(n, observed, block.log_loss);
  else
    std::copy(observed, observed + n, block.log_loss);
  column(block.log_loss, 0, n) -= log_scale_;
  kernels<S>().exp(n, S(1), block.log_loss, block.log_loss + kBlock);
}

/// Row weights, constant and target of a block. With y = (L / L0)^(1 / outer), dy = y dL / (outer L) sets the weights.
template <typename S>
void GridProducts<S>::weigh(S outer, Index first, Index n, Block& block) const {
  auto row = column(block.ends, 0, n), target = column(block.ends, 1, n);
  if (rows_.space == Space::loss && outer == S(1)) {
    row.setOnes();
    target = rows_.observed.segment(first, n).array();
  } else {
    kernels<S>().exp(n, S(1) / outer, block.log_loss, target.data());
    row = outer / target;
    if (rows_.space == Space::loss) row *= column(block.log_loss, 1, n);
  }
  if (rows_.root.size() != 0) row *= rows_.root.segment(first, n).array();
  if (reweight_.size() != 0) row *= reweight_.segment(first, n).array().sqrt();
  target *= row;
}

/// Adds the inner products of a block whose columns are there.
template <typename S>
void GridProducts<S>::add(const GridPlane<S>& plane, Index n, Block& block, GridSums<S>& sum) const {
  const S *U = block.U, *V = block.V, *target = block.ends + kBlock, *slope = target + kBlock;
  if (!plain(plane.outer)) {
    kernels<S>().scaled(n, plane.p.count, block.ends, block.U, block.WU, kBlock);
    kernels<S>().scaled(n, plane.q.count, block.ends, block.V, block.WV, kBlock);
    U = block.WU;
    V = block.WV;
  }
  sum.ee += kernels<S>().dot(n, block.ends, block.ends);
  sum.et += kernels<S>().dot(n, block.ends, target);
  sum.tt += kernels<S>().dot(n, target, target);
  S part[kGridNodes * kGridNodes];
  const Index ends = plane.bent == 0 ? 2 : 3;
  if (plane.bent != 0) {
    sum.slope.e += kernels<S>().dot(n, block.ends, slope);
    sum.slope.t += kernels<S>().dot(n, target, slope);
    sum.slope.self += kernels<S>().dot(n, slope, slope);
  }
  const auto own = [&](const S* W, const GridNodes<S>& nodes, std::array<GridColumn<S>, kGridNodes>& columns,
                       std::array<S, kGridNodes>& with_slope) {
    kernels<S>().gram(n, ends, block.ends, nodes.count, W, kBlock, part);
    for (int k = 0; k < nodes.count; ++k) {
      GridColumn<S>& c = columns[static_cast<std::size_t>(k)];
      c.e += part[ends * k];
      c.t += part[ends * k + 1];
      if (plane.bent != 0) with_slope[static_cast<std::size_t>(k)] += part[ends * k + 2];
      if (!nodes.multiples || GridNodes<S>::kDouble[k] < 0) c.self += kernels<S>().dot(n, W + k * kBlock, W + k * kBlock);
    }
  };
  own(U, plane.p, sum.u, sum.slope.u);
  own(V, plane.q, sum.v, sum.slope.v);
  if (plane.equal) {
    for (int k = 0; k < plane.size(); ++k)
      sum.uv[static_cast<std::size_t>(k)] += kernels<S>().dot(n, U + k * kBlock, V + k * kBlock);
    return;
  }
  kernels<S>().gram(n, plane.q.count, V, plane.p.count, U, kBlock, part);
  for (int k = 0; k < plane.size(); ++k) sum.uv[static_cast<std::size_t>(k)] += part[k];
}

template <typename S>
void GridProducts<S>::of(const GridPlane<S>* planes, std::size_t count, GridSums<S>* sums) const {
  std::fill_n(sums, count, GridSums<S>());
  const bool transformed = rows_.space == Space::log_loss ||
                           std::any_of(planes, planes + count, [](const auto& plane) { return plane.outer != S(1); });
  Block block;
  for (Index first = 0; first < rows_.rows; first += kBlock) {
    const Index n = std::min(kBlock, rows_.rows - first);
    if (transformed) losses(first, n, block);
    const GridPlane<S>* built = nullptr;  // the plane that the columns are of
    for (std::size_t a = 0; a < count; ++a) {
      const GridPlane<S>& plane = planes[a];
      weigh(plane.outer, first, n, block);
      if (built == nullptr || plane.p.value != built->p.value || plane.q.value != built->q.value) {
        built = &plane;
        S* slope = block.ends + 2 * kBlock;
        powers(plane.p, n, rows_.x.data() + first, block.U, plane.bent == 1 ? slope : nullptr);
        powers(plane.q, n, rows_.y.data() + first, block.V, plane.bent == 2 ? slope : nullptr);
        if (plane.bent != 0 && !plain(plane.outer)) kernels<S>().scaled(n, 1, block.ends, slope, slope, kBlock);
      }
      add(plane, n, block, sums[a]);
    }
  }
  // (row u)^2 is row times the weighted column of twice the exponent.
  const auto squares = [](const GridNodes<S>& nodes, std::array<GridColumn<S>, kGridNodes>& columns) {
    for (std::size_t k = 0; nodes.multiples && k < kGridNodes; ++k) {
      const int twice = GridNodes<S>::kDouble[k];
      if (twice >= 0) columns[k].self = columns[static_cast<std::size_t>(twice)].e;
    }
  };
  for (std::size_t a = 0; a < count; ++a) {
    squares(planes[a].p, sums[a].u);
    squares(planes[a].q, sums[a].v);
  }
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
