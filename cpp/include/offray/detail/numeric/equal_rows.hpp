// SPDX-License-Identifier: Apache-2.0
/// \file
/// Which rows of a few columns are equal.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Rows with the same values, numbered in the order in which they come first.
struct EqualRows {
  std::vector<Index> of;  ///< the class of every row
  Index count = 0;        ///< how many classes there are

  /// \param columns (n,) each; a hash table finds the class of a row, its first member decides.
  template <typename S>
  EqualRows(Index rows, const std::vector<const S*>& columns) : of(static_cast<std::size_t>(rows)) {
    std::size_t size = 8;
    while (size < 2 * of.size()) size *= 2;
    std::vector<Index> first(size, -1);
    for (Index i = 0; i < rows; ++i) {
      std::uint64_t hash = 0;
      for (const S* column : columns) hash = mixed(hash ^ bits(static_cast<double>(column[i])));
      std::size_t at = static_cast<std::size_t>(hash) & (size - 1);
      while (first[at] >= 0 && !equal(columns, first[at], i)) at = (at + 1) & (size - 1);
      if (first[at] < 0) {
        first[at] = i;
        of[static_cast<std::size_t>(i)] = count++;
      } else {
        of[static_cast<std::size_t>(i)] = of[static_cast<std::size_t>(first[at])];
      }
    }
  }

 private:
  static std::uint64_t bits(double x) {
    std::uint64_t out;
    std::memcpy(&out, &x, sizeof out);
    return out;
  }
  /// The finalizer of splitmix64 (Steele, Lea & Flood 2014).
  static std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }
  template <typename S>
  static bool equal(const std::vector<const S*>& columns, Index a, Index b) {
    for (const S* column : columns)
      if (!(column[a] == column[b])) return false;
    return true;
  }
};

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
