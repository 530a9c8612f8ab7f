// SPDX-License-Identifier: Apache-2.0
/// \file
/// What is thrown, and what happens instead where there are no exceptions.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "offray/types.hpp"

namespace offray {
inline namespace OFFRAY_ABI {

/// Thrown for input that no fit can use. The message names the argument, the first bad row (from 0) and its value.
class InvalidInput : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

namespace detail {

/// Throws InvalidInput; with -fno-exceptions it prints the message and ends the program, as a failed allocation would. Programs
/// of that kind use what returns an InputError instead: Runs::make, Constraints::try_fix, Fitter, OnlineFit.
[[noreturn]] inline void reject(const std::string& message) {
#if OFFRAY_EXCEPTIONS
  throw InvalidInput(message);
#else
  std::fprintf(stderr, "offray: %s\n", message.c_str());
  std::abort();
#endif
}

}  // namespace detail

}  // namespace OFFRAY_ABI
}  // namespace offray
