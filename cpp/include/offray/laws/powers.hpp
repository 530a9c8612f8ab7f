// SPDX-License-Identifier: Apache-2.0
/// \file
/// Power terms of a law, through the kernels.
#pragma once

#include <algorithm>

#include "offray/detail/simd/kernels.hpp"
#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// value += c x^-p, x given by its logarithms.
template <typename S>
void add_power(S c, S p, const Vector<S>& log_x, Ref<Vector<S>> value) {
  constexpr Index kBlock = 128;
  S u[kBlock];
  for (Index i = 0; i < value.size(); i += kBlock) {
    const Index rows = std::min(kBlock, value.size() - i);
    kernels<S>().power(rows, p, log_x.data() + i, nullptr, u, nullptr);
    value.segment(i, rows) += c * Eigen::Map<const Vector<S>>(u, rows);
  }
}

/// value += c x^-p, and the derivatives of that by c and p.
template <typename S>
void add_power(S c, S p, const Vector<S>& log_x, Ref<Vector<S>> value, Ref<Vector<S>> by_c, Ref<Vector<S>> by_p) {
  kernels<S>().power(value.size(), p, log_x.data(), nullptr, by_c.data(), by_p.data());
  by_p *= -c;
  value += c * by_c;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
