// SPDX-License-Identifier: Apache-2.0
/// \file
/// The innermost loops, for any scalar. With OFFRAY_SIMD defined (the CMake target offray::offray does it where the compiler
/// can) those in double go to code chosen at run time for the processor; otherwise, and for long double, to templates.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "offray/detail/simd/table_of.hpp"
#include "offray/errors.hpp"
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
  static constexpr S kEpsilon = std::numeric_limits<S>::epsilon(), kLeast = std::numeric_limits<S>::min();
  static S splat(S x) { return x; }
  static S zero() { return S(0); }
  static S root(S x) { return std::sqrt(x); }
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
/// \throws InvalidInput for a name that is unknown or not available here.
void force_simd(std::string_view name);

#else

inline std::string_view simd() { return "portable"; }

inline std::vector<std::string_view> simd_available() { return {"portable"}; }

inline void force_simd(std::string_view name) {
  if (name == "portable" || name == "best") return;
  detail::reject("simd path must be 'best' or 'portable', the only one in this build; got '" + std::string(name) + "'");
}

#endif

namespace detail {

template <typename S>
using PowerSumRow = kernel_paths::PowerSumRow<S>;

/// The kernels in plain C++.
template <typename S>
inline constexpr kernel_paths::KernelTable<S> kPortable = kernel_paths::table_of<S>("portable");

#ifdef OFFRAY_SIMD
/// The path in use for double.
const kernel_paths::KernelTable<double>& simd_path();
#endif

/// The kernels that a scalar goes through.
template <typename S>
const kernel_paths::KernelTable<S>& kernels() {
#ifdef OFFRAY_SIMD
  if constexpr (std::is_same_v<S, double>) return simd_path();
#endif
  return kPortable<S>;
}

}  // namespace detail

}  // namespace OFFRAY_ABI
}  // namespace offray
