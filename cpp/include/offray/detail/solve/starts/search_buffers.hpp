// SPDX-License-Identifier: Apache-2.0
/// \file
/// Memory of a search for the basins of a power sum.
#pragma once

#include <utility>
#include <vector>

#include "offray/detail/solve/power_sum/grid_cells.hpp"
#include "offray/detail/solve/starts/few_runs.hpp"
#include "offray/detail/solve/starts/ray_bound.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A few of the rows that the solver of power sums works on, in the buffers of `out`.
template <typename S>
void few_rows(const PowerSumRows<S>& all, PowerSumRows<S>& out) {
  if (all.rows <= 2 * kRoughRows) return out.take(all);
  out.take(all, kRoughRows, [&](Index i) { return spread_row(all.rows, i); });
}

/// What a search writes to, kept from one search to the next.
template <typename S>
struct SearchBuffers {
  GridBuffers<S> grid;
  PowerSumRows<S> few, held;
  Vector<S> reweight, excess;
  RayBound<S> bound;
  std::vector<std::pair<S, PowerSum<S>>> profile;
  std::vector<PowerSum<S>> alternatives;

  /// Makes room for the lists of any search: there are at most 17 planes, of 256 nodes each.
  void reserve_lists() {
    constexpr std::size_t kPlanes = 17, kNodes = kGridNodes * kGridNodes;
    grid.planes.reserve(kPlanes);
    grid.sums.reserve(kPlanes);
    grid.objective.reserve(kNodes);
    grid.minima.cells.reserve(kPlanes * 6 + kNodes / 4);
    grid.minima.end.reserve(kPlanes);
    grid.along.reserve(4 * kGridNodes);
    profile.reserve(kPlanes);
    alternatives.reserve(8);
  }
  void reserve(Index capacity) {
    make_room(reweight, capacity);
    make_room(excess, capacity);
    bound.reserve(capacity);
  }
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
