// SPDX-License-Identifier: Apache-2.0
/// \file
/// doctest, and the one check that it lacks: a tolerance relative to the expected value, in the scalar of either.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace check {

/// |actual - expected| over |expected|.
template <typename A, typename B>
double relative(A actual, B expected) {
  const auto a = static_cast<long double>(actual), b = static_cast<long double>(expected);
  return static_cast<double>(std::abs(a - b) / std::max(std::abs(b), 1e-300L));
}

}  // namespace check

#define CHECK_CLOSE(actual, expected, tolerance) CHECK(check::relative((actual), (expected)) <= (tolerance))
/// That an exception comes whose message has this in it.
#define CHECK_MESSAGE_HAS(expression, message) CHECK_THROWS_WITH((void)(expression), doctest::Contains(message))
