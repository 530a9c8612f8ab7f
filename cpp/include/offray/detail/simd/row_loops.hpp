// SPDX-License-Identifier: Apache-2.0
/// \file
/// What a power sum and an objective need at every row, written once for any Pack: a scalar, or a register of doubles.
///
/// Like kernel_table.hpp free of Eigen and of inline functions that two files could share: all are templates over the pack, and
/// a register's width is part of its type.
#pragma once

#include "offray/detail/simd/kernel_table.hpp"
#include "offray/detail/simd/rho_of.hpp"

namespace offray {
namespace kernel_paths {

/// One full pack from row i on.
template <typename V>
struct WholeRows {
  using S = typename Pack<V>::Scalar;
  Index i;
  OFFRAY_INLINE V load(const S* p) const { return Pack<V>::load(p + i); }
  OFFRAY_INLINE void store(S* p, V v) const { Pack<V>::store(p + i, v); }
  OFFRAY_INLINE V counted(V v) const { return v; }
};

/// The last rows, fewer than a pack; the others read as 1 and count as 0.
template <typename V>
struct LastRows {
  using S = typename Pack<V>::Scalar;
  Index i, count;
  OFFRAY_INLINE V load(const S* p) const { return Pack<V>::load_some(p + i, count); }
  OFFRAY_INLINE void store(S* p, V v) const { Pack<V>::store_some(p + i, count, v); }
  OFFRAY_INLINE V counted(V v) const { return Pack<V>::first(v, count); }
};

template <typename V, typename Body>
OFFRAY_INLINE void each_row(Index n, const Body& body) {
  constexpr Index kLanes = Pack<V>::kLanes;
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) body(WholeRows<V>{i});
  if constexpr (kLanes > 1) {
    if (i < n) body(LastRows<V>{i, n - i});
  }
}

template <typename V, typename S = typename Pack<V>::Scalar>
void products(Index n, Index count, const int* parents, S* columns, Index stride) {
  for (Index k = 1; k < count; ++k) {
    const S *a = columns + parents[2 * k] * stride, *b = columns + parents[2 * k + 1] * stride;
    S* out = columns + k * stride;
    each_row<V>(n, [&](auto row) { row.store(out, row.load(a) * row.load(b)); });
  }
}

template <typename V, typename S = typename Pack<V>::Scalar>
void scaled(Index n, Index count, const S* factor, const S* columns, S* out, Index stride) {
  each_row<V>(n, [&](auto row) {
    const V by = row.load(factor);
    for (Index k = 0; k < count; ++k) row.store(out + k * stride, by * row.load(columns + k * stride));
  });
}

/// See KernelTable.
template <typename V, typename S = typename Pack<V>::Scalar>
S total_rho(const Objective<S>& objective, Index n, const S* r, const S* w) {
  V sum = Pack<V>::splat(0);
  with_rho<V>(objective, [&](const auto& rho) {
    if (w == nullptr)
      each_row<V>(n, [&](auto row) { sum += row.counted(rho.value(row.load(r))); });
    else
      each_row<V>(n, [&](auto row) { sum += row.counted(row.load(w) * rho.value(row.load(r))); });
  });
  return Pack<V>::sum(sum);
}

template <typename V, typename S = typename Pack<V>::Scalar>
void influence(const Objective<S>& objective, Index n, const S* r, S* majorizer, S* excess) {
  with_rho<V>(objective, [&](const auto& rho) {
    each_row<V>(n, [&](auto row) {
      V m, e;
      rho.influence(row.load(r), m, e);
      row.store(majorizer, m);
      row.store(excess, e);
    });
  });
}

/// See KernelTable.
template <typename V, typename S = typename Pack<V>::Scalar>
S power_sum_residual(const PowerSumRow<S>& at, const S* c) {
  using P = Pack<V>;
  const S *u = at.base + at.stride, *v = u + at.stride;
  V least = P::splat(c[0] + c[1] + c[2]);  // not below any s: u, v <= 1
  each_row<V>(at.n, [&](auto row) {
    const V s = (row.load(u) * c[1] + row.load(v) * c[2]) + c[0];
    least = s < least ? s : least;
    row.store(at.s, s);
    if (at.link == Link::identity) {
      row.store(at.residual, s - row.load(at.observed));
      return;
    }
    const V log_s = P::log(s), log_loss = log_s * at.outer + at.log_unit;
    row.store(at.log_s, log_s);
    row.store(at.residual, (at.link == Link::log ? log_loss : P::exp(log_loss)) - row.load(at.observed));
  });
  return P::least(least);
}

template <typename V, typename S = typename Pack<V>::Scalar>
void power_sum_weights(const PowerSumRow<S>& at, S* sums) {
  using P = Pack<V>;
  V majorizers = P::splat(0), squares = P::splat(0);
  each_row<V>(at.n, [&](auto row) {
    const V s = row.load(at.s), r = row.load(at.residual);
    V slope = P::splat(1);
    if (at.link == Link::log)
      slope = at.outer / s;
    else if (at.link == Link::power)
      slope = (r + row.load(at.observed)) * at.outer / s;
    V majorizer = row.load(at.majorizer), force = majorizer * r;
    if (at.weight != nullptr) {
      const V w = row.load(at.weight);
      squares += row.counted(force * force * w);
      majorizer *= w;
      force *= w;
      row.store(at.excess, row.load(at.excess) * w);
    } else {
      squares += row.counted(force * force);
    }
    majorizers += row.counted(majorizer);
    row.store(at.majorizer, majorizer);
    row.store(at.slope, slope);
    row.store(at.force, force);
  });
  sums[0] = P::sum(majorizers);
  sums[1] = P::sum(squares);
}

template <typename V, typename S = typename Pack<V>::Scalar>
void power_sum_columns(const PowerSumRow<S>& at, Index unknowns, const int* unknown, S* M, Index stride) {
  using P = Pack<V>;
  const S *base = at.base, *u = base + at.stride, *v = u + at.stride;
  each_row<V>(at.n, [&](auto row) {
    const V root = P::sqrt(row.load(at.majorizer)), factor = root * row.load(at.slope);
    row.store(M, factor * row.load(base));
    row.store(M + stride, factor * row.load(u));
    row.store(M + 2 * stride, factor * row.load(v));
    for (Index j = 0; j < unknowns; ++j) {
      // d r / d outer over d r / d s: ln(s) s / outer, with either link.
      const V column =
          unknown[j] > 0 ? row.load(base + (unknown[j] + 2) * at.stride) : row.load(at.log_s) * row.load(at.s) / at.outer;
      row.store(M + (3 + j) * stride, factor * column);
    }
    row.store(M + (3 + unknowns) * stride, root * row.load(at.residual));
  });
}

/// Of grad s grad s', what the second derivatives of rho and of the link add.
template <typename V, typename Row, typename S = typename Pack<V>::Scalar>
OFFRAY_INLINE V second_order(const PowerSumRow<S>& at, const Row& row) {
  const V slope = row.load(at.slope), square = row.load(at.excess) * slope * slope;
  if (at.link == Link::identity) return square;
  const V bend = row.load(at.force) * slope / row.load(at.s);
  return at.link == Link::log ? square - bend : square + bend * (at.outer - S(1));
}

template <typename V, typename S = typename Pack<V>::Scalar>
void power_sum_curvature(const PowerSumRow<S>& at, S* G, S* crossed, S* bent) {
  using P = Pack<V>;
  constexpr int kColumns = 5;
  V sum[kColumns * (kColumns + 1) / 2], first[2], second[2];
  for (V& part : sum) part = P::splat(0);
  for (int k = 0; k < 2; ++k) first[k] = second[k] = P::splat(0);
  const S* const x[] = {at.x, at.y};
  each_row<V>(at.n, [&](auto row) {
    const V weight = second_order<V>(at, row), phi = row.load(at.force) * row.load(at.slope);
    V column[kColumns];
    for (int j = 0; j < kColumns; ++j) column[j] = row.load(at.base + j * at.stride);
    for (int j = 0, k = 0; j < kColumns; ++j) {
      const V weighted = row.counted(weight * column[j]);
      for (int i = 0; i <= j; ++i) sum[k++] += weighted * column[i];
    }
    for (int k = 0; k < 2; ++k) {
      const V along = row.counted(phi * column[3 + k]);
      first[k] += along;
      second[k] += along * row.load(x[k]);
    }
  });
  for (int j = 0, k = 0; j < kColumns; ++j)
    for (int i = 0; i <= j; ++i) G[i + kColumns * j] = G[j + kColumns * i] = P::sum(sum[k++]);
  for (int k = 0; k < 2; ++k) {
    crossed[k] = P::sum(first[k]);
    bent[k] = P::sum(second[k]);
  }
}

template <typename V, typename S = typename Pack<V>::Scalar>
void power_sum_outer_curvature(const PowerSumRow<S>& at, S* mixed, S* own) {
  using P = Pack<V>;
  constexpr int kColumns = 5;
  V sum[kColumns], square = P::splat(0);
  for (V& part : sum) part = P::splat(0);
  each_row<V>(at.n, [&](auto row) {
    const V s = row.load(at.s), log_s = row.load(at.log_s), slope = row.load(at.slope), force = row.load(at.force);
    // r_a = log_s s h' / a; its derivative along s is h' (1 + a log_s) / a on loss and 1 / s on log loss.
    const V excess = row.load(at.excess), r_a = log_s * s * slope / at.outer;
    V along = excess * slope * r_a;
    square += row.counted(excess * r_a * r_a);
    if (at.link == Link::log) {
      along += force / s;
    } else {
      along += force * slope * (log_s + S(1) / at.outer);
      square += row.counted(force * log_s * r_a);
    }
    for (int j = 0; j < kColumns; ++j) sum[j] += row.counted(along * row.load(at.base + j * at.stride));
  });
  for (int j = 0; j < kColumns; ++j) mixed[j] = P::sum(sum[j]);
  *own = P::sum(square);
}

}  // namespace kernel_paths
}  // namespace offray
