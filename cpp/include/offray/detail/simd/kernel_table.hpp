// SPDX-License-Identifier: Apache-2.0
/// \file
/// The loops that every fit spends its time in, as a table of functions: one table per instruction set.
///
/// Includes nothing of Eigen, and nothing that could be emitted as an inline function: files built for AVX-512 include this,
/// and a shared function compiled there must never be the copy that the linker keeps for a processor without it. For the same
/// reason the table stays out of the namespace that is named after Eigen's alignment, which those files see differently.
#pragma once

#include <cstddef>

#include "offray/objective.hpp"

namespace offray {
namespace kernel_paths {

using Index = std::ptrdiff_t;

/// What a residual is of s = floor + n u + d v.
enum class Link {
  identity,  ///< r = s - L
  power,     ///< r = exp(outer ln s + log_unit) - L
  log        ///< r = outer ln s + log_unit - ln L
};

/// The rows of a power sum in mid-iteration. Arrays have n entries; base holds the columns 1, u, v, xu, yv, `stride` apart.
template <typename S>
struct PowerSumRow {
  Index n;
  Link link;
  S outer, log_unit;
  const S *x, *y, *observed;
  const S* weight;  ///< or null for ones
  const S* base;
  Index stride;
  S *s, *log_s, *residual;
  S* slope;      ///< h' = d r / d s
  S* force;      ///< w psi
  S* majorizer;  ///< w psi / r
  S* excess;     ///< w (rho'' - psi / r)
};

/// The repeated-data law at n rows: without `value` the effective N and D alone, without J no derivatives.
template <typename S>
struct RepeatedDataRow {
  Index n;
  const S* theta;  ///< E, A, B, alpha, beta, R_N, R_D
  S log_scale;     ///< ln(alpha A / (beta B)), so that ln N_opt = (log_scale + beta ln U) / alpha
  const S *log_N, *log_U, *repeats;
  S *log_effective_N, *log_effective_D;
  S* value;
  S* J;  ///< (n, 7), columns `stride` apart
  Index stride;
};

/// Arrays need no alignment, n may be any number from zero, and outputs must not overlap inputs unless said. The order of
/// additions within one path is fixed; paths differ by rounding only.
template <typename S>
struct KernelTable {
  const char* name;

  /// out[i] = exp(scale x[i]), the exponential of the rounded product; out may be x.
  void (*exp)(Index n, S scale, const S* x, S* out);

  /// out[i] = ln x[i]; out may be x.
  void (*log)(Index n, const S* x, S* out);

  /// u[i] = factor[i] exp(-exponent x[i]) and xu[i] = x[i] u[i]. A null factor means 1; xu may be null.
  void (*power)(Index n, S exponent, const S* x, const S* factor, S* u, S* xu);

  /// Column k > 0 of `columns`, `stride` apart, becomes the product of two before it, parents[2 k] and parents[2 k + 1].
  void (*products)(Index n, Index count, const int* parents, S* columns, Index stride);

  /// out_k = factor times column k; both are `stride` apart.
  void (*scaled)(Index n, Index count, const S* factor, const S* columns, S* out, Index stride);

  /// sum_i a[i] b[i]
  S (*dot)(Index n, const S* a, const S* b);

  /// sum_i a[i] b[i] c[i]
  S (*dot3)(Index n, const S* a, const S* b, const S* c);

  /// G[i + nu j] = U_i'V_j for the nu columns of U and nv columns of V, all of length n and `stride` scalars apart.
  void (*gram)(Index n, Index nu, const S* U, Index nv, const S* V, Index stride, S* G);

  /// See offray::tall_qr: M is n x (m + 1) with outer stride `stride`, R is m x (m + 1) with outer stride `ldr`. The matrix is
  /// in M, or, unless `columns` is null, there, column by column; M then gets all orthogonal columns but the first.
  void (*tall_qr)(Index n, Index m, const S* const* columns, S* M, Index stride, S* R, Index ldr);

  /// sum_i w[i] rho(r[i]); w may be null.
  S (*total_rho)(const Objective<S>& objective, Index n, const S* r, const S* w);

  /// psi(r) / r, and rho''(r) - psi(r) / r.
  void (*influence)(const Objective<S>& objective, Index n, const S* r, S* majorizer, S* excess);

  /// s, ln s (but for Link::identity) and r of the coefficients c. Returns the least s: unless positive, r means nothing.
  S (*power_sum_residual)(const PowerSumRow<S>& at, const S* c);

  /// Slope and force; puts w into majorizer and excess, which influence() left unweighted. sums: of w psi / r and of w psi^2.
  void (*power_sum_weights)(const PowerSumRow<S>& at, S* sums);

  /// M: sqrt(w psi / r) [d r / d c, d r / d unknown (0 is outer, 1 p, 2 q; p and q per unit of -c) | r], `stride` apart.
  void (*power_sum_columns)(const PowerSumRow<S>& at, Index unknowns, const int* unknown, S* M, Index stride);

  /// Second-order sums: G (5 x 5) over the base columns, and for p and q sum phi x u and sum phi x^2 u, phi = w psi h'.
  void (*power_sum_curvature)(const PowerSumRow<S>& at, S* G, S* crossed, S* bent);

  /// The same with respect to outer: mixed (5) with the base columns, and own.
  void (*power_sum_outer_curvature)(const PowerSumRow<S>& at, S* mixed, S* own);

  /// L and its derivatives, or the effective inputs.
  void (*repeated_data)(const RepeatedDataRow<S>& at);
};

extern const KernelTable<double> baseline;
extern const KernelTable<double> avx2;
extern const KernelTable<double> avx512;

}  // namespace kernel_paths
}  // namespace offray
