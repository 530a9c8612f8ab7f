// SPDX-License-Identifier: Apache-2.0
/// \file
/// Scalars, matrices and the versioned namespace that every other header uses.
#pragma once

#include <Eigen/Core>

// Eigen's alignment is part of the binary interface of every type below: two translation units built with, say, -march=native
// and without it disagree on object layout. Naming the inline namespace after the alignment turns that into a link error.
#define OFFRAY_PASTE_(a, b) a##b
#define OFFRAY_PASTE(a, b) OFFRAY_PASTE_(a, b)

// Whether there are exceptions decides what the same inline functions do with bad input: a program that mixes both kinds of
// translation units is a link error too.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define OFFRAY_EXCEPTIONS 1
#define OFFRAY_ABI OFFRAY_PASTE(align_, EIGEN_MAX_ALIGN_BYTES)
#else
#define OFFRAY_EXCEPTIONS 0
#define OFFRAY_ABI OFFRAY_PASTE(no_exceptions_align_, EIGEN_MAX_ALIGN_BYTES)
#endif

namespace offray {
inline namespace OFFRAY_ABI {

using Index = Eigen::Index;

/// Capacity of the fixed-size buffers that hold one value per parameter; the largest law has 7.
inline constexpr int kMaxParameters = 10;

/// One value per run, (n,).
template <typename S>
using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;

/// Derivatives, (n, p), column-major: one column per parameter.
template <typename S>
using Jacobian = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;

/// One value per parameter, (p,), stored in place: no allocation.
template <typename S>
using Parameters = Eigen::Matrix<S, Eigen::Dynamic, 1, Eigen::ColMajor, kMaxParameters, 1>;

/// A p x p matrix stored in place.
template <typename S>
using Square = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, kMaxParameters, kMaxParameters>;

template <typename T>
using Ref = Eigen::Ref<T>;
template <typename T>
using CRef = Eigen::Ref<const T>;

}  // namespace OFFRAY_ABI
}  // namespace offray
