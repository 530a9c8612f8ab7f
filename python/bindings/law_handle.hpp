// SPDX-License-Identifier: Apache-2.0
/// \file
/// A law as Python holds it: one object for both scalars.
#pragma once

#include <memory>
#include <type_traits>

#include "offray/laws/law.hpp"

struct LawHandle {
  std::shared_ptr<const offray::AnyLaw<double>> in_double;
  std::shared_ptr<const offray::AnyLaw<long double>> in_long_double;

  template <typename S>
  const offray::AnyLaw<S>& as() const {
    if constexpr (std::is_same_v<S, double>)
      return *in_double;
    else
      return *in_long_double;
  }
};
