// SPDX-License-Identifier: Apache-2.0
/// \file
/// Where descents ended.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "offray/laws/law.hpp"
#include "offray/options.hpp"

namespace offray {
inline namespace OFFRAY_ABI {
namespace detail {

/// Where one descent ended.
template <typename S>
struct Basin {
  Parameters<S> phi;
  Summary<S> summary;
  std::array<int, kTerms> edges{};  ///< of a power sum: -1 or 1 where a Term sits at its lower or upper edge
};

/// Puts a basin in its place unless it is there already: the same objective to 1e-9 at the same exponents, or a worse one than
/// needed to be of interest.
template <typename S>
void add_basin(Basin<S> basin, std::vector<Basin<S>>& found) {
  if (!std::isfinite(basin.summary.objective)) return;
  const auto settled = [](const Basin<S>& b) { return b.summary.status == Status::converged; };
  for (Basin<S>& other : found) {
    const S F = basin.summary.objective, G = other.summary.objective;
    if (!(std::abs(F - G) <= S(1e-9) * std::max(F, G))) continue;
    // Equal to within what a later basin has to gain to count: a converged one speaks for both.
    if (settled(basin) && !settled(other)) other = basin;
    return;
  }
  const auto place = std::upper_bound(found.begin(), found.end(), basin, [](const Basin<S>& a, const Basin<S>& b) {
    return a.summary.objective < b.summary.objective;
  });
  found.insert(place, std::move(basin));
}

/// As add_basin(), for strict optima of equal objective at places of their own, of which runs at few places may have several.
template <typename S>
void add_distinct(Basin<S> basin, std::vector<Basin<S>>& found) {
  constexpr S kApart = S(0.01);  // of ln theta'
  if (basin.summary.status != Status::converged) return;
  const S F = basin.summary.objective;
  const auto no_worse = [&](const Basin<S>& other) { return other.summary.objective <= F * (S(1) + S(1e-9)); };
  for (const Basin<S>& other : found) {
    const bool lower = other.summary.objective < F * (S(1) - S(1e-9));
    if (no_worse(other) && !lower && (other.phi - basin.phi).cwiseAbs().maxCoeff() <= kApart) return;
  }
  found.insert(std::partition_point(found.begin(), found.end(), no_worse), std::move(basin));
}

}  // namespace detail
}  // namespace OFFRAY_ABI
}  // namespace offray
