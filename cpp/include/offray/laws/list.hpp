// SPDX-License-Identifier: Apache-2.0
/// \file
/// The one list of laws. A further law is one new file and one word here; tests, the Python table and the command line follow.
#pragma once

#include <array>

#include "offray/laws/chinchilla.hpp"
#include "offray/laws/droppo_elibol.hpp"
#include "offray/laws/kaplan.hpp"
#include "offray/laws/kaplan_floor.hpp"
#include "offray/laws/law.hpp"
#include "offray/laws/repeated_data.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

template <typename... Law>
struct LawList {
  static constexpr std::size_t size = sizeof...(Law);

  /// Views of all laws, in the order of the list.
  template <typename S>
  static std::array<const AnyLaw<S>*, size> all();
};

// Out of class, so that an extern template keeps all laws out of every translation unit.
template <typename... Law>
template <typename S>
std::array<const AnyLaw<S>*, LawList<Law...>::size> LawList<Law...>::all() {
  return {&any_law<S, Law>()...};
}

using Laws = LawList<Chinchilla, Kaplan, DroppoElibol, RepeatedData, KaplanFloor>;

}  // namespace OFFRAY_ABI
}  // namespace offray
