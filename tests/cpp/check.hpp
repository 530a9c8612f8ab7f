// SPDX-License-Identifier: Apache-2.0
/// \file
/// The few checks that the tests need: CHECK records a failure and goes on; main() returns report().
#pragma once

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>

namespace check {

inline int failures = 0;
inline int passes = 0;

inline void record(bool good, const char* what, const char* file, int line, const std::string& detail = "") {
  if (good) {
    ++passes;
    return;
  }
  ++failures;
  std::cerr << file << ":" << line << ": " << what << detail << "\n";
}

template <typename A, typename B>
void close(A actual, B expected, double tolerance, const char* what, const char* file, int line) {
  const auto error = std::abs(static_cast<long double>(actual) - static_cast<long double>(expected));
  const auto scale = std::max(std::abs(static_cast<long double>(expected)), 1e-300L);
  record(error <= tolerance * scale, what, file, line, ": " + std::to_string(static_cast<double>(error / scale)) + " relative");
}

template <typename F>
void throws(F&& f, const std::string& message, const char* what, const char* file, int line) {
  try {
    f();
  } catch (const std::exception& error) {
    record(std::string(error.what()).find(message) != std::string::npos, what, file, line,
           std::string(": message was '") + error.what() + "'");
    return;
  }
  record(false, what, file, line, ": nothing was thrown");
}

inline int report() {
  std::cout << passes << " passed, " << failures << " failed\n";
  return failures == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(condition) check::record((condition), #condition, __FILE__, __LINE__)
/// |actual - expected| <= tolerance |expected|
#define CHECK_CLOSE(actual, expected, tolerance) \
  check::close((actual), (expected), (tolerance), #actual " ~ " #expected, __FILE__, __LINE__)
#define CHECK_THROWS(expression, message) check::throws([&] { (void)(expression); }, (message), #expression, __FILE__, __LINE__)
