// SPDX-License-Identifier: Apache-2.0
/// \file
/// Runs at no more places than there are unknowns.
#pragma once

#include <algorithm>
#include <array>

#include "offray/detail/solve/power_sum/rows.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Whether some inputs repeat and no more are different than there are unknowns: then several optima go through all of them.
template <typename S>
bool few_places(const PowerSumRows<S>& rows) {
  constexpr Index kMany = 64;  // runs among which nobody makes so few places
  if (rows.rows > kMany) return false;
  Index unknowns = 2 + Index(rows.floor);
  for (const bool free : rows.free) unknowns += Index(free);
  if (rows.rows <= unknowns) return false;
  std::array<Index, 7> place{};  // the first row of each
  std::size_t places = 0;
  for (Index i = 0; i < rows.rows; ++i) {
    const bool known = std::any_of(place.begin(), place.begin() + places,
                                   [&](Index k) { return rows.x[k] == rows.x[i] && rows.y[k] == rows.y[i]; });
    if (known) continue;
    if (static_cast<Index>(places) == unknowns) return false;
    place[places++] = i;
  }
  return true;
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
