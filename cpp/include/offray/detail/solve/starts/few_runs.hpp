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
inline Index spread_row(Index rows, Index i) {
  const double place = 0.6180339887498949 * static_cast<double>(i + 1);
  return static_cast<Index>((place - std::floor(place)) * static_cast<double>(rows));
}

template <typename S>
Runs<S> few_runs(const Runs<S>& all) {
  if (all.size() <= 2 * kRoughRows) return all;
  std::vector<Index> rows(static_cast<std::size_t>(kRoughRows));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = spread_row(all.size(), static_cast<Index>(i));
  return all.at_rows(rows);
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
