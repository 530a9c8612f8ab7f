// SPDX-License-Identifier: Apache-2.0
/// \file
/// The loops that every fit spends its time in, as a table of functions: one table per instruction set.
///
/// Includes nothing of Eigen, and nothing that could be emitted as an inline function: files built for AVX-512 include this,
/// and a shared function compiled there must never be the copy that the linker keeps for a processor without it. For the same
/// reason the table stays out of the namespace that is named after Eigen's alignment, which those files see differently.
#pragma once

#include <cstddef>

namespace offray {
namespace kernel_paths {

using Index = std::ptrdiff_t;

/// Arrays need no alignment, n may be any number from zero, and outputs must not overlap inputs unless said. The order of
/// additions within one path is fixed; paths differ by rounding only.
struct KernelTable {
  const char* name;

  /// out[i] = exp(scale x[i]), the exponential of the rounded product; out may be x.
  void (*exp)(Index n, double scale, const double* x, double* out);

  /// out[i] = ln x[i]; out may be x.
  void (*log)(Index n, const double* x, double* out);

  /// u[i] = factor[i] exp(-exponent x[i]) and xu[i] = x[i] u[i]. A null factor means 1; xu may be null.
  void (*power)(Index n, double exponent, const double* x, const double* factor, double* u, double* xu);

  /// sum_i a[i] b[i]
  double (*dot)(Index n, const double* a, const double* b);

  /// sum_i a[i] b[i] c[i]
  double (*dot3)(Index n, const double* a, const double* b, const double* c);

  /// G[i + nu j] = U_i'V_j for the nu columns of U and nv columns of V, all of length n and `stride` doubles apart.
  void (*gram)(Index n, Index nu, const double* U, Index nv, const double* V, Index stride, double* G);

  /// See offray::tall_qr: M is n x (m + 1) with outer stride `stride`, R is m x (m + 1) with outer stride `ldr`.
  void (*tall_qr)(Index n, Index m, double* M, Index stride, double* R, Index ldr);
};

extern const KernelTable baseline;
extern const KernelTable avx2;
extern const KernelTable avx512;

}  // namespace kernel_paths
}  // namespace offray
