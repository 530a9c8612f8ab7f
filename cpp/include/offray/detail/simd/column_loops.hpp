// SPDX-License-Identifier: Apache-2.0
/// \file
/// Powers, inner products and the factorisation of columns, written once for any Pack; see KernelTable.
#pragma once

#include "offray/detail/simd/row_loops.hpp"

namespace offray {
namespace kernel_paths {

template <typename V>
using ScalarOf = typename Pack<V>::Scalar;

template <typename V, typename S = ScalarOf<V>>
void exp(Index n, S scale, const S* x, S* out) {
  each_row<V>(n, [&](auto row) OFFRAY_INLINE_BODY { row.store(out, Pack<V>::exp(row.load(x) * scale)); });
}

template <typename V, typename S = ScalarOf<V>>
void log(Index n, const S* x, S* out) {
  each_row<V>(n, [&](auto row) OFFRAY_INLINE_BODY { row.store(out, Pack<V>::log(row.load(x))); });
}

template <typename V, bool kFactor, bool kProduct, typename S = ScalarOf<V>>
void power_of(Index n, S exponent, const S* x, const S* factor, S* u, S* xu) {
  each_row<V>(n, [&](auto row) OFFRAY_INLINE_BODY {
    const V at = row.load(x);
    V value = Pack<V>::exp(at * -exponent);
    if constexpr (kFactor) value = row.load(factor) * value;
    row.store(u, value);
    if constexpr (kProduct) row.store(xu, at * value);
  });
}

template <typename V, typename S = ScalarOf<V>>
void power(Index n, S exponent, const S* x, const S* factor, S* u, S* xu) {
  if (factor == nullptr && xu == nullptr)
    power_of<V, false, false>(n, exponent, x, factor, u, xu);
  else if (factor == nullptr)
    power_of<V, false, true>(n, exponent, x, factor, u, xu);
  else if (xu == nullptr)
    power_of<V, true, false>(n, exponent, x, factor, u, xu);
  else
    power_of<V, true, true>(n, exponent, x, factor, u, xu);
}

/// sum_i a[i] b[i], or sum_i a[i] b[i] c[i]. Four sums at a time: one would wait for its own additions.
template <typename V, bool kThird, typename S = ScalarOf<V>>
OFFRAY_INLINE S dot_of(Index n, const S* a, const S* b, const S* c) {
  constexpr Index kSums = 4, kLanes = Pack<V>::kLanes;
  const auto product = [&](Index i) {
    if constexpr (kThird)
      return Pack<V>::load(a + i) * Pack<V>::load(b + i) * Pack<V>::load(c + i);
    else
      return Pack<V>::load(a + i) * Pack<V>::load(b + i);
  };
  V sum[kSums];
  for (V& part : sum) part = Pack<V>::zero();
  Index i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes)
    for (Index j = 0; j < kSums; ++j) sum[j] += product(i + j * kLanes);
  if constexpr (kLanes > 1)
    for (; i + kLanes <= n; i += kLanes) sum[0] += product(i);
  S total = Pack<V>::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  for (; i < n; ++i) {
    if constexpr (kThird)
      total += a[i] * b[i] * c[i];
    else
      total += a[i] * b[i];
  }
  return total;
}

template <typename V, typename S = ScalarOf<V>>
S dot(Index n, const S* a, const S* b) {
  return dot_of<V, false>(n, a, b, static_cast<const S*>(nullptr));
}

template <typename V, typename S = ScalarOf<V>>
S dot3(Index n, const S* a, const S* b, const S* c) {
  return dot_of<V, true>(n, a, b, c);
}

/// The kRows x kColumns products of a few columns of U with a few of V, all sums in registers.
template <typename P, int kRows, int kColumns, typename S = ScalarOf<P>>
void gram_block(Index n, const S* U, const S* V, Index stride, S* G, Index ldg) {
  constexpr Index kLanes = Pack<P>::kLanes;
  P sum[unsigned(kColumns)][unsigned(kRows)];
  for (int c = 0; c < kColumns; ++c)
    for (int r = 0; r < kRows; ++r) sum[c][r] = Pack<P>::zero();
  const Index whole = n - n % kLanes;
  for (Index i = 0; i < whole; i += kLanes) {
    P u[unsigned(kRows)];
    for (int r = 0; r < kRows; ++r) u[r] = Pack<P>::load(U + r * stride + i);
    for (int c = 0; c < kColumns; ++c) {
      const P v = Pack<P>::load(V + c * stride + i);
      for (int r = 0; r < kRows; ++r) sum[c][r] += u[r] * v;
    }
  }
  for (int c = 0; c < kColumns; ++c)
    for (int r = 0; r < kRows; ++r) G[r + c * ldg] = Pack<P>::sum(sum[c][r]);
  for (Index i = whole; i < n; ++i)
    for (int c = 0; c < kColumns; ++c)
      for (int r = 0; r < kRows; ++r) G[r + c * ldg] += U[r * stride + i] * V[c * stride + i];
}

template <typename P, int kColumns, typename S = ScalarOf<P>>
void gram_columns(Index n, Index nu, const S* U, const S* V, Index stride, S* G) {
  Index i = 0;
  for (; i + 4 <= nu; i += 4) gram_block<P, 4, kColumns>(n, U + i * stride, V, stride, G + i, nu);
  if (i + 2 <= nu) {
    gram_block<P, 2, kColumns>(n, U + i * stride, V, stride, G + i, nu);
    i += 2;
  }
  if (i < nu) gram_block<P, 1, kColumns>(n, U + i * stride, V, stride, G + i, nu);
}

template <typename P, typename S = ScalarOf<P>>
void gram(Index n, Index nu, const S* U, Index nv, const S* V, Index stride, S* G) {
  Index j = 0;
  for (; j + 2 <= nv; j += 2) gram_columns<P, 2>(n, nu, U, V + j * stride, stride, G + nu * j);
  if (j < nv) gram_columns<P, 1>(n, nu, U, V + j * stride, stride, G + nu * j);
}

constexpr int kMostColumns = 10;  // offray::kMaxParameters

/// Multiplies the first of kCount columns by each: along. Before that, in the same pass, adds minus[j] q to the j-th and puts
/// the sum into `out`, unless q is null. The count is a compile-time constant so that all sums stay in registers.
template <typename V, int kCount, bool kDirection, typename S = ScalarOf<V>>
OFFRAY_INLINE void step_of(Index n, const S* q, const S* const* columns, S* out, Index stride, const S* minus, S* along) {
  // A pack of one scalar would wait for its own additions: four sums for each column then.
  constexpr Index kLanes = Pack<V>::kLanes, kSums = kLanes == 1 ? 4 : 1, kRows = kLanes * kSums;
  V sum[unsigned(kCount)][unsigned(kSums)], factor[unsigned(kCount)];
  for (int j = 0; j < kCount; ++j) {
    for (V& part : sum[j]) part = Pack<V>::zero();
    factor[j] = Pack<V>::splat(minus[j]);
  }
  const Index whole = n - n % kRows;
  for (Index i = 0; i < whole; i += kRows) {
    V at[unsigned(kSums)], first[unsigned(kSums)];
    for (Index k = 0; k < kSums; ++k) {
      at[k] = first[k] = Pack<V>::zero();
      if constexpr (kDirection) at[k] = Pack<V>::load(q + i + k * kLanes);
    }
    for (int j = 0; j < kCount; ++j)
      for (Index k = 0; k < kSums; ++k) {
        V column = Pack<V>::load(columns[j] + i + k * kLanes);
        if constexpr (kDirection) {
          column += factor[j] * at[k];
          Pack<V>::store(out + j * stride + i + k * kLanes, column);
        }
        if (j == 0) first[k] = column;
        sum[j][k] += first[k] * column;
      }
  }
  for (int j = 0; j < kCount; ++j) {
    if constexpr (kSums == 1)
      along[j] = Pack<V>::sum(sum[j][0]);
    else
      along[j] = Pack<V>::sum((sum[j][0] + sum[j][1]) + (sum[j][2] + sum[j][3]));
  }
  for (Index i = whole; i < n; ++i) {
    S first = S(0);
    for (int j = 0; j < kCount; ++j) {
      S value = columns[j][i];
      if constexpr (kDirection) {
        value += minus[j] * q[i];
        out[j * stride + i] = value;
      }
      if (j == 0) first = value;
      along[j] += first * value;
    }
  }
}

/// The same for a run-time count in [1, kMostColumns + 1].
template <typename V, int kCount = kMostColumns + 1, typename S = ScalarOf<V>>
OFFRAY_INLINE void step(Index count, Index n, const S* q, const S* const* columns, S* out, Index stride, const S* minus,
                        S* along) {
  if constexpr (kCount > 1) {
    if (count < kCount) return step<V, kCount - 1>(count, n, q, columns, out, stride, minus, along);
  }
  if (q == nullptr)
    step_of<V, kCount, false>(n, q, columns, out, stride, minus, along);
  else
    step_of<V, kCount, true>(n, q, columns, out, stride, minus, along);
}

template <typename V, typename S = ScalarOf<V>>
void tall_qr(Index n, Index m, const S* const* columns, S* M, Index stride, S* R, Index ldr) {
  for (Index j = 0; j <= m; ++j)
    for (Index i = 0; i < m; ++i) R[i + j * ldr] = S(0);
  if (m == 0) return;
  const S* source[kMostColumns + 1];
  for (Index j = 0; j <= m; ++j) source[j] = columns == nullptr ? M + j * stride : columns[j];
  const S lost = S(4) * static_cast<S>(n) * Pack<V>::kEpsilon;
  S along[kMostColumns + 1] = {};  // the direction's products with itself and with every later column
  S minus[kMostColumns + 1] = {};  // what each later column gets of the direction
  step<V>(m + 1, n, static_cast<const S*>(nullptr), source, M, stride, minus, along);
  for (Index k = 0; k < m; ++k) {
    S* row = R + k;
    S before = S(0);
    for (Index i = 0; i < k; ++i) before += R[i + k * ldr] * R[i + k * ldr];
    const S square = along[0], left = Pack<V>::root(square);
    const bool keep = left > lost * Pack<V>::root(before + square) && square >= Pack<V>::kLeast;
    if (keep) {
      row[k * ldr] = left;
    } else {
      S* zero = M + k * stride;
      for (Index i = 0; i < n; ++i) zero[i] = S(0);
      source[k] = zero;
    }
    // Not z / left below: the next pass waits for these factors, and need not wait for the root.
    const S forward = keep ? S(1) / left : S(0), backward = keep ? S(-1) / square : S(0);
    for (Index j = 1; j <= m - k; ++j) {
      row[(k + j) * ldr] = keep ? along[j] * forward : S(0);
      minus[j - 1] = keep ? along[j] * backward : S(0);
    }
    step<V>(m - k, n, source[k], source + k + 1, M + (k + 1) * stride, stride, minus, along);
    for (Index j = k + 1; j <= m; ++j) source[j] = M + j * stride;
  }
}

}  // namespace kernel_paths
}  // namespace offray
