// SPDX-License-Identifier: Apache-2.0
/// \file
/// Nodes of the grid over a power sum's exponents, and the memory that a search of them writes to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "offray/detail/solve/power_sum/grid_sums.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// A node of the grid with its best coefficients.
template <typename S>
struct GridCell {
  PowerSum<S> form;
  S objective;  ///< sum w r^2 of the linearised problem
};

/// Nodes, those of each plane together.
template <typename S>
struct GridCells {
  std::vector<GridCell<S>> cells;
  std::vector<std::size_t> end;  ///< of each plane's

  std::size_t planes() const { return end.size(); }
  const GridCell<S>* first(std::size_t plane) const { return cells.data() + (plane == 0 ? 0 : end[plane - 1]); }
  const GridCell<S>* last(std::size_t plane) const { return cells.data() + end[plane]; }
};

/// Sorts a few things where they are, equal ones in their order: std::stable_sort would ask for memory.
template <typename T, typename Less>
void sort_few(T* first, T* last, Less less) {
  for (T* next = first; next != last; ++next) std::rotate(std::upper_bound(first, next, *next, less), next, next + 1);
}

/// What a search writes to, kept from one search to the next.
template <typename S>
struct GridBuffers {
  std::vector<GridPlane<S>> planes;
  std::vector<GridSums<S>> sums;
  std::vector<S> objective;
  GridCells<S> minima;
  std::vector<GridCell<S>> along;
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
