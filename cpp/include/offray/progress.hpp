// SPDX-License-Identifier: Apache-2.0
/// \file
/// How long work is watched and stopped.
#pragma once

#include <functional>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Told on the calling thread how many pieces of how many are done; returns false to stop. Empty: nobody watches.
using Progress = std::function<bool(Index done, Index total)>;

}  // namespace OFFRAY_ABI
}  // namespace offray
