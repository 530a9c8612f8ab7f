// SPDX-License-Identifier: Apache-2.0
/// \file
/// A few of many runs, for a first look at a start.
#pragma once

#include <cmath>
#include <vector>

#include "offray/runs.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A first look at a start takes no more rows than this.
inline constexpr Index kRoughRows = 64;

/// Rows spread over a table without a stride, which could fall in step with the design: multiples of the golden section.
inline std::vector<Index> spread_rows(Index rows, Index count) {
  std::vector<Index> out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double place = 0.6180339887498949 * static_cast<double>(i + 1);
    out[i] = static_cast<Index>((place - std::floor(place)) * static_cast<double>(rows));
  }
  return out;
}

template <typename S>
Runs<S> few_runs(const Runs<S>& all) {
  return all.size() <= 2 * kRoughRows ? all : all.at_rows(spread_rows(all.size(), kRoughRows));
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
