// SPDX-License-Identifier: Apache-2.0
/// \file
/// What is thrown.
#pragma once

#include <stdexcept>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Thrown for input that no fit can use. The message names the argument, the first bad row (from 0) and its value.
class InvalidInput : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace OFFRAY_ABI
}  // namespace offray
