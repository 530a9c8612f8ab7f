// SPDX-License-Identifier: Apache-2.0
/// \file
/// The innermost loops, for any scalar. With OFFRAY_SIMD defined (the CMake target offray::offray does it where the compiler
/// can) those in double go to code chosen at run time for the processor; otherwise, and for long double, to templates.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "offray/detail/simd/repeated_rows.hpp"
#include "offray/types.hpp"

namespace offray {
namespace kernel_paths {

/// One scalar: kernels in plain C++.
template <typename S>
struct ScalarPack {
  using Scalar = S;
  static constexpr Index kLanes = 1;
  static S load(const S* p) { return *p; }
  static void store(S* p, S v) { *p = v; }
  static S splat(S x) { return x; }
  static S sqrt(S v) { return std::sqrt(v); }
  static S exp(S v) { return std::exp(v); }
  static S expm1(S v) { return std::expm1(v); }
  static S log(S v) { return std::log(v); }
  static S sum(S v) { return v; }
  static S least(S v) { return v; }
};
template <>
struct Pack<double> : ScalarPack<double> {};
template <>
struct Pack<long double> : ScalarPack<long double> {};

}  // namespace kernel_paths

inline namespace OFFRAY_ABI {

#ifdef OFFRAY_SIMD

/// Name of the code path in use for double: "baseline", "avx2" or "avx512"; "portable" without compiled kernels.
///
/// The best that the processor has, unless the environment variable OFFRAY_SIMD named another when first asked.
std::string_view simd();

/// The paths that this build and this processor have, slowest first.
std::vector<std::string_view> simd_available();

/// Chooses a path by name, for all threads; "best" restores the best. Paths differ by rounding only. Not meant to be called
/// while another thread fits: that fit could then mix both.
/// \throws std::invalid_argument for a name that is unknown or not available here.
void force_simd(std::string_view name);

namespace detail {
/// The path in use.
const kernel_paths::KernelTable& kernels();
}  // namespace detail

#else

inline std::string_view simd() { return "portable"; }

inline std::vector<std::string_view> simd_available() { return {"portable"}; }

inline void force_simd(std::string_view name) {
  if (name == "portable" || name == "best") return;
  throw std::invalid_argument("simd path must be 'best' or 'portable', the only one in this build; got '" + std::string(name) +
                              "'");
}

#endif

namespace detail {

template <typename S>
using PowerSumRow = kernel_paths::PowerSumRow<S>;

/// The kernels in plain C++.
template <typename S>
struct PortableKernels {
  static void exp(Index n, S scale, const S* x, S* out) {
    for (Index i = 0; i < n; ++i) out[i] = std::exp(scale * x[i]);
  }

  static void log(Index n, const S* x, S* out) {
    for (Index i = 0; i < n; ++i) out[i] = std::log(x[i]);
  }

  static void power(Index n, S exponent, const S* x, const S* factor, S* u, S* xu) {
    for (Index i = 0; i < n; ++i) {
      const S decay = std::exp(-exponent * x[i]);
      u[i] = factor == nullptr ? decay : factor[i] * decay;
      if (xu != nullptr) xu[i] = x[i] * u[i];
    }
  }

  static void products(Index n, Index count, const int* parents, S* columns, Index stride) {
    kernel_paths::products<S>(n, count, parents, columns, stride);
  }

  static void scaled(Index n, Index count, const S* factor, const S* columns, S* out, Index stride) {
    kernel_paths::scaled<S>(n, count, factor, columns, out, stride);
  }

  static S dot(Index n, const S* a, const S* b) {
    const Index whole = n - n % kBlock;
    Block sum = Block::Zero();
    for (Index i = 0; i < whole; i += kBlock) sum += In(a + i) * In(b + i);
    S total = sum.sum();
    for (Index i = whole; i < n; ++i) total += a[i] * b[i];
    return total;
  }

  static S dot3(Index n, const S* a, const S* b, const S* c) {
    const Index whole = n - n % kBlock;
    Block sum = Block::Zero();
    for (Index i = 0; i < whole; i += kBlock) sum += In(a + i) * In(b + i) * In(c + i);
    S total = sum.sum();
    for (Index i = whole; i < n; ++i) total += a[i] * b[i] * c[i];
    return total;
  }

  static void gram(Index n, Index nu, const S* U, Index nv, const S* V, Index stride, S* G) {
    for (Index j = 0; j < nv; ++j)
      for (Index i = 0; i < nu; ++i) G[i + nu * j] = dot(n, U + i * stride, V + j * stride);
  }

  static void tall_qr(Index n, Index m, const S* const* columns, S* M, Index stride, S* R, Index ldr) {
    for (Index j = 0; j <= m; ++j) {
      for (Index i = 0; i < m; ++i) R[i + j * ldr] = S(0);
      if (columns != nullptr) std::copy(columns[j], columns[j] + n, M + j * stride);
    }
    if (m == 0) return;
    const S lost = S(4) * S(n) * Eigen::NumTraits<S>::epsilon();
    S along[kMaxParameters + 1] = {};  // the direction's products with itself and with every later column
    S minus[kMaxParameters + 1] = {};  // what each later column gets of the direction
    for (Index j = 0; j <= m; ++j) along[j] = dot(n, M, M + j * stride);
    for (Index k = 0; k < m; ++k) {
      S* q = M + k * stride;
      const S left = std::sqrt(along[0]);
      S before = S(0);
      for (Index i = 0; i < k; ++i) before += R[i + k * ldr] * R[i + k * ldr];
      const bool keep = left > lost * std::sqrt(before + along[0]) && along[0] >= std::numeric_limits<S>::min();
      if (!keep)
        for (Index i = 0; i < n; ++i) q[i] = S(0);
      if (keep) R[k + k * ldr] = left;
      for (Index j = 1; j <= m - k; ++j) {
        const S z = keep ? along[j] / left : S(0);
        R[k + (k + j) * ldr] = z;
        minus[j - 1] = keep ? -z / left : S(0);
      }
      step(m - k, n, q, stride, minus, along);
    }
  }

  static S total_rho(const Objective<S>& objective, Index n, const S* r, const S* w) {
    return kernel_paths::total_rho<S>(objective, n, r, w);
  }
  static void influence(const Objective<S>& objective, Index n, const S* r, S* majorizer, S* excess) {
    kernel_paths::influence<S>(objective, n, r, majorizer, excess);
  }
  static S power_sum_residual(const PowerSumRow<S>& at, const S* c) { return kernel_paths::power_sum_residual<S>(at, c); }
  static void power_sum_weights(const PowerSumRow<S>& at, S* sums) { kernel_paths::power_sum_weights<S>(at, sums); }
  static void power_sum_columns(const PowerSumRow<S>& at, Index unknowns, const int* unknown, S* M, Index stride) {
    kernel_paths::power_sum_columns<S>(at, unknowns, unknown, M, stride);
  }
  static void power_sum_curvature(const PowerSumRow<S>& at, S* G, S* crossed, S* bent) {
    kernel_paths::power_sum_curvature<S>(at, G, crossed, bent);
  }
  static void power_sum_outer_curvature(const PowerSumRow<S>& at, S* mixed, S* own) {
    kernel_paths::power_sum_outer_curvature<S>(at, mixed, own);
  }
  static void repeated_data(const kernel_paths::RepeatedDataRow<S>& at) { kernel_paths::repeated_data<S>(at); }

 private:
  static constexpr Index kBlock = 4;
  using Block = Eigen::Array<S, kBlock, 1>;
  using In = Eigen::Map<const Block>;

  /// Adds minus[j] q to the j-th of the `Count` columns after q and, in the same pass, multiplies the first of them, as it
  /// comes out, by each: along. The count is a compile-time constant so that all sums stay in registers.
  template <int Count>
  static void step(Index n, S* q, Index stride, const S* minus, S* along) {
    const Index whole = n - n % kBlock;
    S* columns = q + stride;
    Block sum[Count];
    for (int j = 0; j < Count; ++j) sum[j].setZero();
    for (Index i = 0; i < whole; i += kBlock) {
      const Block at(In(q + i));
      const Block first = In(columns + i) + minus[0] * at;
      for (int j = 0; j < Count; ++j) {
        Eigen::Map<Block> column(columns + j * stride + i);
        column += minus[j] * at;
        sum[j] += first * column;
      }
    }
    for (int j = 0; j < Count; ++j) along[j] = sum[j].sum();
    for (Index i = whole; i < n; ++i)
      for (int j = 0; j < Count; ++j) {
        S& x = columns[j * stride + i];
        x += minus[j] * q[i];
        along[j] += columns[i] * x;
      }
  }

  /// The same for a run-time count in [0, kMaxParameters].
  template <int Count = kMaxParameters>
  static void step(Index count, Index n, S* q, Index stride, const S* minus, S* along) {
    if constexpr (Count > 0) {
      if (count == Count)
        step<Count>(n, q, stride, minus, along);
      else
        step<Count - 1>(count, n, q, stride, minus, along);
    }
  }
};

#ifdef OFFRAY_SIMD
/// The same signatures, sent to the path in use.
struct DispatchedKernels {
  static void exp(Index n, double scale, const double* x, double* out) { kernels().exp(n, scale, x, out); }
  static void log(Index n, const double* x, double* out) { kernels().log(n, x, out); }
  static void power(Index n, double exponent, const double* x, const double* factor, double* u, double* xu) {
    kernels().power(n, exponent, x, factor, u, xu);
  }
  static void products(Index n, Index count, const int* parents, double* columns, Index stride) {
    kernels().products(n, count, parents, columns, stride);
  }
  static void scaled(Index n, Index count, const double* factor, const double* columns, double* out, Index stride) {
    kernels().scaled(n, count, factor, columns, out, stride);
  }
  static double dot(Index n, const double* a, const double* b) { return kernels().dot(n, a, b); }
  static double dot3(Index n, const double* a, const double* b, const double* c) { return kernels().dot3(n, a, b, c); }
  static void gram(Index n, Index nu, const double* U, Index nv, const double* V, Index stride, double* G) {
    kernels().gram(n, nu, U, nv, V, stride, G);
  }
  static void tall_qr(Index n, Index m, const double* const* columns, double* M, Index stride, double* R, Index ldr) {
    kernels().tall_qr(n, m, columns, M, stride, R, ldr);
  }
  static double total_rho(const Objective<double>& objective, Index n, const double* r, const double* w) {
    return kernels().total_rho(objective, n, r, w);
  }
  static void influence(const Objective<double>& objective, Index n, const double* r, double* majorizer, double* excess) {
    kernels().influence(objective, n, r, majorizer, excess);
  }
  static double power_sum_residual(const PowerSumRow<double>& at, const double* c) {
    return kernels().power_sum_residual(at, c);
  }
  static void power_sum_weights(const PowerSumRow<double>& at, double* sums) { kernels().power_sum_weights(at, sums); }
  static void power_sum_columns(const PowerSumRow<double>& at, Index unknowns, const int* unknown, double* M, Index stride) {
    kernels().power_sum_columns(at, unknowns, unknown, M, stride);
  }
  static void power_sum_curvature(const PowerSumRow<double>& at, double* G, double* crossed, double* bent) {
    kernels().power_sum_curvature(at, G, crossed, bent);
  }
  static void power_sum_outer_curvature(const PowerSumRow<double>& at, double* mixed, double* own) {
    kernels().power_sum_outer_curvature(at, mixed, own);
  }
  static void repeated_data(const kernel_paths::RepeatedDataRow<double>& at) { kernels().repeated_data(at); }
};

template <typename S>
using Kernels = std::conditional_t<std::is_same_v<S, double>, DispatchedKernels, PortableKernels<S>>;
#else
template <typename S>
using Kernels = PortableKernels<S>;
#endif

}  // namespace detail

}  // namespace OFFRAY_ABI
}  // namespace offray
